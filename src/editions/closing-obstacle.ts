/**
 * Whether an edition may close, by its draft and its stories. Renders nothing.
 */
import type { Config, NewsletterConfig } from '../core/config/config.ts';
import type { Db } from '../core/store/store.ts';
import { findAlertEditionObstacle } from './alert-newsletters/alert-limits.ts';
import { type ClosingObstacle, closingObstacle } from './draft/closing.ts';
import { readDraft } from './draft/draft-store.ts';
import { findEdition } from './queries.ts';
import { type ArrangementOptions, arrangeEdition } from './selection/arrange.ts';

/** Why the edition of a slot must not close at `now`; null if it may, or is closed. */
export async function findClosingObstacle(
  db: Db,
  config: Config,
  newsletter: NewsletterConfig,
  options: Pick<ArrangementOptions, 'slot' | 'cutoffAt' | 'now'>,
): Promise<ClosingObstacle | null> {
  const { slot, now } = options;
  const { state, closeAt } = await readDraft(db, newsletter.id, slot);
  const obstacle =
    closingObstacle(state, newsletter.approval, null) ??
    (newsletter.kind === 'alert' && state.kind !== 'closed'
      ? await findAlertEditionObstacle(db, config, newsletter, { slotAt: slot.slotAt, closeAt, now })
      : null);
  const isVoidable = state.kind === 'approved' && newsletter.approval === 'required';
  if (obstacle === null && !isVoidable) return null;
  // An edition that closed before there were drafts.
  if ((await findEdition(db, newsletter.id, slot.label)) !== null) return null;
  if (obstacle !== null) return obstacle;
  const { draft, approval } = await arrangeEdition(db, config, newsletter, options);
  return closingObstacle(draft.state, newsletter.approval, approval?.voided ?? null);
}
