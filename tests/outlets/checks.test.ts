import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config/config.ts';
import type { RoundupSource } from '../../src/core/config/schema.ts';
import { warning } from '../../src/core/finding.ts';
import { findSameBrands } from '../../src/outlets/brands.ts';
import { checkOutlets } from '../../src/outlets/checks.ts';
import { registerSources } from '../../src/sources/source-state.ts';
import { anyText } from '../support/any-text.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { runs } from '../support/run-scope.ts';

const source = (id: string, outlet: string): RoundupSource => {
  return { id, url: `https://${id}.example/feed`, use: 'roundup', outlet };
};

/** @param autoPick of its newsletter */
function newsroom(sources: RoundupSource[], autoPick?: number): Config {
  return { sources, newsletters: [{ id: 'daily', autoPick }] } as unknown as Config;
}

forEachDatabase((open) => {
  describe('the check of outlets', () => {
    it('names those of which no item is known, under any id of their source', async () => {
      const store = await open();
      const sources = [source('one', 'Outlet one'), source('three', 'Outlet three'), source('null', 'Outlet null')];
      await registerSources(store.db, { sections: [] }, sources, NOW);
      await store.db.updateTable('sources').set({ polled_at: NOW, succeeded_at: NOW }).execute();
      for (const from of ['former-id', null]) {
        const url = 'https://outlet.example/report';
        const outlet = from === null ? 'Outlet null' : 'Outlet one';
        const item = { title: 'Report', url, canonical_url: url, first_seen_at: NOW, seen_at: NOW, outlet };
        await store.db
          .insertInto('outlet_items')
          .values({ ...item, source: from, state: 'open' })
          .execute();
      }
      const why = 'its feed has none that can be used; is it the right feed?';
      expect(await checkOutlets(store, newsroom(sources), NOW)).toEqual([
        warning(`sources three: no item of Outlet three has ever come: ${why}`),
        warning(`sources null: no item of Outlet null has ever come: ${why}`),
      ]);
      const problem = { succeeded_at: null, state: 'blocked', state_since: NOW, reason: 'it answered 403' } as const;
      await store.db.updateTable('sources').set(problem).where('id', '=', 'three').execute();
      expect(await checkOutlets(store, newsroom([source('three', 'Outlet three')]), NOW)).toEqual([
        warning(expect.stringMatching(/Outlet three has ever come: blocked since .*: it answered 403$/)),
      ]);
      expect(await checkOutlets(store, newsroom([]), NOW)).toEqual([]);
    });

    it('names feeds that are configured twice', async () => {
      const [a, b] = [source('a', 'Outlet a'), source('b', 'Outlet b')];
      const sources = [a, b, { ...a, id: 'twin', url: `${a.url}#top` }, { ...a, id: 'other', outlet: 'Another Name' }];
      expect(await checkOutlets(await open(), newsroom(sources), NOW)).toEqual([
        warning('sources twin: it has the address of a: remove one of them'),
        warning('sources other: it has the address of a: remove one of them'),
        warning('sources other: perhaps a feed of Outlet a, as a is: if so, write "outlet: Outlet a" for both'),
      ]);
    });
  });
});

describe('findSameBrands', () => {
  /** @param feeds names and addresses; @returns the name that is suggested for each */
  function suggested(...feeds: [outlet: string, url: string][]): (string | undefined)[] {
    const hints = findSameBrands(feeds.map(([outlet, url], index) => ({ id: `s${index}`, outlet, url })));
    return feeds.map((_, index) => /write "outlet: (.*)" for both$/.exec(hints.get(`s${index}`) ?? '')?.[1]);
  }
  const ownSite = (number: number): string => `https://outlet-${number}.example/rss`;
  const CHANNEL = 'https://www.youtube.com/feeds/videos.xml?channel_id=abc';

  it.each(['Harbour News Video', 'Harbour News - YouTube', 'HARBOUR  NEWS: Sport'])(
    'takes a name that adds only a form to that of another outlet for one of its feeds: %s',
    (longer) => {
      expect(suggested(['Harbour News', ownSite(1)], [longer, CHANNEL])).toEqual([undefined, 'Harbour News']);
      expect(suggested([longer, ownSite(2)], ['Harbour News', ownSite(1)])).toEqual(['Harbour News', undefined]);
    },
  );

  it.each([
    ['https://www.harbour.example/rss', 'https://video.harbour.example/feed'],
    ['https://harbour.example/rss', 'https://feeds.eu.harbour.example/all'],
    ['https://www.harbour.co.uk/rss', 'https://feeds.harbour.co.uk/rss'],
  ])('takes two names on one site for one outlet: %s and %s', (one, other) => {
    expect(suggested(['Harbour News', one], ['The Bay Tonight', other])).toEqual([undefined, 'Harbour News']);
  });

  it.each([
    [
      ['Harbour News', ownSite(1)],
      ['Harbour Newsroom', ownSite(2)],
    ],
    [
      ['Harbour News', ownSite(1)],
      ['The Harbour News', ownSite(2)],
    ],
    [
      ['The Times', ownSite(1)],
      ['The Times of Orlen', ownSite(2)],
    ],
    [
      ['Harbour News', 'https://harbour.co.uk/rss'],
      ['Bay Times', 'https://bay.co.uk/rss'],
    ],
    [
      ['Harbour News', 'https://harbour.com.au/rss'],
      ['Bay Times', 'https://bay.com.au/rss'],
    ],
    [
      ['Harbour News', CHANNEL],
      ['Bay Times', 'https://www.youtube.com/feeds/videos.xml?channel_id=def'],
    ],
    [
      ['Harbour News', 'https://harbour.substack.com/feed'],
      ['Bay Times', 'https://bay.substack.com/feed'],
    ],
    [
      ['Harbour News', 'http://10.0.0.1/harbour'],
      ['Bay Times', 'http://10.0.0.1/bay'],
    ],
    [
      ['Harbour News', 'http://bridge:8001/harbour'],
      ['Bay Times', 'http://bridge:8001/bay'],
    ],
    [
      ['Harbour News', 'https://harbour.example/rss'],
      ['harbour  news', 'https://harbour.example/video'],
    ],
  ] satisfies [string, string][][])('leaves two outlets, and one under one name, as they are: %j, %j', (...feeds) => {
    expect(suggested(...feeds)).toEqual([undefined, undefined]);
  });

  it('names a known source with another name, whatever the names are', () => {
    fc.assert(
      fc.property(fc.array(anyText(200), { maxLength: 9 }), (names) => {
        const feeds = names.map((outlet, index) => ({ id: `s${index}`, outlet, url: ownSite(index) }));
        for (const [id, hint] of findSameBrands(feeds)) {
          const other = feeds.find((one) => hint.includes(`, as ${one.id} is: if so, write "outlet: ${one.outlet}"`));
          expect(other?.outlet.length).toBeLessThanOrEqual(feeds.find((one) => one.id === id)?.outlet.length ?? 0);
        }
      }),
      { numRuns: runs(200) },
    );
  });
});
