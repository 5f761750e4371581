import { expect, it } from 'vitest';
import { readFeedItems } from '../../../src/sources/feed/feed-items.ts';
import type { SourceItem } from '../../../src/sources/source-item.ts';
import { atomEntry, FEED_URL, NOW, rssItem } from './read-feed.ts';

function itemsOf(document: string): SourceItem[] {
  const result = readFeedItems({ bytes: Buffer.from(document), contentType: null, url: FEED_URL }, NOW);
  expect(result.kind === 'unreadable' ? result.reason : 'items').toBe('items');
  return (result as Extract<typeof result, { kind: 'items' }>).items;
}

const itemOf = (content: string): SourceItem => itemsOf(rssItem(content))[0] as SourceItem;
const keyOf = (guid: string): string => itemOf(`<guid isPermaLink="false">${guid}</guid>`).key;

it('maps each field of a feed with whole articles', () => {
  const [item] = itemsOf(
    rssItem(
      `<title>Ferry &amp;amp; bridge</title><link>https://times.example/2026/11/ferry-back/</link>
       <guid isPermaLink="false">https://times.example/?p=12</guid><dc:creator>Ann Lee</dc:creator>
       <pubDate>Thu, 26 Nov 2026 10:14:55 GMT</pubDate><atom:updated>2026-11-26T12:00:00Z</atom:updated>
       <category>Local</category><category>Transport</category>
       <description>The &lt;b&gt;ferry&lt;/b&gt; is back.</description>
       <content:encoded><![CDATA[<p>It left <a href="quay">the quay</a> at nine.</p>]]></content:encoded>
       <media:content url="https://cdn.example.com/small.jpg" width="100"/>
       <media:content url="https://cdn.example.com/large.jpg" type="image/jpeg" fileSize="9" width="900" height="600">
         <media:description>The ferry</media:description><media:credit>Cy Woo</media:credit></media:content>`,
    ).replace('<item>', '<language>de-at</language><item>'),
  );
  expect(item).toMatchObject({
    ...{ key: expect.stringMatching(/^[0-9a-f]{32}$/), slug: 'ferry-back', headline: 'Ferry & bridge' },
    dek: 'The ferry is back.',
    html: '<p>It left <a href="https://times.example/2026/11/ferry-back/quay">the quay</a> at nine.</p>',
    baseUrl: 'https://times.example/2026/11/ferry-back/',
    ...{ authors: ['Ann Lee'], tags: ['Local', 'Transport'], language: 'de-AT', isForMembers: false },
    categories: [
      { name: 'Local', slug: null },
      { name: 'Transport', slug: null },
    ],
    image: { url: 'https://cdn.example.com/large.jpg', alt: 'The ferry', credit: 'Cy Woo', length: 9, width: 900 },
    publishedAt: Date.parse('2026-11-26T10:14:55Z'),
    updatedAt: Date.parse('2026-11-26T12:00:00Z'),
  });
});

it('keeps the key of an item when its site moves to another host or to https', () => {
  const key = keyOf('http://old.example/?p=12');
  expect(keyOf('https://new.example:8443/?p=12')).toBe(key);
  expect(keyOf('HTTPS://www.new.example/?p=12')).toBe(key);
  const byLink = itemOf('<link>http://old.example/a/b</link>').key;
  expect(itemOf('<link>https://new.example/a/b</link>').key).toBe(byLink);
  expect(itemOf('<guid>https://new.example/a/b</guid>').key).toBe(byLink);
});

it('gives other guids other keys', () => {
  const guids = [
    ...['https://a.example/?p=12', 'https://a.example/?p=13', 'https://a.example/b', 'https://a.example/b#1'],
    ...[
      'https://a.example/b#2',
      'https://a.example/B',
      'https://a.example/b/',
      'tag:a.example,2026:b',
      'urn:uuid:1',
      '12',
    ],
  ];
  expect(new Set(guids.map(keyOf)).size).toBe(guids.length);
});

it('takes the description for the body where there is no other, and then no dek', () => {
  const item = itemOf('<guid>a</guid><description>&lt;p&gt;All.&lt;/p&gt;</description>');
  expect(item).toMatchObject({ html: '<p>All.</p>', dek: null });
});

it('leaves out of a dek what a plugin adds to each summary', () => {
  const dekOf = (text: string): string | null =>
    itemOf(
      `<guid>a</guid><description><![CDATA[${text}<p>The post <a href="/a">The post office</a> appeared first on
       <a href="/">Times</a>.</p>]]></description><content:encoded>b</content:encoded>`,
    ).dek;
  expect(dekOf('<p>The post is late. [&#8230;]</p>')).toBe('The post is late. […]');
  expect(dekOf('')).toBeNull();
});

it('takes the update for the publication where a feed has no other time', () => {
  const [item] = itemsOf(atomEntry('<id>a</id><updated>2026-11-26T12:00:00Z</updated>'));
  const at = Date.parse('2026-11-26T12:00:00Z');
  expect(item).toMatchObject({ publishedAt: at, updatedAt: at });
  expect(itemOf('<guid>a</guid>')).toMatchObject({ publishedAt: null, updatedAt: null });
});

it.each([
  ['https://a.example/2026/11/ferry/', 'ferry'],
  ['https://a.example/news/ferry.html?x=1#y', 'ferry'],
  ['https://a.example/f%C3%A4hre/index.php', 'fähre'],
  ['https://a.example/?p=12', null],
  ['https://a.example/%ff', null],
])('takes the slug from the last part of the path: %s', (link, slug) => {
  expect(itemOf(`<link>${link}</link>`).slug).toBe(slug);
});

it('takes every item with its guid, also a repeated one, and none that nothing identifies', () => {
  const items = '<item><guid>a</guid><title>New</title></item><item><guid>a</guid><title>Old</title></item>';
  const document = `<rss><channel>${items}<item><link>https://a.example/b</link></item><item/></channel></rss>`;
  const result = readFeedItems({ bytes: Buffer.from(document), contentType: null, url: FEED_URL }, NOW);
  expect(result).toMatchObject({
    items: [{ headline: 'New', guid: 'a' }, { headline: 'Old', guid: 'a' }, { guid: null }],
    repaired: false,
    problems: ['an item has neither guid, link nor title, and was left out'],
  });
});
