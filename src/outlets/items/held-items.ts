/** Items of a flood, which wait for the operator. */
import { sql } from 'kysely';
import type { AlertId } from '../../core/alerts/alert-kind.ts';
import type { Db } from '../../core/store/store.ts';
import { inTransaction } from '../../core/store/transaction.ts';

/** A literal, for the index of held items. */
const IS_HELD = sql<boolean>`outlet_items.state = 'held'`;

/** What became of held items: their numbers. */
export interface HeldDecision {
  /** For the roundup. */
  open: number;
  /** Dated before the window. */
  old: number;
  ignored: number;
}

/** Open while a source has held items. */
export function heldAlert(source: string): AlertId {
  return { kind: 'outlet-held', subject: { source } };
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

/** By source; those without held items are missing. */
export async function countAllHeldItems(db: Db): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('outlet_items')
    .select((e) => ['source', e.fn.countAll<number>().as('held')])
    .where(IS_HELD)
    .groupBy('source')
    .execute();
  return new Map(rows.flatMap(({ source, held }) => (source === null ? [] : [[source, held]])));
}

/**
 * Decides on the held items of a source: `accept` opens those that were reported within the window, and the others are
 * old; `ignore` shows none of them, ever. New items of the source are no longer held. Deciding again changes nothing.
 * @param windowMs how far back news reaches
 */
export async function decideHeldItems(
  db: Db,
  source: string,
  decision: 'accept' | 'ignore',
  { now, windowMs }: { now: number; windowMs: number },
): Promise<HeldDecision> {
  const from = now - windowMs;
  return inTransaction(db, async (tx) => {
    const rows = await tx
      .updateTable('outlet_items')
      .set({
        state:
          decision === 'ignore'
            ? 'ignored'
            : sql<
                'open' | 'old'
              >`case when coalesce(published_at, first_seen_at) >= ${from} then 'open' else 'old' end`,
      })
      .where('source', '=', source)
      .where(IS_HELD)
      .returning('state')
      .execute();
    await tx
      .updateTable('outlet_feeds')
      .set({ state: 'active', state_since: now, reason: null })
      .where('source', '=', source)
      .where('state', '=', 'held')
      .execute();
    const count = (state: string): number => rows.filter((row) => row.state === state).length;
    return { open: count('open'), old: count('old'), ignored: count('ignored') };
  });
}
