/**
 * The alert about requests to subscribe that are refused because there are too many in all.
 */
import { listOpenAlerts, raiseAlert, resolveAlerts } from '../core/alerts/alerts.ts';
import type { Db } from '../core/store/store.ts';
import { CLOCK_DIFFERENCE } from '../lib/clock-watch.ts';
import { HOUR } from '../lib/time.ts';

const SIGNUP_LIMIT = { kind: 'signup-limit', subject: {} };

export async function raiseSignupAlert(db: Db, perHour: number, now: number): Promise<void> {
  const message =
    `Requests to subscribe are being refused: there were more than ${perHour} in an hour (signup.perHour). ` +
    'If they are genuine, raise the limit; if not, somebody is entering the addresses of strangers.';
  await raiseAlert(db, { ...SIGNUP_LIMIT, message }, now);
}

/** Resolves the alert an hour after the last refusal, and at once where that was before the clock was set back. */
export async function resolveSignupAlert(db: Db, now: number): Promise<void> {
  const isOver = (lastAt: number): boolean => lastAt <= now - HOUR || lastAt > now + CLOCK_DIFFERENCE;
  const open = await listOpenAlerts(db, SIGNUP_LIMIT.kind);
  await resolveAlerts(
    db,
    open.filter(({ lastAt }) => isOver(lastAt)),
    now,
  );
}
