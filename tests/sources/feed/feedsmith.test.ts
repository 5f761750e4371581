import fc from 'fast-check';
import { generateAtomFeed, generateRssFeed, parseAtomFeed, parseRssFeed } from 'feedsmith';
import { expect, it } from 'vitest';
import { cleanLine, hasVisibleCharacter } from '../../../src/lib/text/clean-text.ts';
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

it('reads the RSS that another package writes as that package does', () => {
  fc.assert(
    fc.property(items, (written) => {
      const rss = generateRssFeed({
        title: 'T',
        description: 'D',
        link: 'https://a.example.com/',
        items: written.map(({ title, path, id, author, categories, html, date }) => ({
          ...{ title, link: linkOf(path), guid: { value: id, isPermaLink: false }, pubDate: date },
          ...{ dc: { creators: [author] }, content: { encoded: html } },
          categories: categories.map((name) => ({ name })),
        })),
      });
      expect(parseRssFeed(rss).items ?? []).toHaveLength(written.length);
      expect(readFeed(rss)).toMatchObject({
        repaired: false,
        items: written.map(({ title, path, id, author, categories, html, date }) => ({
          ...{ title, id, link: linkOf(path), categories, content: html, publishedAt: date.getTime() },
          authors: [author],
        })),
      });
    }),
    { numRuns: 30 },
  );
});

it('reads the Atom that another package writes as that package does', () => {
  fc.assert(
    fc.property(items, (written) => {
      const atom = generateAtomFeed({
        id: 'urn:x',
        title: { value: 'T' },
        updated: new Date(NOW),
        entries: written.map(({ title, path, id, author, categories, html, date }) => ({
          ...{ id, title: { value: title }, published: date, updated: new Date(date.getTime() + 1_000) },
          ...{ links: [{ href: linkOf(path), rel: 'alternate' }], authors: [{ name: author }] },
          ...{ categories: categories.map((term) => ({ term })), content: { value: html, type: 'html' } },
        })),
      });
      expect(parseAtomFeed(atom).entries ?? []).toHaveLength(written.length);
      expect(readFeed(atom)).toMatchObject({
        repaired: false,
        items: written.map(({ title, path, id, author, categories, html, date }) => ({
          ...{ title, id, link: linkOf(path), categories, content: html, publishedAt: date.getTime() },
          ...{ updatedAt: date.getTime() + 1_000, authors: [author] },
        })),
      });
    }),
    { numRuns: 30 },
  );
});
