import { describe, expect, it } from 'vitest';
import type { ArticleSource, Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { registerOutlets } from '../../../src/outlets/polling/outlet-feeds.ts';
import { COUNTED_ITEMS, readSourceHealth } from '../../../src/sources/desk/source-health.ts';
import { registerSources } from '../../../src/sources/source-state.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openTestApp } from '../../support/test-app.ts';

const SITE: ArticleSource = {
  ...{ id: 'our-site', url: 'https://site.example', pollMinutes: 5, sections: {}, kinds: {} },
  ...({ use: 'articles', api: 'auto', membersOnly: 'teaser', withdrawn: 'retract' } as const),
};
const OUTLET = { id: 'post', url: 'https://post.example/feed', use: 'roundup', outlet: 'The Post' } as const;

function openApp(store: Store) {
  const app = openTestApp(store, { feeds: ['latest'] });
  const sources: Config['sources'] = [OUTLET, SITE];
  return Object.assign(app, { config: { ...app.config, sources } });
}

async function addItems(store: Store, state: 'open' | 'held' | 'old', ages: number[]): Promise<void> {
  const rows = ages.map((age, n) => ({
    ...{ source: OUTLET.id, outlet: OUTLET.outlet, title: `Report ${n}`, url: `https://post.example/${n}`, state },
    ...{ first_seen_at: NOW - age, seen_at: NOW },
  }));
  await store.db.insertInto('outlet_items').values(rows).execute();
}

forEachDatabase((open) => {
  describe('the health of sources', () => {
    it('is unknown before the first poll, and of none without sources', async () => {
      const app = openApp(await open());
      const { sites, outlets } = await readSourceHealth(app, NOW);
      expect(sites).toMatchObject([
        { source: SITE, api: null, polledAt: null, nextAt: null, lastDay: 0, withdrawn: 0 },
      ]);
      expect(outlets).toMatchObject([{ source: OUTLET, state: null, polledAt: null, lastDay: 0, held: 0 }]);
      const none = await readSourceHealth({ ...app, config: { ...app.config, sources: [] } }, NOW);
      expect(none).toEqual({ sites: [], outlets: [] });
    });

    it('has the last polls, the failures, and what is new or waits', async () => {
      const app = openApp(await open());
      const { db } = app.store;
      await registerSources(db, app.config, NOW);
      await registerOutlets(db, [OUTLET], NOW - DAY);
      const failure = { failures: 3, failing_since: NOW - HOUR, problem: 'post.example answered 403' };
      await db
        .updateTable('sources')
        .set({ polled_at: NOW, succeeded_at: NOW - DAY, due_at: NOW + HOUR, repaired: 1, ...failure })
        .where('id', '=', OUTLET.id)
        .execute();
      await db
        .updateTable('outlet_feeds')
        .set({ state: 'blocked', state_since: NOW - HOUR, reason: 'it asks visitors to prove that they are human' })
        .execute();
      await addItems(app.store, 'open', [HOUR, 2 * DAY]);
      await addItems(app.store, 'held', [HOUR, 2 * DAY]);
      const posts = [1, 30].map((hours) => ({
        ...{ source: SITE.id, item: `${hours}`, article_id: `our-site.${hours}`, published_at: NOW - hours * HOUR },
        withdrawal: 'waiting' as const,
      }));
      await db.insertInto('source_items').values(posts).execute();
      const { sites, outlets } = await readSourceHealth(app, NOW);
      expect(outlets).toEqual([
        {
          ...{ source: OUTLET, endpoint: null, state: 'blocked', since: NOW - HOUR, movedTo: null },
          ...{ reason: 'it asks visitors to prove that they are human', lastDay: 1, held: 2 },
          ...{ polledAt: NOW, succeededAt: NOW - DAY, nextAt: NOW + HOUR, pausedAt: null, isRepaired: true },
          ...{ failures: 3, failingSince: NOW - HOUR, problem: 'post.example answered 403' },
        },
      ]);
      expect(sites).toMatchObject([{ source: SITE, lastDay: 1, withdrawn: 2, failures: 0, nextAt: NOW }]);
    });

    it('says of none that is gone or paused when it is polled next, and counts a flood up to a limit', async () => {
      const app = openApp(await open());
      const { db } = app.store;
      await registerSources(db, app.config, NOW);
      await registerOutlets(db, [OUTLET], NOW);
      await db.updateTable('sources').set({ polled_at: NOW }).execute();
      await db.updateTable('sources').set({ paused_at: NOW }).where('id', '=', SITE.id).execute();
      await db.updateTable('outlet_feeds').set({ state: 'gone', reason: 'answered 410' }).execute();
      await addItems(app.store, 'held', new Array(COUNTED_ITEMS + 5).fill(HOUR));
      const { sites, outlets } = await readSourceHealth(app, NOW);
      expect(sites[0]).toMatchObject({ pausedAt: NOW, nextAt: null });
      expect(outlets[0]).toMatchObject({ state: 'gone', nextAt: null, held: COUNTED_ITEMS });
    });
  });
});
