import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { buildFeed } from '../../../src/feeds/build-feed.ts';
import { HOUR, SECOND } from '../../../src/lib/time.ts';
import { article, picture } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { feedsConfig, RETRACTED, STORIES } from '../feeds-fixture.ts';
import { hostile } from './hostile-article.ts';
import { jsonFeed } from './json-schema.ts';
import { validateFeed } from './validator.ts';
import { childrenOf, parseXml, textOf, type XmlElement } from './xml.ts';
import { HAS_XMLLINT, sayIfMissing, xmllint } from './xmllint.ts';

const SITE = 'https://wire.example.com';
const config = feedsConfig();

/** Builds the first feed. @param change of the configuration's text */
function build(articles: Article[], change?: (text: string) => string) {
  const changed = change === undefined ? config : feedsConfig(change);
  const [feed] = changed.feeds as [Config['feeds'][number]];
  const { documents, failed } = buildFeed(feed, changed, { articles, retracted: [RETRACTED] });
  const [rss, atom, json] = documents.map(({ body }) => body) as [string, string, string];
  expect(failed).toEqual([]);
  expect(validateFeed(rss, `${SITE}/feeds/latest.rss`, NOW)).toEqual([]);
  expect(validateFeed(atom, `${SITE}/feeds/latest.atom`, NOW)).toEqual([]);
  return { rss, atom, json, feed: jsonFeed.parse(JSON.parse(json)) };
}

function channelOf(rss: string): XmlElement {
  return childrenOf(parseXml(rss), 'channel')[0] as XmlElement;
}

const MEDIA = (text: string): string => text.replace('sections:', 'paths: { media: media }\nsections:');
const COVER = (text: string): string => MEDIA(text).replace('  contact:', '  cover: art/cover 1.jpg\n  contact:');

beforeAll(sayIfMissing);

describe('the head of a feed', () => {
  it('has the icon of the site, in the sizes that each format and Feedly want', () => {
    const { rss, atom, feed } = build(STORIES);
    const channel = channelOf(rss);
    const [image] = childrenOf(channel, 'image') as [XmlElement];
    expect(['url', 'title', 'link', 'width', 'height'].map((name) => textOf(image, name))).toEqual([
      `${SITE}/icons/144.png`,
      'The Meridian Wire: Latest',
      `${SITE}/`,
      '144',
      '144',
    ]);
    expect(textOf(channel, 'webfeeds:icon')).toBe(`${SITE}/favicon.svg`);
    expect(textOf(channel, 'webfeeds:accentColor')).toBe('9b1c1f');
    expect(textOf(parseXml(atom), 'icon')).toBe(`${SITE}/icons/192.png`);
    expect([feed.icon, feed.favicon]).toEqual([`${SITE}/icons/512.png`, `${SITE}/icons/96.png`]);
  });

  it('has the newsroom’s own icon as it was drawn, and its cover, or no cover', () => {
    const own = build(STORIES, (text) => COVER(text).replace('  contact:', '  icon: art/icon.svg\n  contact:'));
    expect(textOf(channelOf(own.rss), 'webfeeds:icon')).toBe(`${SITE}/media/art/icon.svg`);
    const cover = `${SITE}/media/art/cover%201.jpg`;
    expect(childrenOf(channelOf(own.rss), 'webfeeds:cover')[0]?.attributes.image).toBe(cover);
    expect(textOf(parseXml(own.atom), 'logo')).toBe(cover);
    const plain = build(STORIES);
    expect(plain.rss + plain.atom).not.toMatch(/cover|<logo/);
  });

  it('has the publication date of its newest item, and none without items', () => {
    const edited = article('edited', { publishedAt: NOW - 5 * HOUR, updatedAt: NOW - 60 * SECOND });
    const { rss } = build([article('newest', { publishedAt: NOW - HOUR }), edited]);
    expect(textOf(channelOf(rss), 'pubDate')).toBe('Tue, 24 Nov 2026 11:00:00 GMT');
    expect(textOf(channelOf(rss), 'lastBuildDate')).toBe('Tue, 24 Nov 2026 11:59:00 GMT');
    expect(textOf(channelOf(build([]).rss), 'pubDate')).toBeNull();
  });

  it.runIf(HAS_XMLLINT)('is well-formed whatever the cover, icon and title are', () => {
    const texts = fc.sample(hostile, 60).map((text) => text.toWellFormed());
    const documents = texts.flatMap((text) => {
      const publication = { ...config.publication, name: text, cover: `a/${text}`, icon: `b/${text}` };
      const podcast = { category: 'Tech News', image: text, explicit: false };
      const feed = { ...(config.feeds[0] as Config['feeds'][number]), podcast };
      const { documents } = buildFeed(feed, { ...config, publication }, { articles: STORIES, retracted: [] });
      return documents.slice(0, 2).map(({ body }) => body);
    });
    expect(xmllint(documents)).toBe('');
  });
});

