import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { openReaderCounter, type ReaderCounter } from '../../../src/feeds/readers/reader-counts.ts';
import { countSubscribers, readReaderStatistics } from '../../../src/feeds/readers/reader-statistics.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { clockAt } from '../../support/clock.ts';
import { forBothDatabases, openMigrated } from '../../support/databases.ts';

const ZONE = 'Asia/Shanghai';
/** 12:00 on November 24 in Shanghai. */
const NOON = Date.UTC(2026, 10, 24, 4);
const TODAY = '2026-11-24';
const NEWSBOAT = 'newsboat/2.32.0 (Linux x86_64)';
const feedbin = (id: number, subscribers: number) => `Feedbin feed-id:${id} - ${subscribers} subscribers`;
const feedly = (subscribers: number) => `Feedly/1.0 (+https://feedly.com/poller.html; ${subscribers} subscribers)`;

interface Counting extends ReaderCounter {
  now: number;
}

function startCounting(store: Store, now = NOON): Counting {
  const at = clockAt(now);
  return Object.assign(at, openReaderCounter({ store, clock: at.clock, zone: ZONE }));
}

async function counted({ db }: Store): Promise<string[]> {
  const rows = await db
    .selectFrom('feed_readers')
    .selectAll()
    .orderBy('day')
    .orderBy('path')
    .orderBy('reader')
    .execute();
  return rows.map((row) => `${row.day} ${row.path} ${row.reader}: ${row.requests}, ${row.unchanged}`);
}

async function subscribers(store: Store, from = TODAY): Promise<Record<string, number>> {
  return Object.fromEntries(await countSubscribers(store.db, from));
}

async function requestsInAll({ db }: Store): Promise<number> {
  const rows = await db.selectFrom('feed_readers').select('requests').execute();
  return rows.reduce((sum, row) => sum + row.requests, 0);
}

/** Makes the table unavailable. @returns a function that restores it */
async function hideTable({ db }: Store, table: 'feed_readers' | 'feed_reader_reports'): Promise<() => Promise<void>> {
  await db.schema.alterTable(table).renameTo('hidden').execute();
  return () => db.schema.alterTable('hidden').renameTo(table).execute();
}

