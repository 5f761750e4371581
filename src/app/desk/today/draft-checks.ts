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
import { agedCachePerDesk } from '../../../web/desk/aged-cache.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';

export type DraftCheckCounts =
  | { kind: 'checked'; errors: number; warnings: number }
  /** There is no story, so nothing to check; or the edition has closed meanwhile. */
  | { kind: 'nothing' }
  /** The edition is still being composed: the first one after a start takes seconds. */
  | { kind: 'pending' }
  /** The edition cannot be rendered, such as after a mistake in a template. */
  | { kind: 'failed'; reason: string };

/** By newsletter, slot, and what the counts depend on, as JSON. */
const draftChecks = agedCachePerDesk(findProblems);

/**
 * Counts the problems of a draft, or says what is known of them.
 * @param draft its slot, and its newest log entry
 */
export async function countDraftProblems(
  desk: DeskContext,
  newsletter: NewsletterConfig,
  { slot, revision }: { slot: EditionSlot; revision: number },
): Promise<DraftCheckCounts> {
  const { store } = desk.app;
  const { version } = await readFeedVersion(store.db);
  const last = await lastEdition(store.db, newsletter.id);
  const key = JSON.stringify([newsletter.id, slot, revision, version, last?.id ?? 0]);
  return (await draftChecks(desk).read(key))?.value ?? { kind: 'pending' };
}

/** Never rejects. */
async function findProblems(desk: DeskContext, key: string): Promise<DraftCheckCounts> {
  const [id, slot] = JSON.parse(key) as [string, EditionSlot];
  const newsletter = desk.app.config.newsletters.find((one) => one.id === id) as NewsletterConfig;
  try {
    const composition = await composeDraft(desk.app, { newsletter, slot, edition: null }, { render: renderForDesk });
    if (composition.kind === 'empty') return { kind: 'nothing' };
    const problems = await checkDraft(desk.app, newsletter, composition.composed, { links: 'cached' });
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    return { kind: 'checked', errors, warnings: problems.length - errors };
  } catch (error) {
    return { kind: 'failed', reason: errorLine(error) };
  }
}
