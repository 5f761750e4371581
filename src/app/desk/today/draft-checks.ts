/**
 * How many problems the checks find in drafts. An edition is composed for it, so what was found is kept for a minute,
 * or until the draft, a feed or the newsletter's last edition changes. Today itself looks no links up: what was found
 * of them on the last day counts, as on the page of the edition.
 */
import type { NewsletterConfig } from '../../../core/config/config.ts';
import { renderForDesk } from '../../../editions/desk/preview/compose-for-desk.ts';
import { composeDraft } from '../../../editions/draft/compose-draft.ts';
import { checkDraft } from '../../../editions/edition-checks/check-draft.ts';
import { lastEdition } from '../../../editions/queries.ts';
import type { EditionSlot } from '../../../editions/slot.ts';
import { readFeedVersion } from '../../../feeds/feed-version.ts';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { MINUTE } from '../../../lib/time.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';

export type DraftCheckCounts =
  | { kind: 'checked'; errors: number; warnings: number }
  /** There is no story, so nothing to check; or the edition has closed meanwhile. */
  | { kind: 'nothing' }
  /** The edition is still being composed: the first one after a start takes seconds. */
  | { kind: 'pending' }
  /** The edition cannot be rendered, such as after a mistake in a template. */
  | { kind: 'failed'; reason: string };

interface Kept {
  /** What it was found of. */
  basis: string;
  at: number;
  counts: Promise<DraftCheckCounts>;
}

/** Links may have been looked up: after that it is found again, while the page shows what is known. */
const FRESH = MINUTE;
/** Drafts of all newsletters, with those of alerts. */
const MAX_KEPT = 100;
/** How long a page waits, in milliseconds: it shall take less than 100, and the rest takes about 30. */
const WAIT_LIMIT = 40;

class DraftChecks {
  readonly #desk: DeskContext;
  readonly #kept = new Map<string, Kept>();

  constructor(desk: DeskContext) {
    this.#desk = desk;
  }

  /** @param revision the draft's newest log entry */
  async count(
    newsletter: NewsletterConfig,
    { slot, revision }: { slot: EditionSlot; revision: number },
    waitLimit: number,
  ): Promise<DraftCheckCounts> {
    const { store, clock } = this.#desk.app;
    const { version } = await readFeedVersion(store.db);
    const last = await lastEdition(store.db, newsletter.id);
    const basis = [revision, version, last?.id ?? 0].join(' ');
    const name = `${newsletter.id}/${slot.label}`;
    const known = this.#kept.get(name);
    const now = clock();
    const isSame = known?.basis === basis;
    if (isSame && Math.abs(now - known.at) < FRESH) return within(waitLimit, known.counts);
    const counts = this.#find(newsletter, slot);
    this.#kept.delete(name);
    this.#kept.set(name, { basis, at: now, counts });
    for (const oldest of this.#kept.keys()) if (this.#kept.size > MAX_KEPT) this.#kept.delete(oldest);
    return within(waitLimit, isSame ? known.counts : counts);
  }

  /** Never rejects. */
  async #find(newsletter: NewsletterConfig, slot: EditionSlot): Promise<DraftCheckCounts> {
    try {
      const { app } = this.#desk;
      const composition = await composeDraft(app, { newsletter, slot, edition: null }, { render: renderForDesk });
      if (composition.kind === 'empty') return { kind: 'nothing' };
      const problems = await checkDraft(app, newsletter, composition.composed, { links: 'cached' });
      const errors = problems.filter(({ severity }) => severity === 'error').length;
      return { kind: 'checked', errors, warnings: problems.length - errors };
    } catch (error) {
      return { kind: 'failed', reason: errorLine(error) };
    }
  }
}

const opened = new WeakMap<DeskContext, DraftChecks>();

/**
 * Counts the problems of a draft, or says what is known of them.
 * @param draft its slot, and its newest log entry
 * @param waitLimit milliseconds after which it is `pending`
 */
export function countDraftProblems(
  desk: DeskContext,
  newsletter: NewsletterConfig,
  draft: { slot: EditionSlot; revision: number },
  waitLimit = WAIT_LIMIT,
): Promise<DraftCheckCounts> {
  let checks = opened.get(desk);
  if (checks === undefined) {
    checks = new DraftChecks(desk);
    opened.set(desk, checks);
  }
  return checks.count(newsletter, draft, waitLimit);
}

async function within(limit: number, counts: Promise<DraftCheckCounts>): Promise<DraftCheckCounts> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DraftCheckCounts>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'pending' }), limit);
  });
  try {
    return await Promise.race([counts, late]);
  } finally {
    clearTimeout(timer);
  }
}
