import fc from 'fast-check';
import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { buildFeed } from '../../../src/feeds/build-feed.ts';
import { strictUrl } from '../../../src/feeds/formats/markup.ts';
import { renderOpml } from '../../../src/feeds/formats/opml.ts';
import { cleanLine } from '../../../src/lib/clean-text.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { article } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { feedsConfig } from '../feeds-fixture.ts';
import { jsonFeed } from './json-schema.ts';
import { validateFeed } from './validator.ts';
import { HAS_XMLLINT, sayIfMissing, xmllint } from './xmllint.ts';

// Whole code units, so that lone surrogates are among them, and what XML, HTML, CDATA and our own slots are made of.
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        ...[
          ']]>',
          '<![CDATA[',
          '<',
          '>',
          '&',
          '&amp;',
          '&#0;',
          '"',
          "'",
          '--',
          '<!--',
          '<?x ?>',
          '<T>',
          '</b>',
          '\u0000',
          '\u001b',
        ],
        ...[
          '\ud800',
          '\udc00',
          '\ufffe',
          '\u2028',
          '\r\n',
          '\t',
          'slot:0:',
          'slot:1:',
          '<item>',
          '</entry>',
          '</feed>',
          '%%',
          '{{',
          '🚀',
          'é',
          ' ',
        ],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);
const nullable = fc.option(hostile);

const hostileArticle: fc.Arbitrary<Partial<Article>> = fc
  .record({
    kicker: nullable,
    headline: hostile,
    dek: nullable,
    tags: fc.array(hostile, { maxLength: 3 }),
    name: hostile,
    email: nullable,
    linkTitle: hostile,
    outlet: hostile,
    alt: hostile,
    credit: nullable,
    title: nullable,
    note: hostile,
    words: hostile,
  })
  .map((h) => ({
    kicker: h.kicker,
    headline: h.headline,
    dek: h.dek,
    tags: h.tags,
    bylines: [{ role: 'reporter' as const, name: h.name, email: h.email }],
    fullStory: { url: 'https://example.com/a?b&c', title: h.linkTitle },
    related: [{ url: 'https://example.com/[x]|{y}#a#b', title: h.linkTitle }],
    outlet: { name: h.outlet, url: 'https://example.com/[x]|{y}#a#b', publishedAt: null },
    also: [{ name: h.linkTitle, url: 'https://example.com/"<é' }],
    image: {
      url: 'https://example.com/é.jpg',
      alt: h.alt,
      credit: h.credit,
      type: 'image/jpeg',
      length: 1,
      width: 1,
      height: 1,
    },
    enclosures: [{ url: 'https://example.com/a.mp3', type: 'audio/mpeg', length: 2, title: h.title }],
    // As the sanitiser leaves it: escaped text.
    bodyHtml: `<p>${h.words.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)}]]></p>`,
    status: { state: 'corrected' as const, note: h.note, at: NOW },
  }));

const config = feedsConfig();
const [latest] = config.feeds as [(typeof config.feeds)[0]];

beforeAll(sayIfMissing);

describe('a feed with hostile strings in every field', () => {
  const batches = fc.sample(fc.array(hostileArticle, { minLength: 1, maxLength: 4 }), { numRuns: 300, seed: 20261124 });
  const built = batches.map((changes) => {
    const articles = changes.map((change, index) => article(`a${index}`, change));
    const retracted = [
      article('gone', { status: { state: 'retracted', note: articles[0]?.headline ?? '', at: NOW - HOUR } }),
    ];
    const feed = buildFeed(latest, config, { articles, retracted });
    const [rss, atom, json] = feed.documents.map(({ body }) => body) as [string, string, string];
    const kept = articles.filter(({ id }) => !feed.failed.some((failed) => failed.article.id === id));
    return { rss, atom, json, kept };
  });

  // Without kept articles the tests below would look at empty feeds.
  beforeAll(() => {
    expect(built).toHaveLength(300);
    expect(built.filter(({ kept }) => kept.length > 0).length).toBeGreaterThan(250);
  });

  it.runIf(HAS_XMLLINT)('is well-formed RSS and Atom', () => {
    expect(xmllint(built.flatMap(({ rss, atom }) => [rss, atom]))).toBe('');
  });

  it('has titles that read the same in RSS, Atom and JSON readers', () => {
    for (const { rss, atom, json, kept } of built) {
      const expected = kept.map(({ kicker, headline }) =>
        cleanLine(kicker === null ? headline : `${kicker}: ${headline}`),
      );
      expect((parseJsonFeed(json).items ?? []).map((item) => item.title)).toEqual(expected);
      expect((parseRssFeed(rss).items ?? []).map((item) => item.title)).toEqual(expected);
      expect((parseAtomFeed(atom).entries ?? []).map(({ title }) => asReader(title))).toEqual(expected);
    }
  });

  it('is valid JSON Feed 1.1, with all ids', () => {
    for (const { json, kept } of built) {
      expect(jsonFeed.parse(JSON.parse(json)).items.map(({ id }) => id)).toEqual(kept.map(({ tagUri }) => tagUri));
    }
  });

  it('has no problems for the validator except headlines with literal tags', () => {
    const found = built.flatMap(({ rss, atom }) => [
      ...validateFeed(rss, 'https://wire.example.com/feeds/latest.rss', NOW),
      ...validateFeed(atom, 'https://wire.example.com/feeds/latest.atom', NOW),
    ]);
    // Headlines with literal tags are among the strings.
    expect(found.length).toBeGreaterThan(10);
    expect(found.filter((line) => !/ Contains(Undeclared)?HTML$/.test(line))).toEqual([]);
  });

  it.runIf(HAS_XMLLINT)('has a well-formed OPML, with hostile strings in the configuration', () => {
    const names = fc.sample(hostile, { numRuns: 60, seed: 1 });
    const documents = names.map((name) =>
      renderOpml({
        ...config,
        publication: { ...config.publication, name, about: name },
        feeds: [{ ...latest, title: name, description: name }],
      }),
    );
    expect(xmllint(documents)).toBe('');
  });
});

const PATH = "(?:[A-Za-z0-9\\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*";
const STRICT_URL = new RegExp(`^https?://[^/]+/${PATH}(#${PATH})?$`);

it('strictUrl returns URLs by RFC 3986 for any text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webUrl({ withFragments: true, withQueryParameters: true }),
        hostile.map((h) => `https://example.com/${h}`),
      ),
      (text) => {
        const url = strictUrl(text);
        expect(url === null || STRICT_URL.test(url)).toBe(true);
        if (url !== null) expect(strictUrl(url)).toBe(url);
      },
    ),
    { seed: 20261124 },
  );
});

/** What a reader shows of an Atom text construct (RFC 4287 §3.1). */
function asReader(title: { type?: string; value?: string } | undefined): string {
  const value = title?.value ?? '';
  if (title?.type !== 'html') return value;
  return value.replace(/&(?:#39|lt|gt|quot|amp);/g, (entity) => ENTITIES[entity] as string);
}

const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };
