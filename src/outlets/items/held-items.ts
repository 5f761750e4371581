/** Items of a flood, which wait for the operator. */
import { sql } from 'kysely';
import { resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { RoundupSource } from '../../core/config/schema.ts';
import type { Db, InTransaction } from '../../core/store/store.ts';
import { inTransaction } from '../../core/store/store.ts';
import { heldAlert } from '../../sources/polling/source-alerts.ts';
import { ROUNDUP_WINDOW } from '../story-groups/regroup.ts';

/** A literal, for the index of held items. */
const IS_HELD = sql<boolean>`outlet_items.state = 'held'`;

/** Numbers of held items, by their outcome. */
interface HeldDecision {
  /** For the roundup. */
  open: number;
  /** Dated before the window. */
  old: number;
  ignored: number;
}

export async function countHeldItems(db: Db, source: string): Promise<number> {
  const { held } = await db
    .selectFrom('outlet_items')
    .select((e) => e.fn.countAll<number>().as('held'))
    .where('source', '=', source)
    .where(IS_HELD)
    .executeTakeFirstOrThrow();
  return held;
}

/**
 * Decides on the held items of a source: `accept` opens those that were reported within the window, and the others are
 * old; `ignore` shows none of them, ever. New items of the source are no longer held. Deciding again changes nothing.
 * @param windowMs how far back news reaches
 */
async function decideHeldItems(
  db: Db,
  source: string,
  decision: 'accept' | 'ignore',
  { now, windowMs }: { now: number; windowMs: number },
): Promise<HeldDecision> {
  const accepted = sql<'open' | 'old'>`
    case when coalesce(published_at, first_seen_at) >= ${now - windowMs} then 'open' else 'old' end`;
  return inTransaction(db, async (tx) => {
    const rows = await tx
      .updateTable('outlet_items')
      .set({ state: decision === 'ignore' ? 'ignored' : accepted })
      .where('source', '=', source)
      .where(IS_HELD)
      .returning('state')
      .execute();
    await tx
      .updateTable('sources')
      .set({ state: 'active', state_since: now, reason: null })
      .where('id', '=', source)
      .where('state', '=', 'held')
      .execute();
    const count = (state: string): number => rows.filter((row) => row.state === state).length;
    return { open: count('open'), old: count('old'), ignored: count('ignored') };
  });
}

/**
 * As `decideHeldItems`, with the window of the configuration. Resolves the alert. The next grouping takes what was
 * accepted.
 * @param onCommit called last, in the same transaction, if any was held
 * @returns what became of them: zeros if none is held
 */
export async function decideHeld(
  { store, clock }: Pick<AppContext, 'store' | 'clock'>,
  source: Pick<RoundupSource, 'id'>,
  decision: 'accept' | 'ignore',
  onCommit?: InTransaction,
): Promise<HeldDecision> {
  const now = clock();
  return inTransaction(store.db, async (tx) => {
    const decided = await decideHeldItems(tx, source.id, decision, { now, windowMs: ROUNDUP_WINDOW });
    await resolveAlerts(tx, [heldAlert(source.id)], now);
    if (decided.open + decided.old + decided.ignored > 0) await onCommit?.(tx);
    return decided;
  });
}
