/**
 * Reads what the page of an edition shows.
 */

import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import { arrangeDraft, readArrangedDraft } from '../../draft/arranged-draft.ts';
import type { DraftTarget } from '../../draft/draft-target.ts';
import { storiesOf } from '../../draft/history.ts';
import { findHeadlines } from '../../headlines.ts';
import type { DraftPageView } from './draft-view.ts';
import { checkComposition, composeForPage } from './run-checks.ts';

/** Newest log entries whose stories are named by their headlines: those of the page, and those to undo. */
const NAMED_ENTRIES = 50;

export async function readView(request: SignedInRequest, target: DraftTarget): Promise<DraftPageView> {
  const { app } = request.desk;
  const arrangement = await arrangeDraft(app, target);
  const composition = await composeForPage(request.desk, target, arrangement);
  // A command that came meanwhile is in the composition, which its hash lets an editor approve.
  const isOlder = composition.kind === 'composed' && composition.draft.revision !== arrangement.arranged.draft.revision;
  const draft = await readArrangedDraft(app, target, isOlder ? undefined : arrangement);
  const problems =
    composition.kind === 'composed' ? await checkComposition(request.desk, target, composition, 'cached') : [];
  const headlines = new Map<string, string>();
  for (const { id, headline } of draft.leftOut) if (headline) headlines.set(id, headline);
  for (const { id, article } of draft.stories) headlines.set(id, article.headline);
  const unknown = [...new Set(draft.log.slice(-NAMED_ENTRIES).flatMap(storiesOf))].filter((id) => !headlines.has(id));
  for (const [id, headline] of await findHeadlines(app.store.db, unknown)) headlines.set(id, headline);
  return { request, draft, composition, problems, headlines, mayEdit: request.may('drafts.edit') };
}
