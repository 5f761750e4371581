/**
 * Alerts: one row for each cause, written in the transaction of what caused it, and a webhook that is told once when a cause is
 * raised and once when it is resolved. What the webhook missed it is told later: at least once, by one process at a time.
 */
import { sql } from 'kysely';
import type { Log } from '../lib/log.ts';
import { type Clock, DAY, MINUTE, rfc3339, SECOND } from '../lib/time.ts';
import { claimLease, releaseLease } from '../store/lease.ts';
import type { Db, Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { callUrl } from './call-url.ts';
import { reasonOf } from './wording.ts';

/** The cause that stands for the webhook's own failures: recorded, but never sent to itself. */
const WEBHOOK = 'webhook';
const AT_ONCE = 20;
const FIRST_WAIT = 30 * SECOND;
const LONGEST_WAIT = 10 * MINUTE;
const LEASE = 'alerts';

export interface Alert {
  key: string;
  /** One sentence or two, for an operator. */
  message: string;
  firstAt: number;
  lastAt: number;
  /** How often it was raised since `firstAt`. */
  count: number;
  /** When the webhook was last told of it, or null. */
  notifiedAt: number | null;
  resolvedAt: number | null;
}

/** Raises an alert. While the cause is unresolved it only counts; the webhook is not told again. */
export async function raiseAlert(db: Db, alert: { key: string; message: string }, now: number): Promise<void> {
  const { key, message } = alert;
  await db
    .insertInto('alerts')
    .values({ key, message, first_at: now, last_at: now, count: 1, notified_at: null, resolved_at: null })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        message,
        last_at: now,
        first_at: sql`case when alerts.resolved_at is null then alerts.first_at else excluded.first_at end`,
        count: sql`case when alerts.resolved_at is null then alerts.count + 1 else 1 end`,
        notified_at: sql`case when alerts.resolved_at is null then alerts.notified_at end`,
        resolved_at: null,
      }),
    )
    .execute();
}

/** Resolves what is raised of these keys. */
export async function resolveAlerts(db: Db, keys: string[], now: number): Promise<void> {
  if (keys.length === 0) return;
  await db
    .updateTable('alerts')
    // Never before it was notified, or the resolution would look as if it had been told.
    .set({ resolved_at: sql`case when notified_at > ${now} then notified_at else ${now} end` })
    .where('key', 'in', keys)
    .where('resolved_at', 'is', null)
    .execute();
}

/** The alerts that are raised, oldest first. There is one a cause at most. */
export async function listOpenAlerts(db: Db): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('resolved_at', 'is', null)
    .orderBy('first_at')
    .orderBy('key')
    .execute();
  return rows.map(toAlert);
}

/** Tells the webhook of what it has not been told. Never throws. */
export interface AlertSender {
  send(): Promise<void>;
}

/**
 * @param options `webhook`: the operator's URL, which is never logged; without one nothing is sent. `publication`: its name
 */
export function openAlertSender(
  store: Store,
  options: { webhook: string | undefined; publication: string; clock: Clock; log: Log },
): AlertSender {
  const { webhook, clock, log } = options;
  if (webhook === undefined) return { send: async () => {} };
  let sending: Promise<void> | null = null;
  let failures = 0;
  let notBefore = Number.NEGATIVE_INFINITY;

  const sendAll = async (url: string): Promise<void> => {
    if (clock() < notBefore) return;
    const seenAt = clock();
    if ((await findUntold(store.db, seenAt)).length === 0) return;
    const lease = await claimLease(store.db, LEASE, seenAt, seenAt + 5 * MINUTE);
    if (lease === null) return;
    try {
      for (const alert of await findUntold(store.db, clock())) {
        const sentAt = clock();
        const problem = await callUrl(url, { json: payload(options.publication, alert) });
        if (problem !== null) {
          failures++;
          notBefore = clock() + Math.min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT);
          log.warn({ key: alert.key, problem }, 'the alert webhook failed; it is tried again later');
          await raiseAlert(store.db, { key: WEBHOOK, message: `The alert webhook failed: ${problem}.` }, clock());
          return;
        }
        await markTold(store.db, alert, sentAt);
      }
      failures = 0;
      await resolveAlerts(store.db, [WEBHOOK], clock());
    } finally {
      await releaseLease(store.db, LEASE, lease);
    }
  };

  return {
    send() {
      sending ??= sendAll(webhook)
        .catch((error: unknown) => log.error({ error: reasonOf(error) }, 'alerts could not be read or recorded'))
        .finally(() => {
          sending = null;
        });
      return sending;
    },
  };
}

async function findUntold(db: Db, now: number): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('key', '!=', WEBHOOK)
    .where((e) =>
      e.or([
        e.and([e('notified_at', 'is', null), e('resolved_at', 'is', null)]),
        // Raised and resolved while the webhook was away: still news for a day.
        e.and([e('notified_at', 'is', null), e('resolved_at', '>', now - DAY)]),
        e('notified_at', '<=', e.ref('resolved_at')),
      ]),
    )
    .orderBy('first_at')
    .orderBy('key')
    .limit(AT_ONCE)
    .execute();
  return rows.map(toAlert);
}

async function markTold(db: Db, alert: Alert, sentAt: number): Promise<void> {
  await db
    .updateTable('alerts')
    // Of a resolution told, later than the resolution; of an alert told, the instant itself, so that a resolution since is told too.
    .set({ notified_at: alert.resolvedAt === null ? sentAt : Math.max(sentAt, alert.resolvedAt + 1) })
    .where('key', '=', alert.key)
    .where('first_at', '=', alert.firstAt)
    .execute();
}

// `text` is what chat services show of a webhook.
function payload(publication: string, alert: Alert): object {
  const state = alert.resolvedAt === null ? 'raised' : 'resolved';
  return {
    publication,
    state,
    key: alert.key,
    message: alert.message,
    count: alert.count,
    first_at: rfc3339(alert.firstAt),
    last_at: rfc3339(alert.lastAt),
    resolved_at: alert.resolvedAt === null ? null : rfc3339(alert.resolvedAt),
    text: `${publication}: ${state === 'resolved' ? 'resolved: ' : ''}${alert.message}`,
  };
}

function toAlert(row: Tables['alerts']): Alert {
  return {
    key: row.key,
    message: row.message,
    firstAt: row.first_at,
    lastAt: row.last_at,
    count: row.count,
    notifiedAt: row.notified_at,
    resolvedAt: row.resolved_at,
  };
}
