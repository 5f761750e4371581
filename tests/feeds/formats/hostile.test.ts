import fc from 'fast-check';
import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildFeed } from '../../../src/feeds/build-feed.ts';
import { strictUrl } from '../../../src/feeds/formats/markup.ts';
import { renderOpml } from '../../../src/feeds/formats/opml.ts';
import { cleanLine } from '../../../src/lib/text/clean-text.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { article } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { feedsConfig } from '../feeds-fixture.ts';
import { hostile, hostileArticle } from './hostile-article.ts';
import { jsonFeed } from './json-schema.ts';
import { validateFeed } from './validator.ts';
import { HAS_XMLLINT, sayIfMissing, xmllint } from './xmllint.ts';

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
