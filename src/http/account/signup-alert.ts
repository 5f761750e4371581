/**
 * The alert about requests to subscribe that are refused because there are too many in all.
 */
import { HOUR } from '../../lib/time.ts';
import { listOpenAlerts, raiseAlert, resolveAlerts } from '../../schedule/alerts.ts';
import type { Db } from '../../store/store.ts';

const SIGNUP_LIMIT = 'signup-limit';

export async function raiseSignupAlert(db: Db, perHour: number, now: number): Promise<void> {
  const message =
    `Requests to subscribe are being refused: there were more than ${perHour} in an hour (signup.perHour). ` +
    'If they are genuine, raise the limit; if not, somebody is entering the addresses of strangers.';
  await raiseAlert(db, { key: SIGNUP_LIMIT, message }, now);
}

/** Resolves the alert an hour after the last refusal. */
export async function resolveSignupAlert(db: Db, now: number): Promise<void> {
  const open = (await listOpenAlerts(db)).filter(({ key, lastAt }) => key === SIGNUP_LIMIT && lastAt <= now - HOUR);
  await resolveAlerts(
    db,
    open.map(({ key }) => key),
    now,
  );
}
