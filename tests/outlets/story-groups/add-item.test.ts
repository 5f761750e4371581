import { describe, expect, it } from 'vitest';
import type { Tx } from '../../../src/core/store/store.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { recordOutletItems } from '../../../src/outlets/items/outlet-items.ts';
import type { OutletEntry } from '../../../src/outlets/items/usable-entry.ts';
import { addItem } from '../../../src/outlets/story-groups/add-report.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { addSource } from '../../support/sources.ts';

const OUTLET = 'The Outlet';

const entry = (name: string, change: Partial<OutletEntry> = {}): OutletEntry => ({
  ...{ guid: `urn:${name}`, isPermaLink: false, link: `https://outlet.example/${name}`, title: 'Morning briefing' },
  ...{ summary: null, publishedAt: NOW - HOUR, language: null, imageUrl: null },
  ...change,
});

forEachDatabase((open) => {
  describe('addItem', () => {
    it('adds an item that the feed knows later, and takes no key of another one', async () => {
      const store = await open();
      await addSource(store.db, 'outlet');
      const read = (entries: OutletEntry[]) => {
        const times = { now: NOW, windowMs: 26 * HOUR };
        return recordOutletItems(store.db, { id: 'outlet', fence: 0 }, OUTLET, entries, times);
      };
      await read([entry('one')]);
      const report = {
        ...entry('two'),
        title: 'Morning briefing',
        outlet: OUTLET,
        url: 'https://www.outlet.example/two?utm_source=mail',
      };
      expect(await addItem(store, report, NOW)).toMatchObject({ id: 2, isNew: true });
      const keys = async () => {
        const rows = await store.db.selectFrom('outlet_item_keys').select('item').execute();
        return [1, 2].map((id) => rows.filter(({ item }) => item === id).length);
      };
      const [ofFirst, ofAdded] = (await keys()) as [number, number];
      // The title and the day are still those of the first item, which has the new link from now on.
      const moved = entry('one', { guid: null, link: 'https://outlet.example/new-address' });
      expect(await read([moved])).toMatchObject({ added: 0, known: 1 });
      expect(await keys()).toEqual([ofFirst + 1, ofAdded]);
      expect(await read([entry('two'), entry('one')])).toMatchObject({ added: 0, known: 2 });
    });

    it('adds what the caller records to the transaction, once for a report', async () => {
      const store = await open();
      const add = (onCommit: (tx: Tx, id: number) => Promise<void>) =>
        addItem(
          store,
          { ...entry('one'), title: 'One', outlet: OUTLET, url: 'https://outlet.example/one' },
          NOW,
          onCommit,
        );
      const count = async () => (await store.db.selectFrom('outlet_items').select('id').execute()).length;
      await expect(add(() => Promise.reject(new Error('the audit log is full')))).rejects.toThrow('is full');
      expect(await count()).toBe(0);
      const recorded: number[] = [];
      const record = async (_: Tx, id: number): Promise<void> => void recorded.push(id);
      const { id } = await add(record);
      expect(await add(record)).toMatchObject({ id, isNew: false });
      expect(recorded).toEqual([id]);
    });
  });
});
