/**
 * Alerts: one row for each key, written in the transaction of its cause. The webhook is called once when an alert is
 * raised and once when it is resolved: at least once, and by one process at a time.
 */
import { sql } from 'kysely';
import { callUrl } from '../../lib/call-url.ts';
import type { Log } from '../../lib/log.ts';
import { QuietPeriod } from '../../lib/quiet-period.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { type Clock, DAY, MINUTE, rfc3339, SECOND } from '../../lib/time.ts';
import { claimLease, releaseLease } from '../store/lease.ts';
import type { Db, Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

/** The key of the webhook's own failures, for which it is not called. */
const WEBHOOK = 'webhook';
const BATCH = 20;
const FIRST_RETRY_DELAY = 30 * SECOND;
const MAX_RETRY_DELAY = 10 * MINUTE;
const LEASE_NAME = 'alerts';
const LEASE = 5 * MINUTE;

export interface Alert {
  key: string;
  /** One or two sentences for an operator. */
  message: string;
  firstAt: number;
  lastAt: number;
  /** How often it was raised since `firstAt`. */
  count: number;
  /** The last call of the webhook for it, or null. */
  notifiedAt: number | null;
  resolvedAt: number | null;
}

/** Raises an alert. While one of the same key is open, it only counts. */
export async function raiseAlert(db: Db, { key, message }: Pick<Alert, 'key' | 'message'>, now: number): Promise<void> {
  await db
    .insertInto('alerts')
    .values({ key, message, first_at: now, last_at: now, count: 1 })
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

/** Resolves the open alerts of these keys. */
export async function resolveAlerts(db: Db, keys: string[], now: number): Promise<void> {
  if (keys.length === 0) return;
  await db
    .updateTable('alerts')
    // Not before its notification, or the resolution would count as notified.
    .set({ resolved_at: sql`case when notified_at > ${now} then notified_at else ${now} end` })
    .where('key', 'in', keys)
    .where('resolved_at', 'is', null)
    .execute();
}

/**
 * Makes the open alerts whose key begins with `prefix` exactly these: raises those that are new or have another
 * message, and resolves all others. Writes nothing if nothing has changed.
 * @param messages by key
 */
export async function syncAlerts(
  db: Db,
  prefix: string,
  messages: ReadonlyMap<string, string>,
  now: number,
): Promise<void> {
  const open = (await listOpenAlerts(db)).filter(({ key }) => key.startsWith(prefix));
  const known = new Map(open.map(({ key, message }) => [key, message]));
  for (const [key, message] of messages) {
    if (known.get(key) !== message) await raiseAlert(db, { key, message }, now);
  }
  const past = open.filter(({ key }) => !messages.has(key)).map(({ key }) => key);
  await resolveAlerts(db, past, now);
}

/** The open alerts, oldest first. */
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
    log.warn({ key: alert.key, problem }, 'alert webhook failed, and will be called again');
    await raiseAlert(db, { key: WEBHOOK, message: `The alert webhook failed: ${problem}.` }, clock());
    return false;
  }
}

async function findUnnotified(db: Db, now: number): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('key', '!=', WEBHOOK)
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
    .where('key', '=', alert.key)
    .where('first_at', '=', alert.firstAt)
    .execute();
}

/** The body of the webhook's request. Chat services show `text`. */
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
