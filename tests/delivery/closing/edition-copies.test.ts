import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { storeSubscribers } from '../../../scripts/test-edition.ts';
import { choiceText, EVERYTHING, readChoice } from '../../../src/articles/choice.ts';
import { readDeliveryCounts } from '../../../src/core/store/counts.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { closeEdition } from '../../../src/delivery/closing/close.ts';
import { closeRevision } from '../../../src/delivery/closing/close-revision.ts';
import { closingTerms } from '../../../src/delivery/closing/edition-copies.ts';
import { pauseEdition } from '../../../src/delivery/control/edition-control.ts';
import { reopenDeliveries } from '../../../src/delivery/control/reopen.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import { finishEditions } from '../../../src/delivery/queue/outbox.ts';
import { countAllDeliveries } from '../../../src/delivery/queue/queries.ts';
import { foldDeliveries, runDeliveryRetention } from '../../../src/delivery/retention.ts';
import type { ComposedEdition } from '../../../src/editions/compose.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { article, CUTOFF, compose, config, newsletter, recompose, save } from '../../editions/fixtures.ts';
import { forEachDatabase } from '../../support/databases.ts';

const NOW = CUTOFF + HOUR;
const LATER = NOW + HOUR;
const choices = { sections: true, tags: [], reporters: false };
const FINANCE = choiceText({ ...EVERYTHING, sections: ['finance-economy'] });
const THREE_OF_FINANCE = choiceText({ ...EVERYTHING, sections: ['finance-economy'], atLeast: 3 });
const THREE_OF_ALL = choiceText({ ...EVERYTHING, sections: ['business-tech', 'finance-economy'], atLeast: 3 });
const ALL = choiceText({ ...EVERYTHING, sections: ['business-tech', 'finance-economy'] });

/** Articles of two sections. */
const articles = () =>
  ['a', 'b', 'c', 'd'].map((id) => article(id, { section: id < 'c' ? 'finance-economy' : 'business-tech' }));

/** Stores subscribers with choices. @returns their ids */
async function subscribe(store: Store, chosen: (string | null)[]): Promise<number[]> {
  const emails = chosen.map((_, n) => `subscriber${n}@example.com`);
  const ids = await storeSubscribers(store, emails, newsletter.id);
  for (const [n, choice] of chosen.entries()) {
    await store.db.updateTable('subscriptions').set({ choice }).where('subscriber_id', '=', ids[n]!).execute();
  }
  return ids;
}

const termsOf = (composed: ComposedEdition) => closingTerms(config, newsletter, composed);

/** Closes an edition for subscribers with these choices. */
async function close(store: Store, chosen: (string | null)[], change: Partial<typeof newsletter> = { choices }) {
  await save(store, articles());
  const ids = await subscribe(store, chosen);
  const composed = await compose(store, CUTOFF, change);
  const closed = await closeEdition(store, composed, { ...termsOf(composed), ...change }, NOW);
  return { ...closed, ids };
}

function copiesOf({ db }: Store) {
  return db.selectFrom('edition_copies').selectAll().orderBy('edition_id').orderBy('id').execute();
}

/** State, reason and choice of each delivery. */
async function queuedOf({ db }: Store, editionId: number) {
  const rows = await db
    .selectFrom('deliveries')
    .leftJoin('edition_copies as copies', 'copies.id', 'deliveries.copy_id')
    .select(['deliveries.state', 'deliveries.reason', 'copies.choice'])
    .where('deliveries.edition_id', '=', editionId)
    .orderBy('deliveries.subscriber_id')
    .execute();
  return rows.map(({ state, reason, choice }) => [state, reason, choice]);
}

const TOO_FEW = 'too few chosen stories: 2 of at least 3';

