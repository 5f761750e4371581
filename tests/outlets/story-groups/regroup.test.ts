import { describe, expect, it } from 'vitest';
import { findArticle } from '../../../src/articles/queries.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { JobError } from '../../../src/lib/threads/pool-thread.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { changeGroups, readRoundupLog } from '../../../src/outlets/story-groups/change-groups.ts';
import { decideGroups, type GroupCommand } from '../../../src/outlets/story-groups/commands.ts';
import { readGroups } from '../../../src/outlets/story-groups/group-rows.ts';
import { groupInThread, isLetIn, regroup, regroupIfDue } from '../../../src/outlets/story-groups/regroup.ts';
import { type GroupedItem, newItems, type StoryGroup } from '../../../src/outlets/story-groups/story-group.ts';
import { openAlerts } from '../../support/alerts.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { automaticGroup, groupedItem, storeGroup } from '../../support/outlet-items.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

const BRIDGE = [
  'Harbour bridge closes for repairs after cracks found',
  'Cracks found: harbour bridge closes for repairs',
  'Harbour bridge closes after cracks found, repairs begin',
];

/** @param rule outlets that let a group in */
async function openNewsroom(open: () => Promise<Store>, rule: number | null = null) {
  const store = await open();
  const app = openTestApp(store);
  // The rule of the newsletter that asks for the fewest outlets lets a group in.
  const newsletters = app.config.newsletters.flatMap((one) =>
    one.id === 'daily-roundup' && rule !== null
      ? [
          { ...one, autoPick: rule },
          { ...one, id: 'strict', autoPick: 20 },
        ]
      : one,
  );
  Object.assign(app, { config: { ...app.config, newsletters } });
  return { store, app };
}

async function report(store: Store, number: number, change: Partial<GroupedItem> = {}): Promise<number> {
  const [item] = await storeGroup(store.db, [groupedItem(number, change)], 'ungrouped');
  return item?.id as number;
}

const bridge = (store: Store, number: number) => report(store, number, { title: BRIDGE[number - 1] as string });

/** Groups as usual, and is not sure of some items. */
function unsureOf(...items: number[]): typeof groupInThread {
  return async (input, signal) => {
    const { groups, suggestions } = await groupInThread(input, signal);
    const isSure = (item: number): boolean => !items.includes(item);
    return { groups: groups.map((group) => ({ ...group, certain: group.items.filter(isSure) })), suggestions };
  };
}

async function groupsOf(store: Store) {
  const rows = await store.db.selectFrom('outlet_items').select(['id', 'group_id']).orderBy('id').execute();
  return [...Map.groupBy(rows, ({ group_id }) => group_id).values()].map((group) => group.map(({ id }) => id));
}

function command({ store, now }: TestApp, items: number[], one: GroupCommand) {
  return changeGroups(store, [{ items, seen: null }], one, { editor: 'Ada', now });
}

