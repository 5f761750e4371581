/** Reads story groups and writes what was decided about them. */
import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import { chunks } from '../../lib/chunks.ts';
import type { GroupChange } from './commands.ts';
import type { Rankable } from './rank-groups.ts';
import { type GroupDecision, type GroupedItem, inReportOrder, newItems, type StoryGroup } from './story-group.ts';

const ROWS_PER_STATEMENT = 500;
const VERSION = 'roundup.groups';

/**
 * Locks all groups until the transaction ends: commands and groupings come one after the other. There are a few a
 * minute, and each takes milliseconds.
 * @returns the version of the groups, which this transaction may change
 */
export async function lockGroups(tx: Tx): Promise<number> {
  const { rows } = await sql<{ value: string }>`
    insert into meta (key, value) values (${VERSION}, '1')
    on conflict (key) do update set value = cast(cast(meta.value as bigint) + 1 as text)
    returning value`.execute(tx);
  return Number(rows[0]?.value) - 1;
}

/** As `lockGroups` will return it if nothing changes until then. */
export async function readGroupsVersion(db: Db): Promise<number> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', VERSION).executeTakeFirst();
  return Number(row?.value ?? 0);
}

/** The ids of the groups of items, by item. Items that are not grouped, or not open, are missing. */
export async function findGroupIds(db: Db, items: readonly number[]): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (const some of chunks([...items], ROWS_PER_STATEMENT)) {
    const rows = await db
      .selectFrom('outlet_items')
      .select(['id', 'group_id'])
      .where('id', 'in', some)
      .where('state', '=', 'open')
      .where('group_id', 'is not', null)
      .execute();
    for (const { id, group_id } of rows) found.set(id, group_id as number);
  }
  return found;
}

/** Reads groups with all their open items, by id. Those without any are missing. */
export async function readGroups(db: Db, ids: readonly number[]): Promise<Map<number, StoryGroup>> {
  const groups = new Map<number, StoryGroup>();
  for (const some of chunks([...ids], ROWS_PER_STATEMENT)) {
    const items = await selectItems(db).where('state', '=', 'open').where('group_id', 'in', some).execute();
    const decisions = await db.selectFrom('story_groups').selectAll().where('id', 'in', some).execute();
    const byId = new Map(decisions.map((row) => [row.id, toDecision(row)]));
    for (const [id, rows] of Map.groupBy(items, ({ group_id }) => group_id as number)) {
      groups.set(id, { id, items: inReportOrder(rows.map(toItem)), decision: byId.get(id) ?? null });
    }
  }
  return groups;
}

/** Reads the groups that have an open item which was first seen at or after an instant. */
export async function readGroupsSince(db: Db, from: number): Promise<StoryGroup[]> {
  const rows = await db
    .selectFrom('outlet_items')
    .select('group_id')
    .distinct()
    .where('state', '=', 'open')
    .where('first_seen_at', '>=', from)
    .where('group_id', 'is not', null)
    .orderBy('group_id')
    .execute();
  const ids = rows.map((row) => row.group_id as number);
  return [...(await readGroups(db, ids)).values()];
}

/** Fields that the list of a window needs even of the groups that it does not show. */
export interface GroupSketch extends Omit<Rankable, 'isSuggested'> {
  decision: Pick<GroupDecision, 'state' | 'pickedBy'> | null;
  /** See `newItems`. */
  newReports: number;
}

/**
 * Reads the groups whose newest report is at or after an instant, with one title of each: a busy window has thousands
 * of groups, of which a list shows a few. For 10,000 reports it takes a third of the time of reading them.
 * @param language of reports whose feed names none
 */
