import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { buildFeed } from '../../../src/feeds/build-feed.ts';
import { cleanLine, hasVisibleCharacter } from '../../../src/lib/text/clean-text.ts';
import type { ParsedFeed } from '../../../src/sources/feed/parsed-feed.ts';
import { feedsConfig, STORIES } from '../../feeds/feeds-fixture.ts';
import { anyText } from '../../support/any-text.ts';
import { article } from '../../support/articles.ts';
import { readFeed } from './read-feed.ts';

const config = feedsConfig();

/** What a reader finds in the three formats of daywire's own feed. */
function readOwn(articles: Article[]): Record<'rss' | 'atom' | 'json', ParsedFeed> {
  const [latest] = config.feeds as [(typeof config.feeds)[0]];
  const { documents } = buildFeed(latest, config, { articles, retracted: [] });
  const [rss, atom, json] = documents.map(({ body }) => readFeed(body)) as [ParsedFeed, ParsedFeed, ParsedFeed];
  return { rss, atom, json };
}

it('reads daywire’s own feeds the same in all formats', () => {
  // JSON Feed requires content, and shows the headline of a story that has neither body nor dek.
  const { rss, atom, json } = readOwn(STORIES.filter(({ bodyHtml }) => bodyHtml !== ''));
  expect(rss.items.length).toBeGreaterThan(3);
  for (const feed of [rss, atom, json]) expect(feed).toMatchObject({ repaired: false, problems: [] });
  const inCommon = ({ items, title, language }: ParsedFeed) => ({
    ...{ title, language },
    items: items.map(({ id, link, title: headline, categories, publishedAt, content, authors }) => ({
      ...{ id, link, headline, publishedAt, content, categories },
      // In Atom and JSON, the publication is the author of what has none. RSS joins the names of several.
      authors: authors.filter((name) => name !== config.publication.name).join(', '),
    })),
  });
  // RSS dates have whole seconds.
  const whole = JSON.parse(JSON.stringify(inCommon(rss)), (key, value) =>
    key === 'publishedAt' ? Math.floor(value / 1_000) * 1_000 : value,
  );
  expect(inCommon(atom)).toEqual(whole);
  expect(inCommon(json)).toEqual(whole);
});

it('reads any headline and dek of daywire’s own Atom and JSON feeds as they were written', () => {
  fc.assert(
    fc.property(anyText(40), anyText(40), (headline, dek) => {
      const clean = cleanLine(headline);
      fc.pre(hasVisibleCharacter(clean));
      const { atom, json } = readOwn([article('a', { kicker: null, headline: clean, dek: cleanLine(dek) || null })]);
      expect(atom.items[0]?.title).toBe(clean);
      expect(json.items[0]?.title).toBe(clean);
    }),
  );
});
