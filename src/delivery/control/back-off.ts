/**
 * How long the server is left alone after it accepted nothing, and when an operator is told. Pure.
 */
import type { Tables } from '../../core/store/tables.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';

/** The state of a back-off; see `BackOffsTable`. */
export type BackOff = Omit<Tables['back_offs'], 'scope'>;

export type BackOffCause = BackOff['cause'];

const DELAYS = [30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE];
/** Trouble of this duration is worth an alert, even if it may pass by itself. */
const ALERT_AFTER = 15 * MINUTE;

/** Milliseconds until the next probe. @param failures so far, at least 1 */
export function backOffDelay(failures: number): number {
  return DELAYS[Math.min(failures, DELAYS.length) - 1] as number;
}

/**
 * The back-off after a failure.
 * @param current null if there was no trouble
 * @param failure.reason without addresses
 */
export function afterFailure(
  current: BackOff | null,
  failure: { cause: BackOffCause; reason: string },
  now: number,
): BackOff {
  // Not a probe: another process failed at the same time, or a submission that had begun before.
  if (current !== null && now < current.retry_at) return { ...current, ...failure, failed_at: now };
  // Nothing was due for a while, so nobody knows whether the trouble lasted.
  const isSame = current !== null && now < current.retry_at + ALERT_AFTER;
  const failures = isSame ? current.failures + 1 : 1;
  return {
    ...failure,
    failures,
    since: isSame ? current.since : now,
    failed_at: now,
    retry_at: now + backOffDelay(failures),
    lease_until: null,
    alerted: current?.alerted ?? 0,
  };
}

/** `wait`: submit nothing. `probe`: submit one message, if no other process does. */
export type DeliveryAdmission = 'open' | 'wait' | 'probe';

/** Whether messages may be submitted. */
export function decideAdmission(current: BackOff | null, now: number): DeliveryAdmission {
  if (current === null) return 'open';
  const isProbed = current.lease_until !== null && current.lease_until > now;
  return now < current.retry_at || isProbed ? 'wait' : 'probe';
}

/** Whether an operator must be told now. Of a mistake in the configuration at once: it does not pass. */
export function isAlertDue(current: BackOff, now: number): boolean {
  if (current.alerted === 1) return false;
  return current.cause === 'configuration' || now >= current.since + ALERT_AFTER;
}
