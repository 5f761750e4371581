import type { KyselyPlugin } from 'kysely';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { storeSubscribers } from '../../../scripts/test-edition.ts';
import { addSubscriber } from '../../../src/audience/subscriptions.ts';
import { openStore, type Store, type Tx } from '../../../src/core/store/store.ts';
import { closeEdition, composeAndClose } from '../../../src/delivery/closing/close.ts';
import { prepareMessages } from '../../../src/delivery/message/edition-message.ts';
import { type Edition, findEditionById } from '../../../src/editions/queries.ts';
import { StaleComposition } from '../../../src/editions/record.ts';
import { editionSlot } from '../../../src/editions/slot.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { unsubscribe } from '../../audience/fixtures.ts';
import { article, CUTOFF, compose, config, newsletter, save, templates } from '../../editions/fixtures.ts';
import { forBothDatabases, newPostgresUrl } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf } from '../fixture.ts';

const NOW = CUTOFF + 1_000;
const terms = { ...newsletter, zone: config.publication.zone };
const articles = () => ['a', 'b', 'c', 'd'].map((id) => article(id));

function subscribe(store: Store, ...names: string[]): Promise<number[]> {
  return storeSubscribers(
    store,
    names.map((name) => `${name}@example.com`),
    newsletter.id,
  );
}

function run(store: Store, rest: { minimumStories?: number; deliverAt?: string } = {}) {
  return composeAndClose(
    store,
    config,
    templates,
    { ...newsletter, minimumStories: rest.minimumStories ?? 3, expireAfterHours: 20, deliverAt: rest.deliverAt },
    { slot: editionSlot(CUTOFF, config.publication.zone, false), cutoffAt: CUTOFF, clock: () => NOW },
  );
}

