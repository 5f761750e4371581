/** Alerts: one row for each kind and subject, written in the transaction of its cause. */
import { sql } from 'kysely';
import { type Action, withCommands } from '../actions.ts';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { type AlertId, type AlertSubject, alertKey } from './alert-kind.ts';

/** An alert as it is raised. */
export interface RaisedAlert extends AlertId {
  /** What is wrong: one or two sentences for an operator. */
  message: string;
  /** What can be done about it. */
  actions?: readonly Action[];
}

export interface Alert extends Required<RaisedAlert> {
  firstAt: number;
  lastAt: number;
  /** How often it was raised since `firstAt`. */
  count: number;
  /** The last call of the webhook for it, or null. */
  notifiedAt: number | null;
  resolvedAt: number | null;
}

/** The message with its actions as commands. */
export function alertText({ message, actions = [] }: RaisedAlert): string {
  return withCommands(message, actions);
}

/** Raises an alert. While one of the same kind and subject is open, it only counts. */
export async function raiseAlert(db: Db, alert: RaisedAlert, now: number): Promise<void> {
  const { kind, subject, message, actions = [] } = alert;
  const texts = { message, actions: JSON.stringify(actions) };
  await db
    .insertInto('alerts')
    .values({
      ...{ key: alertKey(alert), kind, subject: JSON.stringify(subject), ...texts },
      ...{ first_at: now, last_at: now, count: 1 },
    })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        ...texts,
        last_at: now,
        first_at: sql`case when alerts.resolved_at is null then alerts.first_at else excluded.first_at end`,
        count: sql`case when alerts.resolved_at is null then alerts.count + 1 else 1 end`,
        notified_at: sql`case when alerts.resolved_at is null then alerts.notified_at end`,
        resolved_at: null,
      }),
    )
    .execute();
}

/** Resolves these alerts, if they are open. */
export async function resolveAlerts(db: Db, alerts: readonly AlertId[], now: number): Promise<void> {
  if (alerts.length === 0) return;
  await db
    .updateTable('alerts')
    // Not before its notification, or the resolution would count as notified.
    .set({ resolved_at: sql`case when notified_at > ${now} then notified_at else ${now} end` })
    .where('key', 'in', alerts.map(alertKey))
    .where('resolved_at', 'is', null)
    .execute();
}

/**
 * Makes the open alerts of a kind exactly these: raises those that are new or have another message, and resolves all
 * others. Writes nothing if nothing has changed.
 * @param isConcerned whether an open alert of the kind is among those to compare with. Default: all are
 */
export async function syncAlerts(
  db: Db,
  kind: string,
  alerts: readonly RaisedAlert[],
  now: number,
  isConcerned: (subject: AlertSubject) => boolean = () => true,
): Promise<void> {
  const open = (await listOpenAlerts(db, kind)).filter(({ subject }) => isConcerned(subject));
  const known = new Map(open.map((alert) => [alertKey(alert), alertText(alert)]));
  for (const alert of alerts) {
    if (known.get(alertKey(alert)) !== alertText(alert)) await raiseAlert(db, alert, now);
  }
  const kept = new Set(alerts.map(alertKey));
  const over = open.filter((alert) => !kept.has(alertKey(alert)));
  await resolveAlerts(db, over, now);
}

/** The open alerts, oldest first. @param kind default: all kinds */
export async function listOpenAlerts(db: Db, kind?: string): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('resolved_at', 'is', null)
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? ''))
    .orderBy('first_at')
    .orderBy('key')
    .execute();
  return rows.map(toAlert);
}

/** The alert as it was raised last, also if it is resolved. */
export async function findAlert(db: Db, id: AlertId): Promise<Alert | null> {
  const row = await db.selectFrom('alerts').selectAll().where('key', '=', alertKey(id)).executeTakeFirst();
  return row === undefined ? null : toAlert(row);
}

export function toAlert(row: Tables['alerts']): Alert {
  const { key: _, first_at: firstAt, last_at: lastAt, notified_at: notifiedAt, resolved_at: resolvedAt, ...rest } = row;
  const [subject, actions] = [JSON.parse(row.subject) as AlertSubject, JSON.parse(row.actions) as Action[]];
  return { ...rest, subject, actions, firstAt, lastAt, notifiedAt, resolvedAt };
}
