import { describe, expect, it } from 'vitest';
import { seedStore } from '../../scripts/seed.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';

const SMALL = { articles: 120, subscribers: 600, seed: 7, until: NOW };

forEachDatabase((open) => {
  describe('seeding', () => {
    it('fills a store with articles and subscribers, and reports progress', async () => {
      const app = openTestApp(await open());
      const progress: string[] = [];
      await seedStore(app, { ...SMALL, onProgress: (what, done) => progress.push(`${done} ${what}`) });
      const { articles, subscribers } = await rowsOf(app);
      expect(articles).toHaveLength(120);
      expect(subscribers).toHaveLength(600);
      expect(new Set(articles.map(({ kind }) => kind))).toEqual(
        new Set(['brief', 'analysis', 'feature', 'roundup-item']),
      );
      expect(Math.max(...articles.map(({ published_at }) => published_at as number))).toBe(NOW);
      expect(progress).toContain('120 articles');
      expect(progress).toContain('600 subscribers');
    });

    it('gives the same rows for the same seed, and others for another seed', async () => {
      const [first, second, third] = [openTestApp(await open()), openTestApp(await open()), openTestApp(await open())];
      await seedStore(first, SMALL);
      await seedStore(second, SMALL);
      await seedStore(third, { ...SMALL, seed: 8 });
      expect(await rowsOf(second)).toEqual(await rowsOf(first));
      expect(await rowsOf(third)).not.toEqual(await rowsOf(first));
    });

    it('adds to a store that holds articles only when forced', async () => {
      const app = openTestApp(await open());
      await seedStore(app, SMALL);
      await expect(seedStore(app, { ...SMALL, seed: 8 })).rejects.toThrow(/holds articles: .* --force/);
      expect((await rowsOf(app)).articles).toHaveLength(120);
      await seedStore(app, { ...SMALL, seed: 8, force: true });
      expect((await rowsOf(app)).articles).toHaveLength(240);
    });
  });
});

async function rowsOf({ store }: TestApp) {
  const articles = await store.db
    .selectFrom('articles')
    .select(['id', 'kind', 'published_at', 'document'])
    .orderBy('id')
    .execute();
  const subscribers = await store.db
    .selectFrom('subscribers')
    .select(['email', 'zone', 'suppressed_reason'])
    .orderBy('email')
    .execute();
  return { articles, subscribers };
}
