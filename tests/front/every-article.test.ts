import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Article } from '../../src/articles/article.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { article, NOW, openTestSite, save, type TestSite } from '../app/test-site.ts';
import { openMigrated } from '../support/databases.ts';
import { runs } from '../support/run-scope.ts';

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, part]) => part as string);

/** Addresses of stories on the pages of all months that the archive links to. */
async function onMonthPages(site: TestSite): Promise<string[]> {
  const found: string[] = [];
  for (const month of matches(await site.read('/archive'), /href="(\/archive\/[\d-]+)"/g)) {
    for (let path: string | undefined = month; path !== undefined; ) {
      const html = await site.read(path);
      found.push(...matches(html, /href="([^"]*\/s-\d+)"/g));
      path = matches(html, /<a [^>]*rel="next"[^>]*href="([^"]*)"/g)[0];
    }
  }
  return found.sort();
}

async function inSitemaps(site: TestSite): Promise<string[]> {
  const locations = async (path: string): Promise<string[]> =>
    matches(await site.read(path), /<loc>http:\/\/127\.0\.0\.1:8080([^<]*)<\/loc>/g);
  const found = await Promise.all((await locations('/sitemap.xml')).map(locations));
  return found
    .flat()
    .filter((path) => path.startsWith('/articles/'))
    .sort();
}

const statuses: Article['status'][] = [
  { state: 'published' },
  { state: 'published' },
  { state: 'corrected', note: 'n', at: NOW },
  { state: 'retracted', note: 'n', at: NOW },
  { state: 'draft' },
  { state: 'scheduled', until: NOW + HOUR },
];

const stories = fc.array(
  fc.record({
    count: fc.constantFrom(1, 3, 60),
    age: fc.constantFrom(MINUTE, 20 * DAY, 45 * DAY, 400 * DAY),
    status: fc.constantFrom(...statuses),
    isElsewhere: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

describe('every public article', () => {
  it('is on the page of its month, and in a sitemap unless its page is elsewhere; no other article is', async () => {
    const property = fc.asyncProperty(stories, async (groups) => {
      const store = await openMigrated();
      try {
        const articles = groups.flatMap(({ count, age, status, isElsewhere }, group) =>
          Array.from({ length: count }, (_, n) => {
            const publishedAt = status.state === 'scheduled' ? status.until : NOW - age - n * MINUTE;
            const id = `s-${group * 100 + n}`;
            const url = isElsewhere ? `https://example.com/${id}` : null;
            return article(id, { publishedAt, updatedAt: publishedAt, status, url });
          }),
        );
        await save(store, ...articles);
        const site = openTestSite(store);
        const isPublic = ({ status }: Article): boolean => ['published', 'corrected'].includes(status.state);
        const addresses = articles.filter(isPublic).map(({ id, url }) => url ?? `/articles/${id}`);
        expect(await onMonthPages(site)).toEqual(addresses.toSorted());
        expect(await inSitemaps(site)).toEqual(addresses.filter((path) => path.startsWith('/')).sort());
      } finally {
        await store.close();
      }
    });
    await fc.assert(property, { numRuns: runs(20) });
  });
});
