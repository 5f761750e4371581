/**
 * Groups the outlet items of the window, and lets rules pick groups. Several processes may do it at once, and doing it
 * again changes nothing.
 */
import { raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { afterCommits } from '../../core/commit-watch.ts';
import { ownSites } from '../../core/config/sources.ts';
import { readMeta, writeMeta } from '../../core/store/meta.ts';
import { type Db, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { privateHost } from '../../lib/private-address.ts';
import { repeat, type Stoppable } from '../../lib/repeat.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import type { GroupingInput } from '../grouping/group-items.ts';
import type { FrozenGroup, Grouping, GroupingItem, GroupSuggestion } from '../grouping/grouping-item.ts';
import { carryOut } from './change-groups.ts';
import {
  countUngroupedItems,
  findGroupIds,
  lockGroups,
  moveItems,
  readGroupsBetween,
  readGroupsSince,
  readGroupsVersion,
  readUngroupedItems,
  readUnpublishedGroups,
  writeCertain,
} from './group-rows.ts';
import { publishPicks } from './publish-picks.ts';
import { creditableOf, firstItemOf, outletsOf, reportedAt, type StoryGroup, toGroupingItem } from './story-group.ts';
import { listUncountedDays, readFrequencies, writeTermDay } from './term-days.ts';

/** Reports of outlets that are polled at the same time are grouped together. */
const GROUP_EVERY = 5 * SECOND;
const GROUP_AGAIN_AFTER = 5 * MINUTE;

/**
 * Groups reports as long as daywire runs. What fails is not repeated at once: a grouping may take half a minute of a
 * processor's time until it is given up.
 */
export function startGrouping(app: AppContext): Stoppable {
  let failed: { problem: string; retryAt: number } | null = null;
  return repeat(afterCommits(app.store, GROUP_EVERY, MINUTE), 'grouping reports', app.log, async (signal) => {
    if (failed === null || app.clock() >= failed.retryAt) {
      const problem = (await regroupIfDue(app, signal))?.problem ?? null;
      failed = problem === null ? null : { problem, retryAt: app.clock() + GROUP_AGAIN_AFTER };
    }
    if (failed !== null) throw new Error(failed.problem);
  });
}

/** The author of the rules' decisions in the log. */
const RULE_AUTHOR = 'rule';

export interface RegroupResult {
  /** Items that came into a group, or into another one. */
  moved: number;
  /** Groups that a rule let in, or whose newcomers it credited. */
  byRule: number;
  /** Articles that were written. */
  articles: number;
  /** Why reports could not be grouped, a sentence part for people; null if they could. */
  problem: string | null;
}

/** Another process that groups at the same time is as good: a later pass finds what neither has seen. */
const MAX_TRIES = 5;

const GROUPING_ALERT = { kind: 'grouping', subject: {} };

/**
 * Groups, lets rules pick, and writes the articles of picks. A grouping that fails raises an alert, and holds up no
 * pick of an editor.
 * @param signal ends the grouping in its thread
 * @param group fails with a JobError if it takes too long
 * @throws the reason of `signal`
 */
export async function regroup(
  app: AppContext,
  signal?: AbortSignal,
  group: typeof groupInThread = groupInThread,
): Promise<RegroupResult> {
  const { store, config, clock } = app;
  const { moved, problem } = await groupAgain(app, signal, group);
  const byRule = problem === null ? await applyRules(app) : 0;
  const { added, updated } = await publishPicks(store, config, clock);
  if (problem === null) await resolveAlerts(store.db, [GROUPING_ALERT], clock());
  else {
    const message =
      `Reports of other outlets cannot be grouped: ${problem}. New ones are not listed, and no rule lets them in, ` +
      'until grouping works again. Picks are published as usual.';
    await raiseAlert(store.db, { ...GROUPING_ALERT, message }, clock());
  }
  return { moved, byRule, articles: added + updated, problem };
}

/** @throws the reason of `signal`, and what the store throws */
async function groupAgain(
  app: AppContext,
  signal: AbortSignal | undefined,
  group: typeof groupInThread,
): Promise<Pick<RegroupResult, 'moved' | 'problem'>> {
  try {
    await countPastDays(app, signal);
    return { moved: await groupItemsOfWindow(app, signal, group), problem: null };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof JobError)) throw error;
    return { moved: 0, problem: errorLine(error) };
  }
}

/**
 * As `regroup`, if there is an item that no grouping has seen, or an article that another process has left unwritten.
 * @returns null if there is neither
 */
export async function regroupIfDue(app: AppContext, signal?: AbortSignal): Promise<RegroupResult | null> {
  const { store, clock } = app;
  const { count } = await countUngroupedItems(store.db, clock() - ROUNDUP_WINDOW);
  return count > 0 || (await readUnpublishedGroups(store.db)).length > 0 ? regroup(app, signal) : null;
}

