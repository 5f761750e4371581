/** How a claimed delivery continues, and the reasons that are written in several places. */
import { type RawBuilder, sql } from 'kysely';

/** `reply` is the reply of the server or transport; `reason` is for the operator. */
export type DeliveryOutcome =
  | { kind: 'submitted'; reply: string }
  /** Retried from `dueAt` on. */
  | { kind: 'deferred'; dueAt: number; reply: string | null; reason: string }
  | { kind: 'failed'; reply: string | null; reason: string }
  | { kind: 'suppressed'; reason: string }
  /** The server may have accepted it, and the operator must settle it. */
  | { kind: 'uncertain'; reason: string }
  /**
   * The attempt failed for reasons that do not concern this recipient: it is not counted, and the delivery is due. From
   * `dueAt` on, if that is given: after the others that are due.
   */
  | { kind: 'reverted'; reply: string | null; reason: string; dueAt?: number }
  /** Due again without an attempt. */
  | { kind: 'released'; reason: string | null };

/** Prefix of the reason of a delivery whose edition was cancelled. */
export const CANCELLED = 'cancelled by the operator: ';

/** The reason of a delivery whose submission was interrupted and that is retried. */
export const INTERRUPTED = 'interrupted while submitting: retried with the same Message-ID';

/** Part of the reason of a delivery that was not recorded as submitted, although the server may have accepted it. */
export const MAY_HAVE_ARRIVED = 'it may have arrived';

/** The reply of a delivery that was uncertain until the mail provider reported about it. */
export const REPORTED = 'reported by the mail provider as submitted';

/**
 * Condition: the message was submitted, or one of its attempts may have reached the server. Each later reason says so,
 * too, until the operator decides.
 * @param table name or alias of a table with the columns `state` and `reason`
 */
export function mayHaveArrived(table: string): RawBuilder<boolean> {
  const reason = sql.ref(`${table}.reason`);
  return sql<boolean>`(${sql.ref(`${table}.state`)} = 'submitted' or ${isMarkedUncertain(reason)})`;
}

/** Condition: a reason says that an attempt may have reached the server. */
export function isMarkedUncertain(reason: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`(coalesce(${reason}, '') like ${`%${MAY_HAVE_ARRIVED}%`}
    or coalesce(${reason}, '') like ${'%interrupted while submitting%'})`;
}

/** Part of the reason of a delivery that expired while `delivery.perDay` or the warm-up let nothing through. */
export const OVER_LIMITS = 'over the limit of delivery.perDay or warmUp';

/** Prefix of the reason of a delivery that expired. */
export const EXPIRED = 'expired: it could not be submitted in time';

/** The reason of a delivery that expired. @param lastReason why the last attempt failed, or null */
export function expiredReason(lastReason: string | null): string {
  return lastReason === null ? EXPIRED : `${EXPIRED}; the last attempt: ${lastReason}`;
}