describe('openReaderCounter', () => {
  forBothDatabases((open) => {
    it('counts requests by day, document and reader, and those answered with 304', async () => {
      const store = await open();
      const counting = startCounting(store);
      counting.count('latest.atom', NEWSBOAT, 'full');
      counting.count('latest.atom', NEWSBOAT, 'unchanged');
      await counting.flush();
      counting.count('latest.atom', NEWSBOAT, 'full');
      counting.count('latest.atom', NEWSBOAT, 'unchanged');
      counting.count('latest.rss', NEWSBOAT, 'full');
      counting.count('latest.rss', undefined, 'full');
      await counting.flush();
      await counting.flush();
      expect(await counted(store)).toEqual([
        `${TODAY} latest.atom Newsboat: 4, 2`,
        `${TODAY} latest.rss Newsboat: 1, 0`,
        `${TODAY} latest.rss other: 1, 0`,
      ]);
    });

    it("starts a new count at the publication's midnight", async () => {
      const store = await open();
      const counting = startCounting(store, Date.UTC(2026, 10, 24, 15, 59, 59, 999));
      counting.count('latest.atom', feedly(10), 'full');
      counting.now++;
      counting.count('latest.atom', feedly(20), 'full');
      counting.count('latest.atom', feedly(20), 'full');
      // After the clock is set back, requests count for the earlier day.
      counting.now -= HOUR;
      counting.count('latest.atom', feedly(11), 'full');
      await counting.flush();
      expect(await counted(store)).toEqual([
        '2026-11-24 latest.atom Feedly: 2, 0',
        '2026-11-25 latest.atom Feedly: 2, 0',
      ]);
      const reports = await store.db
        .selectFrom('feed_reader_reports')
        .select(['day', 'subscribers'])
        .orderBy('day')
        .execute();
      expect(reports).toEqual([
        { day: '2026-11-24', subscribers: 11 },
        { day: '2026-11-25', subscribers: 20 },
      ]);
    });

    it('adds up the counts of several processes, however they flush', async () => {
      const store = await open();
      const both = [startCounting(store), startCounting(store)] as const;
      const paths = Array.from({ length: 60 }, (_, n) => `tags/${n}.atom`);
      for (let round = 0; round < 10; round++) {
        // In opposite orders, as two processes may receive them.
        for (const path of paths) both[0].count(path, feedly(1), 'unchanged');
        for (const path of paths.toReversed()) both[1].count(path, feedly(1), 'full');
        await Promise.all([both[0].flush(), both[1].flush(), both[0].flush()]);
      }
      const rows = await counted(store);
      expect(rows).toHaveLength(60);
      expect(rows.every((row) => row.endsWith('.atom Feedly: 20, 10'))).toBe(true);
    });

    it('keeps counts while the store is unavailable, and adds them once', async () => {
      const store = await open();
      const counting = startCounting(store);
      counting.count('latest.atom', feedbin(1, 5), 'full');
      let restore = await hideTable(store, 'feed_readers');
      await expect(counting.flush()).rejects.toThrow(/feed_readers/);
      counting.count('latest.atom', feedbin(1, 6), 'full');
      counting.now += DAY;
      counting.count('latest.atom', feedbin(1, 7), 'full');
      await expect(counting.flush()).rejects.toThrow(/feed_readers/);
      await restore();
      // The requests are stored, and the reports are not yet.
      restore = await hideTable(store, 'feed_reader_reports');
      await expect(counting.flush()).rejects.toThrow(/feed_reader_reports/);
      await restore();
      await counting.flush();
      expect(await counted(store)).toEqual([
        '2026-11-24 latest.atom Feedbin: 2, 0',
        '2026-11-25 latest.atom Feedbin: 1, 0',
      ]);
      expect(await subscribers(store)).toEqual({ Feedbin: 7 });
    });

    it('neither loses nor repeats requests that arrive during a flush', async () => {
      const store = await open();
      const counting = startCounting(store);
      for (let round = 0; round < 20; round++) {
        counting.count('latest.atom', NEWSBOAT, 'full');
        const writing = counting.flush();
        counting.count('latest.atom', NEWSBOAT, 'unchanged');
        await writing;
      }
      await counting.flush();
      expect(await counted(store)).toEqual([`${TODAY} latest.atom Newsboat: 40, 20`]);
    });

    it('counts combined feeds together, so that rows are bounded', async () => {
      const store = await open();
      const counting = startCounting(store);
      for (const path of ['custom.atom', 'custom/world.rss', 'customs.atom']) {
        counting.count(path, NEWSBOAT, 'full');
      }
      await counting.flush();
      expect(await counted(store)).toEqual(
        ['custom Newsboat: 2', 'customs.atom Newsboat: 1'].map((row) => `${TODAY} ${row}, 0`),
      );
    });
  });
});

describe('countSubscribers', () => {
  forBothDatabases((open) => {
    it('adds up the newest number of each of a reader’s feeds, from any process', async () => {
      const store = await open();
      const [one, other] = [startCounting(store), startCounting(store)];
      one.count('latest.atom', feedbin(1, 100), 'full');
      other.count('latest.atom', feedbin(2, 50), 'full');
      await Promise.all([one.flush(), other.flush()]);
      expect(await subscribers(store)).toEqual({ Feedbin: 150 });
      // The other process receives a later report of the same feed, and writes it first.
      one.now += MINUTE;
      one.count('latest.atom', feedbin(1, 90), 'unchanged');
      other.now += 2 * MINUTE;
      other.count('latest.atom', feedbin(1, 80), 'unchanged');
      await other.flush();
      await one.flush();
      expect(await subscribers(store)).toEqual({ Feedbin: 130 });
    });

    it('counts the newest number of each document for a reader without ids', async () => {
      const store = await open();
      const counting = startCounting(store);
      counting.count('latest.atom', feedly(10), 'full');
      counting.now += SECOND;
      counting.count('latest.atom', feedly(12), 'full');
      counting.count('latest.rss', feedly(3), 'full');
      await counting.flush();
      expect(await subscribers(store)).toEqual({ Feedly: 15 });
    });

    it('counts the last report of a feed for two more days, also across midnight', async () => {
      const store = await open();
      const counting = startCounting(store);
      counting.count('latest.atom', feedbin(1, 100), 'full');
      counting.count('latest.atom', feedbin(2, 50), 'full');
      counting.now += DAY;
      counting.count('latest.atom', feedbin(1, 140), 'full');
      await counting.flush();
      expect(await subscribers(store)).toEqual({ Feedbin: 190 });
      counting.now += DAY + SECOND;
      counting.count('latest.atom', feedbin(1, 151), 'full');
      await counting.flush();
      expect(await subscribers(store)).toEqual({ Feedbin: 151 });
      expect(await subscribers(store, '2026-11-27')).toEqual({});
    });

    it('stores nothing of the header except a name and numbers', async () => {
      const store = await open();
      const counting = startCounting(store);
      counting.count('latest.atom', 'Feedbin feed-id:ada-example - 3 subscribers (ada@example.com; 192.0.2.7)', 'full');
      counting.count('latest.atom', 'PrivateThing/1.0 (Ada; 192.0.2.7)', 'full');
      await counting.flush();
      const rows = await Promise.all([
        store.db.selectFrom('feed_readers').selectAll().execute(),
        store.db.selectFrom('feed_reader_reports').selectAll().execute(),
      ]);
      const [reports] = [rows[1]];
      expect(reports).toMatchObject([
        { reader: 'Feedbin', subscribers: 3, feed: expect.stringMatching(/^[0-9a-f]{12}$/) },
      ]);
      expect(JSON.stringify(rows)).not.toMatch(/ada|192|Private/i);
    });
  });
});