export async function readGroupSketches(db: Db, from: number, language: string): Promise<GroupSketch[]> {
  const inWindow = db
    .selectFrom('outlet_items')
    .select('group_id')
    .where('state', '=', 'open')
    .where('first_seen_at', '>=', from)
    .where('group_id', 'is not', null);
  // As `reportedAt` and, for ASCII letters, as `outletKey`.
  const newest = sql<number>`max(case when published_at < first_seen_at then published_at else first_seen_at end)`;
  const groups = await db
    .selectFrom('outlet_items')
    .select(['group_id as id', newest.as('newest'), sql<number>`count(distinct lower(outlet))`.as('outlets')])
    .select((e) => [e.fn.min('position').as('position'), e.fn.max('title').as('title')])
    .select([sql<string>`max(lower(outlet))`.as('outlet'), sql<string | null>`max(language)`.as('language')])
    .where('state', '=', 'open')
    .where('group_id', 'in', inWindow)
    .groupBy('group_id')
    .having(newest, '>=', from)
    .execute();
  const decisions = await db
    .selectFrom('story_groups')
    .select(['id', 'state', 'picked_by as pickedBy'])
    .where('id', 'in', inWindow)
    .execute();
  const picked = decisions.filter(({ state }) => state === 'picked').map(({ id }) => id);
  const picks = await readGroups(db, picked);
  const byId = new Map(decisions.map((row) => [row.id, row]));
  return groups.map((row) => {
    const id = row.id as number;
    const pick = picks.get(id);
    return {
      id,
      outlets: Number(row.outlets),
      newestAt: Number(row.newest),
      position: row.position === null ? null : Number(row.position),
      title: row.title,
      outlet: row.outlet,
      language: row.language ?? language,
      decision: byId.get(id) ?? null,
      newReports: pick === undefined ? 0 : newItems(pick).length,
    };
  });
}

/** Reads the open items that were first seen between two instants, `until` excluded, by their groups. */
export async function readGroupsBetween(db: Db, from: number, until: number): Promise<GroupedItem[][]> {
  const rows = await selectItems(db)
    .where('state', '=', 'open')
    .where('first_seen_at', '>=', from)
    .where('first_seen_at', '<', until)
    .where('group_id', 'is not', null)
    .orderBy('id')
    .execute();
  return [...Map.groupBy(rows, ({ group_id }) => group_id).values()].map((group) => group.map(toItem));
}

/** Reads the open items that no grouping has seen, and that were first seen at or after an instant. */
export async function readUngroupedItems(db: Db, from: number): Promise<GroupedItem[]> {
  const rows = await selectItems(db)
    .where('state', '=', 'open')
    .where('group_id', 'is', null)
    .where('first_seen_at', '>=', from)
    .orderBy('id')
    .execute();
  return rows.map(toItem);
}

/** Items that wait for the next grouping. */
export interface WaitingItems {
  /** At most `MAX_WAITING`: that many means that many or more. */
  count: number;
  /** When the first of them was seen; null if there are none. */
  since: number | null;
}

export const MAX_WAITING = 1_000;

/** Counts ungrouped items. Those that no feed dates within the window are never grouped, and do not count. */
export async function countUngroupedItems(db: Db, from: number): Promise<WaitingItems> {
  const rows = await db
    .selectFrom('outlet_items')
    .select('first_seen_at')
    .where('state', '=', 'open')
    .where('group_id', 'is', null)
    .where('first_seen_at', '>=', from)
    .where((e) => e.or([e('published_at', 'is', null), e('published_at', '>=', from)]))
    .orderBy('first_seen_at')
    .limit(MAX_WAITING)
    .execute();
  return { count: rows.length, since: rows[0]?.first_seen_at ?? null };
}

