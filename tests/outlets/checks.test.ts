import { describe, expect, it } from 'vitest';
import type { RoundupSource } from '../../src/core/config/schema.ts';
import { warning } from '../../src/core/finding.ts';
import { checkOutlets } from '../../src/outlets/checks.ts';
import { registerSources } from '../../src/sources/source-state.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';

const source = (id: string, outlet: string): RoundupSource => {
  return { id, url: `https://${id}.example/feed`, use: 'roundup', outlet };
};

forEachDatabase((open) => {
  describe('the check of outlets', () => {
    it('names those of which no item is known, under any id of their source', async () => {
      const store = await open();
      const sources = [source('one', 'Outlet one'), source('three', 'Outlet three'), source('null', 'Outlet null')];
      await registerSources(store.db, { sections: [] }, sources, NOW);
      await store.db.updateTable('sources').set({ polled_at: NOW, succeeded_at: NOW }).execute();
      for (const from of ['former-id', null]) {
        const url = 'https://outlet.example/report';
        const outlet = from === null ? 'Outlet null' : 'Outlet one';
        const item = { title: 'Report', url, canonical_url: url, first_seen_at: NOW, seen_at: NOW, outlet };
        await store.db
          .insertInto('outlet_items')
          .values({ ...item, source: from, state: 'open' })
          .execute();
      }
      const why = 'its feed has none that can be used; is it the right feed?';
      expect(await checkOutlets(store, { sources }, NOW)).toEqual([
        warning(`sources three: no item of Outlet three has ever come: ${why}`),
        warning(`sources null: no item of Outlet null has ever come: ${why}`),
      ]);
      const problem = { succeeded_at: null, state: 'blocked', state_since: NOW, reason: 'it answered 403' } as const;
      await store.db.updateTable('sources').set(problem).where('id', '=', 'three').execute();
      expect(await checkOutlets(store, { sources: [source('three', 'Outlet three')] }, NOW)).toEqual([
        warning(expect.stringMatching(/Outlet three has ever come: blocked since .*: it answered 403$/)),
      ]);
      expect(await checkOutlets(store, { sources: [] }, NOW)).toEqual([]);
    });

    it('names feeds that are configured twice', async () => {
      const [a, b] = [source('a', 'Outlet a'), source('b', 'Outlet b')];
      const sources = [a, b, { ...a, id: 'twin', url: `${a.url}#top` }, { ...a, id: 'other', outlet: 'Another Name' }];
      expect(await checkOutlets(await open(), { sources }, NOW)).toEqual([
        warning('sources twin: it has the address of a: remove one of them'),
        warning('sources other: it has the address of a, and would count as a second outlet: remove one of them'),
      ]);
    });
  });
});
