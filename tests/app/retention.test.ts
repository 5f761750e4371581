import { describe, expect, it } from 'vitest';
import { runRetention } from '../../src/app/background-tasks.ts';
import { confirmRequest } from '../../src/audience/consent/opt-in.ts';
import { findSuppressed, hashAddress, suppressAddress } from '../../src/audience/suppression.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { DeliveryState } from '../../src/core/store/tables.ts';
import { EVENT_IDS_KEPT } from '../../src/delivery/providers/report-reader.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import { requestNewsletters } from '../audience/fixtures.ts';
import { testConfig } from '../delivery/fixture.ts';
import { forEachDatabase } from '../support/databases.ts';
import { storeDeliveries } from '../support/deliveries.ts';
import { storeEdition, storeServiceMessage } from '../support/editions.ts';
import { SECRETS } from '../support/sample.ts';
import { openTestApp } from '../support/test-app.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);
const base = testConfig();
const config = {
  ...base,
  retention: { deliveriesDays: 180, consentIpsDays: 60, consentDays: 1_000 },
  signup: { ...base.signup, deleteUnconfirmedAfterDays: 30 },
};
const NOTHING = {
  deliveries: 0,
  editionCopies: 0,
  runs: 0,
  unconfirmed: 0,
  left: 0,
  consentIps: 0,
  serviceMessages: 0,
  bounces: 0,
  providerEvents: 0,
  rates: 0,
  readers: 0,
  links: 0,
  outletItems: 0,
  hubSubscriptions: 0,
  progress: 0,
  visits: 0,
  deskSessions: 0,
};

function run(store: Store) {
  const app = openTestApp(store);
  const keys = { ...app.keys, signingSecrets: async () => SECRETS };
  return runRetention({ ...app, config, clock: () => NOW, keys });
}

let editions = 0;

/** An edition with a number of deliveries in each state. @returns its id */
async function edition(
  store: Store,
  closedAt: number,
  states: Partial<Record<DeliveryState, number>>,
): Promise<number> {
  const id = await storeEdition(store, { newsletter: 'daily', number: ++editions, closed_at: closedAt });
  const rows = Object.entries(states).flatMap(([state, count]) =>
    Array.from({ length: count }, () => state as DeliveryState),
  );
  for (let from = 0; from < rows.length; from += 1_000) {
    const some = rows.slice(from, from + 1_000).map((state, n) => ({
      subscriber_id: from + n + 1,
      state,
      attempts: 1,
      due_at: closedAt,
      fence: 1,
      changed_at: closedAt,
    }));
    await storeDeliveries(store, id, some);
  }
  return id;
}

async function subscriber(
  store: Store,
  name: string,
  createdAt: number,
  subscription: { state: 'unconfirmed' | 'confirmed' | 'unsubscribed'; changed_at?: number } | null,
): Promise<number> {
  const { id } = await store.db
    .insertInto('subscribers')
    .values({ email: `${name}@example.com`, email_key: `${name}@example.com`, created_at: createdAt })
    .returning('id')
    .executeTakeFirstOrThrow();
  if (subscription !== null) {
    await store.db
      .insertInto('subscriptions')
      .values({ subscriber_id: id, newsletter: 'daily', changed_at: createdAt, ...subscription })
      .execute();
  }
  return id;
}

const serviceMessage = (store: Store, subscriber_id: number, changed_at: number, state: DeliveryState) =>
  storeServiceMessage(store, { subscriber_id, changed_at, state });

const ids = async (rows: Promise<{ id: number }[]>) => (await rows).map(({ id }) => id);

