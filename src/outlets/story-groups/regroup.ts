/**
 * Groups the outlet items of the window, and lets rules pick groups. Several processes may do it at once, and doing it
 * again changes nothing.
 */

import { raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import { ownSites } from '../../core/config/own-sites.ts';
import { inTransaction } from '../../core/store/transaction.ts';
import { privateHost } from '../../lib/private-address.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { JobError } from '../../lib/threads/pool-thread.ts';
import { HOUR, MINUTE } from '../../lib/time.ts';
import { countTermsInThread, groupInThread } from '../grouping/group-in-thread.ts';
import { carryOut } from './change-groups.ts';
import { hasUngroupedItems, hasUnpublishedGroups, lockGroups, readGroupsSince } from './group-rows.ts';
import { readGroupingTask, writeGrouping } from './grouping-store.ts';
import { publishPicks } from './publish-picks.ts';
import { isLetIn } from './rule.ts';
import { firstItemOf } from './story-group.ts';
import { listUncountedDays, readFrequencies, readGroupsOfDay, writeTermDay } from './term-days.ts';

/** What it is called that lets groups in, in the log. */
const RULE_AUTHOR = 'rule';

export interface RegroupReport {
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

const GROUPING_ALERT = 'grouping';

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
): Promise<RegroupReport> {
  const { store, config, clock } = app;
  const { moved, problem } = await groupAgain(app, signal, group);
  const byRule = problem === null ? await applyRules(app) : 0;
  const { added, updated } = await publishPicks(store, config, clock);
  if (problem === null) await resolveAlerts(store.db, [GROUPING_ALERT], clock());
  else {
    const message =
      `Reports of other outlets cannot be grouped: ${problem}. New ones are not listed, and no rule lets them in, ` +
      'until grouping works again. Picks are published as usual.';
    await raiseAlert(store.db, { key: GROUPING_ALERT, message }, clock());
  }
  return { moved, byRule, articles: added + updated, problem };
}

/** @throws the reason of `signal`, and what the store throws */
async function groupAgain(
  app: AppContext,
  signal: AbortSignal | undefined,
  group: typeof groupInThread,
): Promise<Pick<RegroupReport, 'moved' | 'problem'>> {
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
export async function regroupIfDue(app: AppContext, signal?: AbortSignal): Promise<RegroupReport | null> {
  const { store, config, clock } = app;
  const isDue =
    (await hasUngroupedItems(store.db, clock() - groupingWindow(config))) || (await hasUnpublishedGroups(store.db));
  return isDue ? regroup(app, signal) : null;
}

/** A failure is not repeated at once: a grouping may take half a minute of processor time until it is given up. */
const GROUP_AGAIN_AFTER = 5 * MINUTE;

/** The repeated task of a running daywire. */
export function groupingReports(app: AppContext): (signal: AbortSignal) => Promise<void> {
  let failed: { problem: string; retryAt: number } | null = null;
  return async (signal) => {
    if (failed === null || app.clock() >= failed.retryAt) {
      const problem = (await regroupIfDue(app, signal))?.problem ?? null;
      failed = problem === null ? null : { problem, retryAt: app.clock() + GROUP_AGAIN_AFTER };
    }
    if (failed !== null) throw new Error(failed.problem);
  };
}

/** The longest window of a newsletter, in milliseconds: all lists are made of the same groups. */
export function groupingWindow({ newsletters }: Pick<Config, 'newsletters'>): number {
  const hours = newsletters.filter(({ kind }) => kind === 'roundup').map(({ roundup }) => roundup.windowHours);
  return Math.max(DEFAULT_HOURS, ...hours) * HOUR;
}

/** As the configuration's default, for a newsroom without newsletters. */
const DEFAULT_HOURS = 26;

async function countPastDays({ store, config, clock }: AppContext, signal?: AbortSignal): Promise<void> {
  for (const day of await listUncountedDays(store.db, clock(), groupingWindow(config))) {
    const groups = await readGroupsOfDay(store.db, day, config.publication.language);
    await writeTermDay(store.db, day, groups.length === 0 ? new Map() : await countTermsInThread(groups, signal));
  }
}

async function groupItemsOfWindow(
  { store, config, clock }: AppContext,
  signal: AbortSignal | undefined,
  group: typeof groupInThread,
): Promise<number> {
  const windowMs = groupingWindow(config);
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

/** Lets in what the rules of newsletters say, and credits newcomers of what a rule has let in before. */
async function applyRules({ store, config, clock }: AppContext): Promise<number> {
  const rules = config.newsletters.flatMap(rulesOf);
  if (rules.length === 0) return 0;
  const now = clock();
  const sites = ownSites(config);
  return inTransaction(store.db, async (tx) => {
    await lockGroups(tx);
    const longest = Math.max(...rules.map(({ windowMs }) => windowMs));
    let changed = 0;
    for (const group of await readGroupsSince(tx, now - longest)) {
      if (!rules.some((rule) => isLetIn(group, rule, now))) continue;
      // Its item could not link to the report. An editor gets to see the group.
      if (privateHost(firstItemOf(group).url, sites) !== null) continue;
      changed += (await carryOut(tx, [group], { kind: 'rule' }, { editor: RULE_AUTHOR, now })).length;
    }
    return changed;
  });
}

function rulesOf({ kind, roundup: { windowHours, approve } }: NewsletterConfig) {
  return kind === 'roundup' && approve !== 'editor'
    ? [{ outlets: approve.rule.outlets, windowMs: windowHours * HOUR }]
    : [];
}
