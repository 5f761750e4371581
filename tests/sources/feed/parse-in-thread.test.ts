import { expect, it } from 'vitest';
import { parseFeedInThread } from '../../../src/sources/feed/parse-in-thread.ts';
import type { ParsedItem } from '../../../src/sources/feed/parsed-feed.ts';
import { FEED_URL, NOW, readFeed, rssItem } from './read-feed.ts';

const fetched = (document: string) => ({ bytes: Buffer.from(document), contentType: null, url: FEED_URL });

const feedOf = (count: number): string => {
  const item = (n: number): string =>
    `<item><title>Story ${n}: “é”</title><guid>${n}</guid><description>${'word '.repeat(20)}</description></item>`;
  return `<rss><channel><title>Times</title>${Array.from({ length: count }, (_, n) => item(n)).join('')}</channel></rss>`;
};

it('gives the same as parseFeed, in lists of some items each', async () => {
  const document = feedOf(1_000);
  const { items: expected, ...head } = readFeed(document);
  const reading = await parseFeedInThread(fetched(document), NOW);
  expect(reading).toMatchObject({ kind: 'feed', feed: head, itemCount: 1_000 });
  if (reading.kind === 'unreadable') throw new Error(reading.reason);
  for (const _again of [1, 2]) {
    const lists: ParsedItem[][] = [];
    for await (const items of reading.items()) lists.push(items);
    expect(lists.flat()).toEqual(expected);
    expect(lists.length).toBeGreaterThan(3);
    expect(Math.max(...lists.map(({ length }) => length))).toBeLessThan(300);
  }
});

it('reads a feed without items, and says why another document is none', async () => {
  const reading = await parseFeedInThread(fetched('<rss><channel/></rss>'), NOW);
  if (reading.kind === 'unreadable') throw new Error(reading.reason);
  expect(reading.itemCount).toBe(0);
  expect(await reading.items().next()).toEqual({ done: true, value: undefined });
  expect(await parseFeedInThread(fetched('<p>'), NOW)).toMatchObject({ kind: 'unreadable' });
});

it('ends with the reason of its signal', async () => {
  const reading = parseFeedInThread(fetched(rssItem('')), NOW, AbortSignal.abort(new Error('stopped')));
  await expect(reading).rejects.toThrow('stopped');
});

it('lets the event loop turn between two lists', async () => {
  const reading = await parseFeedInThread(fetched(feedOf(500)), NOW);
  if (reading.kind === 'unreadable') throw new Error(reading.reason);
  let turns = 0;
  let lists = 0;
  let next = setImmediate(function count() {
    turns++;
    next = setImmediate(count);
  });
  for await (const items of reading.items()) if (items.length > 0) lists++;
  clearImmediate(next);
  expect(lists).toBeGreaterThan(2);
  expect(turns).toBeGreaterThanOrEqual(lists - 1);
});

it('takes a feed that takes too long for unreadable', async () => {
  const reading = await parseFeedInThread(fetched(feedOf(3_000)), NOW, undefined, 1);
  expect(reading).toEqual({ kind: 'unreadable', reason: 'the document cannot be parsed: took longer than 0.001 s' });
});
