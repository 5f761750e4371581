import { describe, expect, it } from 'vitest';
import type { Db, Store } from '../../../src/core/store/store.ts';
import { DAY } from '../../../src/lib/time.ts';
import { deleteOldItems } from '../../../src/outlets/items/item-retention.ts';
import { recordOutletItems } from '../../../src/outlets/items/outlet-items.ts';
import type { OutletEntry } from '../../../src/outlets/items/usable-entry.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { addSource, setItem } from '../../support/sources.ts';

const entry = (name: string): OutletEntry => ({
  ...{ guid: name, isPermaLink: false, link: `https://outlet.example/${name}`, title: name },
  ...{ summary: null, publishedAt: null, language: null, imageUrl: null },
});

/** Records a document of the source `outlet` that has these entries. */
async function read(db: Db, names: string[], now: number): Promise<void> {
  const times = { now, windowMs: DAY };
  await recordOutletItems(db, { id: 'outlet', fence: 0 }, 'The Outlet', names.map(entry), times);
}

async function open({ db }: Store): Promise<Db> {
  await addSource(db, 'outlet');
  return db;
}

const titles = async (db: Db) =>
  (await db.selectFrom('outlet_items').select('title').orderBy('id').execute()).map(({ title }) => title);

forEachDatabase((openStore) => {
  describe('deleteOldItems', () => {
    it('deletes what a feed has not had for 60 days, and its keys', async () => {
      const db = await open(await openStore());
      await read(db, ['kept', 'gone'], NOW);
      await read(db, ['kept', 'later'], NOW + DAY);
      await read(db, ['kept'], NOW + 61 * DAY);
      expect(await deleteOldItems(db, ['outlet'], NOW + 61 * DAY)).toBe(1);
      expect((await titles(db)).toSorted()).toEqual(['kept', 'later']);
      const keys = await db.selectFrom('outlet_item_keys').select('item').distinct().execute();
      expect(keys).toHaveLength(2);
      expect(await deleteOldItems(db, ['outlet'], NOW + 61 * DAY)).toBe(0);
    });

    it('keeps what the last document had, however long ago that was read', async () => {
      const db = await open(await openStore());
      await read(db, ['one', 'two'], NOW);
      expect(await deleteOldItems(db, ['outlet'], NOW + 400 * DAY)).toBe(0);
      // It is no longer configured, so it is not read again.
      expect(await deleteOldItems(db, [], NOW + 400 * DAY)).toBe(2);
    });

    it('keeps the items of picked groups, and forgets decisions on groups that have none left', async () => {
      const db = await open(await openStore());
      await read(db, ['picked', 'dropped'], NOW);
      const rows = await db.selectFrom('outlet_items').select(['id', 'title']).execute();
      for (const { id, title } of rows) {
        const state = title as 'picked' | 'dropped';
        await setItem(db, id, { group_id: id });
        await db.insertInto('story_groups').values({ id, state, editor: 'ann', updated_at: NOW }).execute();
      }
      expect(await deleteOldItems(db, [], NOW + 61 * DAY)).toBe(1);
      expect(await titles(db)).toEqual(['picked']);
      expect(await db.selectFrom('story_groups').select('state').execute()).toEqual([{ state: 'picked' }]);
    });

    it('forgets after 60 days what once belonged to several items', async () => {
      const db = await open(await openStore());
      const shared = (name: string): OutletEntry => ({ ...entry(name), guid: 'urn:feed' });
      const times = { now: NOW, windowMs: DAY };
      await recordOutletItems(db, { id: 'outlet', fence: 0 }, 'The Outlet', ['one', 'two'].map(shared), times);
      const voids = () => db.selectFrom('outlet_item_keys').select('stored_at').where('item', 'is', null).execute();
      await deleteOldItems(db, ['outlet'], NOW + 59 * DAY);
      expect(await voids()).toEqual([{ stored_at: NOW }]);
      await deleteOldItems(db, ['outlet'], NOW + 61 * DAY);
      expect(await voids()).toEqual([]);
    });

    it('keeps the newest keys of an item whose feed renames it with every poll', async () => {
      const db = await open(await openStore());
      const times = (poll: number) => ({ now: NOW + poll, windowMs: DAY });
      const renamed = (poll: number): OutletEntry => ({ ...entry('one'), guid: `urn:${poll}` });
      const claim = { id: 'outlet', fence: 0 };
      for (let poll = 0; poll < 50; poll++)
        await recordOutletItems(db, claim, 'The Outlet', [renamed(poll)], times(poll));
      await deleteOldItems(db, ['outlet'], NOW + 50);
      const keys = await db.selectFrom('outlet_item_keys').select('key').execute();
      const kinds = keys.map(({ key }) => key.split(':')[0]);
      expect(kinds.filter((kind) => kind === 'guid')).toHaveLength(10);
      expect(kinds.filter((kind) => kind !== 'guid').toSorted()).toEqual(['link', 'undated']);
      const moved = { ...renamed(49), link: 'https://outlet.example/moved', title: 'Corrected' };
      expect(await recordOutletItems(db, claim, 'The Outlet', [moved], times(51))).toMatchObject({
        added: 0,
        known: 1,
      });
    });
  });
});
