import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { buildFeed } from '../../../src/feeds/build-feed.ts';
import { renderOpml } from '../../../src/feeds/formats/opml.ts';
import { topicAddress, topicPath } from '../../../src/feeds/topics.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { article } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { expectGolden } from '../../support/golden.ts';
import { feedsConfig, RETRACTED, STORIES, TITLE } from '../feeds-fixture.ts';
import { jsonFeed } from './json-schema.ts';
import { validateFeed } from './validator.ts';
import { childrenOf, parseXml, textOf, type XmlElement } from './xml.ts';
import { HAS_XMLLINT, sayIfMissing, xmllint } from './xmllint.ts';

const config = feedsConfig();
const [latest, window, summaries] = config.feeds as [
  (typeof config.feeds)[0],
  (typeof config.feeds)[0],
  (typeof config.feeds)[0],
];
const URL = 'https://wire.example.com/feeds';

function build(articles: Article[], retracted: Article[] = [], feed = latest) {
  const built = buildFeed(feed, config, { articles, retracted });
  const [rss, atom, json] = built.documents.map(({ body }) => body) as [string, string, string];
  return { rss, atom, json, failed: built.failed };
}

function items(xml: string): XmlElement[] {
  const root = parseXml(xml);
  return root.qname === 'rss'
    ? childrenOf(childrenOf(root, 'channel')[0] as XmlElement, 'item')
    : childrenOf(root, 'entry');
}

beforeAll(sayIfMissing);

describe('a feed', () => {
  it('equals its golden files', () => {
    const { rss, atom, json, failed } = build(STORIES, [RETRACTED]);
    expect(failed).toEqual([]);
    expectGolden('feeds/latest.rss', rss);
    expectGolden('feeds/latest.atom', atom);
    expectGolden('feeds/latest.json', json);
    expectGolden('feeds/feeds.opml', renderOpml(config));
  });

  it('is named by its RSS document in OPML if it is a podcast', () => {
    const podcast = { category: 'News', image: 'cover.png', explicit: false };
    const opml = renderOpml({ ...config, feeds: [{ ...latest, podcast }] } as typeof config);
    expect(opml).toContain(`xmlUrl="${URL}/${latest.id}.rss"`);
  });

  it.for([
    ['full', latest],
    ['summary', summaries],
    ['a window', window],
  ] as const)('is valid, without warnings: %s', ([, feed]) => {
    for (const [articles, retracted] of [
      [STORIES, [RETRACTED]],
      [[], []],
    ] as const) {
      const { rss, atom, json } = build([...articles], [...retracted], feed);
      expect(validateFeed(rss, `${URL}/${feed.id}.rss`, NOW)).toEqual([]);
      expect(validateFeed(atom, `${URL}/${feed.id}.atom`, NOW)).toEqual([]);
      expect(jsonFeed.parse(JSON.parse(json)).feed_url).toBe(`${URL}/${feed.id}.json`);
    }
  });

  it.runIf(HAS_XMLLINT)('is XML that xmllint and the grammar of RFC 4287 accept', () => {
    const { rss, atom } = build(STORIES, [RETRACTED]);
    expect(xmllint([rss, atom, renderOpml(config)])).toBe('');
    expect(xmllint([atom, build([]).atom], ['--relaxng', `${import.meta.dirname}/atom.rng`])).toBe('');
  });

  it('has the update time of its newest item, or the first day of its tag authority', () => {
    const newest = NOW - HOUR / 2;
    const { rss, atom } = build(STORIES);
    expect(textOf(childrenOf(parseXml(rss), 'channel')[0] as XmlElement, 'lastBuildDate')).toBe(
      new Date(newest).toUTCString(),
    );
    expect(textOf(parseXml(atom), 'updated')).toBe(new Date(newest).toISOString());
    expect(textOf(parseXml(build([]).atom), 'updated')).toBe('2026-01-01T00:00:00.000Z');
    const dated = feedsConfig((text) => text.replace('example.com,2026', 'example.com,2026-03-04'));
    const [, atomDraft] = buildFeed(latest, dated, { articles: [], retracted: [] }).documents;
    expect(textOf(parseXml(atomDraft?.body ?? ''), 'updated')).toBe('2026-03-04T00:00:00.000Z');
  });

  it('has the embedded hub or none, as configured', () => {
    const bodies = (hub: string): string[] => {
      const config = feedsConfig((text) => text.replace(/^hub: .*$/m, hub));
      const { documents } = buildFeed(latest, config, { articles: STORIES, retracted: [] });
      expect(documents).toHaveLength(3);
      return documents.map(({ body }) => body);
    };
    for (const body of bodies('hub: self')) expect(body).toMatch(/"https:\/\/wire\.example\.com\/hub"/);
    for (const body of bodies('')) expect(body).not.toMatch(/hub/i);
  });

  it('has a self link that is byte-equal to its topic', () => {
    const { rss, atom, json } = build(STORIES);
    const channel = childrenOf(parseXml(rss), 'channel')[0] as XmlElement;
    const self = [
      childrenOf(channel, 'atom:link')[0]?.attributes.href,
      childrenOf(parseXml(atom), 'link').find(({ attributes }) => attributes.rel === 'self')?.attributes.href,
      (JSON.parse(json) as { feed_url: string }).feed_url,
    ];
    expect(self).toEqual(['rss', 'atom', 'json'].map((format) => topicAddress(config, `latest.${format}`)));
    for (const [index, format] of ['rss', 'atom', 'json'].entries()) {
      expect(topicPath(config, self[index] as string)).toBe(`latest.${format}`);
    }
  });
});

