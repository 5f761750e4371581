import { describe, expect, it } from 'vitest';
import type { FeedConfig } from '../../../src/core/config/config.ts';
import { buildFeed } from '../../../src/feeds/build-feed.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { article } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { feedsConfig } from '../feeds-fixture.ts';

const config = feedsConfig();
const [latest, window] = config.feeds as [FeedConfig, FeedConfig];
const LIMIT = 1_000_000;

function build(bodies: number[], feed = latest, dek = 'A dek.') {
  const articles = bodies.map((size, index) =>
    article(`a${String(index).padStart(5, '0')}`, {
      dek,
      bodyHtml: `<p>${'三'.repeat(size / 3)}</p>`,
      publishedAt: NOW - index * MINUTE - 1,
      updatedAt: NOW - index * MINUTE - 1,
    }),
  );
  const built = buildFeed(feed, config, { articles, retracted: [] });
  const json = JSON.parse(built.documents[2]?.body ?? '') as { items: { content_html?: string }[] };
  const full = json.items.map((item) => item.content_html !== undefined);
  return { bytes: built.documents.map(({ body }) => Buffer.byteLength(body)), full, items: built.items };
}

describe('fitFeed', () => {
  it('keeps all bodies if the documents are smaller than 1,000,000 bytes', () => {
    const { bytes, full } = build(Array(50).fill(15_000));
    expect(Math.max(...bytes)).toBeGreaterThan(700_000);
    expect(full.every(Boolean)).toBe(true);
  });

  it('turns the oldest bodies into summaries before it drops items', () => {
    const { bytes, full, items } = build(Array(60).fill(30_000));
    expect(items).toBe(60);
    expect(Math.max(...bytes)).toBeLessThan(LIMIT);
    expect(Math.max(...bytes)).toBeGreaterThan(LIMIT - 40_000);
    const kept = full.indexOf(false);
    expect(kept).toBeGreaterThan(25);
    expect(full.slice(kept).some(Boolean)).toBe(false);
  });

  it('skips a body that is too large by itself', () => {
    const { full } = build([1_200_000, ...Array(20).fill(3_000)]);
    expect(full).toEqual([false, ...Array(20).fill(true)]);
  });

  it('drops the oldest items if even summaries are too large, and keeps the newest bodies', () => {
    const { bytes, full, items } = build(Array(900).fill(6_000), latest, '三'.repeat(500));
    expect(Math.max(...bytes)).toBeLessThan(LIMIT);
    expect(Math.max(...bytes)).toBeGreaterThan(LIMIT - 100_000);
    expect(full).toHaveLength(items);
    expect(items).toBeGreaterThan(200);
    const kept = full.indexOf(false);
    expect(kept).toBeGreaterThan(30);
    expect(full.slice(kept).some(Boolean)).toBe(false);
  });

  it('limits tombstones by their size, the newest first', () => {
    const retracted = Array.from({ length: 900 }, (_, index) =>
      article(`r${index}`, { status: { state: 'retracted', note: 'Wrong. '.repeat(100), at: NOW - index } }),
    );
    const atom = buildFeed(latest, config, { articles: [article('a')], retracted }).documents[1]?.body ?? '';
    expect(Buffer.byteLength(atom)).toBeLessThan(300_000);
    expect(atom.match(/<at:deleted-entry/g)?.length).toBeGreaterThan(200);
    expect(atom).toContain(`ref="${retracted[0]?.tagUri}"`);
  });

  it('drops no items of a window', () => {
    const { items, full } = build(Array(900).fill(300), window, '三'.repeat(500));
    expect(items).toBe(900);
    expect(full.some(Boolean)).toBe(false);
  });
});
