/** Reads what is grouped, and writes the groups. */
import { outletKey } from '../../articles/outlets.ts';
import { readMeta, writeMeta } from '../../core/store/meta.ts';
import { type Db, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { DAY } from '../../lib/time.ts';
import type { FrozenGroup, Grouping, GroupingItem, GroupSuggestion } from '../grouping/grouping-item.ts';
import {
  findGroupIds,
  lockGroups,
  moveItems,
  readGroupsSince,
  readGroupsVersion,
  readUngroupedItems,
} from './group-rows.ts';
import { type GroupedItem, newestReport, reportedAt, type StoryGroup } from './story-group.ts';

/** A group that still gets reports keeps its older ones for this long: otherwise it would change while it is read. */
const KEPT_FOR = 2 * DAY;
const ROWS_PER_STATEMENT = 300;
const GROUPED_AT = 'roundup.grouped-at';

/** The items to group, and the groups that keep theirs. */
export interface GroupingTask {
  /** See `readGroupsVersion`. */
  version: number;
  /** When the items were read. */
  readAt: number;
  items: GroupingItem[];
  frozen: FrozenGroup[];
}

/**
 * Reads the open items of the window, and the other items of their groups.
 * @param language of items whose feed names none
 */
export async function readGroupingTask(
  db: Db,
  { now, windowMs, language }: { now: number; windowMs: number; language: string },
): Promise<GroupingTask> {
  // First: what changes afterwards is noticed when the groups are written.
  const version = await readGroupsVersion(db);
  const from = now - windowMs;
  // No item is reported after it was first seen.
  const groups = (await readGroupsSince(db, from)).filter((group) => newestReport(group) >= from);
  const ungrouped = (await readUngroupedItems(db, from)).filter((item) => reportedAt(item) >= from);
  const grouped = groups.flatMap(({ items, decision }) =>
    items.filter((item) => decision !== null || reportedAt(item) >= from - KEPT_FOR),
  );
  return {
    version,
    readAt: now,
    items: [...grouped, ...ungrouped].map((item) => toGroupingItem(item, language)),
    frozen: groups.filter(({ decision }) => decision !== null).map(toFrozenGroup),
  };
}

/** What grouping reads of an item. @param language where its feed names none */
export function toGroupingItem(item: GroupedItem, language: string): GroupingItem {
  const { id, title, summary, canonicalUrl } = item;
  // Two feeds of one outlet may name it in different case.
  const outlet = outletKey(item.outlet);
  return { id, outlet, title, summary, canonicalUrl, language: item.language ?? language, at: reportedAt(item) };
}

function toFrozenGroup({ id, items }: StoryGroup): FrozenGroup {
  return { id, items: items.map((item) => item.id) };
}

/**
 * Writes groups and suggestions, in one transaction.
 * @returns the number of items that changed their group; null if somebody has changed groups since the task was read
 */
export function writeGrouping(
  { db }: Pick<Store, 'db'>,
  { version, readAt }: GroupingTask,
  { groups, suggestions }: Grouping,
): Promise<number | null> {
  return inTransaction(db, async (tx) => {
    if ((await lockGroups(tx)) !== version) return null;
    const items = groups.flatMap((group) => group.items);
    const former = await findGroupIds(tx, items);
    let moved = 0;
    for (const { id, items: members } of groups) {
      const newcomers = members.filter((item) => former.get(item) !== id);
      if (newcomers.length > 0) await moveItems(tx, id, newcomers);
      moved += newcomers.length;
    }
    await replaceSuggestions(tx, suggestions);
    await writeMeta(tx, GROUPED_AT, String(readAt));
    return moved;
  });
}

async function replaceSuggestions(tx: Tx, suggestions: readonly GroupSuggestion[]): Promise<void> {
  await tx.deleteFrom('group_suggestions').execute();
  for (const some of chunks(suggestions, ROWS_PER_STATEMENT)) {
    const rows = some.map(({ groupId, otherId, similarity }) => ({ group_id: groupId, other_id: otherId, similarity }));
    await tx.insertInto('group_suggestions').values(rows).execute();
  }
}

/** When the last grouping that was written had read its items, in epoch milliseconds; null before the first. */
export async function readGroupedAt(db: Db): Promise<number | null> {
  const value = await readMeta(db, GROUPED_AT);
  return value === undefined ? null : Number(value);
}

/** Reads the groups that perhaps report the same event as these, the most similar first, by id. */
export async function readSuggestions(db: Db, ids: readonly number[]): Promise<Map<number, number[]>> {
  if (ids.length === 0) return new Map();
  const known = new Set(ids);
  const rows = await db
    .selectFrom('group_suggestions')
    .select(['group_id', 'other_id'])
    .where((e) => e.or([e('group_id', 'in', ids), e('other_id', 'in', ids)]))
    .orderBy('similarity', 'desc')
    .orderBy('group_id')
    .orderBy('other_id')
    .execute();
  const found = new Map<number, number[]>();
  const add = (id: number, other: number): unknown => found.set(id, [...(found.get(id) ?? []), other]);
  for (const { group_id, other_id } of rows) {
    if (known.has(group_id)) add(group_id, other_id);
    if (known.has(other_id)) add(other_id, group_id);
  }
  return found;
}
