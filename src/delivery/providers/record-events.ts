/**
 * Records what mail providers report. Recording an event again changes nothing: its id is stored in the transaction of
 * what it changes. Deliveries need no id, since only the first report of each counts, and there are a million a day.
 */
import type { Config, MailProvider } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { readMeta, writeMeta } from '../../core/store/meta.ts';
import { type Db, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import { TurnTimer } from '../../lib/concurrency/turn-timer.ts';
import { applyReport, type ReportEffect, type ReportKind, targetOfAddress } from '../bounces/apply-report.ts';
import { type BounceTarget, readTargetToken } from '../bounces/record.ts';
import { markDelivered, settleReported } from '../queue/reported-deliveries.ts';
import { eventId, type ProviderCheck, type ProviderEvent } from './report-reader.ts';

/**
 * Number of events by their effect. `ignored`: they change nothing, for example because they were recorded before.
 * `foreign`: their token is not of this installation.
 */
export type ProviderEventCounts = Record<ReportEffect | 'delivered' | 'foreign', number>;

type Settings = { config: Pick<Config, 'bounces'>; secrets: SigningSecrets; provider: MailProvider };

/**
 * Records the events of a request, one after the other. One that the store refuses does not stop the others.
 * @throws the first failure of the store; the other events stay recorded, and all of them can be sent again
 */
export async function recordProviderEvents(
  { db }: Pick<Store, 'db'>,
  settings: Settings,
  { events, nonce }: Omit<Extract<ProviderCheck, { kind: 'events' }>, 'kind'>,
  now: number,
): Promise<ProviderEventCounts> {
  if (nonce === null) return recordEach(db, settings, events, now);
  return inTransaction(db, async (tx) => {
    // Together with the events: if the store fails, the same request is valid once more.
    if (await addEventId(tx, settings.provider, eventId('nonce', nonce), now)) {
      return recordEach(tx, settings, events, now);
    }
    return { ...NONE, ignored: events.length };
  });
}

const NONE: ProviderEventCounts = {
  delivered: 0,
  hard: 0,
  soft: 0,
  complaint: 0,
  unsubscribed: 0,
  ignored: 0,
  foreign: 0,
};

/** Failures in a row after which the others are not tried: each may take as long as a connection takes to fail. */
const STORE_IS_AWAY = 5;

async function recordEach(
  db: Db,
  settings: Settings,
  events: readonly ProviderEvent[],
  now: number,
): Promise<ProviderEventCounts> {
  const counts = { ...NONE };
  const delivered: (DeliveryTarget & { deliveredAt: number })[] = [];
  const failures: unknown[] = [];
  let failuresInARow = 0;
  // A token takes 0.1 ms to read, and SendGrid reports a thousand at once.
  const turn = new TurnTimer();
  for (const event of events) {
    await turn.rest();
    const target = event.token === null ? null : readTargetToken(settings.secrets, event.token);
    // Another installation that uses the same account, or an invention.
    if (event.token !== null && target === null) counts.foreign += 1;
    else if (event.kind !== 'delivered') {
      try {
        counts[await recordOne(db, settings, { ...event, kind: event.kind, target }, now)] += 1;
        failuresInARow = 0;
      } catch (error) {
        // Nothing can be done in a transaction that has failed.
        if (db.isTransaction) throw error;
        failures.push(error);
        failuresInARow += 1;
        if (failuresInARow === STORE_IS_AWAY) throw failures[0];
      }
    } else if (isOfDelivery(target)) delivered.push({ ...target, deliveredAt: Math.min(event.at, now) });
    else counts.ignored += 1;
  }
  if (delivered.length > 0) {
    const changed = await inTransaction(db, async (tx) => {
      await settleReported(tx, delivered, now);
      return markDelivered(tx, delivered);
    });
    counts.delivered += changed;
    counts.ignored += delivered.length - changed;
  }
  if (failures.length > 0) throw failures[0];
  return counts;
}

type DeliveryTarget = BounceTarget & { editionId: number };

function isOfDelivery(target: BounceTarget | null): target is DeliveryTarget {
  return target !== null && !target.isUnsubscribe && target.editionId !== null;
}

/** `target`: of its token; null without one. */
type ReportEvent = Omit<ProviderEvent, 'kind' | 'token'> & { kind: ReportKind; target: BounceTarget | null };

function recordOne(db: Db, settings: Settings, event: ReportEvent, now: number): Promise<ReportEffect> {
  const { kind, status, detail } = event;
  const at = Math.min(event.at, now);
  const { provider, config, secrets } = settings;
  return inTransaction(db, async (tx) => {
    if (!(await addEventId(tx, provider, event.id, now))) return 'ignored';
    const target = event.target ?? (event.email === null ? null : await targetOfAddress(tx, event.email, kind, at));
    if (target === null) return 'ignored';
    if (isOfDelivery(event.target)) await settleReported(tx, [event.target], now);
    return applyReport(tx, config, secrets, { target, kind, status, detail, source: provider }, at);
  });
}

/** Does something in the transaction that stores an id, unless that is known. @returns whether it was done */
export async function recordOnce(
  db: Db,
  provider: string,
  id: string,
  now: number,
  body: (tx: Tx) => Promise<void>,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const isNew = await addEventId(tx, provider, id, now);
    if (isNew) await body(tx);
    return isNew;
  });
}

/** @returns false if it is known */
async function addEventId(tx: Tx, provider: string, id: string, now: number): Promise<boolean> {
  const added = await tx
    .insertInto('webhook_events')
    .values({ provider, id, received_at: now })
    .onConflict((conflict) => conflict.columns(['provider', 'id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return added !== undefined;
}

const key = (provider: string): string => `provider.${provider}.reported-at`;

/** Records that a verified event has arrived. */
export async function noteProviderEvent(db: Db, provider: string, now: number): Promise<void> {
  await writeMeta(db, key(provider), String(now));
}

/** When the last report was noted, epoch milliseconds; null if there was none. */
export async function readLastProviderEvent(db: Db, provider: string): Promise<number | null> {
  const value = await readMeta(db, key(provider));
  return value === undefined ? null : Number(value);
}

/** The last report of each mail provider that has ever reported. */
export async function listLastProviderEvents(db: Db): Promise<{ provider: string; at: number }[]> {
  const rows = await db.selectFrom('meta').selectAll().where('key', 'like', key('%')).orderBy('key').execute();
  return rows.map((row) => ({ provider: row.key.split('.')[1] ?? '', at: Number(row.value) }));
}
