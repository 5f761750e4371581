import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { isVisit } from '../../../src/editions/pages/edition-pages.ts';
import { foldVisits, openVisitCounter, readVisits } from '../../../src/editions/visits/visit-rows.ts';
import { DAY } from '../../../src/lib/time.ts';
import { NOW, openTestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const opened = { method: 'GET', status: 200, userAgent: FIREFOX, fetchMode: 'navigate', purpose: undefined };

describe('a visit', () => {
  it('is a page that a browser opens, whether or not it has changed', () => {
    expect(isVisit(opened)).toBe(true);
    expect(isVisit({ ...opened, status: 304 })).toBe(true);
    expect(isVisit({ ...opened, fetchMode: undefined })).toBe(true);
  });

  it.each([
    [
      'a program that names itself',
      { userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' },
    ],
    ['a library', { userAgent: 'curl/8.5.0' }],
    ['a request without a name', { userAgent: undefined }],
    ['a page that does not exist', { status: 404 }],
    ['the question for its headers', { method: 'HEAD' }],
    ['a script that fetches it', { fetchMode: 'cors' }],
    ['what a browser fetches ahead', { purpose: 'prefetch;prerender' }],
  ])('is not %s', (_name, changes) => {
    expect(isVisit({ ...opened, ...changes })).toBe(false);
  });
});

describe('visits of past editions', () => {
  forEachDatabase((open) => {
    const counterOf = (store: Store, clock = () => NOW) => openVisitCounter({ store, clock, zone: 'Asia/Shanghai' });

    it('are counted by day, also where the cache of pages answers, and without programs', async () => {
      const store = await open();
      await queueEdition(store, 0);
      const visits = counterOf(store);
      const site = openTestSite(store, undefined, { visits });
      const path = '/editions/daily-roundup/2026-11-24';
      for (const agent of [FIREFOX, FIREFOX, 'curl/8.5.0']) {
        expect((await site.get(path, { 'User-Agent': agent })).status).toBe(200);
      }
      await site.get('/editions/daily-roundup/2020-01-01', { 'User-Agent': FIREFOX });
      await visits.flush();
      await visits.flush();
      expect(await readVisits(store.db, 'daily-roundup', '2026-11-24')).toEqual({
        total: 2,
        days: [{ day: '2026-11-24', visits: 2 }],
      });
      expect((await store.db.selectFrom('edition_visits').selectAll().execute()).length).toBe(1);
    });

    it('of several processes add up, and those counted during a flush are kept', async () => {
      const store = await open();
      const [one, other] = [counterOf(store), counterOf(store)];
      one.count('daily-roundup', 'a');
      other.count('daily-roundup', 'a');
      const flushing = one.flush();
      one.count('daily-roundup', 'a');
      await Promise.all([flushing, other.flush()]);
      await one.flush();
      expect(await readVisits(store.db, 'daily-roundup', 'a')).toMatchObject({ total: 3 });
    });

    it('are kept while the store is unavailable', async () => {
      const store = await open();
      let isAway = true;
      const db = () => {
        if (isAway) throw new Error('away');
        return store.db;
      };
      const visits = counterOf({
        ...store,
        get db() {
          return db();
        },
      });
      visits.count('daily-roundup', 'a');
      await expect(visits.flush()).rejects.toThrow('away');
      isAway = false;
      await visits.flush();
      expect(await readVisits(store.db, 'daily-roundup', 'a')).toMatchObject({ total: 1 });
    });

    it('keep their total when retention folds the days', async () => {
      const store = await open();
      for (const days of [3, 2, 0]) {
        const visits = counterOf(store, () => NOW - days * DAY);
        visits.count('daily-roundup', 'a');
        visits.count('weekly', 'b');
        await visits.flush();
      }
      expect(await foldVisits(store.db, '2026-11-22')).toBe(2);
      expect(await foldVisits(store.db, '2026-11-23')).toBe(2);
      expect(await foldVisits(store.db, '2026-11-23')).toBe(0);
      expect(await readVisits(store.db, 'daily-roundup', 'a')).toEqual({
        total: 3,
        days: [{ day: '2026-11-24', visits: 1 }],
      });
    });
  });
});