describe('runRetention', () => {
  forEachDatabase((open) => {
    it('folds the deliveries of old editions into totals, in batches, and keeps the others', async () => {
      const store = await open();
      const old = await edition(store, NOW - 181 * DAY, { submitted: 7_000, failed: 20, suppressed: 3 });
      const waiting = await edition(store, NOW - 181 * DAY, { submitted: 2, pending: 1 });
      const other = await edition(store, NOW - 181 * DAY, { submitted: 1 });
      const recent = await edition(store, NOW - 180 * DAY + 1, { submitted: 4 });
      expect(await run(store)).toEqual({ ...NOTHING, deliveries: 7_024 });
      const totals = await store.db
        .selectFrom('delivery_totals')
        .selectAll()
        .orderBy('edition_id')
        .orderBy('state')
        .execute();
      expect(totals).toEqual([
        { edition_id: old, state: 'failed', count: 20 },
        { edition_id: old, state: 'submitted', count: 7_000 },
        { edition_id: old, state: 'suppressed', count: 3 },
        { edition_id: other, state: 'submitted', count: 1 },
      ]);
      const left = await store.db
        .selectFrom('deliveries')
        .select('edition_id')
        .distinct()
        .orderBy('edition_id')
        .execute();
      expect(left.map((row) => row.edition_id)).toEqual([waiting, recent]);
      expect(await run(store)).toEqual(NOTHING);
    });

    it('fails uncertain deliveries of a cancelled edition, but none under a lease or of another edition', async () => {
      const store = await open();
      const cancelled = await edition(store, NOW - DAY, { submitting: 2, submitted: 1 });
      const running = await edition(store, NOW - DAY, { submitting: 1 });
      await store.db.updateTable('deliveries').set({ lease_until: NOW }).execute();
      const leased = store.db
        .selectFrom('deliveries')
        .select((e) => e.fn.max('subscriber_id').as('id'))
        .where('edition_id', '=', cancelled)
        .where('state', '=', 'submitting');
      await store.db
        .updateTable('deliveries')
        .set({ lease_until: NOW + 1 })
        .where('edition_id', '=', cancelled)
        .where('subscriber_id', '=', leased)
        .execute();
      await store.db
        .updateTable('editions')
        .set({ delivery_state: 'cancelled', delivery_reason: 'wrong story' })
        .where('id', '=', cancelled)
        .execute();
      await run(store);
      const rows = await store.db
        .selectFrom('deliveries')
        .select(['edition_id', 'state', 'reason'])
        .orderBy('edition_id')
        .orderBy('state')
        .execute();
      const reason =
        'cancelled by the operator: wrong story; its last submission was interrupted, so it may have arrived';
      expect(rows.filter((row) => row.edition_id === cancelled)).toEqual([
        { edition_id: cancelled, state: 'failed', reason },
        { edition_id: cancelled, state: 'submitted', reason: null },
        { edition_id: cancelled, state: 'submitting', reason: null },
      ]);
      expect(rows.filter((row) => row.edition_id === running)).toMatchObject([{ state: 'submitting' }]);
    });

    it('continues after an interruption and counts no row twice', async () => {
      const store = await open();
      const old = await edition(store, NOW - 200 * DAY, { submitted: 3 });
      await store.db.insertInto('delivery_totals').values({ edition_id: old, state: 'submitted', count: 5 }).execute();
      const both = await Promise.all([run(store), run(store)]);
      expect(both.map(({ deliveries }) => deliveries).sort()).toEqual([0, 3]);
      expect(await store.db.selectFrom('delivery_totals').select('count').execute()).toEqual([{ count: 8 }]);
    });

    it('deletes old runs, but never the newest run of a schedule', async () => {
      const store = await open();
      const runOf = (schedule: string, slotAt: number, state: 'done' | 'failed' | 'running') => ({
        schedule,
        slot_at: slotAt,
        state,
        covers: 1,
        attempts: 1,
        started_at: slotAt,
      });
      const runs = [
        runOf('publish', NOW - 183 * DAY, 'done'),
        runOf('publish', NOW - 182 * DAY, 'done'),
        runOf('publish', NOW - 181 * DAY, 'failed'),
        runOf('publish', NOW - 180 * DAY, 'done'),
        runOf('newsletter:gone', NOW - 400 * DAY, 'done'),
        runOf('newsletter:gone', NOW - 300 * DAY, 'done'),
        runOf('newsletter:stuck', NOW - 300 * DAY, 'running'),
        runOf('newsletter:stuck', NOW - DAY, 'done'),
      ];
      await store.db.insertInto('runs').values(runs).execute();
      expect(await run(store)).toEqual({ ...NOTHING, runs: 4 });
      const left = await store.db.selectFrom('runs').select('slot_at').orderBy('schedule').orderBy('slot_at').execute();
      expect(left.map((row) => row.slot_at)).toEqual([NOW - 300 * DAY, NOW - 300 * DAY, NOW - DAY, NOW - 180 * DAY]);
      expect(await run(store)).toEqual(NOTHING);
    });

    it('deletes subscribers who never confirmed anything, with all of their rows', async () => {
      const store = await open();
      const long = NOW - 31 * DAY;
      const never = await subscriber(store, 'never', long, { state: 'unconfirmed' });
      await serviceMessage(store, never, long, 'submitted');
      await store.db
        .insertInto('bounces')
        .values({ subscriber_id: never, service_message_id: 1, kind: 'soft', at: long })
        .execute();
      await subscriber(store, 'nothing', long, null);
      const kept = [
        await subscriber(store, 'confirmed', long, { state: 'confirmed' }),
        await subscriber(store, 'left', long, { state: 'unsubscribed' }),
        await subscriber(store, 'recent', NOW - 29 * DAY, { state: 'unconfirmed' }),
        await subscriber(store, 'again', long, { state: 'unconfirmed', changed_at: NOW - HOUR }),
        await subscriber(store, 'suppressed', long, null),
        await subscriber(store, 'returning', long, { state: 'unconfirmed' }),
        await subscriber(store, 'reading', long, { state: 'unconfirmed' }),
      ];
      await store.db
        .updateTable('subscriptions')
        .set({ feed_since: long })
        .where('subscriber_id', '=', kept[6]!)
        .execute();
      await store.db
        .updateTable('subscribers')
        .set({ suppressed_reason: 'complaint', suppressed_at: long })
        .where('id', '=', kept[4]!)
        .execute();
      await store.db
        .insertInto('consent_events')
        .values(
          [never, kept[5]!].map((id) => ({
            subscriber_id: id,
            newsletter: 'daily',
            change: id === never ? ('requested' as const) : ('confirmed' as const),
            channel: 'form' as const,
            at: long,
          })),
        )
        .execute();
      expect(await run(store)).toEqual({ ...NOTHING, unconfirmed: 2 });
      expect(await ids(store.db.selectFrom('subscribers').select('id').orderBy('id').execute())).toEqual(kept);
      for (const table of ['service_messages', 'bounces'] as const) {
        expect(await store.db.selectFrom(table).select('subscriber_id').execute()).toEqual([]);
      }
      expect(await store.db.selectFrom('consent_events').select('subscriber_id').execute()).toEqual([
        { subscriber_id: kept[5] },
      ]);
      expect(await run(store)).toEqual(NOTHING);
    });

    it('deletes an erased or bounced address that was only requested again, and keeps it suppressed', async () => {
      const store = await open();
      const names = ['erased', 'hard-bounce', 'operator'] as const;
      const request = (name: string, at: number) =>
        requestNewsletters(store, ['daily'], { email: `${name}@example.com`, now: at });
      for (const name of names) {
        const address_hash = hashAddress(SECRETS[0], `${name}@example.com`);
        await store.db.insertInto('suppressions').values({ address_hash, reason: name, at: 1 }).execute();
        await request(name, NOW - 31 * DAY);
      }
      await request('erased', NOW - 29 * DAY);
      const { subscriberId } = await request('confirms', NOW - 31 * DAY);
      await suppressAddress(store.db, SECRETS, subscriberId, 'soft-bounces', { channel: 'bounce' }, NOW);
      const again = await requestNewsletters(store, ['weekly'], { email: 'confirms@example.com', now: NOW - DAY });
      await confirmRequest(store.db, SECRETS, again, { channel: 'confirmation' }, NOW);
      await suppressAddress(store.db, SECRETS, subscriberId, 'soft-bounces', { channel: 'bounce' }, NOW);
      expect(await run(store)).toMatchObject({ unconfirmed: 3 });
      expect(await ids(store.db.selectFrom('subscribers').select('id').execute())).toEqual([subscriberId]);
      const suppressed = await findSuppressed(
        store.db,
        SECRETS,
        names.map((name) => `${name}@example.com`),
      );
      expect(suppressed).toEqual(new Map(names.map((name) => [`${name}@example.com`, name])));
    });

    it('deletes old counts of feed readers and their reports', async () => {
      const store = await open();
      const day = { path: 'latest.atom', requests: 1, unchanged: 0 };
      const report = { path: 'latest.atom', reader: 'Feedly', feed: '', subscribers: 5, reported_at: 1 };
      // The kept day is 7 days before NOW in the publication's zone.
      const [last, kept] = ['2026-11-16', '2026-11-17'] as const;
      await store.db
        .insertInto('feed_readers')
        .values([
          { ...day, day: '2024-01-01', reader: 'Feedly' },
          { ...day, day: last, reader: 'Feedly' },
          { ...day, day: last, reader: 'Newsboat' },
          { ...day, day: kept, reader: 'Feedly' },
        ])
        .execute();
      await store.db
        .insertInto('feed_reader_reports')
        .values(['2024-01-01', last, kept].map((one) => ({ ...report, day: one })))
        .execute();
      expect(await run(store)).toEqual({ ...NOTHING, readers: 3 });
      for (const table of ['feed_readers', 'feed_reader_reports'] as const) {
        expect(await store.db.selectFrom(table).select('day').execute()).toEqual([{ day: kept }]);
      }
      expect(await run(store)).toEqual(NOTHING);
    });

    it('deletes old service messages, bounces, rate limits and warm-up days, but nothing that is open', async () => {
      const store = await open();
      const id = await subscriber(store, 'confirmed', NOW - 400 * DAY, { state: 'confirmed' });
      await serviceMessage(store, id, NOW - 190 * DAY, 'submitted');
      await serviceMessage(store, id, NOW - 190 * DAY, 'pending');
      await serviceMessage(store, id, NOW - 10 * DAY, 'failed');
      const bounce = { subscriber_id: id, kind: 'hard' as const };
      await store.db
        .insertInto('bounces')
        .values([
          { ...bounce, at: NOW - 181 * DAY },
          { ...bounce, at: NOW - 179 * DAY },
        ])
        .execute();
      await store.db
        .insertInto('rate_limits')
        .values([
          { key: 'passed', next_at: NOW },
          { key: 'runs', next_at: NOW + 1 },
        ])
        .execute();
      expect(await run(store)).toEqual({ ...NOTHING, serviceMessages: 1, bounces: 1, rates: 1 });
      expect(await store.db.selectFrom('service_messages').select('state').orderBy('id').execute()).toEqual([
        { state: 'pending' },
        { state: 'failed' },
      ]);
      expect(await store.db.selectFrom('rate_limits').select('key').execute()).toEqual([{ key: 'runs' }]);
    });

    it('deletes the ids of provider events once their signature would be too old', async () => {
      const store = await open();
      const [kept, old] = [NOW - EVENT_IDS_KEPT, NOW - EVENT_IDS_KEPT - 1];
      await store.db
        .insertInto('webhook_events')
        .values([
          { provider: 'ses', id: 'a', received_at: old },
          { provider: 'mailgun', id: 'a', received_at: kept },
          { provider: 'ses', id: 'b', received_at: kept },
        ])
        .execute();
      expect(await run(store)).toEqual({ ...NOTHING, providerEvents: 1 });
      const left = await store.db.selectFrom('webhook_events').select(['provider', 'id']).orderBy('id').execute();
      expect(left).toEqual([
        { provider: 'mailgun', id: 'a' },
        { provider: 'ses', id: 'b' },
      ]);
    });

    it('deletes subscribers who left long ago with the proof of consent, and leaves a hash', async () => {
      const store = await open();
      const long = NOW - 1_001 * DAY;
      const left = await subscriber(store, 'left', long, { state: 'unsubscribed' });
      const complained = await subscriber(store, 'complained', long, { state: 'unsubscribed' });
      await suppressAddress(store.db, SECRETS, complained, 'complaint', { channel: 'complaint' }, long);
      const stays = await subscriber(store, 'stays', long, { state: 'confirmed' });
      const recent = await subscriber(store, 'recent', long, { state: 'unsubscribed', changed_at: NOW - 999 * DAY });
      const partly = await subscriber(store, 'partly', long, { state: 'unsubscribed' });
      await store.db
        .insertInto('subscriptions')
        .values({ subscriber_id: partly, newsletter: 'weekly', state: 'confirmed', changed_at: long })
        .execute();
      for (const id of [left, stays]) {
        const event = { change: 'confirmed', channel: 'confirmation', source: null, at: long } as const;
        await store.db
          .insertInto('consent_events')
          .values({ subscriber_id: id, ...event })
          .execute();
      }
      // A stranger has requested a subscription for one who left, and nobody has confirmed it.
      const requested = await subscriber(store, 'requested', long, { state: 'unconfirmed' });
      for (const change of ['confirmed', 'unsubscribed', 'requested'] as const) {
        const event = { change, newsletter: 'daily', channel: 'operator', at: long } as const;
        await store.db
          .insertInto('consent_events')
          .values({ subscriber_id: requested, ...event })
          .execute();
      }
      expect(await run(store)).toEqual({ ...NOTHING, left: 3 });
      expect(await ids(store.db.selectFrom('subscribers').select('id').orderBy('id').execute())).toEqual([
        stays,
        recent,
        partly,
      ]);
      const events = await store.db.selectFrom('consent_events').select('subscriber_id').execute();
      expect(events).toEqual([{ subscriber_id: stays }]);
      const keys = ['left', 'complained', 'recent', 'requested'].map((name) => `${name}@example.com`);
      expect(await findSuppressed(store.db, SECRETS, keys)).toEqual(
        new Map([
          ['left@example.com', 'erased'],
          ['complained@example.com', 'complaint'],
          ['requested@example.com', 'erased'],
        ]),
      );
      // The person can come back by a new opt-in.
      const key = await requestNewsletters(store, ['daily'], { email: 'left@example.com', now: NOW });
      expect(await confirmRequest(store.db, SECRETS, key, { channel: 'confirmation' }, NOW)).toMatchObject({
        kind: 'confirmed',
      });
    });

    it('keeps subscribers who left, as long as they want a private feed and as long again after its end', async () => {
      const store = await open();
      const long = NOW - 1_001 * DAY;
      const id = await subscriber(store, 'reader', long, { state: 'unsubscribed' });
      const setFeed = (since: number | null) =>
        store.db.updateTable('subscriptions').set({ feed_since: since }).execute();
      await setFeed(long);
      expect(await run(store)).toEqual(NOTHING);
      await setFeed(null);
      const event = { subscriber_id: id, newsletter: 'daily', change: 'feed-ended', channel: 'preferences' } as const;
      await store.db
        .insertInto('consent_events')
        .values({ ...event, at: NOW - 999 * DAY })
        .execute();
      expect(await run(store)).toEqual(NOTHING);
      await store.db.updateTable('consent_events').set({ at: long }).execute();
      expect(await run(store)).toEqual({ ...NOTHING, left: 1 });
    });

    it('deletes the addresses of clients from old records of consent, and keeps the records', async () => {
      const store = await open();
      const id = await subscriber(store, 'ada', NOW - 100 * DAY, { state: 'confirmed' });
      const old = NOW - 61 * DAY;
      const events = [
        { change: 'requested', channel: 'form', source: '192.0.2.7', at: old },
        { change: 'confirmed', channel: 'confirmation', source: '2001:db8::7', at: old },
        { change: 'zone', channel: 'preferences', source: '192.0.2.7', at: NOW - 60 * DAY },
        { change: 'unsubscribed', channel: 'one-click', source: '192.0.2.8', at: old },
        { change: 'confirmed', channel: 'import', source: 'list.csv:7', at: old },
        { change: 'suppressed', channel: 'bounce', source: 'webhook', at: old },
      ] as const;
      await store.db
        .insertInto('consent_events')
        .values(events.map((event) => ({ subscriber_id: id, newsletter: 'daily', ...event })))
        .execute();
      expect(await run(store)).toEqual({ ...NOTHING, consentIps: 3 });
      const kept = await store.db.selectFrom('consent_events').select(['change', 'source']).orderBy('id').execute();
      expect(kept).toEqual([
        { change: 'requested', source: null },
        { change: 'confirmed', source: null },
        { change: 'zone', source: '192.0.2.7' },
        { change: 'unsubscribed', source: null },
        { change: 'confirmed', source: 'list.csv:7' },
        { change: 'suppressed', source: 'webhook' },
      ]);
      expect(await run(store)).toEqual(NOTHING);
    });
  });
});
