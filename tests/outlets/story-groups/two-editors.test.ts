import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import {
  changeGroups,
  GroupConflictError,
  lastCommandNumber,
} from '../../../src/outlets/story-groups/change-groups.ts';
import { type GroupCommand, GroupCommandError } from '../../../src/outlets/story-groups/commands.ts';
import { readGroups } from '../../../src/outlets/story-groups/group-rows.ts';
import { readGroupingTask, writeGrouping } from '../../../src/outlets/story-groups/regroup.ts';
import type { StoryGroup } from '../../../src/outlets/story-groups/story-group.ts';
import { NOW } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { groupedItem, storeGroup } from '../../support/outlet-items.ts';

const ITEMS = 6;

/** What an editor or a grouping does. `which` and `other` are indexes of items, `by` of an editor. */
interface Step {
  kind: 'look' | 'regroup' | 'pick' | 'drop' | 'restore' | 'merge' | 'split' | 'first';
  which: number;
  other: number;
  by: 'Ada' | 'Bo';
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('look', 'regroup', 'pick', 'drop', 'restore', 'merge', 'split', 'first'),
    which: fc.nat(ITEMS - 1),
    other: fc.nat(ITEMS - 1),
    by: fc.constantFrom('Ada', 'Bo'),
  }),
  { minLength: 5, maxLength: 15 },
);

async function allGroups({ db }: Store): Promise<StoryGroup[]> {
  const rows = await db.selectFrom('outlet_items').select('group_id').distinct().execute();
  return [
    ...(
      await readGroups(
        db,
        rows.map((row) => row.group_id as number),
      )
    ).values(),
  ];
}

/** Puts all automatic items into two groups, by whether their id is a multiple of `by`. */
async function regroup(store: Store, by: number): Promise<void> {
  const task = await readGroupingTask(store.db, { now: NOW, windowMs: 86_400_000, language: 'en' });
  const isFrozen = new Set(task.frozen.flatMap(({ items }) => items));
  const free = task.items.map(({ id }) => id).filter((id) => !isFrozen.has(id));
  const groups = [...Map.groupBy(free, (id) => id % by === 0).values()].map((items) => ({
    id: Math.min(...items),
    items,
  }));
  expect(await writeGrouping(store, task, { groups: [...task.frozen, ...groups], suggestions: [] })).not.toBeNull();
}

function commandOf({ kind }: Step, item: number): GroupCommand {
  if (kind === 'pick') return { kind, text: 'Ours.' };
  if (kind === 'split') return { kind, items: [item] };
  return kind === 'first' ? { kind, item } : { kind: kind as 'drop' | 'restore' | 'merge' };
}

forBothDatabases((open, dialect) => {
  describe('two editors and the grouping', () => {
    it('lose no report, and move none of a frozen group but by a command', async () => {
      const store = await open();
      const ids: number[] = [];
      for (let number = 1; number <= ITEMS; number++) {
        ids.push(...(await storeGroup(store.db, [groupedItem(number)])).map(({ id }) => id));
      }
      const outcomes = { done: 0, refused: 0, conflicts: 0 };
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const looks = { Ada: await lastCommandNumber(store.db), Bo: await lastCommandNumber(store.db) };
          for (const step of all) {
            const [item, other] = [ids[step.which] as number, ids[step.other] as number];
            const before = await allGroups(store);
            if (step.kind === 'look') looks[step.by] = await lastCommandNumber(store.db);
            else if (step.kind === 'regroup') await regroup(store, step.which + 2);
            else {
              const named = step.kind === 'merge' ? [item, other] : [item];
              const references = named.map((id) => ({ items: [id], seen: looks[step.by] }));
              const author = { editor: step.by, now: NOW };
              await changeGroups(store, references, commandOf(step, other), author).then(
                () => outcomes.done++,
                (error: unknown) => {
                  if (error instanceof GroupConflictError) outcomes.conflicts++;
                  else if (error instanceof GroupCommandError) outcomes.refused++;
                  // A retraction that no process has published yet.
                  else if ((error as Error).name !== 'UnpublishedChangeError') throw error;
                },
              );
            }
            const after = await allGroups(store);
            expect(after.flatMap(({ items }) => items.map(({ id }) => id)).toSorted((a, b) => a - b)).toEqual(ids);
            for (const { id, items } of after) expect(items.map((one) => one.id)).toContain(id);
            const articles = after.flatMap(({ decision }) => decision?.articleId ?? []);
            expect(new Set(articles).size).toBe(articles.length);
            if (step.kind !== 'regroup') continue;
            for (const frozen of before.filter(({ decision }) => decision !== null))
              expect(after).toContainEqual(frozen);
          }
        }),
        { numRuns: dialect === 'sqlite' ? 5 : 2 },
      );
      expect(outcomes.done).toBeGreaterThan(0);
      expect(outcomes.refused + outcomes.conflicts).toBeGreaterThan(0);
    });
  });
});
