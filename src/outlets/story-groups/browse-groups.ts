/** The story groups of a window, strongest first, as they are grouped now. Reads only. */
import { outletKey } from '../../articles/outlets.ts';
import { parseWordQuery } from '../../articles/search/search-terms.ts';
import type { AppContext } from '../../core/app-context.ts';
import { roundupSources } from '../../core/config/sources.ts';
import type { Db } from '../../core/store/store.ts';
import { HOUR } from '../../lib/time.ts';
import { WITHHOLDING_STATES } from '../../sources/polling/poll-state.ts';
import { readSourceStatus, type SourceState } from '../../sources/source-status.ts';
import { lastCommandNumber } from './change-groups.ts';
import {
  countUngroupedItems,
  type GroupSketch,
  readGroupSketches,
  readGroups,
  type WaitingItems,
} from './group-rows.ts';
import { compareRanks, type GroupRank, rankGroups } from './rank-groups.ts';
import { ROUNDUP_WINDOW, readGroupedAt } from './regroup.ts';
import { newestReport, type StoryGroup } from './story-group.ts';

/**
 * Which groups of a window: `current` are all but dropped ones; `open` those about which nobody has decided whether
 * they enter; `updated` picked ones with reports that came since.
 */
export const GROUP_FILTERS = ['current', 'open', 'picked', 'by-rule', 'updated', 'dropped', 'all'] as const;
export type GroupFilter = (typeof GROUP_FILTERS)[number];

export interface GroupPage {
  now: number;
  windowHours: number;
  /** The last command before the groups were read: what others do after it is a conflict. */
  seen: number;
  groups: BrowsedGroup[];
  /** Groups of the filter and the search that follow those of the page. */
  more: number;
  /** All groups of the filter and the search. */
  found: number;
  /** Groups of the window, by filter. */
  counts: Record<GroupFilter, number>;
  /** Sources whose items are kept back, or cannot be polled. */
  withheld: WithheldSource[];
  /** Number of configured sources. */
  sources: number;
  /** Those of them that have never been polled. */
  unpolled: number;
}

/** A source whose items an editor does not get to see. */
export interface WithheldSource {
  source: string;
  state: SourceState;
  /** For people; null if none is known. */
  reason: string | null;
  /** Items that wait for "sources accept", counted up to `COUNTED_ITEMS`. */
  items: number;
}

const COUNTED_ITEMS = 10_000;
const WITHHOLDING: ReadonlySet<SourceState | 'active'> = new Set(WITHHOLDING_STATES);

export interface BrowsedGroup {
  group: StoryGroup;
  rank: GroupRank;
  /** The instant of the latest report. */
  newestAt: number;
  /** Ids of groups that perhaps report the same event, the most similar first, also those of other filters. */
  similar: number[];
}

export interface BrowseOptions {
  filter: GroupFilter;
  limit: number;
  /** The last group of the page before. */
  after: GroupRank | null;
  search?: GroupSearch;
}

/** Narrows the groups of a filter. */
interface GroupSearch {
  /** Beginnings of words of its headlines, outlets and own texts: it has them all. */
  words: string;
  /** An outlet that reports it; empty: any. */
  outlet: string;
  /** The least number of its outlets. */
  leastOutlets: number;
  /** An instant at or after which it has a report; null: any of the window. */
  since: number | null;
}

