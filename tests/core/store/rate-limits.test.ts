import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acquirePermit, acquirePermits, deleteExpiredRateLimits } from '../../../src/core/store/rate-limits.ts';
import { openStore } from '../../../src/core/store/store.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { forBothDatabases, newPostgresUrl } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);
const limit = { everyMs: 20 * SECOND, burst: 3 };

describe('a rate limit', () => {
  forBothDatabases((open, dialect) => {
    it('grants the burst at once, and then says when to retry', async () => {
      const { db } = await open();
      for (let n = 0; n < 3; n++) expect(await acquirePermit(db, 'k', limit, NOW)).toMatchObject({ kind: 'granted' });
      expect(await acquirePermit(db, 'k', limit, NOW)).toEqual({ kind: 'refused', retryAt: NOW + 20 * SECOND });
      expect(await acquirePermit(db, 'k', limit, NOW + 19_999)).toMatchObject({ kind: 'refused' });
      expect(await acquirePermit(db, 'k', limit, NOW + 20 * SECOND)).toMatchObject({ kind: 'granted' });
      expect(await acquirePermit(db, 'k', limit, NOW + 20 * SECOND)).toEqual({
        kind: 'refused',
        retryAt: NOW + 40 * SECOND,
      });
    });

    it('locks nobody out when the clock is set back by hours, and tolerates clocks that differ', async () => {
      const { db } = await open();
      const daily = { everyMs: 8 * HOUR, burst: 3 };
      for (let n = 0; n < 3; n++) await acquirePermit(db, 'k', limit, NOW);
      expect(await acquirePermit(db, 'k', limit, NOW - 30 * SECOND)).toMatchObject({ kind: 'refused' });
      // Once, so that the instant in the store is one that the limit allows also by the earlier clock.
      await acquirePermit(db, 'day', daily, NOW);
      const setBack = NOW - 10 * HOUR;
      for (const [key, one] of [
        ['k', limit],
        ['day', daily],
      ] as const) {
        for (let n = 0; n < 3; n++)
          expect(await acquirePermit(db, key, one, setBack)).toMatchObject({ kind: 'granted' });
        const refused = { kind: 'refused', retryAt: setBack + one.everyMs };
        expect(await acquirePermit(db, key, one, setBack)).toEqual(refused);
      }
    });

    it('is acquired together with others, or none of them is', async () => {
      const { db } = await open();
      const [wide, narrow] = [
        { key: 'wide', everyMs: MINUTE, burst: 3 },
        { key: 'narrow', everyMs: MINUTE, burst: 1 },
      ];
      expect(await acquirePermits(db, [wide, narrow], NOW)).toEqual({ kind: 'granted' });
      const refused = { kind: 'refused', limit: narrow, retryAt: NOW + MINUTE };
      for (let n = 0; n < 3; n++) expect(await acquirePermits(db, [wide, narrow], NOW)).toEqual(refused);
      // The refusals did not use up the wide limit.
      for (let n = 0; n < 2; n++) expect(await acquirePermits(db, [wide], NOW)).toEqual({ kind: 'granted' });
      expect(await acquirePermits(db, [wide, narrow], NOW)).toMatchObject({ kind: 'refused', limit: wide });
    });

    it('keeps fractions of a millisecond', async () => {
      const { db } = await open();
      const fast = { everyMs: 0.25, burst: 1 };
      expect(await acquirePermit(db, 'k', fast, NOW)).toMatchObject({ kind: 'granted' });
      const { next_at } = await db.selectFrom('rate_limits').select('next_at').executeTakeFirstOrThrow();
      expect(next_at).toBe(NOW + 0.25);
    });

    it('never grants more than its rate and its burst', async () => {
      const { db } = await open();
      let keys = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 1, max: 50 }),
          fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 }),
          async (burst, everyMs, waits) => {
            const key = `k${++keys}`;
            const granted: number[] = [];
            let now = NOW;
            for (const wait of waits) {
              now += wait;
              const permit = await acquirePermit(db, key, { everyMs, burst }, now);
              if (permit.kind === 'granted') granted.push(now);
              else expect(permit.retryAt).toBeGreaterThan(now);
            }
            for (const [i, from] of granted.entries()) {
              for (const [j, until] of granted.entries()) {
                if (j > i) expect(j - i + 1).toBeLessThanOrEqual(burst + (until - from) / everyMs);
              }
            }
          },
        ),
        { numRuns: runs(dialect === 'sqlite' ? 100 : 20) },
      );
    });

    it('is deleted once it limits nothing any more', async () => {
      const { db } = await open();
      await acquirePermit(db, 'old', { everyMs: SECOND, burst: 1 }, NOW - MINUTE);
      await acquirePermit(db, 'new', { everyMs: SECOND, burst: 1 }, NOW);
      expect(await deleteExpiredRateLimits(db, NOW)).toBe(1);
      expect(await db.selectFrom('rate_limits').select('key').execute()).toEqual([{ key: 'new' }]);
    });
  });

  it('grants the burst once to concurrent processes', async () => {
    const databaseUrl = await newPostgresUrl();
    const stores = await Promise.all([1, 2].map(() => openStore({ databaseUrl, path: '' })));
    const requests = Array.from({ length: 40 }, (_, n) =>
      acquirePermit(stores[n % 2]!.db, 'k', { everyMs: MINUTE, burst: 7 }, NOW),
    );
    const permits = await Promise.all(requests);
    await Promise.all(stores.map((store) => store.close()));
    expect(permits.filter(({ kind }) => kind === 'granted')).toHaveLength(7);
  });
});