describe('an item', () => {
  it('names the publication if nobody is named, in all formats', () => {
    const { rss, atom, feed } = build([article('a', { bylines: [] })]);
    const [item] = childrenOf(channelOf(rss), 'item') as [XmlElement];
    const [entry] = childrenOf(parseXml(atom), 'entry') as [XmlElement];
    const [author] = childrenOf(entry, 'author') as [XmlElement];
    const names = [textOf(item, 'dc:creator'), textOf(author, 'name'), feed.items[0]?.authors?.[0]?.name];
    expect(names).toEqual(['The Meridian Wire', 'The Meridian Wire', 'The Meridian Wire']);
  });

  it('says its language only where it is not that of the feed', () => {
    const { feed } = build([article('a'), article('b', { language: 'zh-Hans' })]);
    expect(feed.items.map(({ language }) => language)).toEqual([undefined, 'zh-Hans']);
  });

  it('says when it was modified only if it was, a second or more after its publication', () => {
    const at = NOW - HOUR;
    const times = [0, SECOND - 1, SECOND, 60 * SECOND].map((later, index) =>
      article(`a${index}`, { publishedAt: at, updatedAt: at + later }),
    );
    const items = childrenOf(channelOf(build(times).rss), 'item');
    expect(items.map((item) => textOf(item, 'dcterms:modified'))).toEqual([
      null,
      null,
      '2026-11-24T11:00:01Z',
      '2026-11-24T11:01:00Z',
    ]);
  });

  it('has a small version of its picture, if the picture is the newsroom’s own and no drawing', () => {
    const articles = [
      article('own', { image: picture(`${SITE}/media/a/shop 1.jpg`, { width: 1200, height: 800 }) }),
      article('small', { image: picture(`${SITE}/media/b.png`, { width: 90, height: 60 }) }),
      article('unmeasured', { image: picture(`${SITE}/media/c.png`) }),
      article('drawing', { image: picture(`${SITE}/media/d.svg`, { type: 'image/svg+xml' }) }),
      article('other', { image: picture('https://example.com/e.jpg') }),
    ];
    const { rss, atom } = build(articles, MEDIA);
    const thumbnails = (parents: XmlElement[]) =>
      parents.map((parent) => childrenOf(parent, 'media:thumbnail').map(({ attributes }) => attributes));
    const expected = [
      [{ url: `${SITE}/media/r/thumb/a/shop%201.jpg`, width: '192' }],
      [{ url: `${SITE}/media/r/thumb/b.png`, width: '90' }],
      [{ url: `${SITE}/media/r/thumb/c.png`, width: '192' }],
      [],
      [],
    ];
    expect(thumbnails(childrenOf(channelOf(rss), 'item'))).toEqual(expected);
    expect(thumbnails(childrenOf(parseXml(atom), 'entry'))).toEqual(expected);
    expect(build(articles).rss).not.toContain('media:thumbnail');
  });
});

