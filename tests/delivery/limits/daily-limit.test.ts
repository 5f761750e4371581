import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { deliver } from '../../../src/delivery/deliver.ts';
import { editionsPerDay, QUARTER, quarterOf, whenAllowed } from '../../../src/delivery/limits/daily-limit.ts';
import { openRateLimiter } from '../../../src/delivery/limits/rate-limiter.ts';
import { RESERVED_AHEAD } from '../../../src/delivery/limits/reserve-instant.ts';
import { countServiceSubmission, countSubmissions } from '../../../src/delivery/limits/submission-counts.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { DAY, HOUR, SECOND } from '../../../src/lib/time.ts';
import { forBothDatabases, openMigrated } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf, queueConfirmation, serviceMessagesOf, testConfig } from '../fixture.ts';

function limiterOf(delivery: { perDay: number; perSecond?: number }) {
  const limiter = openRateLimiter(testConfig({ delivery }));
  if (limiter === null) throw new Error('nothing is limited');
  return {
    reserve: (store: Store, count: number, now: number): Promise<number[]> =>
      store.db.transaction().execute((tx) =>
        limiter.reserve(
          tx,
          Array.from({ length: count }, () => ({ domain: 'a.example' })),
          now,
        ),
      ),
  };
}

describe('the limit of messages in 24 hours', () => {
  it('keeps 2 % for service messages', () => {
    expect([1, 2, 200, 50_000].map(editionsPerDay)).toEqual([1, 1, 196, 49_000]);
  });

  it('counts a quarter of an hour until its last message is 24 hours old', () => {
    const counts = [
      { from: 0, count: 3 },
      { from: QUARTER, count: 2 },
    ];
    expect(whenAllowed(counts, 6, HOUR)).toBe(HOUR);
    expect(whenAllowed(counts, 5, HOUR)).toBe(QUARTER + DAY);
    expect(whenAllowed(counts, 2, HOUR)).toBe(2 * QUARTER + DAY);
    expect(whenAllowed(counts, 2, 2 * DAY)).toBe(2 * DAY);
  });

  forBothDatabases((open) => {
    it('lets the rest ask again in the rhythm of the last 24 hours', async () => {
      const store = await open();
      const first = await limiterOf({ perDay: 5 }).reserve(store, 7, NOW);
      const free = quarterOf(NOW) + QUARTER + DAY;
      expect(first).toEqual([NOW, NOW, NOW, NOW, free, free + QUARTER / 4, free + QUARTER / 2]);
      // A new process continues.
      expect(await limiterOf({ perDay: 5 }).reserve(store, 1, NOW + HOUR)).toEqual([free + (3 * QUARTER) / 4]);
      expect(await limiterOf({ perDay: 5 }).reserve(store, 4, free)).toEqual([free, free, free, free]);
      expect(await countSubmissions(store.db, free)).toBe(4);
      expect(await store.db.selectFrom('submission_counts').select('count').execute()).toEqual([{ count: 4 }]);
    });

    it('counts from the present when the clock is set back', async () => {
      const store = await open();
      const limiter = limiterOf({ perDay: 5 });
      await limiter.reserve(store, 3, NOW);
      const setBack = NOW - 400 * DAY;
      const [one, next] = await limiter.reserve(store, 2, setBack);
      expect(one).toBe(setBack);
      expect(next).toBe(quarterOf(setBack) + QUARTER + DAY);
    });

    it('counts service messages, and lets them through', async () => {
      const store = await open();
      const config = testConfig({ delivery: { perDay: 3, connections: 1 } });
      await queueEdition(store, 4);
      for (const n of [1, 2, 3]) await queueConfirmation(store, `new${n}@example.com`);
      const run = (now: number) =>
        deliver(
          store,
          config,
          {
            connections: 1,
            connect: async () => ({ usable: true, submit: async () => '250 ok', close: () => {} }),
            verify: async () => {},
          },
          {
            clock: () => now,
            secrets: SECRETS,
            signers: [],
            templates: openTemplates('templates', 'UTC'),
            random: () => 0,
          },
        );
      await run(NOW);
      expect((await serviceMessagesOf(store)).map(({ state }) => state)).toEqual(Array(3).fill('submitted'));
      expect(await countSubmissions(store.db, NOW)).toBeGreaterThanOrEqual(3);
      const waiting = (await deliveriesOf(store)).filter(({ state }) => state === 'pending');
      expect(waiting.length).toBeGreaterThan(0);
      expect(waiting[0]?.reason).toContain('over the limit of delivery.perSecond, perDay');
      await run(NOW + 2 * DAY);
      expect((await deliveriesOf(store)).filter(({ state }) => state === 'submitted').length).toBeGreaterThan(
        4 - waiting.length,
      );
    });
  });

  it('is never exceeded in any 24 hours, for any requests', async () => {
    const store = await openMigrated();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.option(fc.constantFrom(0.3, 5, 400), { nil: undefined }),
        fc.array(
          fc.record({
            wait: fc.oneof(fc.integer({ min: 0, max: 3 * SECOND }), fc.integer({ min: 0, max: 9 * HOUR })),
            count: fc.integer({ min: 1, max: 20 }),
            isService: fc.boolean(),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        async (perDay, perSecond, calls) => {
          for (const table of ['rate_limits', 'submission_counts'] as const) await store.db.deleteFrom(table).execute();
          const limiter = limiterOf({ perDay, ...(perSecond !== undefined && { perSecond }) });
          const editions: number[] = [];
          const services: number[] = [];
          let now = NOW;
          for (const { wait, count, isService } of calls) {
            now += wait;
            if (isService) {
              await store.db.transaction().execute((tx) => countServiceSubmission(tx, now));
              services.push(now);
              continue;
            }
            const horizon = now + RESERVED_AHEAD;
            const instants = await limiter.reserve(store, count, now);
            for (const at of instants) expect(at).toBeGreaterThanOrEqual(now);
            for (const at of instants.filter((one) => one <= horizon)) {
              const before = services.filter((one) => one > at - DAY).length;
              editions.push(at);
              const counted = editions.filter((one) => one > at - DAY && one <= at).length;
              expect(counted).toBeLessThanOrEqual(Math.max(0, editionsPerDay(perDay) - before));
            }
          }
        },
      ),
      { numRuns: 40 },
    );
    await store.close();
  });
});
