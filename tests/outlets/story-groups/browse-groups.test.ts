import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { browseGroups, type GroupFilter, readGroupingState } from '../../../src/outlets/story-groups/browse-groups.ts';
import { changeGroups } from '../../../src/outlets/story-groups/change-groups.ts';
import type { GroupCommand } from '../../../src/outlets/story-groups/commands.ts';
import type { GroupRank } from '../../../src/outlets/story-groups/rank-groups.ts';
import { readGroupingTask, writeGrouping } from '../../../src/outlets/story-groups/regroup.ts';
import type { GroupedItem } from '../../../src/outlets/story-groups/story-group.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { groupedItem, storeGroup } from '../../support/outlet-items.ts';
import { setItem } from '../../support/sources.ts';
import { openTestApp } from '../../support/test-app.ts';

/** A report that is so many minutes old. */
function report(outlet: string, minutes: number): GroupedItem {
  const at = NOW - minutes * MINUTE;
  return groupedItem(0, { outlet, title: `${outlet} reports`, publishedAt: at, firstSeenAt: at });
}

forEachDatabase((open) => {
  async function openGroups(groups: GroupedItem[][]) {
    const app = openTestApp(await open());
    const ids: number[] = [];
    for (const items of groups) ids.push((await storeGroup(app.store.db, items))[0]?.id as number);
    const change = (id: number, command: GroupCommand) =>
      changeGroups(app.store, [{ items: [id], seen: null }], command, { editor: 'Ada', now: NOW });
    const browse = (filter: GroupFilter, limit = 10, after: GroupRank | null = null) =>
      browseGroups(app, { filter, limit, after });
    const idsOf = async (filter: GroupFilter) => (await browse(filter)).groups.map(({ group }) => group.id);
    return { app, ids, change, browse, idsOf };
  }

  describe('browseGroups', () => {
    it('has the groups of each state, and counts those of the others', async () => {
      const { ids, change, browse, idsOf, app } = await openGroups([
        [report('A', 1), report('B', 2), report('C', 3)],
        [report('A', 4), report('B', 5)],
        [report('A', 6)],
        [report('A', 7)],
        [report('A', 27 * 60)],
      ]);
      const [open_, picked, ruled, dropped] = ids as [number, number, number, number];
      await change(picked, { kind: 'pick', text: 'Ours.' });
      await change(ruled, { kind: 'rule' });
      await change(dropped, { kind: 'drop' });
      await changeGroups(
        app.store,
        [{ items: [open_], seen: null }],
        { kind: 'first', item: open_ },
        { editor: 'Ada', now: NOW },
      );
      expect(await idsOf('current')).toEqual([open_, picked, ruled]);
      expect(await idsOf('all')).toEqual([open_, picked, ruled, dropped]);
      expect([await idsOf('open'), await idsOf('picked')]).toEqual([[open_], [picked]]);
      expect([await idsOf('by-rule'), await idsOf('dropped')]).toEqual([[ruled], [dropped]]);
      // A report that joins the pick.
      const [late] = await storeGroup(app.store.db, [report('D', 8)]);
      await setItem(app.store.db, Number(late?.id), { group_id: picked });
      const page = await browse('updated');
      expect(page.groups).toMatchObject([{ group: { id: picked, items: { length: 3 } }, newestAt: NOW - 4 * MINUTE }]);
      expect(page).toMatchObject({
        ...{ now: NOW, windowHours: 26, seen: 4, more: 0, sources: 0 },
        counts: { current: 3, open: 1, picked: 1, 'by-rule': 1, updated: 1, dropped: 1, all: 4 },
      });
    });

    it('continues after the last group of the page before, also when a group between has gone', async () => {
      const { browse, change } = await openGroups(Array.from({ length: 5 }, (_, index) => [report('A', index)]));
      const first = await browse('current', 2);
      expect([first.groups.map(({ group }) => group.id), first.more]).toEqual([[1, 2], 3]);
      await change(2, { kind: 'drop' });
      const [, last] = first.groups;
      const second = await browse('current', 2, last?.rank);
      expect([second.groups.map(({ group }) => group.id), second.more]).toEqual([[3, 4], 1]);
      const third = await browse('current', 2, second.groups[1]?.rank);
      expect([third.groups.map(({ group }) => group.id), third.more]).toEqual([[5], 0]);
    });

    it('continues after the last group when others of its theme are dropped, and when a report comes', async () => {
      const floods = Array.from({ length: 8 }, (_, index) => [
        { ...report(`Outlet ${index}`, 10 * index), title: `Floods ${index}` },
      ]);
      const { app, ids, browse, change, idsOf } = await openGroups([...floods, [report('Other', 75)]]);
      const order = await idsOf('current');
      expect(order.slice(0, 3)).toEqual([ids[0], ids[1], ids[8]]);
      const after = (await browse('current', 4)).groups[3]?.rank;
      const following = async () => (await browse('current', 10, after)).groups.map(({ group }) => group.id);
      for (const id of order.slice(0, 2)) await change(id, { kind: 'drop' });
      expect(await following()).toEqual(order.slice(4));
      const [late] = await storeGroup(app.store.db, [{ ...report('Late', 0), title: 'Floods again' }]);
      expect(await following()).toEqual(expect.arrayContaining(order.slice(4)));
      expect((await idsOf('current'))[0]).toBe(late?.id);
    });

    it('puts what a feed has first before what it has last, and events of two outlets before both', async () => {
      const { app, ids, idsOf } = await openGroups([
        [report('A', 1)],
        [report('B', 50), report('B', 40)],
        [report('C', 50), report('D', 60)],
      ]);
      const [low, high, event] = ids as [number, number, number];
      expect(await idsOf('current')).toEqual([event, low, high]);
      for (const [id, position] of [
        [low, 6],
        [high, 0],
        [high + 1, 20],
      ] as const) {
        await setItem(app.store.db, id, { position });
      }
      expect(await idsOf('current')).toEqual([event, high, low]);
    });

    it('has similar groups of any page, says when they were grouped, and what waits for that', async () => {
      const { app, browse } = await openGroups([[report('A', 1)], [report('B', 2)]]);
      expect(await readGroupingState(app)).toEqual({ groupedAt: null, waiting: { count: 0, since: null } });
      const task = await readGroupingTask(app.store.db, { now: NOW, windowMs: 26 * HOUR, language: 'en' });
      const suggestions = [{ groupId: 1, otherId: 2, similarity: 0.4 }];
      await writeGrouping(app.store, task, { groups: [], suggestions });
      const [first] = (await browse('current', 1)).groups;
      expect(first).toMatchObject({ group: { id: 1 }, similar: [2] });
      await storeGroup(app.store.db, [report('C', 5), report('D', 3), report('E', 30 * 60)], 'ungrouped');
      expect(await readGroupingState(app)).toEqual({
        groupedAt: NOW,
        waiting: { count: 2, since: NOW - 5 * MINUTE },
      });
    });
  });
});
