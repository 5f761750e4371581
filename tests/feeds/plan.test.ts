import type { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import { listUsedFacets } from '../../src/articles/facets/used-facets.ts';
import { findMonths } from '../../src/articles/months.ts';
import { findPublicArticles, findRetractedArticles } from '../../src/articles/queries.ts';
import { buildOwnFeed } from '../../src/audience/own-feed.ts';
import type { NewsletterConfig, Selection } from '../../src/core/config/config.ts';
import { deriveFeed } from '../../src/feeds/derived/derived.ts';
import { parseDerivedAddress } from '../../src/feeds/derived/derived-address.ts';
import { DAY } from '../../src/lib/time.ts';
import { article, saveAll } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { openMigrated } from '../support/databases.ts';
import { queryPlan, recordQueries } from '../support/recorded-queries.ts';
import { sampleConfig } from '../support/sample.ts';
import { feedsConfig } from './feeds-fixture.ts';

const config = feedsConfig();

const SELECTIONS: [Selection, string][] = [
  [{}, 'articles_by_time (published_at<?)'],
  [{ kinds: ['brief', 'analysis', 'feature'] }, 'articles_by_kind (kind=? AND published_at<?)'],
  [{ sections: ['world', 'trending'] }, 'articles_by_section (section=? AND kind=? AND published_at<?)'],
  [
    { sections: ['world'], kinds: ['brief', 'feature'] },
    'articles_by_section (section=? AND kind=? AND published_at<?)',
  ],
  [{ kickers: ['Exclusive', 'In Depth'], kinds: ['brief'] }, 'articles_by_kicker (kicker=? AND published_at<?)'],
  [{ tags: ['a', 'b'], sections: ['world'] }, 'article_tags_by_tag (tag=? AND published_at<?)'],
  [{ reporters: ['Mei Tan'], tags: ['a'] }, 'article_reporters_by_reporter (reporter=? AND published_at<?)'],
];

it.for(SELECTIONS)(
  'findPublicArticles reads the newest of %o from an index in order, without a scan or sort',
  async ([select, index]) => {
    const store = await openMigrated();
    const { store: recorded, takeQueries } = recordQueries(store);
    const planOfLast = (): Promise<string[]> => queryPlan(store, takeQueries().at(-1) as CompiledQuery);
    await findPublicArticles(recorded.db, { select, now: NOW, limit: 50 });
    const plan = await planOfLast();
    const reads = plan.filter((line) => /^(SCAN|SEARCH) article/.test(line) && !line.includes('autoindex'));
    expect(reads.length).toBeGreaterThan(0);
    for (const line of reads) expect(line).toContain(index);
    // Only several ranges are sorted, each up to its limit.
    const sorts = plan.filter((line) => line.includes('TEMP B-TREE'));
    expect(sorts.length > 0).toBe(reads.length > 1);
    await findRetractedArticles(recorded.db, select, NOW, 50);
    const retracted = (await planOfLast()).filter((line) => /^(SCAN|SEARCH) articles/.test(line));
    expect(retracted).toEqual(['SEARCH articles USING INDEX articles_by_note (noted_at>?)']);
  },
);

it('findPublicArticles reads a month from its end: of two upper bounds, SQLite would take the first', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  const window = { from: NOW - 60 * DAY, until: NOW - 30 * DAY };
  await findPublicArticles(recorded.db, { ...window, now: NOW, limit: 50 });
  const { sql, parameters } = takeQueries()[0] as CompiledQuery;
  expect(sql.match(/"published_at" <=? \?/g)).toHaveLength(1);
  expect(parameters).toContain(window.until - 1);
});

it('findMonths reads both ends of the index, and a range of it for each month', async () => {
  const store = await openMigrated();
  await saveAll(store, [article('a'), article('b', { publishedAt: NOW - 60 * DAY })]);
  const { store: recorded, takeQueries } = recordQueries(store);
  const months = await findMonths(recorded.db, NOW, 'UTC');
  expect(months.map(({ id }) => id)).toEqual(['2026-11', '2026-09']);
  const plans = await Promise.all(takeQueries().map((query) => queryPlan(store, query)));
  const reads = plans.map((plan) => plan.filter((line) => /articles|TEMP/.test(line)));
  const search = 'SEARCH articles USING COVERING INDEX articles_by_time';
  expect(reads).toEqual([
    [`${search} (published_at<?)`],
    [`${search} (published_at<?)`],
    [`${search.replace('articles', 'articles EXISTS')} (published_at>? AND published_at<?)`],
  ]);
});

it('buildOwnFeed scans no table', async () => {
  const store = await openMigrated();
  const bylines = [{ role: 'reporter' as const, name: 'Mei Tan', email: null }];
  await saveAll(store, [article('a', { tags: ['phones'], bylines })]);
  const { store: recorded, takeQueries } = recordQueries(store);
  const newsletter = sampleConfig().newsletters[0] as NewsletterConfig;
  const choice = { sections: ['world'], tags: ['phones'], reporters: ['mei-tan'], atLeast: 1 };
  const select = { sections: ['business-tech'], tags: ['phones'] };
  for (const one of [newsletter, { ...newsletter, select }]) {
    const own = { newsletter: one, choice, format: 'atom' as const, token: 'x' };
    expect((await buildOwnFeed(recorded.db, config, own, NOW))?.body).toContain('Headline of a');
  }
  const plans = await Promise.all(takeQueries().map((query) => queryPlan(store, query)));
  expect(plans.length).toBeGreaterThanOrEqual(9);
  expect(plans.flat().filter(isScanOfTable)).toEqual([]);
});

it.each([
  'section/world.atom',
  'kicker/in-depth.atom',
  'tag/phones.atom',
  'reporter/mei-tan.atom',
  'custom.atom?section=world&kind=brief&kind=feature',
  'custom.atom?kicker=in-depth&section=world&kind=brief',
  'custom.atom?kicker=in-depth&tag=phones&tag=chips&reporter=mei-tan&reporter=lin-ye&section=world&kind=brief',
])('deriveFeed for %s scans no table', async (asked) => {
  const store = await openMigrated();
  const bylines = ['Mei Tan', 'Lin Ye'].map((name) => ({ role: 'reporter' as const, name, email: null }));
  await saveAll(store, [article('a', { tags: ['phones', 'chips'], kicker: 'In Depth', bylines })]);
  const { store: recorded, takeQueries } = recordQueries(store);
  const [path = '', query] = asked.split('?');
  const parsed = parseDerivedAddress(path, new URLSearchParams(query), config);
  if (parsed?.kind !== 'derived') throw new Error(parsed?.reason);
  expect(await deriveFeed(recorded.db, config, parsed.address, NOW)).not.toBeNull();
  await listUsedFacets(recorded.db, NOW);
  const plans = await Promise.all(takeQueries().map((query) => queryPlan(store, query)));
  expect(plans.length).toBeGreaterThanOrEqual(4);
  expect(plans.flat().filter(isScanOfTable)).toEqual([]);
});

/** Other scans are of rows that a limit has bounded. */
function isScanOfTable(line: string): boolean {
  return /^SCAN (?!(?:seen|recent|one_range|ranges|newest|ranked|range|retracted|\(subquery-\d+\)|r)\b)/.test(line);
}
