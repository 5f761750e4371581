/**
 * How many problems the checks find in drafts, for a page that shows many. An edition is rendered for it, in a thread,
 * so what was found is kept until the draft, a feed or the newsletter's last edition changes. No link is looked up:
 * what was found of links on the last day counts.
 */
import type { NewsletterConfig } from '../../config/config.ts';
import { lastEdition } from '../../editions/queries.ts';
import type { EditionSlot } from '../../editions/slot.ts';
import { readFeedVersion } from '../../feeds/feed-version.ts';
import { errorLine } from '../../lib/clean-text.ts';
import { MINUTE } from '../../lib/time.ts';
import type { AppContext } from '../app-context.ts';
import { checkDraft } from '../checks/check-draft.ts';
import { composeUnrecorded } from '../preview.ts';

export type DraftCheckCounts =
  | { kind: 'checked'; errors: number; warnings: number }
  /** There is no story, so nothing to check; or the edition has closed meanwhile. */
  | { kind: 'nothing' }
  /** The edition cannot be rendered, such as after a mistake in a template. */
  | { kind: 'failed'; reason: string };

interface Kept {
  /** What it was found of. */
  basis: string;
  at: number;
  counts: Promise<DraftCheckCounts>;
}

/** Links may have been looked up since: after that it is found again, while the page shows what is known. */
const FRESH = MINUTE;
/** Drafts of all newsletters, with those of alerts. */
const MAX_KEPT = 100;

export class DraftChecks {
  readonly #app: AppContext;
  readonly #kept = new Map<string, Kept>();

  constructor(app: AppContext) {
    this.#app = app;
  }

  /** @param revision the draft's newest log entry */
  async count(
    newsletter: NewsletterConfig,
    { slot, revision }: { slot: EditionSlot; revision: number },
  ): Promise<DraftCheckCounts> {
    const { store, clock } = this.#app;
    const { version } = await readFeedVersion(store.db);
    const last = await lastEdition(store.db, newsletter.id);
    const basis = [revision, version, last?.id ?? 0].join(' ');
    const name = `${newsletter.id}/${slot.label}`;
    const known = this.#kept.get(name);
    const now = clock();
    if (known?.basis === basis && Math.abs(now - known.at) < FRESH) return known.counts;
    const counts = this.#find(newsletter, slot);
    this.#kept.delete(name);
    this.#kept.set(name, { basis, at: now, counts });
    for (const oldest of this.#kept.keys()) if (this.#kept.size > MAX_KEPT) this.#kept.delete(oldest);
    return known?.basis === basis ? known.counts : counts;
  }

  /** Never rejects. */
  async #find(newsletter: NewsletterConfig, { label }: EditionSlot): Promise<DraftCheckCounts> {
    try {
      const outcome = await composeUnrecorded(this.#app, newsletter, label);
      if (outcome.kind === 'refused' || outcome.composed.kind === 'skipped') return { kind: 'nothing' };
      const problems = await checkDraft(this.#app, newsletter, outcome.composed, { links: 'cached' });
      const errors = problems.filter(({ severity }) => severity === 'error').length;
      return { kind: 'checked', errors, warnings: problems.length - errors };
    } catch (error) {
      return { kind: 'failed', reason: errorLine(error) };
    }
  }
}
