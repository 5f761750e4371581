import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSampleNewsroom } from '../../../src/app/sample/newsroom.ts';
import { type Article, isPublic } from '../../../src/articles/article.ts';
import { countRejections } from '../../../src/articles/rejections.ts';
import { listSubscribers } from '../../../src/audience/subscriptions.ts';
import { parseConfig } from '../../../src/core/config/config.ts';
import { DAY, MINUTE } from '../../../src/lib/time.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { allArticles, ROOT, sampleConfig, sampleStories } from '../../support/sample.ts';

const NOW = Date.parse('2026-11-24T15:00:30.250Z');
const FILES = readdirSync(join(ROOT, 'sample/articles'));

const MOMENTS = [
  ['an ordinary day', '2026-11-24T15:00:30.250Z'],
  ['the night New York springs forward', '2027-03-14T07:00:00Z'],
  ['the night New York falls back', '2026-11-01T06:30:59.999Z'],
  ['a leap day', '2028-02-29T16:00:00Z'],
  ['the last moment of a year', '2026-12-31T23:59:59.999Z'],
  ['the first moment of a year', '2027-01-01T00:00:00Z'],
  ['the first moment of a year in Shanghai', '2026-12-31T16:00:00Z'],
] as const;

describe('loading the sample newsroom', () => {
  forEachDatabase((open) => {
    it('stores every article and subscriber, and changes nothing a second time', async () => {
      const store = await open();
      const config = sampleConfig();
      const first = await loadSampleNewsroom(store, config, { now: NOW });
      expect(first).toEqual({ articles: FILES.length, subscribers: 7, rejected: [], warnings: [] });
      const before = await allArticles(store);

      expect(await loadSampleNewsroom(store, config, { now: NOW })).toEqual(first);
      expect(await allArticles(store)).toEqual(before);
      expect(await countRejections(store.db)).toBe(0);
    });

    it('confirms its subscribers for the daily roundup, and some for the weekly one', async () => {
      const store = await open();
      await loadSampleNewsroom(store, sampleConfig(), { now: NOW });
      const subscribers = await listSubscribers(store.db, { limit: 100 });
      expect(subscribers).toHaveLength(7);
      for (const { email, subscriptions } of subscribers) {
        expect(email).toMatch(/@example\.(com|net|org)$/);
        expect(subscriptions[0]).toMatchObject({ newsletter: 'daily-roundup', state: 'confirmed', changedAt: NOW });
      }
      const weekly = subscribers.flatMap(({ subscriptions }) => subscriptions.slice(1));
      expect(weekly.map(({ newsletter }) => newsletter)).toEqual(Array(3).fill('weekly-roundup'));
      expect(new Set(subscribers.map((subscriber) => subscriber.zone)).size).toBeGreaterThanOrEqual(6);
    });
  });

  it.each(MOMENTS)('rejects no article, and covers the last day and several before it, on %s', async (_, moment) => {
    const now = Date.parse(moment);
    const store = await openMigrated();
    const report = await loadSampleNewsroom(store, sampleConfig(), { now });
    const stories = await allArticles(store);
    await store.close();
    expect(report).toMatchObject({ articles: FILES.length, rejected: [], warnings: [] });

    const seen = stories.filter((story) => isPublic(story, now));
    const lastDay = seen.filter((story) => story.publishedAt >= now - DAY && story.kind !== 'roundup-item');
    expect(lastDay.length).toBeGreaterThanOrEqual(12);
    expect(seen.some((story) => story.publishedAt < now - 3 * DAY)).toBe(true);
    expect(stories.filter((story) => story.publishedAt < now - 5 * DAY)).toEqual([]);
    expect(stories.filter((story) => story.publishedAt % MINUTE !== 0)).toEqual([]);
  });

  it('shifts all times by the same duration', async () => {
    const [early, late] = [await sampleStories(NOW), await sampleStories(NOW + 3 * DAY + 7 * MINUTE)];
    const shifts = late.map((story, index) => story.publishedAt - (early[index] as Article).publishedAt);
    expect(new Set(shifts)).toEqual(new Set([3 * DAY + 7 * MINUTE]));
  });

  it('leaves out sections that the configuration lacks, and says so', async () => {
    const { file } = sampleConfig();
    const text = `
publication:
  name: Elsewhere
  about: A newsroom with other sections.
  url: https://example.org
  tagAuthority: example.org,2026
  language: en
  zone: UTC
  contact: { name: Desk, email: desk@example.org }
  postalAddress: Elsewhere
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
paths: { media: sample/media }
`;
    const store = await openMigrated();
    const report = await loadSampleNewsroom(store, parseConfig(text, { file, env: {}, cwd: ROOT }), { now: NOW });
    await store.close();
    expect(report.articles).toBe(FILES.length);
    expect(report.rejected).toEqual([]);
    expect(report.warnings[0]?.problems[0]).toMatch(/section .*is left out: must be one of/);
    expect(report.subscribers).toBe(0);
  });
});