describe('an item', () => {
  it('has one tag: URI in all formats, which no edit of headline, slug or domain changes', () => {
    const moved = feedsConfig((text) => text.replace('https://wire.example.com', 'https://elsewhere.example.org'));
    const edited = { ...(STORIES[0] as Article), headline: 'Another', slug: 'another' };
    const before = build(STORIES);
    const [rss, atom, json] = buildFeed(latest, moved, { articles: [edited], retracted: [] }).documents.map(
      ({ body }) => body,
    );
    const ids = [
      textOf(items(before.rss)[0] as XmlElement, 'guid'),
      textOf(items(before.atom)[0] as XmlElement, 'id'),
      JSON.parse(before.json).items[0].id,
      textOf(items(rss as string)[0] as XmlElement, 'guid'),
      textOf(items(atom as string)[0] as XmlElement, 'id'),
      JSON.parse(json as string).items[0].id,
    ];
    expect(new Set(ids)).toEqual(new Set(['tag:example.com,2026:articles/everything']));
  });

  it.for([
    ['latest', (articles: Article[]) => build(articles)],
    ['summary', (articles: Article[]) => build(articles, [], summaries)],
  ] as const)('names the outlet of a roundup item and links to its report: %s', ([, built]) => {
    const { rss, atom, json } = built(STORIES);
    const url = 'https://example.com/yicai?x=1&y=2';
    const sources = items(rss).map((item) => childrenOf(item, 'source'));
    expect(sources.map((found) => found.length)).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
    expect(sources[3]?.[0]).toMatchObject({ text: 'Yicai', attributes: { url } });
    const links = items(atom).map((entry) =>
      childrenOf(entry, 'link').flatMap(({ attributes }) => (attributes.rel === 'via' ? [attributes] : [])),
    );
    expect(links.map((found) => found.length)).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
    expect(links[3]?.[0]).toEqual({ rel: 'via', href: url, title: 'Yicai' });
    const urls = JSON.parse(json).items.map((item: { external_url?: string }) => item.external_url);
    expect(urls).toEqual([...Array(3).fill(undefined), url, ...Array(4).fill(undefined)]);
  });

  it('names no outlet whose report has no address, except in its body', () => {
    const { rss, atom, json } = build([
      article('a', { kind: 'roundup-item', outlet: { name: 'Yicai', url: null, publishedAt: null } }),
    ]);
    for (const document of [rss, atom, json]) expect(document).not.toMatch(/<source|rel="via"|external_url/);
    expect(JSON.parse(json).items[0].content_html).toContain('<p>Source: Yicai</p>');
  });

  it('has an image that has not been looked up as media:content only, and another file as the enclosure', () => {
    const [story] = STORIES;
    if (story?.image == null) throw new Error('the story has an image');
    const url = 'https://photos.example.com/shop';
    const image = { ...story.image, url, type: null, length: null, width: null, height: null };
    const { rss, atom, json } = build([{ ...story, image }]);
    const [item] = items(rss) as [XmlElement];
    const [entry] = items(atom) as [XmlElement];
    for (const parent of [item, entry]) {
      expect(childrenOf(parent, 'media:content').map(({ attributes }) => attributes)[0]).toEqual({
        url,
        medium: 'image',
      });
    }
    const enclosures = [
      ...childrenOf(item, 'enclosure'),
      ...childrenOf(entry, 'link').filter(({ attributes }) => attributes.rel === 'enclosure'),
    ];
    expect(enclosures.map(({ attributes }) => attributes.type)).toEqual(['audio/mpeg', 'audio/mpeg']);
    const [jsonItem] = JSON.parse(json).items;
    expect(jsonItem.image).toBe(url);
    expect(jsonItem.attachments).toMatchObject([{ mime_type: 'audio/mpeg' }]);
    expect(validateFeed(rss, `${URL}/latest.rss`, NOW)).toEqual([]);
    expect(validateFeed(atom, `${URL}/latest.atom`, NOW)).toEqual([]);
    expect(jsonFeed.parse(JSON.parse(json)).items[0]).toMatchObject({ image: url });
  });

  it('has audio as the enclosure of RSS also beside a picture, and a length of 0 there if it is unknown', () => {
    const [story] = STORIES;
    if (story?.image == null) throw new Error('the story has an image');
    const audio = { url: 'https://example.com/talk.mp3', type: 'audio/mpeg', length: 0, title: null };
    const { rss, atom, json, failed } = build([{ ...story, enclosures: [audio] }]);
    expect(failed).toEqual([]);
    expect(rss).toContain('<enclosure length="0" type="audio/mpeg" url="https://example.com/talk.mp3"/>');
    expect(rss).toContain('<media:content url="https://example.com/talk.mp3" type="audio/mpeg" medium="audio"/>');
    expect(atom).toContain('<link rel="enclosure" href="https://example.com/talk.mp3" type="audio/mpeg"/>');
    expect(JSON.parse(json).items[0].attachments[0]).toEqual({ url: audio.url, mime_type: 'audio/mpeg' });
    expect(validateFeed(rss, `${URL}/latest.rss`, NOW)).toEqual([]);
    expect(validateFeed(atom, `${URL}/latest.atom`, NOW)).toEqual([]);
  });

  it('says the same time of its publication and its update in Atom if it was not edited', () => {
    const edited = article('edited', { updatedAt: NOW - HOUR + 1, publishedAt: NOW - HOUR });
    const times = items(build([edited, STORIES[1] as Article]).atom).map((entry) => {
      return [textOf(entry, 'published'), textOf(entry, 'updated')];
    });
    expect(times).toEqual([
      ['2026-11-24T11:00:00.000Z', '2026-11-24T11:00:00.001Z'],
      ['2026-11-24T10:00:00.000Z', '2026-11-24T10:00:00.000Z'],
    ]);
  });

  it.each([
    ['two reporters and an editor', ['reporter A', 'editor C', 'reporter B'], 'A, B', ['A', 'B'], ['C']],
    ['an editor alone', ['editor C'], 'The Meridian Wire', ['The Meridian Wire'], ['C']],
    ['nobody', [], 'The Meridian Wire', ['The Meridian Wire'], []],
  ])('names the reporters as authors, editors as contributors: %s', (_, signed, creator, authors, editors) => {
    const bylines = signed.map((one) => {
      const [role, name] = one.split(' ') as ['reporter' | 'editor', string];
      return { role, name, email: null };
    });
    const { rss, atom, json } = build([article('a', { bylines })]);
    const [inRss, inAtom] = [items(rss)[0], items(atom)[0]] as [XmlElement, XmlElement];
    const named = (element: string) => childrenOf(inAtom, element).map((person) => textOf(person, 'name'));
    expect(childrenOf(inRss, 'dc:creator').map((one) => one.text)).toEqual([creator]);
    expect([named('author'), named('contributor')]).toEqual([authors, editors]);
    expect(JSON.parse(json).items[0].authors).toEqual(authors.map((name) => ({ name })));
  });

  it.each([
    [
      'before the body',
      { dek: 'A & B.', bodyHtml: '<p>Text.</p>' },
      '<p><strong>A &amp; B.</strong></p>\n<p>Text.</p>',
    ],
    [
      'once if the body has it',
      { dek: 'A & B.', bodyHtml: '<p>In: <em>A</em> &amp; B. Text.</p>' },
      '<p>In: <em>A</em> &amp; B. Text.</p>',
    ],
    ['as the summary alone without a body', { dek: 'A & B.', bodyHtml: '' }, undefined],
  ])('shows its dek %s', (_, change, html) => {
    expect(JSON.parse(build([article('a', change)]).json).items[0].content_html).toBe(html);
  });

  it('has the beginning of the body as summary without a dek, and the headline without a body', () => {
    const { json } = build(STORIES);
    const summary = Object.fromEntries(
      JSON.parse(json).items.map((item: { id: string; summary: string }) => [item.id.split('/')[1], item.summary]),
    );
    expect(summary['no-dek']).toBe('First words & more.');
    expect(summary.empty).toBe('Headline of empty');
    const long = build([
      article('long', {
        dek: null,
        bodyHtml: `<img src="https://example.com/a.png" alt="a > b" />${'word '.repeat(200)}`,
      }),
    ]).json;
    expect(JSON.parse(long).items[0].summary).toMatch(/^(word ){50,55}word…$/);
  });

  it('has no body in a feed of summaries', () => {
    const { rss, atom, json } = build(STORIES, [], summaries);
    expect(rss).not.toContain('<content:encoded>');
    expect(atom).not.toContain('<content');
    expect(JSON.parse(json).items[0].content_text).toBe('Shipments rose 67.7% in March, though R&D budgets did not.');
    expect(JSON.parse(json).items[0]).not.toHaveProperty('content_html');
  });

  it('has a title that reads the same in RSS, Atom and JSON readers', () => {
    const { rss, atom, json } = build([article('a', { headline: TITLE })]);
    const entry = parseAtomFeed(atom).entries?.[0];
    expect(parseRssFeed(rss).items?.[0]?.title).toBe(TITLE);
    expect(entry?.title).toEqual({ type: 'html', value: 'Vec&lt;T&gt; &amp; AT&amp;T “三星” 🚀' });
    expect(parseJsonFeed(json).items?.[0]?.title).toBe(TITLE);
  });
});

