/**
 * The story groups of a window as an editor sees them on the command line: ranked and numbered. What an editor saw last
 * is recorded: its numbers name groups in later commands.
 */
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { DAY } from '../../lib/time.ts';
import { type BrowsedGroup, browseGroups, type GroupPage } from './browse-groups.ts';
import type { GroupReference } from './change-groups.ts';
import { regroupIfDue } from './regroup.ts';

export interface GroupListing extends Omit<GroupPage, 'seen' | 'groups' | 'counts'> {
  groups: ListedGroup[];
  /** Groups of the window that an editor dropped, and that are not listed. */
  dropped: number;
  /** Why the newest reports are missing: they could not be grouped. */
  problem: string | null;
}

export interface ListedGroup extends Omit<BrowsedGroup, 'rank'> {
  /** What commands may name it by, from 1. */
  number: number;
  /** Numbers of the groups that perhaps report the same event, the most similar first; a few at most. */
  similar: number[];
}

export interface ListOptions {
  /** Whose window; default: the longest one. */
  newsletter?: NewsletterConfig | undefined;
  /** With dropped groups. */
  all: boolean;
  limit: number;
}

/** Most suggestions are wrong, and those that are right are mostly the first ones. */
export const MAX_SIMILAR = 3;

/** Lists groups, grouping first what no pass has seen. @param editor null: nothing is recorded */
export async function listGroups(
  app: AppContext,
  editor: string | null,
  { newsletter, all, limit }: ListOptions,
): Promise<GroupListing> {
  const problem = (await regroupIfDue(app))?.problem ?? null;
  const { seen, groups, counts, ...page } = await browseGroups(app, {
    ...{ newsletter, limit },
    filter: all ? 'all' : 'current',
  });
  if (editor !== null) {
    const view = groups.map(({ group }): GroupReference & { seen: number } => ({
      items: group.items.map(({ id }) => id),
      seen,
    }));
    await writeGroupView(app.store.db, editor, view, page.now);
  }
  return { ...page, groups: numbered(groups), dropped: all ? 0 : counts.dropped, problem };
}

function numbered(groups: readonly BrowsedGroup[]): ListedGroup[] {
  const numbers = new Map(groups.map(({ group }, index) => [group.id, index + 1]));
  return groups.map(({ rank: _, similar, ...browsed }, index) => ({
    ...browsed,
    number: index + 1,
    similar: similar.flatMap((id) => numbers.get(id) ?? []).slice(0, MAX_SIMILAR),
  }));
}

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