/** Reads a page of groups. Reports that no grouping has seen are in none; see `readGroupingState`. */
export async function browseGroups(
  { store: { db }, config, clock }: Pick<AppContext, 'store' | 'config' | 'clock'>,
  { filter, limit, after, search }: BrowseOptions,
): Promise<GroupPage> {
  const now = clock();
  // First: what others do meanwhile is a conflict then.
  const seen = await lastCommandNumber(db);
  const sketches = await readGroupSketches(db, now - ROUNDUP_WINDOW, config.publication.language);
  const suggestions = await db.selectFrom('group_suggestions').select(['group_id', 'other_id']).execute();
  const suggested = new Set(suggestions.flatMap(({ group_id, other_id }) => [group_id, other_id]));
  const inWindow = sketches.map((sketch) => ({ ...sketch, isSuggested: suggested.has(sketch.id) }));
  // Before the filter: a group keeps its place when an editor picks or drops another one.
  const filtered = rankGroups(inWindow).filter(FILTERS[filter]);
  const found = search === undefined ? filtered : await searchGroups(db, filtered, search);
  const following = after === null ? found : found.filter((rank) => compareRanks(after, rank) < 0);
  const shown = following.slice(0, limit).map(({ id, tier, score }) => ({ id, tier, score }));
  const count = (name: GroupFilter) => inWindow.filter(FILTERS[name]).length;
  const sources = await readSourceStatus(db, { sources: roundupSources(config) }, now, COUNTED_ITEMS);
  return {
    now,
    windowHours: ROUNDUP_WINDOW / HOUR,
    seen,
    groups: await withDetails(db, shown),
    more: following.length - shown.length,
    found: found.length,
    counts: Object.fromEntries(GROUP_FILTERS.map((name) => [name, count(name)])) as Record<GroupFilter, number>,
    withheld: sources
      .filter(({ state }) => WITHHOLDING.has(state))
      .map(({ id, state, reason, held }) => ({ source: id, state, reason, items: held })),
    sources: sources.length,
    unpolled: sources.filter(({ state }) => state === 'new').length,
  };
}

const FILTERS: Record<GroupFilter, (group: GroupSketch) => boolean> = {
  current: ({ decision }) => decision?.state !== 'dropped',
  open: ({ decision }) => decision === null || decision.state === 'open',
  picked: ({ decision }) => decision?.state === 'picked' && decision.pickedBy === 'editor',
  'by-rule': ({ decision }) => decision?.state === 'picked' && decision.pickedBy === 'rule',
  updated: ({ newReports }) => newReports > 0,
  dropped: ({ decision }) => decision?.state === 'dropped',
  all: () => true,
};

async function searchGroups<Group extends GroupSketch>(
  db: Db,
  groups: readonly Group[],
  { words, outlet, leastOutlets, since }: GroupSearch,
): Promise<Group[]> {
  const found = groups.filter(({ outlets, newestAt }) => outlets >= leastOutlets && newestAt >= (since ?? 0));
  const query = parseWordQuery(words);
  if (query === null && outlet === '') return found;
  const ids = found.map(({ id }) => id);
  const read = await readGroups(db, ids);
  return found.filter(({ id }) => {
    const { items = [], decision } = read.get(id) ?? {};
    const texts = [...items.flatMap((item) => [item.title, item.outlet]), decision?.headline, decision?.text];
    const isOfOutlet = outlet === '' || items.some((item) => outletKey(item.outlet) === outletKey(outlet));
    return isOfOutlet && (query === null || query.matches(texts.join(' | ')));
  });
}

async function withDetails(db: Db, ranks: readonly GroupRank[]): Promise<BrowsedGroup[]> {
  const ids = ranks.map(({ id }) => id);
  const [groups, suggestions] = [await readGroups(db, ids), await readSuggestions(db, ids)];
  return ranks.flatMap((rank): BrowsedGroup[] => {
    const group = groups.get(rank.id);
    // Without one, a grouping has moved its reports since the sketch was read.
    return group === undefined
      ? []
      : [{ group, rank, newestAt: newestReport(group), similar: suggestions.get(rank.id) ?? [] }];
  });
}

/** Reads the groups that perhaps report the same event as these, the most similar first, by id. */
export async function readSuggestions(db: Db, ids: readonly number[]): Promise<Map<number, number[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('group_suggestions')
    .select(['group_id', 'other_id'])
    .where((e) => e.or([e('group_id', 'in', ids), e('other_id', 'in', ids)]))
    .orderBy('similarity', 'desc')
    .orderBy('group_id')
    .orderBy('other_id')
    .execute();
  const pairs = rows.flatMap(({ group_id: id, other_id: other }) => [
    { id, other },
    { id: other, other: id },
  ]);
  const found = Map.groupBy(pairs, ({ id }) => id);
  return new Map(ids.map((id) => [id, (found.get(id) ?? []).map(({ other }) => other)]));
}

/** How current the groups are. */
export interface GroupingState {
  /** When the last grouping had read its reports; null before the first. */
  groupedAt: number | null;
  waiting: WaitingItems;
}

export async function readGroupingState(app: Pick<AppContext, 'store' | 'clock'>): Promise<GroupingState> {
  const { db } = app.store;
  const waiting = await countUngroupedItems(db, app.clock() - ROUNDUP_WINDOW);
  return { groupedAt: await readGroupedAt(db), waiting };
}