describe('an invalid article', () => {
  const cases: [string, Partial<Article>, RegExp][] = [
    ['no headline', { headline: ' ' }, /headline is empty/],
    [
      'an image of unknown size',
      {
        image: {
          url: 'https://example.com/a.png',
          alt: '',
          credit: null,
          type: 'image/png',
          length: -1,
          width: null,
          height: null,
        },
      },
      /length -1/,
    ],
    [
      'an enclosure of no type',
      { enclosures: [{ url: 'https://example.com/a', type: 'x', length: 1, title: null }] },
      /type "x"/,
    ],
    [
      'an enclosure without a web URL',
      { enclosures: [{ url: 'file:///a', type: 'a/b', length: 1, title: null }] },
      /file:/,
    ],
    ['an id that is not a URI', { tagUri: 'tag:example.com,2026:articles/a b' }, /RFC 4151/],
    ['no language', { language: 'not a language' }, /BCP 47/],
    ['an invalid instant', { publishedAt: Number.NaN }, /published is NaN/],
    ['an unknown shape', { bylines: null as unknown as [] }, /cannot be read/],
  ];
  it.for(cases)('is reported, and the feed is built without it: %s', ([, change, problem]) => {
    const good = article('good');
    const { json, failed } = build([article('bad', change), good]);
    expect(failed.map(({ article }) => article.id)).toEqual(['bad']);
    expect(failed[0]?.problems.join('\n')).toMatch(problem);
    expect(JSON.parse(json).items.map(({ id }: { id: string }) => id)).toEqual([good.tagUri]);
  });
});

