import type { KyselyPlugin } from 'kysely';
import { describe, expect, it } from 'vitest';
import { storeSubscribers } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import type { Tables } from '../../../src/core/store/tables.ts';
import { closeEdition } from '../../../src/delivery/closing/close.ts';
import { closeRevision } from '../../../src/delivery/closing/close-revision.ts';
import {
  cancelEdition,
  pauseEdition,
  resumeEdition,
  settleDeliveries,
} from '../../../src/delivery/control/edition-control.ts';
import { reopenDeliveries } from '../../../src/delivery/control/reopen.ts';
import { INTERRUPTED } from '../../../src/delivery/queue/delivery-outcome.ts';
import { countAllDeliveries } from '../../../src/delivery/queue/queries.ts';
import { foldDeliveries } from '../../../src/delivery/retention.ts';
import type { ComposedEdition } from '../../../src/editions/compose.ts';
import { findEdition, findEditionById, listRevisions } from '../../../src/editions/queries.ts';
import { StaleComposition } from '../../../src/editions/record.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import {
  article,
  CUTOFF,
  compose,
  config,
  newsletter,
  recompose,
  save,
  threeStories,
} from '../../editions/fixtures.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { deliveriesOf, markSubmitting, setDeliveries } from '../fixture.ts';

const NOW = CUTOFF + HOUR;
const LATER = NOW + HOUR;
const NAME = `${newsletter.id}/2026-11-24`;
const terms = { ...newsletter, zone: config.publication.zone };

/** A closed edition for subscribers a@…, b@… and so on, paused. */
async function closed(store: Store, subscribers: string[]) {
  await save(store, threeStories('today', CUTOFF));
  const ids = await storeSubscribers(
    store,
    subscribers.map((name) => `${name}@example.com`),
    newsletter.id,
  );
  const composed = await compose(store);
  const { edition } = await closeEdition(store, composed, terms, NOW);
  await pauseEdition(store.db, edition.id, 'a typo');
  return { edition, ids };
}

/** Closes the next revision, with some changes to its content. */
async function close(store: Store, isForAll = false, changes: Partial<ComposedEdition> = {}) {
  const composed = await recompose(store, '2026-11-24', LATER);
  return closeRevision(store, { ...composed, ...changes }, terms, { isForAll, now: LATER });
}

