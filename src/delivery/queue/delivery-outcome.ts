/**
 * How a delivery goes on, and the words of reasons that several hands write.
 */

/** `reply` is the server's, or the transport's word; `reason` is said for an operator. */
export type DeliveryOutcome =
  | { kind: 'submitted'; reply: string }
  /** Tried again from `dueAt` on. */
  | { kind: 'deferred'; dueAt: number; reply: string | null; reason: string }
  | { kind: 'failed'; reply: string | null; reason: string }
  | { kind: 'suppressed'; reason: string }
  /** Nobody knows whether the server took it, and the operator is to settle it (`delivery.uncertain: hold`). */
  | { kind: 'uncertain'; reason: string }
  /** An attempt that never got as far as this recipient: it is due again and the attempt does not count. */
  | { kind: 'returned'; reply: string | null; reason: string }
  /** Due again without an attempt having begun. */
  | { kind: 'put-back'; reason: string | null };

/** Begins the reason of a delivery whose edition was cancelled. */
export const CANCELLED = 'cancelled by the operator: ';

/** Begins the reason of a delivery that is not worth submitting any more. */
export const EXPIRED = 'stale: it could not be submitted in time';

/** Said of what is not worth submitting any more. @param last why the last attempt did not succeed, or null */
export function expiredReason(last: string | null): string {
  return last === null ? EXPIRED : `${EXPIRED}; the last attempt: ${last}`;
}
