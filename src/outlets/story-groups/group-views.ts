/** What each editor saw last of the story groups: its numbers name groups in later commands. */
import type { Db } from '../../core/store/store.ts';
import { DAY } from '../../lib/time.ts';
import type { GroupReference } from './change-groups.ts';

const VIEWS_KEPT_FOR = 30 * DAY;

/** The groups of a list, in the order of their numbers, which begin with 1. */
export type GroupView = (GroupReference & { seen: number })[];

/** Reads what an editor saw last; null if nothing. */
export async function readGroupView(db: Db, editor: string): Promise<GroupView | null> {
  const row = await db
    .selectFrom('roundup_views')
    .select('groups_json')
    .where('editor', '=', editor)
    .executeTakeFirst();
  return row === undefined ? null : JSON.parse(row.groups_json);
}

/** Records what an editor sees now. */
export async function writeGroupView(db: Db, editor: string, view: GroupView, now: number): Promise<void> {
  const row = { groups_json: JSON.stringify(view), seen_at: now };
  await db
    .insertInto('roundup_views')
    .values({ editor, ...row })
    .onConflict((conflict) => conflict.column('editor').doUpdateSet(row))
    .execute();
}

/** Deletes what editors saw a month ago: nobody names a group by a number of that. @returns the number of views */
export async function deleteOldGroupViews(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('roundup_views')
    .where('seen_at', '<', now - VIEWS_KEPT_FOR)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
