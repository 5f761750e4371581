import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { countOutletItems, findOutletsWithoutItems } from '../../../src/outlets/items/item-counts.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';

forEachDatabase((open) => {
  describe('numbers of outlet items', () => {
    it('counts the items of each source, and names the outlets that have none', async () => {
      const { db } = await open();
      const rows = [
        { source: 'one', state: 'open', first_seen_at: NOW - HOUR },
        { source: 'one', state: 'old', first_seen_at: NOW - 2 * DAY },
        { source: 'two', state: 'held', first_seen_at: NOW - HOUR },
        { source: null, state: 'open', first_seen_at: NOW },
      ] as const;
      for (const row of rows) {
        const url = 'https://outlet.example/report';
        const item = { title: 'Report', url, canonical_url: url, seen_at: NOW, outlet: `Outlet ${row.source}` };
        await db
          .insertInto('outlet_items')
          .values({ ...item, ...row })
          .execute();
      }
      expect(await countOutletItems(db, NOW)).toEqual([
        { source: 'one', items: 2, lastDay: 1, held: 0 },
        { source: 'two', items: 1, lastDay: 0, held: 1 },
      ]);
      expect(await findOutletsWithoutItems(db, ['Outlet one', 'Outlet three', 'Outlet null'])).toEqual([
        'Outlet three',
        'Outlet null',
      ]);
      expect(await findOutletsWithoutItems(db, [])).toEqual([]);
    });
  });
});