describe('a contact line', () => {
  it.for([
    [[['reporter', 'A', 'a@example.com']], 'Contact reporter A (a@example.com)'],
    [[['editor', 'B', 'b@example.com']], 'Contact editor B (b@example.com)'],
    [
      [
        ['reporter', 'A', 'a@example.com'],
        ['editor', 'B', 'b@example.com'],
      ],
      'Contact reporter A (a@example.com) and editor B (b@example.com)',
    ],
    [[['reporter', 'A', null]], ''],
  ] as const)('lists bylines with addresses: %s', ([bylines, expected]) => {
    const { json } = build([article('a', { bylines: bylines.map(([role, name, email]) => ({ role, name, email })) })]);
    const lines = JSON.parse(json)
      .items[0].content_html.replace(/<[^>]*>/g, '')
      .split('\n')
      .slice(2);
    expect(lines.join('')).toBe(expected);
  });

  it('encodes addresses, so that they cannot add header fields', () => {
    const { json } = build([
      article('a', { bylines: [{ role: 'reporter', name: 'A', email: 'a@example.com?bcc=b@example.com' }] }),
    ]);
    expect(JSON.parse(json).items[0].content_html).toContain('href="mailto:a@example.com%3Fbcc%3Db%40example.com"');
  });
});

describe('a feed in Arabic', () => {
  const publication = { ...config.publication, language: 'ar' };
  const own = { 'feed.source': 'المصدر: {outlet}', 'feed.title': '{publication}: {feed}' };
  const arabic = { ...config, publication, ownMessages: { ar: own } };
  const stories = [
    article('a', {
      language: 'ar',
      headline: 'شركة Huawei تعلن',
      outlet: { name: 'Yicai', url: null, publishedAt: null },
    }),
    article('b', { language: 'en', headline: 'An English Story' }),
  ];
  const built = buildFeed(latest, arabic, { articles: stories, retracted: [] });
  const [rss = '', , json = ''] = built.documents.map(({ body }) => body);

  it('has its own words, and the direction of each item', () => {
    const [first, second] = JSON.parse(json).items;
    const source = '<p>المصدر: <bdi>Yicai</bdi></p>';
    expect(first.content_html).toBe(
      `<div lang="ar" dir="rtl"><p><strong>Dek of a.</strong></p>\n<p>Body of a.</p>\n${source}</div>`,
    );
    expect(second.content_html).toBe('<p><strong>Dek of b.</strong></p>\n<p>Body of b.</p>');
  });

  it('isolates a title that has the other direction, and no other', () => {
    expect(JSON.parse(json).items.map(({ title }: { title: string }) => title)).toEqual([
      'شركة Huawei تعلن',
      '\u2068An English Story\u2069',
    ]);
    expect(JSON.parse(json).title).toBe('\u2068The Meridian Wire\u2069: \u2068Latest\u2069');
  });

  it('is valid, and marks the language of words that are not translated', () => {
    expect(validateFeed(rss, `${URL}/latest.rss`, NOW)).toEqual([]);
    const { json } = build([article('c', { language: 'ar', outlet: { name: 'النجم', url: null, publishedAt: null } })]);
    expect(JSON.parse(json).items[0].content_html).toContain('<p lang="en" dir="ltr">Source: <bdi>النجم</bdi></p>');
  });
});

it('an item is not updated before its publication', () => {
  const { json } = build([article('a', { updatedAt: NOW - 2 * HOUR, publishedAt: NOW - 5 * MINUTE })]);
  expect(JSON.parse(json).items[0].date_modified).toBe('2026-11-24T11:55:00.000Z');
});
