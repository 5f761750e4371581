import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { deliver } from '../../../src/delivery/deliver.ts';
import { countSubmissions, DailyLimit, editionsPerDay } from '../../../src/delivery/limits/daily-limit.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { forBothDatabases, openMigrated } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf, queueConfirmation, serviceMessagesOf, testConfig } from '../fixture.ts';
import { fakeTransport, optionsAt } from '../runs.ts';

const QUARTER = 15 * MINUTE;

function limitOf(delivery: { perDay?: number; warmUp?: { from: string; perDay: number[] } }, zone = 'Asia/Shanghai') {
  const config = testConfig({ delivery });
  const limit = DailyLimit.open({ ...config, publication: { ...config.publication, zone } });
  if (limit === null) throw new Error('nothing is limited');
  return (store: Store, wanted: number, now: number): Promise<number> =>
    store.db.transaction().execute((tx) => limit.take(tx, wanted, now));
}

describe('the limit of messages in 24 hours', () => {
  it('keeps 2 % for service messages', () => {
    expect([1, 2, 200, 50_000].map(editionsPerDay)).toEqual([1, 1, 196, 49_000]);
  });

  forBothDatabases((open) => {
    it('counts a quarter of an hour until its last message is 24 hours old, over processes', async () => {
      const store = await open();
      const from = Math.floor(NOW / QUARTER) * QUARTER;
      expect(await limitOf({ perDay: 5 })(store, 7, from)).toBe(4);
      expect(await limitOf({ perDay: 5 })(store, 1, from + QUARTER + DAY - 1)).toBe(0);
      expect(await limitOf({ perDay: 5 })(store, 7, from + QUARTER + DAY)).toBe(4);
      expect(await store.db.selectFrom('submission_counts').select('count').execute()).toEqual([{ count: 4 }]);
    });

    it('counts from the present when the clock is set back', async () => {
      const store = await open();
      expect(await limitOf({ perDay: 5 })(store, 3, NOW)).toBe(3);
      expect(await limitOf({ perDay: 5 })(store, 9, NOW - HOUR)).toBe(1);
      expect(await limitOf({ perDay: 5 })(store, 9, NOW - 400 * DAY)).toBe(4);
    });

    it('counts service messages, lets them through, and counts nothing that was not submitted', async () => {
      const store = await open();
      const config = testConfig({ delivery: { perDay: 3, connections: 1 } });
      await queueEdition(store, 4);
      for (const n of [1, 2, 3]) await queueConfirmation(store, `new${n}@example.com`);
      const transport = fakeTransport(async () => '250 ok', 1);
      const run = (now: number) => deliver(store, config, transport, optionsAt(now));
      await run(NOW);
      expect((await serviceMessagesOf(store)).map(({ state }) => state)).toEqual(Array(3).fill('submitted'));
      const states = (await deliveriesOf(store)).map(({ state }) => state);
      const submitted = states.filter((state) => state === 'submitted').length;
      expect(submitted).toBeLessThan(4);
      expect(await countSubmissions(store.db, NOW)).toBe(3 + submitted);
      // Nothing is written about those that wait.
      expect((await deliveriesOf(store)).at(-1)).toMatchObject({ state: 'pending', reason: null, due_at: NOW });
      await store.db
        .updateTable('deliveries')
        .set({ expires_at: NOW + HOUR })
        .where('state', '=', 'pending')
        .execute();
      expect(await run(NOW + HOUR)).toMatchObject({ failed: 4 - submitted });
      const failed = (await deliveriesOf(store)).filter(({ state }) => state === 'failed');
      expect(failed.every(({ reason }) => reason?.includes('over the limit of delivery.perDay'))).toBe(true);
    });

    it('does not count service messages towards the warm-up', async () => {
      const store = await open();
      const config = testConfig({ delivery: { warmUp: { from: '2026-11-24', perDay: [3] }, connections: 1 } });
      await queueEdition(store, 4);
      for (const n of [1, 2, 3]) await queueConfirmation(store, `new${n}@example.com`);
      const connection = { usable: true, submit: async () => '250 ok', close: () => {} };
      const transport = {
        connections: 1,
        connect: async () => connection,
        verify: async () => {},
        waits: () => [],
        stop: () => {},
      };
      const result = await deliver(store, config, transport, {
        ...{ clock: () => NOW, secrets: SECRETS, signers: [], templates: openTemplates('templates', 'UTC') },
      });
      expect(result).toMatchObject({ submitted: 3, service: { submitted: 3 } });
    });

    it('allows the number of the warm-up on a day, also with the limit in 24 hours', async () => {
      const store = await open();
      const midnight = Date.UTC(2026, 10, 24, 16);
      const take = limitOf({ warmUp: { from: '2026-11-24', perDay: [3, 5] } });
      expect(await take(store, 5, midnight - SECOND - DAY)).toBe(5);
      expect(await take(store, 5, midnight - SECOND)).toBe(3);
      expect(await take(store, 1, midnight - SECOND)).toBe(0);
      expect(await take(store, 9, midnight)).toBe(5);
      // After the end of the list nothing is limited.
      expect(await take(store, 9, midnight + DAY)).toBe(9);
    });
  });

  it.each([
    // 25 hours long: half past midnight, and the last second before the next.
    ['America/New_York', '2026-11-01', '2026-11-01T04:30:00Z', '2026-11-02T04:59:58Z', '2026-11-02T05:00:00Z'],
    // 23 hours long.
    ['America/New_York', '2027-03-14', '2027-03-14T05:30:00Z', '2027-03-15T03:59:58Z', '2027-03-15T04:00:00Z'],
    // The next day has no midnight: its first instant is 01:00.
    ['Africa/Cairo', '2027-04-29', '2027-04-28T22:00:00Z', '2027-04-29T21:59:58Z', '2027-04-29T22:00:00Z'],
  ])('counts by calendar days in %s on %s, whatever their length', async (zone, from, early, late, next) => {
    const store = await openMigrated();
    const take = limitOf({ warmUp: { from, perDay: [2, 1] } }, zone);
    expect(await take(store, 1, Date.parse(early))).toBe(1);
    expect(await take(store, 2, Date.parse(late))).toBe(1);
    expect(await take(store, 2, Date.parse(next))).toBe(1);
    await store.close();
  });

  it('is never exceeded in any 24 hours, for any requests', async () => {
    const store = await openMigrated();
    const call = fc.record({ wait: fc.integer({ min: 0, max: 9 * HOUR }), count: fc.integer({ min: 1, max: 20 }) });
    const calls = fc.array(call, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), calls, async (perDay, requests) => {
        await store.db.deleteFrom('submission_counts').execute();
        const taken: number[] = [];
        let now = NOW;
        for (const { wait, count } of requests) {
          now += wait;
          const granted = await limitOf({ perDay })(store, count, now);
          for (let n = 0; n < granted; n++) taken.push(now);
          expect(taken.filter((at) => at > now - DAY).length).toBeLessThanOrEqual(editionsPerDay(perDay));
        }
      }),
      { numRuns: runs(40) },
    );
    await store.close();
  });
});
