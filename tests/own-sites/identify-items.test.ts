import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inTransaction, type Store } from '../../src/core/store/store.ts';
import { sha256 } from '../../src/lib/sha256.ts';
import { HOUR, MINUTE } from '../../src/lib/time.ts';
import { identifyItems, siteKeyTable } from '../../src/own-sites/identify-items.ts';
import type { EntryIdentity } from '../../src/sources/identity/entry-keys.ts';
import { readIdentities } from '../../src/sources/identity/identify.ts';
import { deleteSurplusKeys, saveKeys } from '../../src/sources/identity/item-keys.ts';
import { recordSeenItems } from '../../src/sources/item-state.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { runs } from '../support/run-scope.ts';

/** The key that the reader of feeds gives an item. */
function keyOf({ guid, link }: EntryIdentity): string {
  return sha256((guid ?? link).replace(/^https?:\/\/[^/?#]*/i, '')).slice(0, 32);
}

/** What a poll stores of a document. @returns the item of each entry */
async function record(store: Store, source: string, identities: EntryIdentity[], poll: number) {
  const now = NOW + poll * MINUTE;
  const row = { id: source, items_read_at: poll === 0 ? null : now - MINUTE };
  const page = {
    newKeys: identities.map(keyOf),
    document: readIdentities(identities),
    bodiesOf: async () => new Map(),
    readAt: row.items_read_at,
  };
  const { items, keys } = await identifyItems(store.db, row, page, now);
  const seen = identities.flatMap(({ link, publishedAt }, index) => {
    const item = items[index];
    if (item == null) return [];
    const rest = { modifiedAt: null, heldRecord: null, publishedAt: publishedAt ?? now };
    return { item, articleId: `${source}.${item}`, url: link, ...rest };
  });
  const stored = keys.map(({ key, entry }) => ({ key, item: entry === null ? null : (items[entry] ?? null) }));
  await inTransaction(store.db, async (tx) => {
    await recordSeenItems(tx, source, seen, now);
    await saveKeys(tx, siteKeyTable(source), stored, now);
  });
  return items;
}

const story = (number: number, change: Partial<EntryIdentity> = {}): EntryIdentity => ({
  guid: `https://times.example/?p=${number}`,
  link: `https://times.example/news/${number}`,
  title: `Council settles question ${number}`,
  publishedAt: NOW - number * HOUR,
  ...change,
});

forEachDatabase((open) => {
  it('takes guids that differ only in host for two items, and a change of host between polls for a move', async () => {
    const store = await open();
    const on = (host: string, number: number) => story(number, { guid: `https://${host}/?p=7` });
    const two = await record(store, 'times', [on('one.example', 1), on('two.example', 2)], 0);
    expect(new Set(two).size).toBe(2);
    expect(await record(store, 'times', [on('two.example', 2), on('one.example', 1)], 1)).toEqual(two.toReversed());
    const [one] = await record(store, 'post', [story(1)], 0);
    const moved = story(1, { guid: 'https://new.example/?p=1', link: 'https://new.example/news/1' });
    expect(await record(store, 'post', [moved, story(2)], 1)).toEqual([one, expect.not.stringMatching(one as string)]);
  });

  it('gives the next item of a guid that was used before a key of its own', async () => {
    const store = await open();
    const all = [1, 2, 3].map((number) => story(number, { guid: 'the feed' }));
    const first = await record(store, 'times', all, 0);
    const next = await record(store, 'times', [story(4, { guid: 'the feed' }), ...all], 1);
    expect(next.slice(1)).toEqual(first);
    expect(new Set(next).size).toBe(4);
  });

  it('leaves out an entry that repeats another', async () => {
    const again = story(1, { guid: 'another', link: 'https://times.example/news/1?utm_source=rss' });
    expect(await record(await open(), 'times', [story(1), again], 0)).toEqual([expect.any(String), null]);
  });

  it('knows an item by its guid alone that was stored before items had keys', async () => {
    const store = await open();
    const undated = story(1, { publishedAt: null });
    const key = keyOf(undated);
    const row = { item: key, articleId: `times.${key}`, url: null, publishedAt: NOW, modifiedAt: null };
    await recordSeenItems(store.db, 'times', [{ ...row, heldRecord: null }], NOW);
    expect(await record(store, 'times', [undated], 0)).toEqual([key]);
    expect(await record(store, 'times', [{ ...undated, guid: 'renamed' }], 1)).toEqual([key]);
  });

  it('keeps the newest keys of an item whose guid is another one with every poll', async () => {
    const store = await open();
    const [item] = await record(store, 'times', [story(1)], 0);
    for (let poll = 1; poll <= 45; poll++) await record(store, 'times', [story(1, { guid: `urn:${poll}` })], poll);
    await deleteSurplusKeys(store.db, 'source_item_keys', NOW);
    // Ten guids, and the path, link and title of the first poll.
    expect(await store.db.selectFrom('source_item_keys').selectAll().execute()).toHaveLength(13);
    expect(await record(store, 'times', [story(1, { guid: 'urn:45', link: '', title: 'Another' })], 46)).toEqual([
      item,
    ]);
  });

  it('doubles and mixes up nothing, whatever guids a feed gives to stories whose link or title it keeps', async () => {
    const store = await open();
    const poll = fc.record({
      guids: fc.constantFrom('kept', 'new', 'none', 'one for all', 'places', 'another host', 'links'),
      // Guids of other stories need both: an entry with two keys of one story, and one of another, is that one story.
      keeps: fc.array(fc.constantFrom('both', 'link', 'title'), { minLength: 6, maxLength: 6 }),
      order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
    });
    let sources = 0;
    const property = fc.asyncProperty(fc.array(poll, { minLength: 1, maxLength: 5 }), async (polls) => {
      const source = `source-${sources++}`;
      const stories = Array.from({ length: 6 }, (_, number) => story(number));
      const first = await record(store, source, stories, 0);
      expect(new Set(first).size).toBe(6);
      for (const [index, { guids, keeps, order }] of polls.entries()) {
        for (const number of order) {
          const one = stories[number] as EntryIdentity;
          const keep = guids === 'places' ? 'both' : keeps[number];
          const unique = `${index}-${number}`;
          if (keep === 'link') one.title = `Corrected ${unique}`;
          if (keep === 'title') one.link = `https://times.example/renamed/${unique}`;
          const renamed = {
            ...{ kept: one.guid, new: `urn:${unique}`, none: null, 'one for all': 'urn:feed' },
            ...{ places: String(order.indexOf(number)), 'another host': `https://host-${index}.example/?p=${number}` },
            links: one.link,
          };
          one.guid = renamed[guids];
        }
        const found = await record(
          store,
          source,
          order.map((number) => ({ ...(stories[number] as EntryIdentity) })),
          index + 1,
        );
        expect(found).toEqual(order.map((number) => first[number]));
      }
    });
    await fc.assert(property, { numRuns: runs(200) });
  });
});
