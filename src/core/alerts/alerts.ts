/**
 * Alerts: one row for each kind and subject, written in the transaction of its cause. The webhook is called once when
 * an alert is raised and once when it is resolved: at least once, and by one process at a time.
 */
import { sql } from 'kysely';
import { callUrl } from '../../lib/call-url.ts';
import { QuietPeriod } from '../../lib/clock-watch.ts';
import type { Log } from '../../lib/log.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { type Clock, DAY, MINUTE, rfc3339, SECOND } from '../../lib/time.ts';
import { type Action, withCommands } from '../actions.ts';
import { claimLease, releaseLease } from '../store/lease.ts';
import type { Db, Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { type AlertId, type AlertSubject, alertKey } from './alert-kind.ts';

/** The webhook's own failures, for which it is not called. */
const WEBHOOK: AlertId = { kind: 'webhook', subject: {} };
const BATCH = 20;
const FIRST_RETRY_DELAY = 30 * SECOND;
const MAX_RETRY_DELAY = 10 * MINUTE;
const LEASE_NAME = 'alerts';
const LEASE = 5 * MINUTE;

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

/** Calls the webhook for what it has not been called for. */
export interface AlertSender {
  /** Never throws. */
  send(): Promise<void>;
}

interface SenderOptions {
  /** The operator's URL, which is never logged. Without one nothing is sent. */
  webhook: string | undefined;
  /** The publication's name. */
  publication: string;
  clock: Clock;
  log: Log;
}

export function openAlertSender(store: Store, { webhook, ...options }: SenderOptions): AlertSender {
  return webhook === undefined ? { send: async () => {} } : new WebhookSender(store, webhook, options);
}

class WebhookSender implements AlertSender {
  readonly #store: Store;
  readonly #url: string;
  readonly #options: Omit<SenderOptions, 'webhook'>;
  #sending: Promise<void> | null = null;
  #failures = 0;
  readonly #afterFailure = new QuietPeriod();

  constructor(store: Store, url: string, options: Omit<SenderOptions, 'webhook'>) {
    this.#store = store;
    this.#url = url;
    this.#options = options;
  }

  send(): Promise<void> {
    this.#sending ??= this.#sendAll()
      .catch((error: unknown) => this.#options.log.error({ error: errorLine(error) }, 'sending alerts failed'))
      .finally(() => {
        this.#sending = null;
      });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    const { db } = this.#store;
    const now = this.#options.clock();
    if (this.#afterFailure.lasts(now) || (await findUnnotified(db, now)).length === 0) return;
    const lease = await claimLease(db, LEASE_NAME, now, now + LEASE);
    if (lease === null) return;
    try {
      for (const alert of await findUnnotified(db, this.#options.clock())) {
        if (!(await this.#sendOne(alert))) return;
      }
      this.#failures = 0;
      await resolveAlerts(db, [WEBHOOK], this.#options.clock());
    } finally {
      await releaseLease(db, LEASE_NAME, lease);
    }
  }

  async #sendOne(alert: Alert): Promise<boolean> {
    const { publication, clock, log } = this.#options;
    const { db } = this.#store;
    const sentAt = clock();
    const problem = await callUrl(this.#url, { json: payload(publication, alert) });
    if (problem === null) {
      await markNotified(db, alert, sentAt);
      return true;
    }
    this.#failures += 1;
    this.#afterFailure.begin(clock(), Math.min(FIRST_RETRY_DELAY * 2 ** (this.#failures - 1), MAX_RETRY_DELAY));
    log.warn({ alert: alertKey(alert), problem }, 'alert webhook failed, and will be called again');
    await raiseAlert(db, { ...WEBHOOK, message: `The alert webhook failed: ${problem}.` }, clock());
    return false;
  }
}

async function findUnnotified(db: Db, now: number): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('kind', '!=', WEBHOOK.kind)
    .where((e) =>
      e.or([
        e.and([e('notified_at', 'is', null), e('resolved_at', 'is', null)]),
        // Raised and resolved while the webhook failed: worth a call for a day.
        e.and([e('notified_at', 'is', null), e('resolved_at', '>', now - DAY)]),
        e('notified_at', '<=', e.ref('resolved_at')),
      ]),
    )
    .orderBy('first_at')
    .orderBy('key')
    .limit(BATCH)
    .execute();
  return rows.map(toAlert);
}

async function markNotified(db: Db, alert: Alert, sentAt: number): Promise<void> {
  await db
    .updateTable('alerts')
    // After a resolution that was sent, but not after one that has followed since.
    .set({ notified_at: alert.resolvedAt === null ? sentAt : Math.max(sentAt, alert.resolvedAt + 1) })
    .where('key', '=', alertKey(alert))
    .where('first_at', '=', alert.firstAt)
    .execute();
}

/** The body of the webhook's request. Chat services show `text`. */
function payload(publication: string, alert: Alert): object {
  const state = alert.resolvedAt === null ? 'raised' : 'resolved';
  const text = alertText(alert);
  return {
    publication,
    state,
    key: alertKey(alert),
    kind: alert.kind,
    subject: alert.subject,
    message: text,
    commands: alert.actions.map(({ command }) => command),
    count: alert.count,
    first_at: rfc3339(alert.firstAt),
    last_at: rfc3339(alert.lastAt),
    resolved_at: alert.resolvedAt === null ? null : rfc3339(alert.resolvedAt),
    text: `${publication}: ${state === 'resolved' ? 'resolved: ' : ''}${text}`,
  };
}

function toAlert(row: Tables['alerts']): Alert {
  return {
    kind: row.kind,
    subject: JSON.parse(row.subject) as AlertSubject,
    message: row.message,
    actions: JSON.parse(row.actions) as Action[],
    firstAt: row.first_at,
    lastAt: row.last_at,
    count: row.count,
    notifiedAt: row.notified_at,
    resolvedAt: row.resolved_at,
  };
}
