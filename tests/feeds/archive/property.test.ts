import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Article, isPublic } from '../../../src/articles/article.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';
import { archivesIn, differing, LATEST_ALONE, publishAt, walk } from './publish-at.ts';

type Step =
  | { kind: 'import'; count: number; backDays: number; embargoDays: number }
  | { kind: 'edit' | 'correct' | 'retract' | 'restore'; which: number }
  | { kind: 'wait'; days: number }
  /** The clock is set back. */
  | { kind: 'back'; days: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('import' as const),
      count: fc.integer({ min: 1, max: 130 }),
      backDays: fc.nat(800),
      embargoDays: fc.constantFrom(0, 0, 0, 40),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('edit' as const, 'correct' as const, 'retract' as const, 'restore' as const),
      which: fc.nat(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back' as const), days: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 45 }) }) },
);

forEachDatabase((open, dialect) => {
  it('a walk finds all but old articles that wait; pages only change with theirs, after any steps', async () => {
    let pages = 0;
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 9 }), async (steps) => {
      const store = await open();
      await run(store, steps);
      pages += (await archivesIn(store)).size;
    });
    // Random steps may close no page, so one run is given.
    const closing: Step[] = [
      { kind: 'import', count: 3, backDays: 0, embargoDays: 0 },
      { kind: 'wait', days: 40 },
      { kind: 'correct', which: 0 },
    ];
    await fc.assert(property, {
      numRuns: runs(dialect === 'sqlite' ? 12 : 4),
      examples: [[closing]],
      endOnFailure: true,
    });
    expect(pages).toBeGreaterThan(0);
  });
});

async function run(store: Store, steps: Step[]): Promise<void> {
  const articles: Article[] = [];
  let now = NOW;
  let latest = now;
  let before = await archivesIn(store);
  for (const one of steps) {
    now += HOUR;
    const edited = await apply(store, one, articles, now);
    if (one.kind === 'wait') now += one.days * DAY;
    if (one.kind === 'back') now -= one.days * DAY;
    now += MINUTE;
    latest = Math.max(latest, now);
    const report = await publishAt(store, LATEST_ALONE, now);
    expect(report).toMatchObject({ postponedUntil: null, superseded: [] });
    const publicAt = (instant: number): string[] =>
      articles
        .filter((each) => isPublic(each, instant - SECOND))
        .map(({ id }) => id)
        .sort();
    for (const format of ['atom', 'rss', 'json']) {
      const { ids } = await walk(store, `latest.${format}`);
      // After the clock has been set back, articles that had been public may or may not be found.
      const known = now === latest ? publicAt(now) : publicAt(latest);
      expect(known).toEqual(expect.arrayContaining(ids));
      const missing = publicAt(now).filter((id) => !ids.includes(id));
      expect(missing.length).toBeLessThan(50);
      const waiting = await store.db.selectFrom('archive_waiting').select('article_id').execute();
      expect(waiting.map((row) => row.article_id)).toEqual(expect.arrayContaining(missing));
      const news = articles.filter(({ id, publishedAt }) => missing.includes(id) && publishedAt > now - 2 * DAY);
      expect(news).toEqual([]);
    }
    const after = await archivesIn(store);
    const changed = differing(before, after).filter((path) => before.has(path));
    const page = edited === null ? null : await pathOf(store, edited);
    expect(changed.every((path) => page !== null && path.startsWith(`${page}.`))).toBe(true);
    expect([...before.keys()].every((path) => after.has(path))).toBe(true);
    before = after;
  }
  // Their pages are closed when the month is over.
  await publishAt(store, LATEST_ALONE, latest + 62 * DAY);
  // What became old only by that publish waits until its own month is over.
  await publishAt(store, LATEST_ALONE, latest + 93 * DAY);
  const all = articles.filter((each) => isPublic(each, latest + 92 * DAY)).map(({ id }) => id);
  expect((await walk(store, 'latest.atom')).ids).toEqual(all.sort());
}

/** @returns the id of the article that changes, or null */
async function apply(store: Store, one: Step, articles: Article[], now: number): Promise<string | null> {
  if (one.kind === 'wait' || one.kind === 'back') return null;
  if (one.kind === 'import') {
    const publishedAt = one.embargoDays > 0 ? now + one.embargoDays * DAY : now - one.backDays * DAY;
    const added = Array.from({ length: one.count }, (_, index) =>
      article(`a${articles.length + index}`, {
        publishedAt,
        updatedAt: publishedAt,
        ...(one.embargoDays > 0 ? { status: { state: 'scheduled', until: publishedAt } as const } : {}),
      }),
    );
    articles.push(...added);
    await saveAll(store, added, now);
    return null;
  }
  const index = one.which % Math.max(articles.length, 1);
  const before = articles[index];
  // Only articles that have been public are corrected, retracted or restored.
  if (before === undefined || before.publishedAt > now) return null;
  const status: Article['status'] =
    one.kind === 'correct'
      ? { state: 'corrected', note: 'It was wrong.', at: now }
      : one.kind === 'retract'
        ? { state: 'retracted', note: 'All of it was wrong.', at: now }
        : one.kind === 'restore'
          ? { state: 'published' }
          : before.status;
  const after = { ...before, headline: `${before.headline}.`, updatedAt: now, status };
  articles[index] = after;
  await saveAll(store, [after], now);
  return after.id;
}

async function pathOf(store: Store, id: string): Promise<string | null> {
  const rows = await store.db.selectFrom('archive_pages').select(['path', 'members']).execute();
  return rows.find(({ members }) => (JSON.parse(members) as string[]).includes(id))?.path ?? null;
}
