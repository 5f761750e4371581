/** Alerts about roles that no process has any longer: each running process looks for them, and each start. */
import { MINUTE, rfc3339, SECOND } from '../../lib/time.ts';
import { alertKey } from '../alerts/alert-kind.ts';
import { listOpenAlerts, type RaisedAlert, syncAlerts } from '../alerts/alerts.ts';
import type { Db } from '../store/store.ts';
import { isSeenWithin, type ProcessRow, readProcesses } from './processes.ts';

export const ROLE_ALERT = 'process';

/** A process that was killed has this long to come back: others raise the alert within a minute. */
const KILLED_GRACE = 45 * SECOND;
/** One that was stopped properly is perhaps being upgraded. */
const STOPPED_GRACE = 5 * MINUTE;
/** Nobody notices at once that these are missing. Any other role may be stopped for good. */
const NEVER_STOPPED = ['schedule', 'deliver'];

/** How long the roles of a process that has ended may be missing. */
export function graceOf({ stoppedAt }: ProcessRow): number {
  return stoppedAt === null ? KILLED_GRACE : STOPPED_GRACE;
}

/** The roles that processes have had and none has now, each with the row of the process that was seen last. Pure. */
export function findAbsentRoles(rows: readonly ProcessRow[], now: number): { role: string; last: ProcessRow }[] {
  const roles = [...new Set(rows.flatMap((row) => row.roles))];
  return roles.flatMap((role) => {
    const having = rows.filter((row) => row.roles.includes(role));
    if (having.some((row) => row.stoppedAt === null && isSeenWithin(row, KILLED_GRACE, now))) return [];
    const last = having.reduce((a, b) => (b.seenAt >= a.seenAt ? b : a));
    if (last.stoppedAt !== null && !NEVER_STOPPED.includes(role)) return [];
    return now - last.seenAt < graceOf(last) ? [] : [{ role, last }];
  });
}

/**
 * Raises an alert for each process whose roles no process has now, and resolves those whose roles are back.
 * @param isDue whether an alert about this process may be raised now
 */
export async function syncRoleAlerts(db: Db, now: number, isDue: (last: ProcessRow) => boolean): Promise<void> {
  const open = new Set((await listOpenAlerts(db, ROLE_ALERT)).map(alertKey));
  const absent = Map.groupBy(findAbsentRoles(await readProcesses(db), now), ({ last }) => last);
  const alerts = [...absent].flatMap(([last, roles]): RaisedAlert[] => {
    const { id, host, pid, seenAt, stoppedAt } = last;
    const alert = { kind: ROLE_ALERT, subject: { process: id } };
    if (!open.has(alertKey(alert)) && !isDue(last)) return [];
    const names = roles.map(({ role }) => role);
    const ended = stoppedAt === null ? 'ended without being stopped' : 'was stopped';
    const message =
      `No process of role ${names.join(', ')} since ${rfc3339(seenAt)}: process ${pid} on ${host} ${ended}. ` +
      `Start one: "daywire start --role ${names.join(' ')}", or one with all roles.`;
    return [{ ...alert, message }];
  });
  await syncAlerts(db, ROLE_ALERT, alerts, now);
}
