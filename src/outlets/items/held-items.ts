/** Items of a flood, which wait for the operator. */
import { sql } from 'kysely';
import type { AppContext } from '../../core/app-context.ts';
import type { RoundupSource } from '../../core/config/schema.ts';
import { type Db, type InTransaction, inTransaction } from '../../core/store/store.ts';
import { endHold } from '../../sources/polling/source-alerts.ts';
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
 * Decides on the held items of a source: `accept` opens those that were reported within the window of the roundup, and
 * the others are old; `ignore` shows none of them, ever. New items of the source are no longer held, and the alert is
 * resolved. Deciding again changes nothing. The next grouping takes what was accepted.
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
  const accepted = sql<'open' | 'old'>`
    case when coalesce(published_at, first_seen_at) >= ${now - ROUNDUP_WINDOW} then 'open' else 'old' end`;
  return inTransaction(store.db, async (tx) => {
    const rows = await tx
      .updateTable('outlet_items')
      .set({ state: decision === 'ignore' ? 'ignored' : accepted })
      .where('source', '=', source.id)
      .where(IS_HELD)
      .returning('state')
      .execute();
    await endHold(tx, source.id, now);
    if (rows.length > 0) await onCommit?.(tx);
    const count = (state: string): number => rows.filter((row) => row.state === state).length;
    return { open: count('open'), old: count('old'), ignored: count('ignored') };
  });
}