/** Writes a change of groups that were read in the same transaction. */
export async function writeGroupChange(tx: Tx, { changed, removed }: GroupChange, now: number): Promise<void> {
  if (removed.length > 0) {
    await tx.deleteFrom('story_groups').where('id', 'in', removed).execute();
    await tx
      .deleteFrom('group_suggestions')
      .where((e) => e.or([e('group_id', 'in', removed), e('other_id', 'in', removed)]))
      .execute();
  }
  for (const { id, items, decision } of changed) {
    const members = items.map((item) => item.id);
    await moveItems(tx, id, members);
    await writeCertain(tx, members, new Set(items.flatMap((item) => (item.isCertain ? item.id : []))));
    if (decision === null) continue;
    const row = toRow(decision, now);
    await tx
      .insertInto('story_groups')
      .values({ id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
  }
}

/** Makes items members of a group, and of no other. */
export async function moveItems(tx: Tx, group: number, items: readonly number[]): Promise<void> {
  for (const some of chunks([...items], ROWS_PER_STATEMENT)) {
    await tx.updateTable('outlet_items').set({ group_id: group }).where('id', 'in', some).execute();
  }
}

/** Records which items a rule may credit. Writes only the rows that change. */
export async function writeCertain(tx: Tx, items: readonly number[], certain: ReadonlySet<number>): Promise<void> {
  for (const [value, same] of Map.groupBy(items, (item) => Number(certain.has(item)))) {
    for (const some of chunks(same, ROWS_PER_STATEMENT)) {
      const rows = tx.updateTable('outlet_items').set({ certain: value }).where('id', 'in', some);
      await rows.where('certain', '<>', value).execute();
    }
  }
}

/** Reads the groups whose article does not reflect what was decided last. */
export async function readUnpublishedGroups(db: Db): Promise<StoryGroup[]> {
  const rows = await db
    .selectFrom('story_groups')
    .select('id')
    .whereRef('revision', '>', 'published_revision')
    .where('article_id', 'is not', null)
    .orderBy('id')
    .execute();
  const ids = rows.map(({ id }) => id);
  return [...(await readGroups(db, ids)).values()];
}

/**
 * Records that the article reflects a revision, in the transaction that writes the article.
 * @returns false if the group has changed since, or is gone: roll back
 */
export async function markPublished(tx: Tx, articleId: string, revision: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('story_groups')
    .set({ published_revision: revision })
    .where('article_id', '=', articleId)
    .where('revision', '=', revision)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** An id that no article has or will have: that of the group, or with a number. */
export async function findFreeArticleId(tx: Tx, group: number): Promise<string> {
  for (let number = 1; ; number++) {
    const id = number === 1 ? `roundup-${group}` : `roundup-${group}-${number}`;
    const article = await tx.selectFrom('articles').select('id').where('id', '=', id).executeTakeFirst();
    const pick = await tx.selectFrom('story_groups').select('id').where('article_id', '=', id).executeTakeFirst();
    if (article === undefined && pick === undefined) return id;
  }
}

function selectItems(db: Db) {
  return db
    .selectFrom('outlet_items')
    .select(['id', 'source', 'outlet', 'title', 'summary', 'url', 'canonical_url', 'language', 'image_url'])
    .select(['published_at', 'first_seen_at', 'group_id', 'certain']);
}

type ItemRow = Omit<Selectable<Tables['outlet_items']>, 'seen_at' | 'state' | 'position'>;

function toItem(item: ItemRow): GroupedItem {
  const { canonical_url, image_url, published_at, first_seen_at, certain, group_id: _, ...row } = item;
  return {
    ...row,
    canonicalUrl: canonical_url,
    imageUrl: image_url,
    publishedAt: published_at,
    firstSeenAt: first_seen_at,
    isCertain: certain === 1,
  };
}

function toDecision(row: Selectable<Tables['story_groups']>): GroupDecision {
  const { state, headline, text, section, revision, editor } = row;
  return {
    ...{ state, headline, text, section, revision, editor },
    firstItem: row.first_item,
    hasPicture: row.has_picture === 1,
    pickedBy: row.picked_by,
    pickedAt: row.picked_at,
    articleId: row.article_id,
    creditedItems: JSON.parse(row.credited_items),
    publishedRevision: row.published_revision,
    updatedAt: row.updated_at,
  };
}

function toRow(decision: GroupDecision, now: number) {
  const { state, headline, text, section, revision, editor, articleId } = decision;
  return {
    ...{ state, headline, text, section, revision, editor },
    first_item: decision.firstItem,
    has_picture: decision.hasPicture ? 1 : 0,
    picked_by: decision.pickedBy,
    picked_at: decision.pickedAt,
    article_id: articleId,
    credited_items: JSON.stringify(decision.creditedItems),
    // Without an article there is nothing to publish.
    published_revision: articleId === null ? revision : decision.publishedRevision,
    updated_at: now,
  };
}