describe('closing an edition of a newsletter with choices', () => {
  forEachDatabase((open, dialect) => {
    it('records one copy for each choice, and queues it: pending, or suppressed and counted', async () => {
      const store = await open();
      const chosen = [FINANCE, null, FINANCE, THREE_OF_FINANCE, ALL];
      const { edition, queued, tooFew } = await close(store, chosen);
      expect({ queued, tooFew }).toEqual({ queued: 4, tooFew: 1 });
      expect(await queuedOf(store, edition.id)).toEqual([
        ['pending', null, FINANCE],
        ['pending', null, null],
        ['pending', null, FINANCE],
        ['suppressed', TOO_FEW, THREE_OF_FINANCE],
        ['pending', null, ALL],
      ]);
      expect(await copiesOf(store)).toHaveLength(3);
      expect(await readDeliveryCounts(store.db, [edition.id])).toEqual([
        { editionId: edition.id, state: 'pending', count: 4 },
        { editionId: edition.id, state: 'suppressed', count: 1 },
      ]);
      const again = await compose(store, CUTOFF, { choices }).catch((error: Error) => error.message);
      expect(again).toBe('it is closed');
    });

    it('keeps the first values of a choice that would not fit into an index', async () => {
      const store = await open();
      const names = Array.from({ length: 150 }, (_, n) => createHash('sha256').update(String(n)).digest('base64url'));
      const choice = choiceText({ ...EVERYTHING, sections: ['finance-economy'], tags: names, reporters: names });
      expect(Buffer.byteLength(choice ?? '')).toBeLessThan(2_400);
      expect(readChoice(choice)).toMatchObject({ sections: ['finance-economy'], reporters: [] });
      expect(readChoice(choice).tags.length).toBeGreaterThan(40);
      expect(await close(store, [choice])).toMatchObject({ queued: 1, tooFew: 0 });
    });

    it('decides choices that are made while it closes', async () => {
      const store = await open();
      await save(store, articles());
      await subscribe(store, [FINANCE, null]);
      const composed = await compose(store, CUTOFF, { choices });
      const onClose = async (tx: Store['db']) => {
        await sql`update subscriptions set choice = ${ALL} where choice is null`.execute(tx);
      };
      const { edition } = await closeEdition(store, composed, termsOf(composed), NOW, { onClose });
      expect((await queuedOf(store, edition.id)).map(([, , choice]) => choice)).toEqual([FINANCE, ALL]);
    });

    it('ignores stored choices once the newsletter has none', async () => {
      const store = await open();
      const { edition, queued, tooFew } = await close(store, [FINANCE, THREE_OF_FINANCE], {});
      expect({ queued, tooFew }).toEqual({ queued: 2, tooFew: 0 });
      expect(await queuedOf(store, edition.id)).toEqual(Array(2).fill(['pending', null, null]));
      expect(await copiesOf(store)).toEqual([]);
    });

    it('makes copies due in the subscriber’s zone, and names them in claims', async () => {
      const store = await open();
      await save(store, articles());
      const [berlin, tokyo] = await subscribe(store, [FINANCE, FINANCE]);
      for (const [id, zone] of [
        [berlin!, 'Europe/Berlin'],
        [tokyo!, 'Asia/Tokyo'],
      ] as const) {
        await store.db.updateTable('subscribers').set({ zone }).where('id', '=', id).execute();
      }
      const composed = await compose(store, CUTOFF, { choices });
      await closeEdition(store, composed, { ...termsOf(composed), deliverAt: '07:00' }, NOW);
      const claiming = { limit: 9, leaseMs: HOUR, uncertain: 'retry', dailyLimit: null } as const;
      const at = (now: string) => claimDeliveries(store, { ...claiming, now: Date.parse(now) });
      const [copy] = await copiesOf(store);
      const claim = { copy: { stories: copy!.stories, subject: copy!.subject } };
      expect((await at('2026-11-24T06:00:00Z')).deliveries).toMatchObject([{ subscriberId: berlin, ...claim }]);
      expect((await at('2026-11-24T22:00:00Z')).deliveries).toMatchObject([
        { subscriberId: berlin, ...claim },
        { subscriberId: tokyo, ...claim },
      ]);
    });

    it('ends the delivery of an edition that has too few stories for everyone, and retries leave that', async () => {
      const store = await open();
      const { edition } = await close(store, [THREE_OF_FINANCE]);
      expect(await finishEditions(store.db)).toEqual([edition.id]);
      const request = { kinds: ['failed', 'expired', 'cancelled'], expiresAt: LATER, isDryRun: false } as const;
      expect(await reopenDeliveries(store, edition.id, request, LATER)).toMatchObject({ reopened: 0 });
      expect(await queuedOf(store, edition.id)).toEqual([['suppressed', TOO_FEW, THREE_OF_FINANCE]]);
    });

    it('decides again for a reissue, which may have enough stories for more subscribers', async () => {
      const store = await open();
      const { edition } = await close(store, [FINANCE, THREE_OF_FINANCE, ALL]);
      await pauseEdition(store.db, edition.id, 'a typo');
      await save(store, [article('d', { section: 'finance-economy' })]);
      const composed = await recomposed(store);
      const options = { isForAll: false, now: LATER };
      const counts = { queued: 3, tooFew: 0, suppressed: 2 };
      expect(await closeRevision(store, composed, termsOf(composed), { ...options, isDryRun: true })).toMatchObject(
        counts,
      );
      expect(await copiesOf(store)).toHaveLength(3);
      const revision = await closeRevision(store, composed, termsOf(composed), options);
      expect(revision).toMatchObject(counts);
      expect(await queuedOf(store, revision.edition.id)).toEqual(
        [FINANCE, THREE_OF_FINANCE, ALL].map((choice) => ['pending', null, choice]),
      );
      const copies = await copiesOf(store);
      expect(
        copies.filter(({ choice }) => choice === FINANCE).map(({ stories }) => JSON.parse(stories).length),
      ).toEqual([2, 3]);
    });

    it('mails a correction to all who got what it corrects, whole where their copy has too few stories', async () => {
      const store = await open();
      const { edition, ids } = await close(store, [THREE_OF_ALL, THREE_OF_ALL, THREE_OF_FINANCE, FINANCE]);
      await store.db
        .updateTable('deliveries')
        .set({ state: 'submitted' })
        .where('subscriber_id', 'in', [ids[0]!, ids[3]!])
        .execute();
      await pauseEdition(store.db, edition.id, 'a mistake');
      await save(
        store,
        ['a', 'b'].map((id) => article(id, { section: 'world' })),
      );
      const composed = await recomposed(store);
      const options = { isForAll: true, now: LATER };
      const revision = await closeRevision(store, composed, termsOf(composed), options);
      expect(revision).toMatchObject({ queued: 2, tooFew: 2 });
      expect(await queuedOf(store, revision.edition.id)).toEqual([
        ['pending', null, null],
        ['suppressed', TOO_FEW, THREE_OF_ALL],
        ['suppressed', 'too few chosen stories: 0 of at least 3', THREE_OF_FINANCE],
        ['pending', null, null],
      ]);
    });

    it('keeps the copies as long as its deliveries', async () => {
      const store = await open();
      const { edition } = await close(store, [FINANCE, THREE_OF_FINANCE]);
      const retain = (now: number) => runDeliveryRetention({ store, config } as never, now);
      const end = NOW + config.retention.deliveriesDays * DAY + HOUR;
      expect(await retain(end)).toMatchObject({ deliveries: 0, editionCopies: 0 });
      await store.db.updateTable('deliveries').set({ state: 'submitted' }).where('state', '=', 'pending').execute();
      expect(await retain(end)).toMatchObject({ deliveries: 2, editionCopies: 2 });
      expect(await store.db.selectFrom('delivery_totals').selectAll().orderBy('state').execute()).toEqual([
        { edition_id: edition.id, state: 'submitted', count: 1 },
        { edition_id: edition.id, state: 'suppressed', count: 1 },
      ]);
      expect(await foldDeliveries(store, end)).toBe(0);
      const counts = await countAllDeliveries(store.db, [edition.id]);
      expect(counts.get(edition.id)).toMatchObject({ submitted: 1, suppressed: 0, 'too few chosen stories': 1 });
    });

    it('decides more choices than fit into one statement', async () => {
      const store = await open();
      await save(store, articles());
      const chosen = Array.from({ length: 4_321 }, (_, n) =>
        choiceText({ ...EVERYTHING, sections: [`section-${n}`], tags: ['x'] }),
      );
      await subscribe(store, chosen.slice(0, 1));
      const rows = JSON.stringify(chosen);
      const values = dialect === 'sqlite' ? sql`json_each(${rows})` : sql`json_array_elements_text(${rows}::json)`;
      await sql`insert into subscribers (email, email_key, created_at) select value, value, 0 from ${values}`.execute(
        store.db,
      );
      await sql`insert into subscriptions (subscriber_id, newsletter, state, changed_at, choice)
        select id, ${newsletter.id}, 'confirmed', 0, email from subscribers where email like '{%'`.execute(store.db);
      const composed = await compose(store, CUTOFF, { choices });
      const { queued, tooFew, edition } = await closeEdition(store, composed, termsOf(composed), NOW);
      expect({ queued, tooFew }).toEqual({ queued: 0, tooFew: 4_322 });
      expect(await copiesOf(store)).toHaveLength(4_321);
      expect((await queuedOf(store, edition.id)).every(([, , choice]) => choice !== null)).toBe(true);
    });
  });
});

function recomposed(store: Store): Promise<ComposedEdition> {
  return recompose(store, '2026-11-24', LATER, { choices });
}