/** How far back lists and rules reach: editors pick each day; two more hours, because reports arrive late. */
export const ROUNDUP_WINDOW = 26 * HOUR;

const GROUP = threadJob<typeof import('../grouping/group-items.ts').groupItems>(
  import.meta.url,
  '../grouping/group-items',
  'groupItems',
);

const COUNT_TERMS = threadJob<typeof import('../grouping/term-frequencies.ts').frequenciesOf>(
  import.meta.url,
  '../grouping/term-frequencies',
  'frequenciesOf',
);

/** Thousands of items take a second. */
const TIME_LIMIT = 30 * SECOND;

/** As `groupItems`. @throws JobError if it takes too long; the reason of `signal` */
export function groupInThread(input: GroupingInput, signal?: AbortSignal): Promise<Grouping> {
  return runInThread(GROUP, input, { timeLimit: TIME_LIMIT, signal });
}

async function countPastDays({ store, config, clock }: AppContext, signal?: AbortSignal): Promise<void> {
  for (const day of await listUncountedDays(store.db, clock(), ROUNDUP_WINDOW)) {
    const read = await readGroupsBetween(store.db, day, day + DAY);
    const groups = read.map((items) => items.map((item) => toGroupingItem(item, config.publication.language)));
    const frequencies = await runInThread(COUNT_TERMS, groups, { timeLimit: TIME_LIMIT, signal });
    await writeTermDay(store.db, day, frequencies);
  }
}

async function groupItemsOfWindow(
  { store, config, clock }: AppContext,
  signal: AbortSignal | undefined,
  group: typeof groupInThread,
): Promise<number> {
  const windowMs = ROUNDUP_WINDOW;
  const frequencies = await readFrequencies(store.db, clock(), windowMs);
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const { language } = config.publication;
    const task = await readGroupingTask(store.db, { now: clock(), windowMs, language });
    if (task.items.length === 0) return 0;
    const { items, frozen } = task;
    const moved = await writeGrouping(store, task, await group({ items, frozen, frequencies }, signal));
    if (moved !== null) return moved;
  }
  return 0;
}

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
  const groups = (await readGroupsSince(db, from)).filter(({ items }) => items.some((one) => reportedAt(one) >= from));
  const ungrouped = (await readUngroupedItems(db, from)).filter((item) => reportedAt(item) >= from);
  const grouped = groups.flatMap(({ items, decision }) =>
    items.filter((item) => decision !== null || reportedAt(item) >= from - KEPT_FOR),
  );
  return {
    version,
    readAt: now,
    items: [...grouped, ...ungrouped].map((item) => toGroupingItem(item, language)),
    frozen: groups
      .filter(({ decision }) => decision !== null)
      .map(({ id, items }) => ({ id, items: items.map((item) => item.id) })),
  };
}

/**
 * Writes groups and suggestions, in one transaction.
 * @returns the number of items that changed their group; null if somebody has changed groups since the task was read
 */
export function writeGrouping(
  { db }: Pick<Store, 'db'>,
  { version, readAt, frozen }: GroupingTask,
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
    const decided = new Set(frozen.flatMap((group) => group.items));
    const judged = items.filter((item) => !decided.has(item));
    await writeCertain(tx, judged, new Set(groups.flatMap((group) => group.certain)));
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

/** Lets in what the rules of newsletters say, and credits certain newcomers of what a rule has let in before. */
async function applyRules({ store, config, clock }: AppContext): Promise<number> {
  const rules = config.newsletters.flatMap(({ kind, autoPick }) => (kind === 'roundup' ? (autoPick ?? []) : []));
  if (rules.length === 0) return 0;
  const outlets = Math.min(...rules);
  const now = clock();
  const sites = ownSites(config);
  return inTransaction(store.db, async (tx) => {
    await lockGroups(tx);
    let changed = 0;
    for (const group of await readGroupsSince(tx, now - ROUNDUP_WINDOW)) {
      const creditable = creditableOf(group);
      if (!isLetIn(creditable, outlets, now)) continue;
      // Its item could not link to the report. An editor gets to see the group.
      if (privateHost(firstItemOf(creditable).url, sites) !== null) continue;
      changed += (await carryOut(tx, [group], { kind: 'rule' }, { editor: RULE_AUTHOR, now })).length;
    }
    return changed;
  });
}

/**
 * Whether the rule of that many outlets lets a group in, or has let it in: newcomers of its picks are credited. It
 * leaves alone what an editor has picked, dropped or taken back.
 */
export function isLetIn({ items, decision }: StoryGroup, outlets: number, now: number): boolean {
  if (decision?.state === 'dropped' || decision?.pickedBy === 'editor') return false;
  if (decision?.state === 'picked') return true;
  const recent = items.filter((item) => reportedAt(item) >= now - ROUNDUP_WINDOW);
  return outletsOf(recent).length >= outlets;
}