describe('a podcast', () => {
  const talk = { url: `${SITE}/media/talk.mp3`, type: 'audio/mpeg', length: 4_200_000, title: null, duration: 1_830 };
  const untimed = { ...talk, url: `${SITE}/media/b.m4a`, type: 'audio/mp4', duration: undefined as never };
  const EPISODES = [
    article('talk', { image: picture(`${SITE}/media/shop.jpg`), enclosures: [talk] }),
    article('untimed', { enclosures: [untimed] }),
    article('picture', { image: picture(`${SITE}/media/shop.jpg`) }),
  ];
  const PODCAST = (text: string): string =>
    MEDIA(text).replace(
      "first.', select",
      "first.', podcast: { category: Daily News, image: podcast/cover.png }, select",
    );

  it('has the elements that Apple requires, and the guid of its address', () => {
    const { rss } = build(EPISODES, PODCAST);
    const channel = channelOf(rss);
    expect(textOf(channel, 'title')).toBe('Latest');
    const [category] = childrenOf(channel, 'itunes:category') as [XmlElement];
    const [below] = childrenOf(category, 'itunes:category') as [XmlElement];
    expect([category.attributes.text, below.attributes.text]).toEqual(['News', 'Daily News']);
    const image = `${SITE}/media/podcast/cover.png`;
    expect(childrenOf(channel, 'itunes:image')[0]?.attributes.href).toBe(image);
    const [owner] = childrenOf(channel, 'itunes:owner') as [XmlElement];
    expect([textOf(owner, 'itunes:name'), textOf(owner, 'itunes:email')]).toEqual(['Newsroom', 'newsroom@example.com']);
    expect(textOf(channel, 'itunes:author')).toBe('The Meridian Wire');
    expect(textOf(channel, 'itunes:explicit')).toBe('false');
    expect(textOf(channel, 'podcast:medium')).toBe('podcast');
    // uuid.uuid5(uuid.UUID('ead4c236-bf58-58c6-a2c6-a6b28d128cb6'), 'wire.example.com/feeds/latest.rss') in Python.
    expect(textOf(channel, 'podcast:guid')).toBe('36443ed6-6acd-5ea0-8635-dbafd35eb808');
  });

  it('has audio as its enclosures, of the types that Apple requires, and no picture as an episode', () => {
    const { rss } = build(EPISODES, PODCAST);
    const items = childrenOf(channelOf(rss), 'item');
    expect(items.map((item) => childrenOf(item, 'enclosure')[0]?.attributes)).toEqual([
      { url: talk.url, type: 'audio/mpeg', length: '4200000' },
      { url: untimed.url, type: 'audio/x-m4a', length: '4200000' },
      undefined,
    ]);
    expect(items.map((item) => textOf(item, 'itunes:duration'))).toEqual(['1830', null, null]);
  });

  it('is what no other feed is: these have the audio and its duration, but none of its elements', () => {
    const { rss, atom, feed } = build(EPISODES);
    expect(rss + atom).not.toMatch(/itunes|podcast/);
    expect(rss).toContain(' medium="audio" duration="1830"/>');
    const [first] = feed.items[0]?.attachments ?? [];
    expect(first).toEqual({
      url: talk.url,
      mime_type: 'audio/mpeg',
      size_in_bytes: 4_200_000,
      duration_in_seconds: 1_830,
    });
    const [entry] = childrenOf(parseXml(atom), 'entry') as [XmlElement];
    const links = childrenOf(entry, 'link').filter(({ attributes }) => attributes.rel === 'enclosure');
    expect(links.map(({ attributes }) => attributes.type)).toEqual(['audio/mpeg', 'image/jpeg']);
    expect(childrenOf(childrenOf(channelOf(rss), 'item')[2] as XmlElement, 'enclosure')).toHaveLength(1);
  });

  it('needs a category of Apple and a media folder for its picture', () => {
    const category = (text: string): string => PODCAST(text).replace('Daily News', 'Gossip');
    expect(() => feedsConfig(category)).toThrow(
      'feeds[0].podcast.category is "Gossip": must be a category of Apple Podcasts, such as News or Daily News',
    );
    const folder = (text: string): string => PODCAST(text).replace('paths: { media: media }\n', '');
    expect(() => feedsConfig(folder)).toThrow('feeds[0].podcast.image');
    const top = build(EPISODES, (text) => PODCAST(text).replace('Daily News', 'True Crime'));
    expect(top.rss).toContain('<itunes:category text="True Crime"></itunes:category>');
  });
});