forEachDatabase((open) => {
  describe('regroup', () => {
    it('groups reports of one event, and does it again without a change', async () => {
      const { store, app } = await openNewsroom(open);
      const [a, b, c] = [await bridge(store, 1), await bridge(store, 2), await report(store, 4)] as const;
      expect(await regroup(app)).toEqual({ moved: 3, byRule: 0, articles: 0, problem: null });
      expect(await groupsOf(store)).toEqual([[a, b], [c]]);
      expect(await regroup(app)).toEqual({ moved: 0, byRule: 0, articles: 0, problem: null });
    });

    it('puts two reports of an outlet into two groups, however its feeds name it', async () => {
      const { store, app } = await openNewsroom(open);
      const [title = ''] = BRIDGE;
      const ids = [];
      for (const outlet of ['The Example', 'Second Post', 'the example']) {
        ids.push(await report(store, ids.length + 1, { outlet, title }));
      }
      await regroup(app);
      expect(await groupsOf(store)).toEqual([ids.slice(0, 2), ids.slice(2)]);
    });

    it('is due while a report is not grouped, or a pick has no article yet', async () => {
      const { store, app } = await openNewsroom(open);
      expect(await regroupIfDue(app)).toBeNull();
      const a = await bridge(store, 1);
      expect(await regroupIfDue(app)).toMatchObject({ moved: 1 });
      expect(await regroupIfDue(app)).toBeNull();
      // As if the process had ended before it wrote the article.
      await command(app, [a], { kind: 'pick', text: 'The bridge is closed.' });
      expect(await regroupIfDue(app)).toMatchObject({ articles: 1 });
      expect(await regroupIfDue(app)).toBeNull();
      // Found in a feed long after its outlet dated it.
      await report(store, 5, { publishedAt: app.now - 30 * HOUR });
      expect(await regroupIfDue(app)).toBeNull();
    });

    it('adds newcomers to what an editor decided, and never moves its reports', async () => {
      const { store, app } = await openNewsroom(open);
      const [a, b] = [await bridge(store, 1), await bridge(store, 2)] as const;
      await regroup(app);
      await command(app, [a], { kind: 'split', items: [b] });
      await command(app, [a], { kind: 'pick', text: 'The bridge is closed.' });
      const c = await bridge(store, 3);
      await regroup(app);
      const groups = await groupsOf(store);
      expect(groups.filter((group) => group.includes(a) && group.includes(b))).toEqual([]);
      expect(groups.find((group) => group.includes(c))).toHaveLength(2);
      // Its outlet is credited when the editor has seen it.
      expect(await findArticle(store.db, `roundup-${a}`)).toMatchObject({ also: [] });
    });

    it('lets in by rule what enough outlets report, and credits those that come later', async () => {
      const { store, app } = await openNewsroom(open, 2);
      const a = await bridge(store, 1);
      await report(store, 4);
      await regroup(app);
      expect(await findArticle(store.db, `roundup-${a}`)).toBeNull();
      await bridge(store, 2);
      expect(await regroup(app)).toMatchObject({ byRule: 1, articles: 1 });
      await bridge(store, 3);
      expect(await regroup(app)).toMatchObject({ byRule: 1, articles: 1 });
      expect(await findArticle(store.db, `roundup-${a}`)).toMatchObject({
        ...{ headline: BRIDGE[0], body: { source: '' }, isByRule: true, outlet: { name: 'Outlet 1' } },
        also: [{ name: 'Outlet 2' }, { name: 'Outlet 3' }],
      });
      expect((await readRoundupLog(store.db, { limit: 9 })).map(({ editor }) => editor)).toEqual(['rule', 'rule']);
      expect(await regroup(app)).toEqual({ moved: 0, byRule: 0, articles: 0, problem: null });
    });

    it('counts and credits by rule only what grouping is sure of, and shows the rest as new reports', async () => {
      const { store, app } = await openNewsroom(open, 2);
      const [a, b] = [await bridge(store, 1), await bridge(store, 2)] as const;
      expect(await regroup(app, undefined, unsureOf(a))).toMatchObject({ moved: 2, byRule: 0 });
      // It is sure of `b`, which is first then, and of the newcomer.
      const c = await bridge(store, 3);
      expect(await regroup(app, undefined, unsureOf(a))).toMatchObject({ byRule: 1, articles: 1 });
      expect(await findArticle(store.db, `roundup-${a}`)).toMatchObject({
        ...{ headline: BRIDGE[1], outlet: { name: 'Outlet 2' }, also: [{ name: 'Outlet 3' }] },
      });
      const [d, e] = [
        await report(store, 4, { title: BRIDGE[0] as string }),
        await report(store, 5, { title: BRIDGE[0] as string }),
      ];
      expect(await regroup(app, undefined, unsureOf(b, d))).toMatchObject({ moved: 2, byRule: 1, articles: 1 });
      // What was decided when a report came stays.
      expect(await regroup(app)).toMatchObject({ moved: 0, byRule: 0 });
      expect((await findArticle(store.db, `roundup-${a}`))?.also).toMatchObject([
        ...[{ name: 'Outlet 3' }, { name: 'Outlet 5' }],
      ]);
      const [group] = (await readGroups(store.db, [a])).values();
      expect(newItems(group as StoryGroup).map(({ id }) => id)).toEqual([a, d]);
      expect(group?.decision?.creditedItems).toEqual([b, c, e]);
    });

    it('is sure again, and no longer, of the reports of a group that nobody has decided about', async () => {
      const { store, app } = await openNewsroom(open);
      const [a, b] = [await bridge(store, 1), await bridge(store, 2)] as const;
      for (const unsure of [[a], [], [a, b]]) {
        await regroup(app, undefined, unsureOf(...unsure));
        const [group] = (await readGroups(store.db, [a])).values();
        expect(group?.items.filter(({ isCertain }) => !isCertain).map(({ id }) => id)).toEqual(unsure);
      }
    });

    it('lets in by rule what an editor merged, also if grouping was not sure of it', async () => {
      const { store, app } = await openNewsroom(open, 2);
      const [a, b] = [await bridge(store, 1), await report(store, 2, { title: 'Ferry line orders ships' })] as const;
      expect(await regroup(app, undefined, unsureOf(a, b))).toMatchObject({ byRule: 0 });
      const references = [a, b].map((item) => ({ items: [item], seen: null }));
      await changeGroups(store, references, { kind: 'merge' }, { editor: 'Ada', now: app.now });
      expect(await regroup(app, undefined, unsureOf(a, b))).toMatchObject({ byRule: 1, articles: 1 });
      expect(await findArticle(store.db, `roundup-${a}`)).toMatchObject({ also: [{ name: 'Outlet 2' }] });
    });

    it('lets in by rule no uncertain report that came to a group after an editor split it', async () => {
      const { store, app } = await openNewsroom(open, 2);
      const [a, b] = [await bridge(store, 1), await bridge(store, 2)] as const;
      await regroup(app, undefined, unsureOf(a, b));
      await command(app, [a], { kind: 'split', items: [b] });
      const c = await bridge(store, 3);
      expect(await regroup(app, undefined, unsureOf(c))).toMatchObject({ moved: 1, byRule: 0 });
      const groups = [...(await readGroups(store.db, [a, b])).values()];
      const certain = groups.flatMap(({ items }) => items.filter(({ isCertain }) => isCertain));
      expect(certain.map(({ id }) => id).sort((one, other) => one - other)).toEqual([a, b]);
    });

    it('lets nothing in by rule whose report has an address that nobody else can open', async () => {
      const { store, app } = await openNewsroom(open, 2);
      const a = await report(store, 1, { title: BRIDGE[0] as string, url: 'http://10.1.2.3/bridge' });
      await bridge(store, 2);
      expect(await regroup(app)).toMatchObject({ moved: 2, byRule: 0, articles: 0 });
      expect(await findArticle(store.db, `roundup-${a}`)).toBeNull();
      // It is not the first of those that a rule names.
      await bridge(store, 3);
      expect(await regroup(app, undefined, unsureOf(a))).toMatchObject({ byRule: 1, articles: 1 });
    });

    it('raises an alert when grouping fails, and publishes picks all the same', async () => {
      const { store, app } = await openNewsroom(open);
      const a = await bridge(store, 1);
      await regroup(app);
      await command(app, [a], { kind: 'pick', text: 'The bridge is closed.' });
      const failing = async (): Promise<never> => {
        throw new JobError('too slow', 'took longer than 30 s');
      };
      expect(await regroup(app, undefined, failing)).toMatchObject({
        articles: 1,
        problem: 'took longer than 30 s',
      });
      expect(await findArticle(store.db, `roundup-${a}`)).not.toBeNull();
      expect((await openAlerts(store.db)).map(({ message }) => message)).toEqual([
        expect.stringMatching(/^Reports of other outlets cannot be grouped: took longer than 30 s\. New ones are not/),
      ]);
      await regroup(app);
      expect(await openAlerts(store.db)).toEqual([]);
    });

    it('keeps the older reports of a group that still gets some', async () => {
      const { store, app } = await openNewsroom(open);
      const [a, b] = [await bridge(store, 1), await bridge(store, 2)] as const;
      await regroup(app);
      app.now += 24 * HOUR;
      const at = app.now - MINUTE;
      const late = await report(store, 3, { title: BRIDGE[2] as string, publishedAt: at, firstSeenAt: at });
      await regroup(app);
      // The first reports are outside of the window now.
      app.now += 3 * HOUR;
      expect(await regroup(app)).toMatchObject({ moved: 0 });
      expect(await groupsOf(store)).toEqual([[a, b, late]]);
    });

    it('counts the words of a day once the window has left it behind', async () => {
      const { store, app } = await openNewsroom(open);
      await bridge(store, 1);
      await regroup(app);
      const days = () =>
        store.db.selectFrom('grouping_terms').select(['day', 'language', 'group_count']).orderBy('language').execute();
      app.now += DAY;
      await regroup(app);
      expect(await days()).toEqual([]);
      app.now += DAY;
      await regroup(app);
      await regroup(app);
      expect(await days()).toEqual([
        { day: '2026-11-24', language: '', group_count: 0 },
        { day: '2026-11-24', language: 'en', group_count: 1 },
      ]);
      app.now += 40 * DAY;
      await regroup(app);
      expect((await days()).filter(({ day }) => day === '2026-11-24')).toEqual([]);
    });
  });
});

