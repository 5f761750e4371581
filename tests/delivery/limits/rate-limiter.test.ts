import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deleteExpiredRateLimits } from '../../../src/core/store/rate-limits.ts';
import { openStore, type Store } from '../../../src/core/store/store.ts';
import { type DeliveryRateLimiter, openRateLimiter } from '../../../src/delivery/limits/rate-limiter.ts';
import { RESERVED_AHEAD } from '../../../src/delivery/limits/reserve-instant.ts';
import { DAY, HOUR, localDate, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { forBothDatabases, newPostgresUrl, openMigrated } from '../../support/databases.ts';
import { testConfig } from '../fixture.ts';

// 23:50 in the publication's zone, so that the day changes during tests.
const NOW = Date.UTC(2026, 10, 24, 15, 50);
const ZONE = 'Asia/Shanghai';

interface Limits {
  perSecond?: number;
  domains?: Record<string, { perSecond: number }>;
  warmUp?: { from: string; perDay: number[] };
}

function limiterOf(limits: Limits, zone = ZONE): DeliveryRateLimiter {
  const config = testConfig({ delivery: limits });
  const limiter = openRateLimiter({ ...config, publication: { ...config.publication, zone } });
  if (limiter === null) throw new Error('nothing is limited');
  return limiter;
}

function reserve(store: Store, limiter: DeliveryRateLimiter, domains: string[], now = NOW): Promise<number[]> {
  return store.db.transaction().execute((tx) =>
    limiter.reserve(
      tx,
      domains.map((domain) => ({ domain })),
      now,
    ),
  );
}

const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);
const since = (instants: number[]): number[] => instants.map((at) => at - NOW);

/** Expects the spacing of a rate over any window. Instants are rounded up to whole milliseconds. */
function expectSpaced(instants: number[], perSecond: number): void {
  const sorted = [...instants].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length; i++) {
    for (let j = i + 1; j < sorted.length; j++) {
      expect(sorted[j]! - sorted[i]! + 1).toBeGreaterThan((j - i) * (SECOND / perSecond) - 0.01);
    }
  }
}

/**
 * Submits a queue in batches: rows without a reservation ask again at their instant.
 * @returns the instants of the rows
 */
async function submitAll(
  store: Store,
  limiter: DeliveryRateLimiter,
  domains: string[],
  until: number,
): Promise<(number | null)[]> {
  const due = domains.map((domain, row) => ({ row, domain, at: NOW }));
  const submitted: (number | null)[] = domains.map(() => null);
  for (let now = NOW; now < until && due.length > 0; ) {
    due.sort((a, b) => a.at - b.at || a.row - b.row);
    const batch = due.filter(({ at }) => at <= now).slice(0, 25);
    for (const one of batch) due.splice(due.indexOf(one), 1);
    const instants = await reserve(
      store,
      limiter,
      batch.map(({ domain }) => domain),
      now,
    );
    for (const [n, one] of batch.entries()) {
      const at = instants[n]!;
      if (at <= now + RESERVED_AHEAD) submitted[one.row] = at;
      else due.push({ ...one, at });
    }
    now = batch.length === 25 ? now + 50 : now + SECOND;
  }
  return submitted;
}