/** Throws instead of the statement after some. */
function interruptedAfter(statements: number): KyselyPlugin {
  let count = 0;
  return {
    transformQuery: ({ node }) => {
      if (count++ === statements) throw new Error('interrupted');
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

/** The subscribers who have an open delivery of an edition. */
async function openFor(store: Store, editionId: number): Promise<number[]> {
  const rows = await deliveriesOf(store);
  return rows.filter((row) => row.edition_id === editionId && row.state === 'pending').map((row) => row.subscriber_id);
}

describe('closeRevision', () => {
  forBothDatabases((open, dialect) => {
    const cases: [name: string, set: Partial<Tables['deliveries']>, gets: 'revision 1' | 'revision 2' | 'unknown'][] = [
      ['is pending', { state: 'pending' }, 'revision 2'],
      ['is claimed', { lease_until: LATER + 1, fence: 1 }, 'revision 2'],
      ['was deferred', { attempts: 1, reply: '451 later', reason: 'smtp answered: 451 later' }, 'revision 2'],
      ['was submitted', { state: 'submitted', reply: '250 ok' }, 'revision 1'],
      ['has failed', { state: 'failed', reply: '550 no', reason: '550 no' }, 'revision 2'],
      ['was suppressed', { state: 'suppressed', reason: 'the subscriber paused mail' }, 'revision 2'],
      ['may have arrived', { attempts: 1, reason: 'smtp did not answer in time; it may have arrived' }, 'unknown'],
      ['was interrupted', { attempts: 1, reason: 'interrupted while submitting: retried with …' }, 'unknown'],
      ['gave up interrupted', { state: 'failed', reason: INTERRUPTED }, 'unknown'],
    ];

    it('queues the new revision for those who have no delivery that was submitted or may have arrived', async () => {
      const store = await open();
      const { edition, ids } = await closed(
        store,
        cases.map((_, n) => `s${n}`),
      );
      for (const [n, [, set]] of cases.entries()) await setDeliveries(store, set, { subscriber_id: ids[n]! });
      const before = new Map((await deliveriesOf(store)).map((row) => [row.subscriber_id, row]));
      const result = await close(store);
      const open2 = await openFor(store, result.edition.id);
      expect(cases.map(([name], n) => [name, open2.includes(ids[n]!)])).toEqual(
        cases.map(([name, , gets]) => [name, gets === 'revision 2']),
      );
      expect(result).toMatchObject({ queued: 5, suppressed: 5, uncertain: 3, edition: { revision: 2, number: 1 } });
      for (const row of (await deliveriesOf(store)).filter(({ edition_id }) => edition_id === edition.id)) {
        const old = before.get(row.subscriber_id)!;
        if (old.state !== 'pending') expect(row).toEqual(old);
        else {
          expect(row).toMatchObject({ state: 'suppressed', lease_until: null, changed_at: LATER });
          expect(row.reason).toMatch(/(^|may have arrived; |Message-ID; |…; )reissued as revision 2$/);
        }
      }
      // All are counted: nothing is lost, and nobody is in two states.
      expect((await countAllDeliveries(store.db, [result.edition.id])).get(result.edition.id)).toMatchObject({
        pending: 5,
        submitted: 0,
      });
    });

    it('cancels the revision before it, and names it as superseded', async () => {
      const store = await open();
      const { edition } = await closed(store, ['a']);
      const { edition: second } = await close(store, false, { subject: 'Corrected' });
      expect(await findEdition(store.db, newsletter.id, edition.slot)).toMatchObject({
        ...{ id: second.id, revision: 2, supersededBy: null, subject: 'Corrected', closedAt: LATER },
        messageIdDomain: 'example.com',
      });
      expect(await findEditionById(store.db, edition.id)).toMatchObject({ revision: 1, supersededBy: second.id });
      expect(
        await store.db.selectFrom('editions').select(['delivery_state', 'delivery_reason']).orderBy('id').execute(),
      ).toEqual([
        { delivery_state: 'cancelled', delivery_reason: 'reissued as revision 2' },
        { delivery_state: 'delivering', delivery_reason: null },
      ]);
    });

    it('gives a correction to everybody, also to those who got the edition', async () => {
      const store = await open();
      const { ids } = await closed(store, ['a', 'b']);
      await setDeliveries(store, { state: 'submitted' }, { subscriber_id: ids[0]! });
      const result = await close(store, true);
      expect(result).toMatchObject({ queued: 2, suppressed: 1, uncertain: 0 });
      expect(await openFor(store, result.edition.id)).toEqual(ids);
    });

    it('counts all earlier revisions as received', async () => {
      const store = await open();
      const { edition, ids } = await closed(store, ['a', 'b', 'c']);
      await setDeliveries(store, { state: 'submitted' }, { subscriber_id: ids[0]! });
      const { edition: second } = await close(store);
      await setDeliveries(store, { state: 'submitted' }, { edition_id: second.id, subscriber_id: ids[1]! });
      await pauseEdition(store.db, second.id, 'another typo');
      const { edition: third } = await close(store);
      expect(third).toMatchObject({ revision: 3, number: 1 });
      expect(await openFor(store, third.id)).toEqual([ids[2]]);
      const revisions = await listRevisions(store.db, newsletter.id, edition.slot);
      expect(revisions.map(({ revision, supersededBy }) => [revision, supersededBy])).toEqual([
        [3, null],
        [2, third.id],
        [1, second.id],
      ]);
    });

    it.each(['cancelled', 'done'] as const)('reissues an edition that is %s', async (state) => {
      const store = await open();
      const { edition, ids } = await closed(store, ['a', 'b']);
      if (state === 'cancelled') await cancelEdition(store, edition.id, 'a typo', NOW);
      else await store.db.updateTable('editions').set({ delivery_state: state }).execute();
      await setDeliveries(store, { state: 'submitted' }, { subscriber_id: ids[0]! });
      await setDeliveries(
        store,
        { state: 'suppressed', reason: 'the subscriber paused mail' },
        { subscriber_id: ids[1]! },
      );
      const { edition: second } = await close(store);
      expect(await openFor(store, second.id)).toEqual([ids[1]]);
    });

    it('gives nothing to those who may have got an edition that was cancelled', async () => {
      const store = await open();
      const { edition, ids } = await closed(store, ['a', 'b']);
      const reason = 'smtp did not answer in time; it may have arrived';
      await setDeliveries(store, { attempts: 1, reason }, { subscriber_id: ids[0]! });
      await cancelEdition(store, edition.id, 'a typo', NOW);
      expect((await deliveriesOf(store)).map((row) => row.reason)).toEqual([
        'cancelled by the operator: a typo; it may have arrived',
        'cancelled by the operator: a typo',
      ]);
      const result = await close(store);
      expect(await openFor(store, result.edition.id)).toEqual([ids[1]]);
      expect(result.uncertain).toBe(1);
    });

    it('refuses an edition that is being delivered, and says how to pause it', async () => {
      const store = await open();
      const { edition } = await closed(store, ['a']);
      await resumeEdition(store.db, edition.id);
      await expect(close(store)).rejects.toThrow(
        expect.objectContaining({
          name: 'DeliveryControlError',
          message: `${NAME} is being delivered: to pause it first, use "daywire editions pause ${NAME}"`,
        }),
      );
      expect(await listRevisions(store.db, newsletter.id, edition.slot)).toHaveLength(1);
    });

    it('refuses while a delivery may be in progress or is uncertain, and changes nothing', async () => {
      const store = await open();
      const { edition, ids } = await closed(store, ['a', 'b']);
      await setDeliveries(
        store,
        { state: 'submitting', attempts: 1, lease_until: LATER + 60_000 },
        { subscriber_id: ids[0]! },
      );
      const before = await deliveriesOf(store);
      await expect(close(store)).rejects.toThrow(
        `1 delivery of ${NAME} may be in progress: reissue it after 2026-11-24T01:31:00Z, when their outcome is known`,
      );
      expect(await deliveriesOf(store)).toEqual(before);
      await setDeliveries(store, { lease_until: LATER }, { subscriber_id: ids[0]! });
      await expect(close(store)).rejects.toThrow(
        `1 delivery of ${NAME} is uncertain: their recipients would get both revisions, or none. Look at the log of ` +
          'your mail server, settle them, and reissue it then. To record that they arrived, use ' +
          `"daywire editions settle ${NAME} ADDRESS --as submitted"; to deliver them again, use ` +
          `"daywire editions settle ${NAME} ADDRESS --as retry".`,
      );
      await settleDeliveries(store.db, { editionId: edition.id }, 'retry', LATER);
      const { edition: second } = await close(store);
      expect(await openFor(store, second.id)).toEqual(ids);
    });

    it('refuses once who got the edition is forgotten, unless everybody gets the correction', async () => {
      const store = await open();
      const { ids } = await closed(store, ['a', 'b']);
      for (const id of ids) await setDeliveries(store, { state: 'submitted' }, { subscriber_id: id });
      await store.db.updateTable('editions').set({ delivery_state: 'done' }).execute();
      expect(await foldDeliveries(store, NOW + DAY)).toBe(2);
      await expect(close(store)).rejects.toThrow(/rolled up.*--as-correction/);
      expect(await close(store, true)).toMatchObject({ queued: 2 });
    });

    it('closes one revision if two processes reissue at the same time', async () => {
      const store = await open();
      const { edition, ids } = await closed(store, ['a', 'b']);
      await setDeliveries(store, { state: 'submitted' }, { subscriber_id: ids[0]! });
      // Both before either closes: a later one would compose from the new revision, which is being delivered.
      const composed = await Promise.all([1, 2].map(() => recompose(store, '2026-11-24', LATER)));
      const options = { isForAll: false, now: LATER };
      const outcomes = await Promise.allSettled(composed.map((one) => closeRevision(store, one, terms, options)));
      expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      const rejected = outcomes.find((one) => one.status === 'rejected') as PromiseRejectedResult;
      expect(rejected.reason).toBeInstanceOf(StaleComposition);
      expect(await listRevisions(store.db, newsletter.id, edition.slot)).toHaveLength(2);
      expect((await deliveriesOf(store)).filter(({ state }) => state === 'pending')).toHaveLength(1);
    });

    it('gives a subscriber to a worker that marks just then, or to the new revision, never to both', async () => {
      const store = await open();
      const { edition, ids } = await closed(store, ['a']);
      await resumeEdition(store.db, edition.id);
      await setDeliveries(store, { lease_until: LATER + HOUR, fence: 7 }, { subscriber_id: ids[0]! });
      const claim = { editionId: edition.id, subscriberId: ids[0]!, fence: 7, newsletter: newsletter.id };
      const marking = () => store.db.transaction().execute((tx) => markSubmitting(tx, [claim], LATER, HOUR));
      const reissuing = async () => {
        await pauseEdition(store.db, edition.id, 'a typo');
        return close(store);
      };
      const [marked, reissued] = await Promise.allSettled([marking(), reissuing()]);
      const isSubmitting = marked.status === 'fulfilled' && marked.value[0]?.kind === 'submitting';
      expect(reissued.status === 'fulfilled').toBe(!isSubmitting);
    });

    it('waits for a mark that is not committed yet, and refuses then', async () => {
      // With SQLite's single writer, the transaction itself is the lock.
      if (dialect === 'sqlite') return;
      const store = await open();
      const { edition, ids } = await closed(store, ['a', 'b']);
      await resumeEdition(store.db, edition.id);
      await setDeliveries(store, { lease_until: LATER + HOUR, fence: 7 }, { subscriber_id: ids[0]! });
      const claim = { editionId: edition.id, subscriberId: ids[0]!, fence: 7, newsletter: newsletter.id };
      let reissuing: Promise<unknown> | undefined;
      await store.db.transaction().execute(async (tx) => {
        expect(await markSubmitting(tx, [claim], LATER, HOUR)).toEqual([{ kind: 'submitting' }]);
        await pauseEdition(store.db, edition.id, 'a typo');
        reissuing = close(store).catch((error: unknown) => error);
        // Twelve round trips: enough time to count before the mark is committed, if it did not wait.
        for (let n = 0; n < 12; n++) await tx.selectFrom('meta').selectAll().execute();
      });
      expect(await reissuing).toMatchObject({ message: expect.stringContaining('may be in progress') });
      expect((await deliveriesOf(store)).map(({ state }) => state)).toEqual(['submitting', 'pending']);
    });

    it('refuses to deliver the revision that was replaced, and names the newer one', async () => {
      const store = await open();
      const { edition, ids } = await closed(store, ['a']);
      await close(store);
      const message = `${NAME}@1 has been reissued: use ${NAME}, its revision 2`;
      const request = { kinds: ['cancelled'], expiresAt: LATER + DAY, isDryRun: false } as const;
      await expect(reopenDeliveries(store, edition.id, request, LATER)).rejects.toThrow(message);
      await expect(resumeEdition(store.db, edition.id)).rejects.toThrow(message);
      await expect(pauseEdition(store.db, edition.id, 'again')).rejects.toThrow(message);
      await expect(settleDeliveries(store.db, { editionId: edition.id }, 'retry', LATER)).rejects.toThrow(message);
      expect(await settleDeliveries(store.db, { editionId: edition.id }, 'submitted', LATER)).toMatchObject({
        settled: 0,
      });
      expect(await openFor(store, edition.id)).toEqual([]);
      expect(ids).toHaveLength(1);
    });

    it('leaves all as it was if it is interrupted, early or late', async () => {
      const store = await open();
      const { edition, ids } = await closed(store, ['a', 'b']);
      await setDeliveries(store, { state: 'submitted' }, { subscriber_id: ids[0]! });
      const composed = await recompose(store, edition.slot, LATER);
      const tables = ['editions', 'edition_articles', 'articles', 'deliveries', 'drafts', 'draft_log'] as const;
      const contents = () => Promise.all(tables.map((name) => store.db.selectFrom(name).selectAll().execute()));
      const before = await contents();
      let interrupted = 0;
      for (let result: unknown = null; result === null; ) {
        const db = store.db.withPlugin(interruptedAfter(interrupted));
        const closing = closeRevision({ ...store, db }, composed, terms, { isForAll: false, now: LATER });
        result = await closing.catch((error: Error) => {
          expect(error.message).toBe('interrupted');
          return null;
        });
        if (result === null) {
          // Each of about thirty statements takes a second.
          interrupted += 5;
          expect(await contents()).toEqual(before);
        }
      }
      expect(interrupted).toBeGreaterThan(20);
      expect((await listRevisions(store.db, newsletter.id, edition.slot)).map(({ revision }) => revision)).toEqual([
        2, 1,
      ]);
    });

    it('writes nothing if one of its articles has changed since it was composed', async () => {
      const store = await open();
      const { edition } = await closed(store, ['a']);
      const before = await deliveriesOf(store);
      const outdated = await recompose(store, edition.slot, LATER);
      await save(store, [article('today-1', { headline: 'Edited again', publishedAt: CUTOFF - HOUR })]);
      const closing = closeRevision(store, outdated, terms, { isForAll: false, now: LATER });
      await expect(closing).rejects.toThrow(StaleComposition);
      expect(await deliveriesOf(store)).toEqual(before);
      expect(await findEdition(store.db, newsletter.id, edition.slot)).toMatchObject({ revision: 1 });
    });
  });
});
