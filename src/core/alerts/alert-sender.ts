/**
 * Calls the webhook once when an alert is raised and once when it is resolved: at least once, by one process at a time,
 * whichever is alive.
 */
import { sql } from 'kysely';
import { callUrl } from '../../lib/call-url.ts';
import type { Log } from '../../lib/log.ts';
import { QuietPeriod } from '../../lib/quiet-period.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { type Clock, MINUTE, rfc3339, SECOND } from '../../lib/time.ts';
import { isLedByOther } from '../schedule/processes.ts';
import { claimLease, releaseLease } from '../store/lease.ts';
import { isConnectionLost } from '../store/outages.ts';
import type { Db, Store } from '../store/store.ts';
import { type AlertId, alertKey } from './alert-kind.ts';
import { type Alert, alertText, findAlert, type RaisedAlert, raiseAlert, resolveAlerts, toAlert } from './alerts.ts';
import { StorageWatch } from './storage-watch.ts';

/** The webhook's own failures, for which it is not called. */
const WEBHOOK: AlertId = { kind: 'webhook', subject: {} };
const BATCH = 20;
const FIRST_RETRY_DELAY = 30 * SECOND;
const LEASE_NAME = 'alerts';
/** Also the longest delay of a retry: until then, no process takes the lease. */
const LEASE = 5 * MINUTE;
/** What cannot be written is logged so often. */
const NOTED_EVERY = MINUTE;
/** Number of failed calls in a row after which the store counts as failing, for any error. */
const MAX_FAILURES = 3;

interface SenderOptions {
  /** The operator's URL, which is never logged. Without one nothing is sent. */
  webhook: string | undefined;
  /** The publication's name. */
  publication: string;
  clock: Clock;
  log: Log;
}

export class AlertSender {
  /** What the process knows of its disks. */
  readonly storage = new StorageWatch();
  readonly #store: Store;
  readonly #options: SenderOptions;
  /** Alerts that the webhook was called for from memory, because the store failed. */
  readonly #calls = new Map<string, Alert>();
  #sending: Promise<void> | null = null;
  readonly #afterNote = new QuietPeriod();
  /** Calls of `send` in a row that failed. */
  #failures = 0;

  constructor(store: Store, options: SenderOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Raises and resolves the alerts of `storage`, and calls the webhook for all that are new. Never throws. */
  send(): Promise<void> {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #send(): Promise<void> {
    const { clock, log } = this.#options;
    const { db } = this.#store;
    const now = clock();
    let error: string | null = null;
    let isAway = false;
    try {
      await this.storage.lookAtStore(this.#store, now);
      // Writes would wait for the lock, and the webhook for them.
      const isLocked = this.#store.faults.lockedSince !== null && this.storage.failing().length > 0;
      if (isLocked) throw new Error('the store is locked');
      for (const [key, alert] of this.#calls) {
        // Unless a process that reached the store earlier has resolved it since.
        if (((await findAlert(db, alert))?.resolvedAt ?? 0) < alert.firstAt) {
          await raiseAlert(db, alert, alert.firstAt);
          await markNotified(db, alert, alert.firstAt);
        }
        this.#calls.delete(key);
      }
      await this.storage.sync(db, now);
      await this.#sendAll();
      this.#failures = 0;
    } catch (reason) {
      error = errorLine(reason);
      isAway = isConnectionLost(reason);
      // Such as after a change of the password, or with too many connections, which no watch notices.
      if (++this.#failures >= MAX_FAILURES) this.#store.faults.last ??= error;
      // The fault of these writes must not delay the next attempt.
      this.storage.noteFault(this.#store, clock());
    }
    const failing = this.storage.failing();
    if ((error === null && failing.length === 0) || this.#afterNote.lasts(now)) return;
    // Otherwise the problem is named later: its webhook must not wait for the next note.
    if (failing.length > 0) this.#afterNote.begin(now, NOTED_EVERY);
    const problems = failing.map(({ message }) => message);
    log.error({ problems, error }, 'a disk or the store cannot be written; retrying');
    if (error !== null) for (const alert of failing) await this.#sendFromMemory(alert, now, isAway);
  }

  /** Calls the webhook for an alert although the store fails, unless it, or another process, has done so. */
  async #sendFromMemory(raised: RaisedAlert, now: number, isAway: boolean): Promise<void> {
    const key = alertKey(raised);
    if (this.#calls.has(key)) return;
    // A server that is silent would not answer this either.
    const stored = isAway ? null : await findAlert(this.#store.db, raised).catch(() => null);
    if (stored !== null && stored.resolvedAt === null && stored.notifiedAt !== null) return;
    const alert = { actions: [], ...raised, firstAt: now, lastAt: now, count: 1, notifiedAt: null, resolvedAt: null };
    const isLeft =
      !isAway && raised.subject.place === 'store' && (await isLedByOther(this.#store.db).catch(() => false));
    if (isLeft || (await this.#call(alert)) === null) this.#calls.set(key, alert);
  }

  async #sendAll(): Promise<void> {
    const { db } = this.#store;
    const now = this.#options.clock();
    if (this.#options.webhook === undefined || (await findUnnotified(db)).length === 0) return;
    const lease = await claimLease(db, LEASE_NAME, now, now + LEASE);
    if (lease === null) return;
    // If the store fails between a call and its record, the call is repeated, but not at once.
    let retryAt = now + FIRST_RETRY_DELAY;
    try {
      for (const alert of await findUnnotified(db)) {
        const sentAt = this.#options.clock();
        const problem = await this.#call(alert);
        if (problem !== null) {
          const at = this.#options.clock();
          await raiseAlert(db, { ...WEBHOOK, message: `The alert webhook failed: ${problem}.` }, at);
          // Counted by the store, for all processes.
          const failures = (await findAlert(db, WEBHOOK))?.count ?? 1;
          retryAt = at + Math.min(FIRST_RETRY_DELAY * 2 ** (failures - 1), LEASE);
          return;
        }
        await markNotified(db, alert, sentAt);
      }
      await resolveAlerts(db, [WEBHOOK], this.#options.clock());
      retryAt = 0;
    } finally {
      await releaseLease(db, LEASE_NAME, lease, retryAt);
    }
  }

  /** @returns why it failed, or null */
  async #call(alert: Alert): Promise<string | null> {
    const { webhook, publication, log } = this.#options;
    if (webhook === undefined) return 'there is none';
    const problem = await callUrl(webhook, { json: payload(publication, alert) });
    if (problem !== null)
      log.warn({ alert: alertKey(alert), problem }, 'alert webhook failed, and will be called again');
    return problem;
  }
}

async function findUnnotified(db: Db): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('kind', '!=', WEBHOOK.kind)
    // One that was resolved before the webhook was called is not told: its resolution would be of nothing.
    .where(sql<boolean>`(notified_at <= resolved_at or (notified_at is null and resolved_at is null))`)
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
