import { describe, expect, it } from 'vitest';
import type { Store, Tx } from '../../../src/core/store/store.ts';
import {
  changeGroups,
  GroupConflictError,
  lastCommandNumber,
  readRoundupLog,
  UnpublishedChangeError,
} from '../../../src/outlets/story-groups/change-groups.ts';
import type { GroupCommand } from '../../../src/outlets/story-groups/commands.ts';
import { markPublished, readGroups, readUnpublishedGroups } from '../../../src/outlets/story-groups/group-rows.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { groupedItem, storeGroup } from '../../support/outlet-items.ts';
import { setItem } from '../../support/sources.ts';

const PICK: GroupCommand = { kind: 'pick', text: 'Our sentence.' };

forEachDatabase((open) => {
  async function openGroups() {
    const store = await open();
    const a = (await storeGroup(store.db, [groupedItem(1), groupedItem(2)])).map(({ id }) => id) as [number, number];
    const [b] = (await storeGroup(store.db, [groupedItem(3)])).map(({ id }) => id) as [number];
    const change = (items: number[], command: GroupCommand, editor = 'Ada', seen: number | null = null) =>
      changeGroups(store, [{ items, seen }], command, { editor, now: NOW });
    return { store, a, b, change };
  }

  async function groupIds({ db }: Store) {
    const rows = await db.selectFrom('outlet_items').select(['id', 'group_id']).orderBy('id').execute();
    return rows.map(({ group_id }) => group_id);
  }

  describe('changeGroups', () => {
    it('stores a pick with its log entry, to be published', async () => {
      const { store, a, change } = await openGroups();
      const [picked] = await change(a, PICK);
      expect(picked).toMatchObject({ id: a[0], decision: { articleId: `roundup-${a[0]}`, revision: 1 } });
      expect((await readGroups(store.db, [a[0]])).get(a[0])).toEqual(picked);
      expect(await readUnpublishedGroups(store.db)).toEqual([picked]);
      expect(await readRoundupLog(store.db, { limit: 9 })).toEqual([
        { number: 1, at: NOW, editor: 'Ada', command: PICK, groups: [a[0]], items: a, headline: 'Report 1' },
      ]);
      await store.db.transaction().execute((tx) => markPublished(tx, `roundup-${a[0]}`, 1));
      expect(await readUnpublishedGroups(store.db)).toEqual([]);
    });

    it('adds what the caller records to the transaction of a change, and to no other', async () => {
      const { store, a } = await openGroups();
      const mark = (command: GroupCommand, also: () => void = () => {}) => {
        const onCommit = async (tx: Tx) => {
          const value = String(await lastCommandNumber(tx));
          await tx
            .insertInto('meta')
            .values({ key: `mark ${value}`, value })
            .execute();
          also();
        };
        return changeGroups(store, [{ items: a, seen: null }], command, { editor: 'Ada', now: NOW, onCommit });
      };
      const marks = () => store.db.selectFrom('meta').select('value').where('key', 'like', 'mark %').execute();
      const fail = () => {
        throw new Error('the audit log is full');
      };
      await expect(mark(PICK, fail)).rejects.toThrow('the audit log is full');
      expect([await marks(), await lastCommandNumber(store.db)]).toEqual([[], 0]);
      expect((await readGroups(store.db, [a[0]])).get(a[0])?.decision).toBeNull();
      await mark({ kind: 'rule' });
      // Its reports are credited already: nothing changes.
      expect(await mark({ kind: 'rule' })).toEqual([]);
      await expect(mark({ kind: 'restore' })).rejects.toThrow('a rule picked it');
      expect(await marks()).toEqual([{ value: String(await lastCommandNumber(store.db)) }]);
    });

    it('moves reports between groups, and forgets groups that are merged away', async () => {
      const { store, a, b, change } = await openGroups();
      await changeGroups(
        store,
        [a, [b]].map((items) => ({ items, seen: null })),
        { kind: 'merge' },
        { editor: 'Ada', now: NOW },
      );
      expect(await groupIds(store)).toEqual([a[0], a[0], a[0]]);
      await change([a[0]], { kind: 'split', items: [a[0]] });
      expect(await groupIds(store)).toEqual([a[0], a[1], a[1]]);
      expect(
        (await store.db.selectFrom('story_groups').select('id').orderBy('id').execute()).map(({ id }) => id),
      ).toEqual(a);
    });

    it('refuses the command of an editor who has not seen what another one did, and writes nothing', async () => {
      const { store, a, change } = await openGroups();
      const seen = await lastCommandNumber(store.db);
      await change(a, { kind: 'drop' }, 'Bo', seen);
      const refused = await change(a, PICK, 'Ada', seen).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(GroupConflictError);
      expect(refused).toMatchObject({
        message: 'Bo changed it since you looked',
        entries: [{ command: { kind: 'drop' } }],
      });
      expect(await lastCommandNumber(store.db)).toBe(1);
      // His own command, and one with a fresh look.
      await change(a, { kind: 'restore' }, 'Bo', seen);
      await change(a, PICK, 'Ada', await lastCommandNumber(store.db));
    });

    it('refuses a group whose reports were grouped otherwise meanwhile, and finds it by the report alone', async () => {
      const { store, a, change } = await openGroups();
      await setItem(store.db, a[1], { group_id: a[1] });
      await expect(change(a, PICK, 'Ada', 0)).rejects.toThrow(
        'its reports have been grouped otherwise since you looked',
      );
      const [picked] = await change([a[1]], PICK);
      expect(picked?.items).toHaveLength(1);
      await expect(change([999], PICK)).rejects.toThrow('there is no group with report 999');
    });

    it('credits what the editor saw in his list, though a report has come since', async () => {
      const { store, a, b, change } = await openGroups();
      await setItem(store.db, b, { group_id: a[0] });
      const [picked] = await change(a, PICK, 'Ada', 0);
      expect(picked).toMatchObject({ decision: { creditedItems: a } });
      expect(picked?.items).toHaveLength(3);
    });

    it('lets one of two simultaneous picks win, and refuses the other', async () => {
      const { store, a, change } = await openGroups();
      const picks = await Promise.allSettled(['Ada', 'Bo'].map((editor) => change(a, PICK, editor, 0)));
      expect(picks.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(await lastCommandNumber(store.db)).toBe(1);
    });

    it('does not give up a group whose retraction has not been published', async () => {
      const { store, a, b, change } = await openGroups();
      await change([b], PICK);
      await change([b], { kind: 'restore' });
      const merge = () =>
        changeGroups(
          store,
          [a, [b]].map((items) => ({ items, seen: null })),
          { kind: 'merge' },
          { editor: 'Ada', now: NOW },
        );
      await expect(merge()).rejects.toThrow(UnpublishedChangeError);
      await store.db.transaction().execute((tx) => markPublished(tx, `roundup-${b}`, 2));
      await merge();
      expect(await groupIds(store)).toEqual([a[0], a[0], a[0]]);
    });

    it('never uses the id of an article again', async () => {
      const { a, change } = await openGroups();
      await change(a, PICK);
      await change(a, { kind: 'split', items: [a[0]] });
      const [own] = await change([a[0]], PICK);
      expect(own?.decision?.articleId).toBe(`roundup-${a[0]}-2`);
    });
  });
});
