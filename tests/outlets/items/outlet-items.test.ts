import { describe, expect, it } from 'vitest';
import type { Db } from '../../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { recordOutletItems } from '../../../src/outlets/items/outlet-items.ts';
import type { OutletEntry } from '../../../src/outlets/items/usable-entry.ts';
import { parseFeed } from '../../../src/sources/feed/parse-feed.ts';
import { NOW } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { addSource, setItem } from '../../support/sources.ts';
import { FORMATS, type Report, report } from '../polling/outlet-feeds.ts';

const OUTLET = 'The Outlet';
const CLAIM = { id: 'outlet', fence: 0 };
const TIMES = { now: NOW, windowMs: 26 * HOUR };

type Format = keyof typeof FORMATS;

/** The entries of a document, through the parser. */
function entriesOf(reports: readonly Report[], format: Format = 'rss'): OutletEntry[] {
  const bytes = new TextEncoder().encode(FORMATS[format](reports));
  const result = parseFeed({ bytes, contentType: null, url: 'https://outlet.example/feed' }, NOW);
  if (result.kind !== 'feed') throw new Error(result.reason);
  return result.feed.items.map(({ id, isPermaLink, link, title, publishedAt }) => ({
    ...{ guid: id, isPermaLink, link, title, publishedAt, summary: null, language: 'en', imageUrl: null },
  }));
}

async function record(db: Db, reports: readonly Report[], now = NOW, format: Format = 'rss') {
  const recorded = await recordOutletItems(db, CLAIM, OUTLET, entriesOf(reports, format), { ...TIMES, now });
  if (recorded === null) throw new Error('the claim was lost');
  return recorded;
}

const items = (db: Db) => db.selectFrom('outlet_items').selectAll().orderBy('id').execute();

const ten = Array.from({ length: 10 }, (_, index) => report(index + 1, NOW - (index + 1) * HOUR));
const all = (change: (one: Report, index: number) => Partial<Report>): Report[] =>
  ten.map((one, index) => ({ ...one, ...change(one, index) }));

