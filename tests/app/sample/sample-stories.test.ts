import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Article, fullHeadline } from '../../../src/articles/article.ts';
import { sectionTitle } from '../../../src/core/config/config.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { ROOT, sampleConfig, sampleStories } from '../../support/sample.ts';

const NOW = Date.parse('2026-11-24T15:00:30Z');
const sample = (path: string): string => join(ROOT, 'sample', path);
let stories: Article[];
let ofKind: (kind: Article['kind']) => Article[];

beforeAll(async () => {
  stories = await sampleStories(NOW);
  expect(stories.length).toBeGreaterThan(40);
  ofKind = (kind) => stories.filter((story) => story.kind === kind && story.status.state !== 'retracted');
});

describe('the sample stories', () => {
  it('are of every kind, in every section, and none is a roundup', () => {
    expect(ofKind('brief').length).toBeGreaterThanOrEqual(16);
    expect(ofKind('analysis').length).toBeGreaterThanOrEqual(7);
    expect(ofKind('roundup-item').length).toBeGreaterThanOrEqual(12);
    expect(ofKind('roundup')).toEqual([]);
    expect(new Set(ofKind('feature').map((story) => story.kicker))).toEqual(
      new Set(['Cover Story', 'In Depth', 'Exclusive', 'Charts of the Day', 'Trending in China']),
    );
    expect(new Set(ofKind('analysis').map((story) => story.kicker))).toEqual(new Set(['Analysis']));
    const sections = sampleConfig().sections.map((section) => section.id);
    expect(new Set(stories.map((story) => story.section))).toEqual(new Set(sections));
  });

  it('include a corrected, a retracted and a scheduled article', () => {
    const count = (state: string): number => stories.filter((story) => story.status.state === state).length;
    expect([count('corrected'), count('retracted'), count('scheduled'), count('draft')]).toEqual([1, 1, 1, 0]);
    const corrected = stories.find((story) => story.status.state === 'corrected') as Article;
    expect(corrected.updatedAt).toBeGreaterThan(corrected.publishedAt);
    expect(corrected.status).toMatchObject({ at: corrected.updatedAt });
  });

  it('fill every block of the daily roundup from two days', () => {
    const [newsletter] = sampleConfig().newsletters;
    const recent = (kind: Article['kind']): Article[] =>
      ofKind(kind).filter((story) => story.publishedAt <= NOW && story.publishedAt > NOW - 48 * HOUR);
    const { news, analysis, roundup, latest } = newsletter!.blocks;
    expect(recent('feature').filter((story) => story.kicker === 'Cover Story')).toHaveLength(1);
    expect(recent('analysis').length).toBeGreaterThan(analysis);
    expect(recent('brief').length + recent('feature').length - 1).toBeGreaterThanOrEqual(news + latest);
    expect(new Set(recent('roundup-item').map((story) => story.eventKey)).size).toBeGreaterThanOrEqual(roundup);
  });

  it('have two events that several outlets reported, each outlet once', () => {
    const events = [...Map.groupBy(ofKind('roundup-item'), (story) => story.eventKey).values()];
    const several = events.filter((items) => items.length > 1);
    expect(several.map((items) => items.length).sort()).toEqual([2, 3]);
    for (const items of several) {
      expect(new Set(items.map((item) => item.outlet?.name)).size).toBe(items.length);
    }
  });

  it('credit every roundup item, and sign every other story', () => {
    for (const story of stories) {
      expect(sectionTitle(sampleConfig(), story.section), story.id).not.toBeNull();
      expect(story.tags.length, story.id).toBeGreaterThan(0);
      expect(story.topic, story.id).not.toBeNull();
      if (story.kind === 'roundup-item') {
        expect(story.outlet?.url, story.id).toMatch(/^https:\/\/example\.com\/[\w-]+\/[\w-]+$/);
        expect(story.eventKey, story.id).not.toBeNull();
      } else {
        expect(story.bylines.some((byline) => byline.role === 'reporter' && byline.email !== null)).toBe(true);
        expect(story.dek, story.id).toMatch(/[.。]$/);
      }
    }
  });
});

describe('the links of the sample stories', () => {
  it('lead to public articles of the sample, by their titles', () => {
    const bySlug = new Map(stories.map((story) => [story.slug, story]));
    const { url } = sampleConfig().publication;
    let related = 0;
    for (const story of stories) {
      const inBody = [...story.bodyHtml.matchAll(/href="([^"]*)"/g)].map((match) => match[1] as string);
      for (const link of [...story.related.map((one) => one.url), ...inBody]) {
        expect(link, story.id).toMatch(new RegExp(`^${url}/articles/`));
        const target = bySlug.get(link.slice(`${url}/articles/`.length));
        expect(target?.status.state, `${story.id} → ${link}`).toMatch(/^(published|corrected)$/);
        expect(target?.id, `${story.id} leads to itself`).not.toBe(story.id);
      }
      for (const link of story.related) {
        const target = bySlug.get(link.url.slice(`${url}/articles/`.length)) as Article;
        expect(
          titlesOf(target).some((title) => title.startsWith(link.title)),
          `${story.id}: ${link.title}`,
        ).toBe(true);
        related += 1;
      }
    }
    expect(related).toBeGreaterThan(20);
    expect(stories.filter((story) => story.fullStory !== null).length).toBeGreaterThanOrEqual(4);
  });

  it('lead to pictures with alternative text, a credit and a source file', () => {
    const pictured = stories.filter((story) => story.image !== null);
    expect(pictured.length).toBeGreaterThanOrEqual(4);
    for (const { id, image } of pictured) {
      expect(image, id).toMatchObject({ width: 1200, height: 675, credit: 'Illustration: The Meridian Wire' });
      expect(image?.type, id).toMatch(/^image\/(jpeg|png)$/);
      expect(image?.length, id).toBeLessThan(120 * 1024);
      expect(image?.alt.length, id).toBeGreaterThan(40);
      const name = image?.url.split('/').at(-1) as string;
      expect(existsSync(sample(`art/${name.replace(/\.\w+$/, '.svg')}`)), name).toBe(true);
    }
    const shown = pictured.map((story) => story.image?.url.split('/').at(-1)).sort();
    expect(readdirSync(sample('media')).sort()).toEqual(shown);
  });

  it('use only example domains', () => {
    let found = 0;
    const files = readdirSync(sample('articles')).map((name) => sample(`articles/${name}`));
    for (const file of [...files, sample('subscribers.csv')]) {
      const text = readFileSync(file, 'utf8');
      for (const [, host] of text.matchAll(/(?:https?:\/\/|@)([^\s/,'"}]+)/g)) {
        expect(host, file).toMatch(/^example\.(com|net|org)$/);
        found += 1;
      }
    }
    expect(found).toBeGreaterThan(40);
  });
});

/** The titles by which another article may link to this one. */
function titlesOf(article: Article): string[] {
  return [article.headline, fullHeadline(article)];
}