describe('the rate limiter', () => {
  it('is null if nothing is limited', () => {
    expect(openRateLimiter(testConfig())).toBeNull();
  });

  forBothDatabases((open) => {
    it('spaces all messages, reserves a few seconds ahead, and spreads the retries of the others', async () => {
      const store = await open();
      const limiter = limiterOf({ perSecond: 2 });
      const instants = since(await reserve(store, limiter, times(14, 'example.com')));
      expect(instants).toEqual([
        0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000, 5_500, 6_000, 6_500,
      ]);
      // Instants without a reservation are still free.
      expect(since(await reserve(store, limiter, ['example.com'], NOW + SECOND))).toEqual([5_500]);
    });

    it('spaces the messages to a domain in any spelling, and does not limit others', async () => {
      const store = await open();
      const limiter = limiterOf({ domains: { 'xn--bcher-kva.example': { perSecond: 1 } } });
      const domains = [
        'bücher.example',
        'a.example',
        'BÜCHER.example',
        'a.example',
        'xn--bcher-kva.example',
        'constructor',
      ];
      expect(since(await reserve(store, limiter, domains))).toEqual([0, 0, 1_000, 0, 2_000, 0]);
    });

    it('uses the time before the message of a slow domain for others', async () => {
      const store = await open();
      const limiter = limiterOf({ perSecond: 10, domains: { 'slow.example': { perSecond: 0.5 } } });
      expect(since(await reserve(store, limiter, ['slow.example', 'slow.example', 'a.example']))).toEqual([
        0, 2_000, 100,
      ]);
      expect(since(await reserve(store, limiter, times(20, 'a.example')))).toEqual(
        [...Array(18).keys()].map((n) => 200 + n * 100).concat([2_100, 2_200]),
      );
    });

    it('allows the number of the warm-up on a day, and the rest from the start of the next', async () => {
      const store = await open();
      const limiter = limiterOf({ warmUp: { from: '2026-11-24', perDay: [3, 5] } });
      const midnight = Date.UTC(2026, 10, 24, 16);
      expect(await reserve(store, limiter, times(5, 'a.example'))).toEqual([NOW, NOW, NOW, midnight, midnight]);
      expect(await reserve(store, limiter, times(1, 'a.example'))).toEqual([midnight]);
      const next = await reserve(store, limiter, times(6, 'a.example'), midnight);
      expect(next).toEqual([...times(5, midnight), midnight + DAY]);
      // After the end of the list nothing is limited.
      expect(await reserve(store, limiter, times(9, 'a.example'), midnight + DAY)).toEqual(times(9, midnight + DAY));
      expect(await store.db.selectFrom('warm_up_days').selectAll().orderBy('day').execute()).toEqual([
        { day: '2026-11-24', count: 3 },
        { day: '2026-11-25', count: 5 },
      ]);
    });

    it('counts reservations after midnight on the next day', async () => {
      const store = await open();
      const limiter = limiterOf({ warmUp: { from: '2026-11-24', perDay: [1, 1] } });
      const midnight = Date.UTC(2026, 10, 24, 16);
      const late = midnight - SECOND;
      expect(await reserve(store, limiter, times(3, 'a.example'), late)).toEqual([late, midnight, midnight + DAY]);
    });

    it.each([
      // 25 hours long: half past midnight, and the last second before the next.
      ['America/New_York', '2026-11-01', '2026-11-01T04:30:00Z', '2026-11-02T04:59:58Z', '2026-11-02T05:00:00Z'],
      // 23 hours long.
      ['America/New_York', '2027-03-14', '2027-03-14T05:30:00Z', '2027-03-15T03:59:58Z', '2027-03-15T04:00:00Z'],
      // The next day has no midnight: its first instant is 01:00.
      ['Africa/Cairo', '2027-04-29', '2027-04-28T22:00:00Z', '2027-04-29T21:59:58Z', '2027-04-29T22:00:00Z'],
    ])('counts by calendar days in %s on %s, whatever their length', async (zone, day, early, late, next) => {
      const store = await open();
      const limiter = limiterOf({ warmUp: { from: day, perDay: [2, 1] } }, zone);
      expect(await reserve(store, limiter, ['a.example'], Date.parse(early))).toEqual([Date.parse(early)]);
      expect(await reserve(store, limiter, ['b.example', 'c.example'], Date.parse(late))).toEqual([
        Date.parse(late),
        Date.parse(next),
      ]);
    });

    it('does not limit the days before the warm-up', async () => {
      const store = await open();
      const limiter = limiterOf({ warmUp: { from: '2026-11-25', perDay: [1] } });
      expect(await reserve(store, limiter, times(3, 'a.example'))).toEqual(times(3, NOW));
    });

    it('keeps its state in the store, so that a new process continues it', async () => {
      const store = await open();
      const limits = { perSecond: 1 };
      await reserve(store, limiterOf(limits), times(3, 'a.example'));
      expect(since(await reserve(store, limiterOf(limits), ['a.example']))).toEqual([3_000]);
    });

    it('continues at once when the clock is set back, with the spacing that it had', async () => {
      const store = await open();
      const limiter = limiterOf({
        perSecond: 10,
        domains: { 'a.example': { perSecond: 1 }, 'b.example': { perSecond: 1 } },
      });
      await reserve(store, limiter, times(10, 'a.example'));
      await reserve(store, limiter, times(10, 'b.example'));
      const setBack = NOW - 10 * MINUTE;
      const others = (await reserve(store, limiter, ['c.example', 'c.example'], setBack)).map((at) => at - setBack);
      const [a = 0] = await reserve(store, limiter, ['a.example'], setBack + 2 * SECOND);
      const [b = 0] = await reserve(store, limiter, ['b.example'], setBack + 2 * SECOND);
      // Between the instants that were reserved before.
      expect(others).toEqual([200, 300]);
      // As many seconds later as messages are reserved, or spread behind those that were told to ask again.
      for (const at of [a, b]) {
        expect(at - setBack).toBeGreaterThan(RESERVED_AHEAD);
        expect(at - setBack).toBeLessThan(20 * SECOND);
      }
    });

    it('loses no state when retention deletes past rates', async () => {
      const store = await open();
      const limiter = limiterOf({ perSecond: 1, domains: { 'a.example': { perSecond: 0.1 } } });
      await reserve(store, limiter, ['a.example', 'b.example']);
      await deleteExpiredRateLimits(store.db, NOW + 500);
      expect(since(await reserve(store, limiter, ['b.example', 'a.example'], NOW + 500))).toEqual([2_000, 10_000]);
    });

    it('loses the reservations of a transaction that is rolled back', async () => {
      const store = await open();
      const limiter = limiterOf({ perSecond: 1 });
      const failing = store.db.transaction().execute(async (tx) => {
        await limiter.reserve(tx, [{ domain: 'a.example' }], NOW);
        throw new Error('lost');
      });
      await expect(failing).rejects.toThrow('lost');
      expect(await reserve(store, limiter, ['a.example'])).toEqual([NOW]);
    });
  });

  it('never exceeds a limit over any window, for any requests', async () => {
    const store = await openMigrated();
    const domain = fc.constantFrom('slow.example', 'SLOW.example', 'slower.example', 'free.example');
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          perSecond: fc.option(fc.constantFrom(0.3, 1, 7, 30, 400, 3_000), { nil: undefined }),
          slow: fc.constantFrom(0.2, 1, 3, 50),
          slower: fc.constantFrom(0.1, 0.9),
          perDay: fc.option(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }), { nil: null }),
        }),
        fc.array(
          fc.record({
            wait: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 6 * HOUR })),
            rows: fc.array(domain, { minLength: 1, maxLength: 20 }),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        async ({ perSecond, slow, slower, perDay }, calls) => {
          await store.db.deleteFrom('rate_limits').execute();
          await store.db.deleteFrom('warm_up_days').execute();
          const limiter = limiterOf({
            ...(perSecond !== undefined && { perSecond }),
            domains: { 'slow.example': { perSecond: slow }, 'slower.example': { perSecond: slower } },
            ...(perDay !== null && { warmUp: { from: '2026-11-24', perDay } }),
          });
          const reserved: { domain: string; at: number }[] = [];
          let now = NOW;
          for (const { wait, rows } of calls) {
            now += wait;
            const instants = await reserve(store, limiter, rows, now);
            for (const [n, at] of instants.entries()) {
              expect(at).toBeGreaterThanOrEqual(now);
              if (at <= now + RESERVED_AHEAD) reserved.push({ domain: rows[n]!.toLowerCase(), at });
            }
          }
          const of = (name: string) => reserved.filter((one) => one.domain === name).map(({ at }) => at);
          if (perSecond !== undefined)
            expectSpaced(
              reserved.map(({ at }) => at),
              perSecond,
            );
          expectSpaced(of('slow.example'), slow);
          expectSpaced(of('slower.example'), slower);
          for (const [n, allowed] of (perDay ?? []).entries()) {
            const day = `2026-11-${24 + n}`;
            expect(reserved.filter(({ at }) => localDate(at, ZONE) === day).length).toBeLessThanOrEqual(allowed);
          }
        },
      ),
      { numRuns: 80 },
    );
    await store.close();
  });

  it('submits a long queue about as fast as the limits allow, with slow and fast domains', async () => {
    const store = await openMigrated();
    const limiter = limiterOf({ perSecond: 50, domains: { 'slow.example': { perSecond: 5 } } });
    const domains = Array.from({ length: 600 }, (_, n) => (n % 5 === 0 ? 'slow.example' : 'fast.example'));
    const submitted = await submitAll(store, limiter, domains, NOW + 5 * MINUTE);
    await store.close();
    expect(submitted).not.toContain(null);
    const of = (domain: string) => submitted.filter((_, row) => domains[row] === domain) as number[];
    expectSpaced(submitted as number[], 50);
    // 480 messages at 45 a second, beside the slow ones: 11 s at best; 120 at 5 a second: 24 s at best.
    expect(Math.max(...of('fast.example')) - NOW).toBeLessThan(14 * SECOND);
    expect(Math.max(...of('slow.example')) - NOW).toBeLessThan(30 * SECOND);
  });

  it('limits two processes on PostgreSQL together, without a deadlock', async () => {
    const databaseUrl = await newPostgresUrl();
    const stores = await Promise.all([1, 2].map(() => openStore({ databaseUrl, path: '' })));
    const limiter = limiterOf({
      perSecond: 40,
      domains: { 'a.example': { perSecond: 9 }, 'b.example': { perSecond: 5 } },
    });
    const requests = Array.from({ length: 30 }, (_, n) =>
      n % 2 === 0 ? ['a.example', 'b.example', 'c.example'] : ['b.example', 'c.example', 'a.example'],
    );
    const results = await Promise.all(requests.map((rows, n) => reserve(stores[n % 2]!, limiter, rows)));
    await Promise.all([...stores.map((store) => store.close())]);
    const reserved = results.flatMap((instants, n) =>
      instants.map((at, m) => ({ domain: requests[n]![m]!, at })).filter(({ at }) => at <= NOW + RESERVED_AHEAD),
    );
    expectSpaced(
      reserved.map(({ at }) => at),
      40,
    );
    for (const [domain, perSecond, count] of [
      ['a.example', 9, 30],
      ['b.example', 5, 26],
      ['c.example', 40, 30],
    ] as const) {
      const of = reserved.filter((one) => one.domain === domain).map(({ at }) => at);
      expectSpaced(of, perSecond);
      // A few intervals stay unused, depending on which process was faster.
      expect(of.length).toBeGreaterThanOrEqual(count - 3);
    }
  });
});