describe('hostile headers', () => {
  it('add at most 20,000 rows a day and 16 reports per document, and every request is counted', async () => {
    const store = await openMigrated();
    const counting = startCounting(store);
    for (let n = 0; n < 30_000; n++) {
      counting.count(
        `tags/${n % 150}.atom`,
        `Thing${n % 250}/1.0 (+https://example.com/; feed-id:${n}; 1 subscriber)`,
        'full',
      );
      counting.count(`tags/${n}.atom`, NEWSBOAT, 'full');
      counting.count('latest.atom', feedbin(n, 1), 'full');
      if (n === 10_000) await counting.flush();
    }
    await counting.flush();
    const rows = await counted(store);
    expect(rows.length).toBeGreaterThan(15_000);
    expect(rows.length).toBeLessThanOrEqual(20_001);
    expect(await requestsInAll(store)).toBe(90_000);
    expect(await subscribers(store)).toMatchObject({ Feedbin: 16 });
    const { count } = await store.db
      .selectFrom('feed_reader_reports')
      .select((e) => e.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    expect(count).toBeLessThanOrEqual(20_000);
  });

  it('are kept for at most 7 days while the store is unavailable', async () => {
    const store = await openMigrated();
    const counting = startCounting(store);
    const restore = await hideTable(store, 'feed_readers');
    for (let day = 0; day < 30; day++) {
      counting.count('latest.atom', NEWSBOAT, 'full');
      await expect(counting.flush()).rejects.toThrow();
      counting.now += DAY;
    }
    await restore();
    await counting.flush();
    const rows = await counted(store);
    expect(rows).toHaveLength(7);
    expect(rows[0]).toMatch(/^2026-12-17 /);
  });
});

describe('readReaderStatistics', () => {
  forBothDatabases((open) => {
    it('adds up the last seven days, the busiest reader first', async () => {
      const store = await open();
      const counting = startCounting(store, NOON - 7 * DAY);
      counting.count('latest.atom', NEWSBOAT, 'full');
      counting.now = NOON - 2 * DAY;
      for (let n = 0; n < 3; n++) counting.count('latest.atom', NEWSBOAT, n === 0 ? 'full' : 'unchanged');
      counting.now = NOON;
      counting.count('latest.rss', NEWSBOAT, 'full');
      counting.count('latest.atom', feedly(30), 'full');
      counting.count('latest.rss', feedly(12), 'full');
      await counting.flush();
      const now = NOON;
      expect(await readReaderStatistics(store.db, { now, zone: ZONE })).toEqual({
        from: '2026-11-22',
        until: TODAY,
        days: 2.5,
        readers: [
          { reader: 'Newsboat', requests: 4, unchanged: 2, documents: 2, subscribers: null },
          { reader: 'Feedly', requests: 2, unchanged: 0, documents: 2, subscribers: 42 },
        ],
      });
    });
  });
});