describe('isLetIn', () => {
  it('counts each outlet once, also if its feeds name it in different case', () => {
    const letIn = (...outlets: string[]) =>
      isLetIn(automaticGroup(...outlets.map((outlet, index) => groupedItem(index + 1, { outlet }))), 2, NOW);
    expect(letIn('The Example', 'Second Post')).toBe(true);
    expect(letIn('The Example', 'The Example')).toBe(false);
    expect(letIn('The Example', 'the  EXAMPLE')).toBe(false);
  });

  it('counts outlets that reported within the window', () => {
    const old = groupedItem(1, { publishedAt: NOW - 27 * HOUR });
    expect(isLetIn(automaticGroup(old, groupedItem(2)), 2, NOW)).toBe(false);
    expect(isLetIn(automaticGroup(old, groupedItem(2), groupedItem(3)), 2, NOW)).toBe(true);
  });

  it('still holds for what a rule let in when fewer outlets reported it within the window', () => {
    const [group] = decideGroups(
      [automaticGroup(groupedItem(1), groupedItem(2))],
      { kind: 'rule' },
      {
        ...{ editor: 'rule', now: NOW, newArticleId: 'roundup-1' },
      },
    ).changed;
    expect(isLetIn(group as StoryGroup, 3, NOW)).toBe(true);
  });
});
