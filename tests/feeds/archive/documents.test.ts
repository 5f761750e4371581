import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FeedConfig } from '../../../src/core/config/config.ts';
import { archivePagePath, buildArchivePage } from '../../../src/feeds/archive/archive-page.ts';
import { buildFeed } from '../../../src/feeds/build-feed.ts';
import { DAY } from '../../../src/lib/time.ts';
import { article } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { feedsConfig, RETRACTED, STORIES } from '../feeds-fixture.ts';
import { jsonFeed } from '../formats/json-schema.ts';
import { validateFeed } from '../formats/validator.ts';
import { childrenOf, parseXml, type XmlElement } from '../formats/xml.ts';
import { HAS_XMLLINT, sayIfMissing, xmllint } from '../formats/xmllint.ts';

const config = feedsConfig();
const [latest] = config.feeds as [FeedConfig];
const URL = 'https://wire.example.com/feeds';
const LINKS = { path: archivePagePath('latest', '2026-11', 2), previous: 'archive/latest/2026-11' };

function bodies({ documents }: { documents: { body: string }[] }): [rss: string, atom: string, json: string] {
  return documents.map(({ body }) => body) as [string, string, string];
}

function links(xml: string): [rel: string | undefined, href: string | undefined][] {
  const root = parseXml(xml);
  const feed = root.qname === 'rss' ? (childrenOf(root, 'channel')[0] as XmlElement) : root;
  const found = [...childrenOf(feed, 'link'), ...childrenOf(feed, 'atom:link')];
  return found
    .map(({ attributes }): [string | undefined, string | undefined] => [attributes.rel, attributes.href])
    .filter(([rel]) => rel !== undefined && rel !== 'alternate' && rel !== 'hub');
}

beforeAll(sayIfMissing);

describe('buildArchivePage', () => {
  const page = buildArchivePage(latest, config, LINKS, [...STORIES, RETRACTED]);
  const [rss, atom, json] = bodies(page);

  it('names documents after their month', () => {
    expect(page.documents.map(({ path }) => path)).toEqual(
      ['rss', 'atom', 'json'].map((format) => `archive/latest/2026-11-2.${format}`),
    );
    expect(archivePagePath('latest', '2026-11', 1)).toBe('archive/latest/2026-11');
  });

  it('marks documents as an archive, and links to themselves, the feed and the previous page', () => {
    for (const [xml, format] of [
      [rss, 'rss'],
      [atom, 'atom'],
    ] as const) {
      expect(xml).toContain('<fh:archive xmlns:fh="http://purl.org/syndication/history/1.0"/>');
      expect(xml).toContain('<?xml-stylesheet href="../../feed.css" type="text/css"?>');
      expect(links(xml)).toEqual([
        ['self', `${URL}/archive/latest/2026-11-2.${format}`],
        ['prev-archive', `${URL}/archive/latest/2026-11.${format}`],
        ['current', `${URL}/latest.${format}`],
      ]);
    }
    expect(parseAtomFeed(atom).id).toBe('tag:example.com,2026:feeds/latest');
    expect(parseJsonFeed(json)).toMatchObject({
      feed_url: `${URL}/latest.json`,
      next_url: `${URL}/archive/latest/2026-11.json`,
    });
  });

  it('omits the link to a previous page from the first one', () => {
    const first = bodies(buildArchivePage(latest, config, { path: 'archive/latest/2026-10', previous: null }, STORIES));
    expect(first).toHaveLength(3);
    for (const body of first) expect(body).not.toMatch(/prev-archive|next_url/);
  });

  it.for([
    ['stories', [...STORIES, RETRACTED]],
    ['only a retraction', [RETRACTED]],
  ] as const)('writes valid documents, without warnings: %s', ([, articles]) => {
    const [rss, atom, json] = bodies(buildArchivePage(latest, config, LINKS, [...articles]));
    expect(validateFeed(rss, `${URL}/${LINKS.path}.rss`, NOW)).toEqual([]);
    expect(validateFeed(atom, `${URL}/${LINKS.path}.atom`, NOW)).toEqual([]);
    jsonFeed.parse(JSON.parse(json));
  });

  it.runIf(HAS_XMLLINT)('writes XML that xmllint and the grammar of RFC 4287 accept', () => {
    expect(xmllint([rss, atom])).toBe('');
    expect(xmllint([atom], ['--relaxng', `${import.meta.dirname}/../formats/atom.rng`])).toBe('');
  });

  it('does not depend on the order of the articles', () => {
    expect(bodies(buildArchivePage(latest, config, LINKS, [RETRACTED, ...STORIES].reverse()))).toEqual([
      rss,
      atom,
      json,
    ]);
  });

  it('holds every article, with summaries instead of bodies that do not fit', () => {
    const large = Array.from({ length: 100 }, (_, index) =>
      article(`a${index}`, { bodyHtml: `<p>${'三'.repeat(6_000)}</p>`, publishedAt: NOW - DAY - index }),
    );
    const built = buildArchivePage(latest, config, LINKS, large);
    expect(built.items).toBe(100);
    for (const body of bodies(built)) expect(Buffer.byteLength(body)).toBeLessThan(1_000_000);
    expect(parseRssFeed(built.documents[0]?.body ?? '').items).toHaveLength(100);
  });
});

describe('a feed with an archive', () => {
  it('links to its newest page, and is not marked as an archive', () => {
    const selection = { articles: STORIES, retracted: [RETRACTED], newestPage: LINKS.path };
    const [rss, atom, json] = bodies(buildFeed(latest, config, selection));
    for (const [xml, format] of [
      [rss, 'rss'],
      [atom, 'atom'],
    ] as const) {
      expect(validateFeed(xml, `${URL}/latest.${format}`, NOW)).toEqual([]);
      expect(xml).not.toContain('fh:archive');
      expect(links(xml)).toEqual([
        ['self', `${URL}/latest.${format}`],
        ['prev-archive', `${URL}/${LINKS.path}.${format}`],
      ]);
    }
    expect(jsonFeed.parse(JSON.parse(json))).toMatchObject({
      feed_url: `${URL}/latest.json`,
      next_url: `${URL}/${LINKS.path}.json`,
    });
  });
});
