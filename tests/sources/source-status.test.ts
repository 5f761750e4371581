import type { CompiledQuery } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import { registerSources } from '../../src/sources/source-state.ts';
import { needsSomebody, readSourceStatus } from '../../src/sources/source-status.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { queryPlan, recordQueries } from '../support/recorded-queries.ts';
import { addOutletItems, OUTLET, SITE, setSource } from '../support/sources.ts';
import { openTestApp } from '../support/test-app.ts';

function openApp(store: Store) {
  const app = openTestApp(store, { feeds: ['latest'] });
  const sources: Config['sources'] = [OUTLET, SITE];
  return Object.assign(app, { config: { ...app.config, sources } });
}

const LIMIT = 20;

forEachDatabase((open) => {
  describe('the status of sources', () => {
    it('is unknown before the first poll, and of none without sources', async () => {
      const { store, config } = openApp(await open());
      const [site, outlet] = await readSourceStatus(store.db, config, NOW);
      const unknown = { api: null, state: 'new', polledAt: null, nextAt: null, lastDay: 0, waiting: 0, held: 0 };
      expect(site).toMatchObject({ id: SITE.id, url: SITE.url, ...unknown });
      expect(outlet).toMatchObject({ ...OUTLET, ...unknown });
      const none = await readSourceStatus(store.db, { ...config, sources: [] }, NOW);
      expect(none).toEqual([]);
    });

    it('has the last polls, the failures, and what is kept, new or waits', async () => {
      const { store, config } = openApp(await open());
      const { db } = store;
      await registerSources(db, config, [SITE], NOW);
      await registerSources(db, config, [OUTLET], NOW - DAY);
      const failure = { failures: 3, failing_since: NOW - HOUR };
      await setSource(
        db,
        { polled_at: NOW, succeeded_at: NOW - DAY, due_at: NOW + HOUR, repaired: 1, ...failure },
        OUTLET.id,
      );
      await setSource(
        db,
        { state: 'blocked', state_since: NOW - HOUR, reason: 'it asks visitors to prove that they are human' },
        OUTLET.id,
      );
      await addOutletItems(store.db, 'open', [HOUR, 2 * DAY]);
      await addOutletItems(store.db, 'held', [HOUR, 2 * DAY]);
      await addOutletItems(store.db, 'old', [2 * DAY]);
      const posts = [1, 30].map((hours) => ({
        ...{ source: SITE.id, item: `${hours}`, article_id: `our-site.${hours}`, published_at: NOW - hours * HOUR },
        withdrawal: 'waiting' as const,
      }));
      const held = { ...posts[0], source: SITE.id, item: 'held', article_id: 'our-site.held', published_at: NOW };
      await db
        .insertInto('source_items')
        .values([...posts, { ...held, withdrawal: null, hold: 'held' }])
        .execute();
      const [site, outlet] = await readSourceStatus(db, config, NOW);
      expect(outlet).toEqual({
        ...{ ...OUTLET, api: null, endpoint: null, state: 'blocked', since: NOW - HOUR, movedTo: null },
        ...{ reason: 'it asks visitors to prove that they are human', items: 5, lastDay: 1, waiting: 0, held: 2 },
        ...{ polledAt: NOW, succeededAt: NOW - DAY, nextAt: NOW + HOUR, pausedAt: null, isRepaired: true },
        ...{ failures: 3, failingSince: NOW - HOUR },
      });
      expect(site).toMatchObject({ id: SITE.id, items: 3, lastDay: 1, waiting: 2, held: 1, failures: 0, nextAt: NOW });
    });

    it('says of none that is gone or paused when it is polled next, and counts a flood up to a limit', async () => {
      const { store, config } = openApp(await open());
      const { db } = store;
      await registerSources(db, config, [SITE, OUTLET], NOW);
      await setSource(db, { polled_at: NOW });
      await setSource(db, { paused_at: NOW }, SITE.id);
      await setSource(db, { state: 'gone' }, OUTLET.id);
      await addOutletItems(db, 'held', new Array(LIMIT + 5).fill(HOUR));
      const [site, outlet] = await readSourceStatus(db, config, NOW, LIMIT);
      expect(site).toMatchObject({ state: 'paused', pausedAt: NOW, nextAt: null });
      expect(outlet).toMatchObject({ state: 'gone', nextAt: null, items: LIMIT, held: LIMIT });
    });

    it('begins again for a source with another use', async () => {
      const { store, config } = openApp(await open());
      const { db } = store;
      await registerSources(db, config, [SITE], NOW);
      await setSource(db, { polled_at: NOW, endpoint: 'https://site.example/feed' });
      const sources: Config['sources'] = [{ ...OUTLET, id: SITE.id }];
      expect(await readSourceStatus(db, { sources }, NOW)).toMatchObject([
        { state: 'new', polledAt: null, endpoint: null },
      ]);
    });
  });
});

it('reads ranges of indexes alone, however many items are stored', async () => {
  const { store, takeQueries } = recordQueries(await openMigrated());
  await readSourceStatus(store.db, openApp(store).config, NOW, LIMIT);
  const [query] = takeQueries() as [CompiledQuery];
  const plan = await queryPlan(store, query);
  const items = plan.filter((step) => /_items/.test(step));
  expect(items).toHaveLength(7);
  expect(items.filter((step) => !/^SEARCH (source|outlet)_items USING (COVERING )?INDEX/.test(step))).toEqual([]);
  await store.close();
});

it('needs somebody where daywire cannot help itself, or items wait', () => {
  const needs = (state: Parameters<typeof needsSomebody>[0]['state']) => needsSomebody({ state, waiting: 0, held: 0 });
  expect((['read', 'moved', 'dormant', 'waiting', 'new', 'paused'] as const).filter(needs)).toEqual([]);
  expect((['held', 'blocked', 'failing', 'gone'] as const).map(needs)).toEqual(new Array(4).fill(true));
  expect(needsSomebody({ state: 'read', waiting: 3, held: 0 })).toBe(true);
  expect(needsSomebody({ state: 'paused', waiting: 0, held: 3 })).toBe(true);
});
