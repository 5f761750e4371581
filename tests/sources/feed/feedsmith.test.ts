import fc from 'fast-check';
import { generateAtomFeed, generateRssFeed, parseAtomFeed, parseRssFeed } from 'feedsmith';
import { expect, it } from 'vitest';
import { cleanLine, hasVisibleCharacter } from '../../../src/lib/text/clean-text.ts';
import { runs } from '../../support/run-scope.ts';
import { NOW, readFeed } from './read-feed.ts';

/** Text without markup, in which two readers must agree. */
const line = fc
  .string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...'abc XYZ 09 éü 日 ,.:;!?\'"()[]{}&'.split('')) })
  .map(cleanLine)
  .filter(hasVisibleCharacter);
const item = fc.record({
  title: line,
  path: fc.nat(99_999),
  id: line,
  author: line.filter((name) => !name.includes('@')),
  categories: fc.array(line, { maxLength: 3 }),
  html: line.map((text) => `<p class="a">${text.replaceAll('&', '&amp;')}</p>`),
  date: fc.date({ min: new Date('2000-01-01'), max: new Date(NOW), noInvalidDate: true }).map((date) => {
    date.setMilliseconds(0);
    return date;
  }),
});
const items = fc.array(item, { maxLength: 4 });
const linkOf = (path: number): string => `https://a.example.com/${path}?b=1&c=2`;

type Written = (typeof items extends fc.Arbitrary<infer List> ? List : never)[number];

const FORMATS = {
  RSS(written: Written[]) {
    const entries = written.map(({ title, path, id, author, categories, html, date }) => ({
      ...{ title, link: linkOf(path), guid: { value: id, isPermaLink: false }, pubDate: date },
      ...{ dc: { creators: [author] }, content: { encoded: html } },
      categories: categories.map((name) => ({ name })),
    }));
    const rss = generateRssFeed({ title: 'T', description: 'D', link: 'https://a.example.com/', items: entries });
    expect(parseRssFeed(rss).items ?? []).toHaveLength(written.length);
    return rss;
  },
  Atom(written: Written[]) {
    const entries = written.map(({ title, path, id, author, categories, html, date }) => ({
      ...{ id, title: { value: title }, published: date, updated: date },
      ...{ links: [{ href: linkOf(path), rel: 'alternate' }], authors: [{ name: author }] },
      ...{ categories: categories.map((term) => ({ term })), content: { value: html, type: 'html' } },
    }));
    const atom = generateAtomFeed({ id: 'urn:x', title: { value: 'T' }, updated: new Date(NOW), entries });
    expect(parseAtomFeed(atom).entries ?? []).toHaveLength(written.length);
    return atom;
  },
};

it.each(['RSS', 'Atom'] as const)('reads the %s that another package writes as that package does', (format) => {
  fc.assert(
    fc.property(items, (written) => {
      expect(readFeed(FORMATS[format](written))).toMatchObject({
        repaired: false,
        items: written.map(({ title, path, id, author, categories, html, date }) => ({
          ...{ title, id, link: linkOf(path), categories, content: html, publishedAt: date.getTime() },
          authors: [author],
        })),
      });
    }),
    { numRuns: runs(30) },
  );
});
