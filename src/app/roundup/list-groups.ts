/**
 * The story groups of a window as an editor sees them: ranked and numbered. What an editor saw last is recorded: its
 * numbers name groups in later commands.
 */
import type { Config, NewsletterConfig } from '../../config/config.ts';
import { roundupSources } from '../../config/sources.ts';
import { HOUR } from '../../lib/time.ts';
import { type GroupReference, lastCommandNumber } from '../../sources/story-groups/change-groups.ts';
import { readGroupsSince } from '../../sources/story-groups/group-rows.ts';
import { writeGroupView } from '../../sources/story-groups/group-views.ts';
import { readSuggestions } from '../../sources/story-groups/grouping-store.ts';
import { rankGroups } from '../../sources/story-groups/ranking.ts';
import {
  firstItemOf,
  type GroupedItem,
  newestReport,
  newItems,
  type StoryGroup,
} from '../../sources/story-groups/story-group.ts';
import { countUnpolledSources, findWithheldSources, type WithheldSource } from '../../sources/story-groups/withheld.ts';
import type { AppContext } from '../app-context.ts';
import { groupingWindow, regroupIfDue } from './regroup.ts';

export interface GroupListing {
  now: number;
  windowHours: number;
  groups: ListedGroup[];
  /** Groups of the window that the limit left out. */
  more: number;
  /** Groups of the window that an editor dropped, and that are not listed. */
  dropped: number;
  /** Sources whose items are kept back, or cannot be polled. */
  withheld: WithheldSource[];
  /** Of the configuration. */
  sources: number;
  /** Those of them that have never been polled. */
  unpolled: number;
  /** Why the newest reports are missing: they could not be grouped. */
  problem: string | null;
}

export interface ListedGroup {
  /** What commands may name it by, from 1. */
  number: number;
  group: StoryGroup;
  first: GroupedItem;
  /** The instant of the latest report. */
  newestAt: number;
  /** Reports of a picked group that came after the editor's last look. */
  newReports: number;
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
const MAX_SIMILAR = 3;

/** Lists groups, grouping first what no pass has seen. @param editor null: nothing is recorded */
export async function listGroups(
  app: AppContext,
  editor: string | null,
  { newsletter, all, limit }: ListOptions,
): Promise<GroupListing> {
  const { store, config, clock } = app;
  const longest = groupingWindow(config);
  const problem = (await regroupIfDue(app))?.problem ?? null;
  const now = clock();
  const windowMs = newsletter === undefined ? longest : newsletter.roundup.windowHours * HOUR;
  // First: what others do meanwhile is a conflict then.
  const seen = await lastCommandNumber(store.db);
  const inWindow = (await readGroupsSince(store.db, now - windowMs)).filter(
    (group) => newestReport(group) >= now - windowMs,
  );
  const shown = inWindow.filter(({ decision }) => all || decision?.state !== 'dropped');
  const ranked = rankGroups(shown, now).slice(0, limit);
  if (editor !== null) {
    const view = ranked.map(({ items }): GroupReference & { seen: number } => ({
      items: items.map(({ id }) => id),
      seen,
    }));
    await writeGroupView(store.db, editor, view, now);
  }
  return {
    now,
    windowHours: windowMs / HOUR,
    groups: await numbered(app, ranked),
    more: shown.length - ranked.length,
    dropped: inWindow.length - shown.length,
    withheld: await findWithheldSources(store.db, sourceIds(config)),
    sources: sourceIds(config).length,
    unpolled: await countUnpolledSources(store.db, sourceIds(config)),
    problem,
  };
}

function sourceIds(config: Config): string[] {
  return roundupSources(config).map(({ id }) => id);
}

async function numbered({ store }: AppContext, groups: readonly StoryGroup[]): Promise<ListedGroup[]> {
  const numbers = new Map(groups.map(({ id }, index) => [id, index + 1]));
  const suggestions = await readSuggestions(store.db, [...numbers.keys()]);
  return groups.map((group, index) => ({
    number: index + 1,
    group,
    first: firstItemOf(group),
    newestAt: newestReport(group),
    newReports: newItems(group).length,
    similar: (suggestions.get(group.id) ?? []).flatMap((id) => numbers.get(id) ?? []).slice(0, MAX_SIMILAR),
  }));
}
