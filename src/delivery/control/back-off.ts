/**
 * The back-off that all processes share: while the server accepts nothing for any recipient, it is left alone
 * for some time, and then one message finds out whether it answers again.
 */
import { sql } from 'kysely';
import { type Db, dialectOf, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';

/** The state of the back-off; see `BackOffTable`. */
export type BackOff = Omit<Tables['back_off'], 'id'>;

/** Why nothing can be submitted. */
export interface ServerFailure {
  /** Without addresses. */
  reason: string;
  /** Whether an alert is raised at once: no connection at all, or a mistake in the configuration. */
  isUrgent: boolean;
}

/** Called once for a back-off that an operator must know of, in the transaction that notes it. */
export type OnTrouble = (tx: Tx, backOff: BackOff) => Promise<void>;

/** Called in the transaction that ends a back-off. */
export type OnRecovery = (tx: Tx) => Promise<void>;

const DELAYS = [30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE];
/** Trouble of this duration is worth an alert, even if it may pass by itself. */
const ALERT_AFTER = 5 * MINUTE;
const ID = 1;

/** Milliseconds until the next probe. @param failures so far, at least 1 */
export function backOffDelay(failures: number): number {
  return DELAYS[Math.min(failures, DELAYS.length) - 1] as number;
}

/** The back-off after a failure. @param current null if the server has answered since the last one */
export function afterFailure(current: BackOff | null, { reason }: ServerFailure, now: number): BackOff {
  // Not a probe: another process failed at the same time, or a submission that had begun before.
  if (current !== null && now < current.retry_at) return { ...current, reason };
  const failures = (current?.failures ?? 0) + 1;
  return {
    reason,
    failures,
    since: current?.since ?? now,
    retry_at: now + backOffDelay(failures),
    alerted: current?.alerted ?? 0,
  };
}

/** Whether an alert must be raised now. */
export function isAlertDue({ alerted, since }: BackOff, { isUrgent }: ServerFailure, now: number): boolean {
  return alerted === 0 && (isUrgent || now >= since + ALERT_AFTER);
}

/** The current back-off; null if messages may be submitted. */
export async function readBackOff(db: Db): Promise<BackOff | null> {
  return (await selectBackOff(db).executeTakeFirst()) ?? null;
}

/** Begins a back-off, or makes it longer after a failed probe. */
export function recordServerFailure(
  { db }: Pick<Store, 'db'>,
  failure: ServerFailure,
  now: number,
  onTrouble: OnTrouble | undefined,
): Promise<BackOff> {
  return inTransaction(db, async (tx) => {
    const lock = dialectOf(tx) === 'postgres' ? sql`for update` : sql``;
    const current = (await selectBackOff(tx).modifyEnd(lock).executeTakeFirst()) ?? null;
    const after = afterFailure(current, failure, now);
    const isAlerted = isAlertDue(after, failure, now);
    const next = isAlerted ? { ...after, alerted: 1 } : after;
    await tx
      .insertInto('back_off')
      .values({ id: ID, ...next })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(next))
      .execute();
    if (isAlerted) await onTrouble?.(tx, next);
    return next;
  });
}

/** Ends the back-off: the server has answered. */
export function endBackOff({ db }: Pick<Store, 'db'>, onRecovery: OnRecovery | undefined): Promise<void> {
  return inTransaction(db, async (tx) => {
    await tx.deleteFrom('back_off').execute();
    await onRecovery?.(tx);
  });
}

function selectBackOff(db: Db) {
  return db.selectFrom('back_off').select(['reason', 'failures', 'since', 'retry_at', 'alerted']);
}