/** The store, in which an article is edited before each of the first `times` transactions: compositions are stale. */
function editing(store: Store, times: number): Store {
  let edits = 0;
  const transaction = () => ({
    execute: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
      if (edits < times) {
        edits += 1;
        await save(store, [article('a', { headline: `Edited ${edits} times` })]);
      }
      return store.db.transaction().execute(work);
    },
  });
  const db = new Proxy(store.db, {
    get(target, key) {
      const value: unknown = key === 'transaction' ? transaction : Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...store, db };
}

describe('composeAndClose', () => {
  forBothDatabases((open, dialect) => {
    it('queues one delivery for each confirmed subscriber of the newsletter, and no others', async () => {
      const store = await open();
      await save(store, articles());
      const [ada, bob, left, unsure] = await subscribe(store, 'ada', 'bob', 'left', 'unsure');
      await unsubscribe(store.db, { subscriberId: left!, newsletter: newsletter.id }, { channel: 'one-click' }, NOW);
      await store.db
        .updateTable('subscriptions')
        .set({ state: 'unconfirmed' })
        .where('subscriber_id', '=', unsure!)
        .execute();
      await addSubscriber(
        store.db,
        SECRETS,
        { email: 'other@example.com', newsletters: ['weekly'] },
        { channel: 'operator' },
        NOW,
      );

      const outcome = await run(store);
      expect(outcome).toMatchObject({
        kind: 'closed',
        isNew: true,
        queued: 2,
        edition: { newsletter: newsletter.id, slot: '2026-11-24', number: 1, closedAt: NOW },
      });
      const queued = {
        state: 'pending',
        attempts: 0,
        due_at: NOW,
        expires_at: NOW + 20 * HOUR,
        lease_until: null,
        fence: 0,
        changed_at: NOW,
      };
      expect(await deliveriesOf(store)).toMatchObject([
        { ...queued, subscriber_id: ada, reply: null, reason: null },
        { ...queued, subscriber_id: bob },
      ]);
    });

    it('makes each delivery due at deliverAt in the subscriber’s zone, and expire expireAfterHours later', async () => {
      const store = await open();
      await save(store, articles());
      // NOW is 07:30 of 24 November in the publication's zone, Asia/Shanghai.
      const zones: Record<string, [zone: string | null, due: string]> = {
        none: [null, '2026-11-24T23:00:00Z'],
        unknown: ['Mars/Olympus', '2026-11-24T23:00:00Z'],
        same: ['Asia/Shanghai', '2026-11-24T23:00:00Z'],
        tokyo: ['Asia/Tokyo', '2026-11-24T22:00:00Z'],
        berlin: ['Europe/Berlin', '2026-11-24T06:00:00Z'],
        shouting: ['EUROPE/BERLIN', '2026-11-24T06:00:00Z'],
        kathmandu: ['Asia/Kathmandu', '2026-11-24T01:15:00Z'],
        apia: ['Pacific/Apia', '2026-11-24T18:00:00Z'],
      };
      const ids = await subscribe(store, ...Object.keys(zones));
      for (const [n, [zone]] of Object.values(zones).entries()) {
        await store.db.updateTable('subscribers').set({ zone }).where('id', '=', ids[n]!).execute();
      }
      expect(await run(store, { deliverAt: '07:00' })).toMatchObject({ kind: 'closed', queued: 8 });
      const due = Object.values(zones).map(([, at]) => Date.parse(at));
      expect((await deliveriesOf(store)).map(({ due_at, expires_at }) => [due_at, expires_at])).toEqual(
        due.map((at) => [at, at + 20 * HOUR]),
      );
    });

    it('changes nothing when it is called again, even with new subscribers', async () => {
      const store = await open();
      await save(store, articles());
      await subscribe(store, 'ada');
      const first = await run(store);
      await subscribe(store, 'bob');
      expect(await run(store)).toEqual({ ...first, isNew: false });
      expect(await deliveriesOf(store)).toHaveLength(1);
    });

    it('closes once in two concurrent calls, and both return the edition', async () => {
      const url = dialect === 'postgres' ? await newPostgresUrl() : undefined;
      const stores =
        url === undefined
          ? [await open()]
          : await Promise.all([1, 2].map(() => openStore({ databaseUrl: url, path: '' })));
      const [one, two = one] = stores as [Store, Store?];
      await save(one, articles());
      await subscribe(one, 'ada', 'bob');
      const outcomes = await Promise.all([run(one), run(two)]);
      expect(outcomes.map((outcome) => outcome.kind === 'closed' && outcome.isNew).sort()).toEqual([false, true]);
      expect(new Set(outcomes.map((outcome) => (outcome.kind === 'closed' ? outcome.edition.id : null))).size).toBe(1);
      expect(outcomes).toMatchObject([{ queued: 2 }, { queued: 2 }]);
      expect(await deliveriesOf(one)).toHaveLength(2);
      if (url !== undefined) await Promise.all(stores.map((store) => store.close()));
    });

    it('returns the edition that another process closes between its first look and its selection', async () => {
      // SQLite has one connection for both.
      if (dialect === 'sqlite') return;
      const url = await newPostgresUrl();
      const [one, two] = [
        await openStore({ databaseUrl: url, path: '' }),
        await openStore({ databaseUrl: url, path: '' }),
      ];
      await save(one, articles());
      await subscribe(one, 'ada');
      let first: Promise<unknown> | null = null;
      const closing: KyselyPlugin = {
        transformQuery: ({ node }) => node,
        transformResult: async ({ result }) => {
          first ??= run(one);
          await first;
          return result;
        },
      };
      expect(await run({ ...two, db: two.db.withPlugin(closing) } as Store)).toMatchObject({
        kind: 'closed',
        isNew: false,
      });
      await Promise.all([one.close(), two.close()]);
    });

    it('freezes the domain of the Message-IDs, so that a change of the sender does not change them', async () => {
      const store = await open();
      await save(store, articles());
      const [ada] = await subscribe(store, 'ada');
      const closed = await closeEdition(store, await compose(store), terms, NOW);
      const edition = (await findEditionById(store.db, closed.edition.id)) as Edition;
      const idOf = async (email: string, messageIdDomain = edition.messageIdDomain): Promise<string | undefined> => {
        const from = { ...newsletter, from: { ...newsletter.from, email } };
        const make = prepareMessages({ ...edition, messageIdDomain }, from, config, SECRETS, []);
        const { chunks } = await make({
          subscriberId: ada as number,
          email: 'ada@example.com',
          tokenVersion: 1,
          expiresAt: null,
          now: NOW,
        });
        return (await simpleParser(Buffer.concat(chunks))).messageId;
      };
      const id = await idOf(newsletter.from.email);
      expect(id).toMatch(/^<[0-9a-f]{40}@example\.com>$/);
      expect(await idOf('wire@bücher.example')).toBe(id);
      // An edition that closed before the domain was stored.
      expect(await idOf('wire@bücher.example', null)).toBe(id?.replace('example.com', 'xn--bcher-kva.example'));
    });

    it('writes nothing if an article has changed since it was composed', async () => {
      const store = await open();
      await save(store, articles());
      await subscribe(store, 'ada');
      const outdated = await compose(store);
      await save(store, [article('a', { status: { state: 'retracted', note: 'Wrong.', at: NOW } })]);
      await expect(closeEdition(store, outdated, terms, NOW)).rejects.toThrow(StaleComposition);
      expect(await deliveriesOf(store)).toEqual([]);
      expect(await store.db.selectFrom('editions').selectAll().execute()).toEqual([]);
      expect(await store.db.selectFrom('edition_articles').selectAll().execute()).toEqual([]);
    });

    it('composes again if an article changes in between, and includes the change', async () => {
      const store = await open();
      await save(store, articles());
      await subscribe(store, 'ada');
      expect(await run(editing(store, 2))).toMatchObject({
        kind: 'closed',
        isNew: true,
        queued: 1,
      });
      const { html } = await store.db.selectFrom('editions').select('html').executeTakeFirstOrThrow();
      expect(html).toContain('Edited 2 times');
      expect(html).not.toContain('Edited 1 times');
    });

    it('gives up if articles change faster than it composes', async () => {
      const store = await open();
      await save(store, articles());
      await expect(run(editing(store, 100))).rejects.toThrow(StaleComposition);
    });

    it('skips the edition with a reason if there are too few stories, and queues nothing', async () => {
      const store = await open();
      await save(store, articles());
      await subscribe(store, 'ada');
      expect(await run(store, { minimumStories: 5 })).toMatchObject({ kind: 'skipped', reason: /at least 5/ });
      expect(await deliveriesOf(store)).toEqual([]);
    });
  });
});