forBothDatabases((open, dialect) => {
  describe('recordOutletItems', () => {
    // Formats differ before the store.
    it.each(dialect === 'postgres' ? ['rss' as const] : (Object.keys(FORMATS) as Format[]))(
      'keeps ten of ten and doubles none where a feed renames its guids: %s',
      async (format) => {
        const { db } = await open();
        await addSource(db, CLAIM.id);
        expect(await record(db, ten, NOW, format)).toMatchObject({
          added: 10,
          known: 0,
          knowsOne: false,
          problems: [],
        });
        const first = await items(db);
        const renamed = all((_, index) => ({ guid: `urn:uuid:renamed-${index}` }));
        for (const [poll, reports] of [renamed, ten, renamed].entries()) {
          const now = NOW + (poll + 1) * 30 * MINUTE;
          expect(await record(db, reports, now, format)).toMatchObject({ added: 0, known: 10, knowsOne: true });
        }
        expect((await items(db)).map(({ seen_at: _, ...row }) => row)).toEqual(
          first.map(({ seen_at: _, ...row }) => row),
        );
        const moved = [report(11, NOW + 2 * HOUR), ...renamed.slice(0, 9)];
        expect(await record(db, moved, NOW + 2 * HOUR, format)).toMatchObject({ added: 1, known: 9 });
      },
    );

    it('opens what a first document dates within the window; earlier and undated items are old', async () => {
      const { db } = await open();
      await addSource(db, CLAIM.id);
      const first = [report(1, NOW - HOUR), report(2, NOW - 27 * HOUR), report(3, null), report(4, NOW + 10 * HOUR)];
      expect(await record(db, first)).toMatchObject({ added: 4, old: 2, held: 0, newsAt: NOW });
      const states = (await items(db)).map(({ title, state, published_at }) => [title, state, published_at]);
      expect(states.toSorted()).toEqual([
        ['Report number 1', 'open', NOW - HOUR],
        ['Report number 2', 'old', NOW - 27 * HOUR],
        ['Report number 3', 'old', null],
        // Its zone is wrong: it is news, but its date is not.
        ['Report number 4', 'open', null],
      ]);
      // Later, an undated item is new, and an old report that comes up again is not.
      expect(await record(db, [report(5, null), report(6, NOW - 3 * DAY), ...first])).toMatchObject({
        added: 2,
        old: 1,
      });
      expect((await items(db)).slice(4).map(({ title, state }) => [title, state])).toEqual([
        ['Report number 6', 'old'],
        ['Report number 5', 'open'],
      ]);
    });

    it('keeps the place of a new item in its document, unless that is sorted by date or short', async () => {
      const { db } = await open();
      await addSource(db, CLAIM.id);
      const places = async () => Object.fromEntries((await items(db)).map(({ title, position }) => [title, position]));
      // One report that was dated anew makes no other order.
      await record(db, ten.with(4, report(5, NOW - MINUTE)));
      expect(Object.values(await places())).toEqual(Array(10).fill(null));
      const byHand = [13, 11, 15, 12, 14, 16].map((number) => report(number, NOW - number * MINUTE));
      await record(db, [...byHand.slice(0, 4), ...ten.slice(0, 2)]);
      await record(db, byHand.toReversed());
      expect(await places()).toMatchObject({
        ...{ 'Report number 1': null, 'Report number 13': 0, 'Report number 11': 1, 'Report number 15': 2 },
        ...{ 'Report number 12': 3, 'Report number 16': 0, 'Report number 14': 1 },
      });
      await record(db, [report(22, NOW - HOUR), report(21, NOW), report(23, NOW - HOUR), report(24, NOW)]);
      await record(
        db,
        [31, 32, 33, 34, 35].map((number) => report(number, null)),
      );
      expect(await places()).toMatchObject({ 'Report number 22': null, 'Report number 31': null });
    });

    it('follows a corrected title and link, but not of an item that an editor has picked', async () => {
      const { db } = await open();
      await addSource(db, CLAIM.id);
      await record(db, ten.slice(0, 2));
      const [, second] = await items(db);
      const id = second?.id as number;
      await setItem(db, id, { group_id: id });
      const decision = { id, state: 'picked', editor: 'ann', updated_at: NOW } as const;
      await db.insertInto('story_groups').values(decision).execute();
      const corrected = all(({ link }, index) => ({ title: `Corrected ${index}`, link: `${link}-corrected` }));
      expect(await record(db, corrected.slice(0, 2))).toMatchObject({ known: 2 });
      expect((await items(db)).map(({ title, url }) => [title, url])).toEqual([
        ['Corrected 1', 'https://outlet.example/2026/report-2-corrected'],
        ['Report number 1', 'https://outlet.example/2026/report-1'],
      ]);
    });

    it('keeps no canonical link of reports that have it together, nor of a front page', async () => {
      const { db } = await open();
      await addSource(db, CLAIM.id);
      const live = 'https://outlet.example/live';
      const links = async () => (await items(db)).map(({ canonical_url }) => canonical_url);
      await record(db, [report(1, NOW - HOUR, { link: live }), report(2, NOW, { link: 'https://outlet.example/' })]);
      expect(await links()).toEqual([live, null]);
      await record(db, [report(3, NOW, { link: live }), report(4, NOW - HOUR / 2, { link: live })]);
      expect(await links()).toEqual([null, null, null, null]);
      await record(db, [report(5, NOW, { link: `${live}#5` })]);
      expect((await links())[4]).toBeNull();
    });

    it('gives one item, as it came first, to two sources of one outlet, and two to two outlets', async () => {
      const { db } = await open();
      for (const id of ['outlet', 'outlet-tech', 'other']) await addSource(db, id);
      const [first] = ten as [Report];
      await record(db, [first]);
      const entries = entriesOf([{ ...first, title: 'As the other feed words it' }]);
      for (const [id, outlet] of [
        ['outlet-tech', OUTLET],
        ['other', 'The Other'],
      ] as const) {
        await recordOutletItems(db, { id, fence: 0 }, outlet, entries, TIMES);
      }
      expect((await items(db)).map(({ source, outlet, title }) => [source, outlet, title])).toEqual([
        ['outlet', OUTLET, first.title],
        ['other', 'The Other', 'As the other feed words it'],
      ]);
    });

    it('renames the items of an outlet with it, and takes none for a report of a second one', async () => {
      const { db } = await open();
      await addSource(db, CLAIM.id);
      await addSource(db, 'twin');
      const byLink = all(() => ({ guid: null }));
      const recordAs = async (id: string, outlet: string, reports: readonly Report[]) =>
        recordOutletItems(db, { id, fence: 0 }, outlet, entriesOf(reports), TIMES);
      await record(db, byLink.slice(0, 8));
      await recordAs('twin', OUTLET, byLink);
      // One source after the other, as their polls come.
      expect(await recordAs('twin', 'The New Name', byLink.slice(8))).toMatchObject({ added: 0, known: 2 });
      expect(await recordAs(CLAIM.id, 'The New Name', byLink)).toMatchObject({ added: 0, known: 10 });
      expect(new Set((await items(db)).map(({ outlet }) => outlet))).toEqual(new Set(['The New Name']));
      expect(await items(db)).toHaveLength(10);
      const scopes = await db.selectFrom('outlet_item_keys').select('scope').distinct().execute();
      expect(scopes.map(({ scope }) => scope)).toEqual(['outlet The New Name']);
      // Two outlets may become one.
      await recordAs('twin', 'The Other', byLink);
      expect(await recordAs('twin', 'The New Name', byLink)).toMatchObject({ added: 0, known: 10 });
    });

    it('records each item once if several pollers of one outlet record at the same time', async () => {
      const { db } = await open();
      const ids = ['outlet', 'outlet-tech', 'outlet-money'];
      for (const id of ids) await addSource(db, id);
      const entries = entriesOf(ten);
      await Promise.all([...ids, ...ids].map((id) => recordOutletItems(db, { id, fence: 0 }, OUTLET, entries, TIMES)));
      expect(await items(db)).toHaveLength(10);
    });

    it('records all of a document or nothing, whichever statement it ends at', async () => {
      const { db } = await open();
      await addSource(db, CLAIM.id);
      await record(db, ten);
      // It adds, corrects, marks as seen, and finds guids and links that are those of several.
      const now = NOW + DAY;
      const entries = entriesOf([
        report(11, now),
        ...all(() => ({ guid: 'urn:one', title: 'One', link: ten[0]?.link })),
      ]);
      const before = [await items(db), await db.selectFrom('outlet_item_keys').selectAll().execute()];
      let statements = 0;
      for (let end = 1; ; end++) {
        let left = end;
        const failing = db.withPlugin({
          transformQuery: ({ node }) => {
            left -= 1;
            if (left === 0) throw new Error('the process ends');
            return node;
          },
          transformResult: async ({ result }) => result,
        });
        const recorded = await recordOutletItems(failing, CLAIM, OUTLET, entries, { ...TIMES, now }).catch(() => null);
        if (recorded !== null) break;
        statements += 1;
        expect([await items(db), await db.selectFrom('outlet_item_keys').selectAll().execute()]).toEqual(before);
      }
      expect(statements).toBeGreaterThan(8);
      expect(await items(db)).not.toEqual(before[0]);
      expect(await recordOutletItems(db, CLAIM, OUTLET, entries, { ...TIMES, now })).toMatchObject({ added: 0 });
    });
  });
});
