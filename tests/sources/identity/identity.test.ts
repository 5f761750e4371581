import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { siteKeysOf, siteOf } from '../../../src/own-sites/shared-items.ts';
import type { ComparedItem, EntryIdentity } from '../../../src/sources/identity/entry-keys.ts';
import { allKeys, identify, readIdentities } from '../../../src/sources/identity/identify.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';
import { runs } from '../../support/run-scope.ts';

const NOW = Date.UTC(2026, 10, 27, 12);

/** What a store does with the result, for one source. */
class Memory {
  readonly items = new Map<number, ComparedItem>();
  readonly #keys = new Map<string, number | null>();

  /** @param texts of bodies, by entry. @returns the ids of the entries' items; null for repeats */
  record(entries: readonly EntryIdentity[], texts?: ReadonlyMap<number, string>): (number | null)[] {
    const document = readIdentities(entries);
    const known = new Map(
      allKeys(document).flatMap((key) => (this.#keys.has(key) ? [[key, this.#keys.get(key) ?? null]] : [])),
    );
    const { outcomes, keys } = identify(document, known, this.items, texts);
    const ids = outcomes.map((outcome, index) => {
      if (outcome.kind === 'known') return outcome.item;
      if (outcome.kind === 'repeat') return null;
      const { title, link, publishedAt } = entries[index] as EntryIdentity;
      const id = this.items.size + 1;
      this.items.set(id, { id, title, url: link, publishedAt, isCurrent: true });
      return id;
    });
    for (const { key, entry } of keys) this.#keys.set(key, entry === null ? null : (ids[entry] ?? null));
    for (const item of this.items.values()) item.isCurrent = ids.includes(item.id);
    return ids;
  }
}

function entry(number: number, change: Partial<EntryIdentity> = {}): EntryIdentity {
  return {
    guid: `https://outlet.example/?p=${number}`,
    link: `https://outlet.example/2026/report-${number}`,
    title: `Report number ${number}`,
    publishedAt: NOW - number * HOUR,
    ...change,
  };
}

const ten = Array.from({ length: 10 }, (_, index) => entry(index + 1));
const all = (change: (one: EntryIdentity, index: number) => Partial<EntryIdentity>): EntryIdentity[] =>
  ten.map((one, index) => ({ ...one, ...change(one, index) }));

describe('identify', () => {
  it('takes a report that a feed has twice, under another guid and with other tracking parameters, for one', () => {
    const [first, second] = [entry(1), entry(2)];
    const again = { ...first, guid: 'urn:updated', link: `${first.link}?utm_source=rss`, publishedAt: NOW + DAY };
    const memory = new Memory();
    expect(memory.record([first, again, second])).toEqual([1, null, 2]);
    expect(memory.record([again, second])).toEqual([1, 2]);
    const otherTitle = { ...again, title: 'Another report' };
    expect(new Memory().record([first, otherTitle])).toEqual([1, 2]);
  });

  it.each<[string, EntryIdentity[]]>([
    ['the guid to one for all', all(() => ({ guid: 'https://outlet.example/' }))],
    ['the link to one for all', all(() => ({ link: 'https://outlet.example/news' }))],
    ['the link to the front page', all(() => ({ link: 'https://outlet.example/' }))],
    ['guid and link', all((_, index) => ({ guid: `urn:${index}`, link: `https://other.example/${index}` }))],
    [
      'the host, and the title',
      all(({ guid, link }, index) => ({
        guid: guid?.replace('outlet.', 'moved.') ?? null,
        link: link.replace('outlet.', 'moved.'),
        title: `Corrected headline ${index}`,
      })),
    ],
    ['the order', ten.toReversed()],
  ])('knows the items of a feed that changes %s, and new ones of it', (_what, changed) => {
    const memory = new Memory();
    const first = memory.record(ten);
    expect(new Set(first).size).toBe(10);
    const second = memory.record(changed);
    expect(second.toSorted()).toEqual(first.toSorted());
    if (changed[0] !== ten[9]) expect(second).toEqual(first);
    // The changed form is known from then on, and a new item of it is new.
    const next = { ...(changed[0] as EntryIdentity), ...entry(11), guid: changed[0]?.guid ?? null };
    if (next.guid !== null && next.guid !== changed[1]?.guid) next.guid = 'urn:eleven';
    expect(memory.record([next, ...changed.slice(0, 9)])).toEqual([11, ...second.slice(0, 9)]);
    expect(memory.items.size).toBe(11);
  });

  it('keeps ten of ten items that have one guid, over several polls, also when one of them is left', () => {
    const memory = new Memory();
    const stories = Array.from({ length: 30 }, (_, index) => entry(index + 1, { guid: 'urn:the-feed' }));
    for (const from of [0, 3, 9, 19, 20]) memory.record(stories.slice(from, from + 10));
    memory.record(stories.slice(29, 30));
    memory.record([entry(31, { guid: 'urn:the-feed' })]);
    memory.record([entry(32, { guid: 'urn:the-feed' })]);
    expect([...memory.items.values()].map(({ title }) => title)).toEqual(
      Array.from({ length: 32 }, (_, index) => `Report number ${index + 1}`),
    );
  });

  it('keeps ten of ten items that have one guid and one link', () => {
    const memory = new Memory();
    const same = all(() => ({ guid: 'urn:feed', link: 'https://outlet.example/live' }));
    expect(memory.record(same)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(memory.record(same)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('does not lose the items of a feed whose guids are the places in it', () => {
    const memory = new Memory();
    const numbered = (from: number) =>
      Array.from({ length: 10 }, (_, place) => entry(from - place, { guid: String(place + 1) }));
    for (const from of [110, 111, 113, 122]) memory.record(numbered(from));
    expect(memory.items.size).toBe(22);
    expect(new Set([...memory.items.values()].map(({ title }) => title)).size).toBe(22);
  });

  it('keeps reports of one title and day apart while the feed has both', () => {
    const memory = new Memory();
    const first = entry(1, { title: 'Morning briefing' });
    const second = entry(2, { title: 'Morning briefing' });
    expect(memory.record([first])).toEqual([1]);
    expect(memory.record([second, first])).toEqual([2, 1]);
    expect(memory.record([second])).toEqual([2]);
    expect(
      memory.record([
        entry(1, {
          title: 'Morning briefing',
          publishedAt: NOW + DAY,
          guid: null,
          link: 'https://outlet.example/tomorrow',
        }),
      ]),
    ).toEqual([3]);
  });

  it('knows a renamed story only if its entry has gone out of turn, with title and a date a zone away', () => {
    const moved = (one: EntryIdentity, hours: number): EntryIdentity => ({
      ...one,
      ...{ guid: `urn:new:${one.title}`, link: `https://new.example/${one.title}` },
      publishedAt: (one.publishedAt ?? 0) + hours * HOUR,
    });
    const all = new Memory();
    all.record(ten);
    expect(all.record(ten.map((one) => moved(one, -14)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const middle = new Memory();
    middle.record(ten);
    const [first, second, ...rest] = ten as [EntryIdentity, EntryIdentity, ...EntryIdentity[]];
    expect(middle.record([first, moved(second, 8), ...rest]).slice(0, 2)).toEqual([1, 2]);
    // The older story was first read while the feed wrote dates of another zone.
    const zones = new Memory();
    zones.record([first]);
    zones.record([first, second].map((one) => ({ ...one, publishedAt: (one.publishedAt ?? 0) + 9 * HOUR })));
    expect(zones.record([moved(first, 1), second])).toEqual([1, 2]);
    // A bulletin that has scrolled off is not the next one, though both have title and day.
    const bulletins = new Memory();
    const bulletin = (number: number) => entry(number, { title: 'Bulletin' });
    expect(bulletins.record([entry(7), bulletin(8)])).toEqual([1, 2]);
    expect(bulletins.record([bulletin(5), entry(6), entry(7)])).toEqual([3, 4, 1]);
  });

  it.each([
    ['https://times.github.io/feed', 'times.github.io'],
    ['https://www.times.co.uk/feed', 'times.co.uk'],
    ['http://127.0.0.1:8080/feed', '127.0.0.1:8080'],
  ])('takes %s for a feed of the site %s', (address, site) => {
    expect(siteOf(address)).toBe(site);
  });

  it('knows the oldest entry as a story that scrolled off if title, date and body agree, and no other entry', () => {
    const [first, second] = ten as [EntryIdentity, EntryIdentity];
    const text = Array.from({ length: 60 }, (_, number) => `word${number}`).join(' ');
    /** @returns the item of the last entry, after the second one has scrolled off */
    const read = (entries: EntryIdentity[], body: string): number | null | undefined => {
      const memory = new Memory();
      memory.record([first, second]);
      memory.record([first]);
      memory.items.set(2, { ...(memory.items.get(2) as ComparedItem), text });
      return memory.record(entries, new Map([[entries.length - 1, body]])).at(-1);
    };
    const returned = (hours: number): EntryIdentity => {
      return { ...entry(2 - hours), ...{ title: second.title, guid: 'urn:new', link: 'https://new.example/2' } };
    };
    expect(read([first, returned(-6)], text)).toBe(2);
    expect(read([first, returned(-6)], 'Another body')).toBe(3);
    expect(read([first, returned(-15)], text)).toBe(3);
    expect(read([first, { ...returned(-6), title: 'Another title' }], text)).toBe(3);
    expect(read([first, returned(6)], text)).toBe(3);
    expect(read([returned(-6)], text)).toBe(3);
  });

  it('compares links and unique guids across the sources of a site, and no other guids', () => {
    const siteKeys = (guid: string, link: string): string[] => {
      const [known = null] = readIdentities([entry(1, { guid, link })]).entries;
      return siteKeysOf({ known, url: link });
    };
    expect(siteKeys('123', '')).toEqual([]);
    expect(siteKeysOf({ known: null, url: 'https://times.example/one' })).toHaveLength(1);
    for (const guid of [
      'https://times.example/?p=1',
      'tag:times.example,2026:1',
      'urn:uuid:0b3f5c1e-11aa-4c00-9d11-2d1f00a1b2c3',
    ]) {
      expect(siteKeys(guid, 'https://times.example/one')).toHaveLength(2);
    }
  });

  it('takes a title for no identity once a document had it twice', () => {
    const memory = new Memory();
    const notice = (number: number) => entry(number, { title: 'Transaction in own shares', publishedAt: NOW - number });
    expect(memory.record([notice(2), notice(1)])).toEqual([1, 2]);
    expect(memory.record([notice(4), notice(3)])).toEqual([3, 4]);
    expect(memory.record([notice(5)])).toEqual([5]);
    // Nothing tells this one from the others.
    const bare = { ...notice(6), guid: null, link: 'https://outlet.example/' };
    expect(memory.record([bare])).toEqual([null]);
  });

  it('knows an undated item by its title as long as the feed has it, over midnight too', () => {
    const memory = new Memory();
    const undated = entry(1, { guid: null, link: 'https://outlet.example/', publishedAt: null });
    expect(memory.record([undated])).toEqual([1]);
    expect(memory.record([undated])).toEqual([1]);
    expect(memory.record([entry(2)])).toEqual([2]);
    expect(memory.record([undated])).toEqual([3]);
    expect(memory.record([undated])).toEqual([3]);
  });

  it('counts an entry that is in the document twice once', () => {
    const memory = new Memory();
    expect(memory.record([entry(1), entry(2), entry(1)])).toEqual([1, 2, null]);
    const bare = {
      guid: null,
      link: 'https://outlet.example/',
      title: 'Report number 1',
      publishedAt: entry(1).publishedAt,
    };
    expect(memory.record([bare, entry(1)])).toEqual([null, 1]);
    expect(memory.record([bare, entry(1, { title: 'Corrected' })])).toEqual([null, 1]);
  });

  it('tells reports of several sites apart that have the same path', () => {
    const memory = new Memory();
    const on = (host: string, number: number) =>
      entry(number, { guid: `https://${host}/?p=7`, link: `https://${host}/?p=7` });
    expect(memory.record([on('one.example', 1)])).toEqual([1]);
    expect(memory.record([on('two.example', 2)])).toEqual([2]);
    expect(memory.record([on('two.example', 2), on('one.example', 1)])).toEqual([2, 1]);
  });

  it('decides between two items whose keys an entry has, and takes no key from either', () => {
    const memory = new Memory();
    memory.record([entry(1), entry(2)]);
    const mixed = entry(1, { link: entry(2).link, title: 'Neither' });
    expect(memory.record([mixed])).toEqual([1]);
    expect(memory.record([entry(2)])).toEqual([2]);
    expect(memory.record([entry(2), entry(1)])).toEqual([2, 1]);
  });

  it('finds nothing to add in a document that it has seen, whatever it says', () => {
    const few = fc.constantFrom(
      '',
      'a',
      'b',
      'http://a.example/1',
      'https://www.a.example/1',
      'http://b.example/1',
      '1',
    );
    const links = fc.constantFrom(
      'http://a.example/',
      'https://a.example/1',
      'http://b.example/1',
      'https://c.example/2',
    );
    const any = fc.record({
      guid: fc.option(fc.oneof(few, anyText(10))),
      link: fc.oneof(links, anyText(10)),
      title: fc.oneof(fc.constantFrom('One', 'one!', 'Two', 'Three'), anyText(10)),
      publishedAt: fc.constantFrom(null, NOW, NOW - HOUR, NOW - DAY),
    });
    const documents = fc.array(fc.array(any, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(documents, (list) => {
        const memory = new Memory();
        for (const one of list) {
          const ids = memory.record(one);
          const known = memory.items.size;
          expect(new Set(ids.filter((id) => id !== null)).size).toBe(ids.filter((id) => id !== null).length);
          memory.record(one);
          expect(memory.items.size).toBe(known);
        }
      }),
      { numRuns: runs(150) },
    );
  });

  // A guid that is on one item at a time only is that item: no feed can be told from one that changes all else.
  it('neither doubles nor loses a report, whichever part of it a feed renames from poll to poll', () => {
    const change = fc.constantFrom(
      'none',
      'guid',
      'no guid',
      'same guid',
      'link',
      'https',
      'host',
      'tracking',
      'title',
    );
    // For each poll: which reports it has, in which order, and what it renames of each.
    const poll = fc.record({
      reports: fc.shuffledSubarray([...Array(8).keys()], { minLength: 1 }),
      changes: fc.array(change, { minLength: 8, maxLength: 8 }),
      isOneGuid: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(poll, { minLength: 2, maxLength: 8 }), fc.boolean(), (polls, isUrlGuid) => {
        const memory = new Memory();
        const now = Array.from({ length: 8 }, (_, n) => entry(n, isUrlGuid ? {} : { guid: `urn:${n}` }));
        const ids = new Map<number, number>();
        for (const [round, { reports, changes, isOneGuid }] of polls.entries()) {
          for (const n of reports) now[n] = renamed(now[n] as EntryIdentity, changes[n] as string, `${round}-${n}`);
          if (isOneGuid && reports.length > 1) {
            for (const n of reports) now[n] = { ...(now[n] as EntryIdentity), guid: 'urn:feed' };
          }
          const found = memory.record(reports.map((n) => now[n] as EntryIdentity));
          for (const [place, n] of reports.entries()) {
            const id = found[place] as number;
            expect(id).not.toBeNull();
            expect(ids.get(n) ?? id).toBe(id);
            ids.set(n, id);
          }
        }
        expect(memory.items.size).toBe(ids.size);
        expect(new Set(ids.values()).size).toBe(ids.size);
      }),
      { numRuns: runs(300) },
    );
  });

  it('compares the bodies of a hostile feed with few of those that it had, and not for minutes', () => {
    const body = (number: number) =>
      Array.from({ length: 80 }, (_, at) => (number * 7_919 + at ** 3).toString(36)).join(' ');
    const numbers = Array.from({ length: 2_000 }, (_, index) => index);
    const items = new Map(
      numbers.slice(0, 500).map((id) => {
        const { title, link: url, publishedAt } = entry(id, { title: `Former report ${id}` });
        return [id, { id, title, url, publishedAt, isCurrent: true, text: body(id) }];
      }),
    );
    const isSame = (number: number) => number === 7 || number === 1_007;
    const texts = new Map(numbers.map((number) => [number, body(isSame(number) ? 3 : number + 5_000)]));
    const document = readIdentities(numbers.map((number) => entry(number + 5_000)));
    let outcomes: ReturnType<typeof identify>['outcomes'] = [];
    const took = processorTime(() => {
      outcomes = identify(document, new Map(), items, texts).outcomes;
    });
    expect(outcomes.flatMap((outcome, index) => (outcome.kind === 'known' ? [[index, outcome.item]] : []))).toEqual([
      [7, 3],
    ]);
    expect(took).toBeLessThan(15_000);
  });
});

function renamed(one: EntryIdentity, what: string, unique: string): EntryIdentity {
  const move = (url: string) => url.replace(/\/\/[^/]+/, `//moved-${unique}.example`);
  switch (what) {
    case 'guid':
      return { ...one, guid: `tag:renamed:${unique}` };
    case 'no guid':
      return { ...one, guid: null };
    case 'link':
      return { ...one, link: `https://outlet.example/renamed/${unique}` };
    case 'https':
      return { ...one, link: one.link.replace(/^https?:/, unique.length % 2 ? 'http:' : 'https:') };
    case 'host':
      return { ...one, guid: one.guid && move(one.guid), link: move(one.link) };
    case 'tracking':
      return { ...one, link: `${one.link}?utm_campaign=${unique}` };
    case 'title':
      return { ...one, title: `Renamed ${unique}` };
    default:
      return one;
  }
}
