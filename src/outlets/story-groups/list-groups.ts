/**
 * The story groups of a window as an editor sees them on the command line: ranked and numbered. What an editor saw last
 * is recorded: its numbers name groups in later commands.
 */
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { type BrowsedGroup, browseGroups, type GroupPage } from './browse-groups.ts';
import type { GroupReference } from './change-groups.ts';
import { writeGroupView } from './group-views.ts';
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
