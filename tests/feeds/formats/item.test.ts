import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ItemResult, learnItems } from '../../../src/feeds/formats/item.ts';
import { TurnTimer } from '../../../src/lib/concurrency/turn-timer.ts';
import { article } from '../../support/articles.ts';
import { feedsConfig } from '../feeds-fixture.ts';

afterEach(() => vi.restoreAllMocks());

describe('learnItems', () => {
  it('lets the rest of the process run between articles that take long', async () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 10));
    const known = new Map<string, ItemResult>();
    const seen: number[] = [];
    const watch = (): void => {
      seen.push(known.size);
      if (known.size < 4) setImmediate(watch);
    };
    setImmediate(watch);
    const articles = ['a', 'b', 'c', 'd'].map((id) => article(id));
    await learnItems(articles, feedsConfig(), known, new TurnTimer());
    expect([...known.keys()]).toEqual(['a', 'b', 'c', 'd']);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen[0]).toBeLessThan(4);
  });
});
