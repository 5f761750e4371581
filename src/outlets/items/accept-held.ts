/** Decides on the items of a flood; see outlets/items/flood.ts. */

import { resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { RoundupSource } from '../../core/config/config.ts';
import { type InTransaction, inTransaction } from '../../core/store/store.ts';
import { groupingWindow } from '../story-groups/regroup.ts';
import { decideHeldItems, type HeldDecision, heldAlert } from './held-items.ts';

/**
 * `accept` lets the held items of a source into the roundup, as far as they were reported within the window; `ignore`
 * shows none of them. The next grouping takes the accepted ones. Resolves the alert.
 * @param onCommit called last, in the same transaction, if any was held
 * @returns what became of them: zeros if none is held
 */
export async function decideHeld(
  { store, config, clock }: Pick<AppContext, 'store' | 'config' | 'clock'>,
  source: Pick<RoundupSource, 'id'>,
  decision: 'accept' | 'ignore',
  onCommit?: InTransaction,
): Promise<HeldDecision> {
  const now = clock();
  return inTransaction(store.db, async (tx) => {
    const decided = await decideHeldItems(tx, source.id, decision, { now, windowMs: groupingWindow(config) });
    await resolveAlerts(tx, [heldAlert(source.id)], now);
    if (decided.open + decided.old + decided.ignored > 0) await onCommit?.(tx);
    return decided;
  });
}
