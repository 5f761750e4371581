/** Publishes feeds: pauses editions with retracted articles, builds, stores and mirrors feeds. */
import { setTimeout } from 'node:timers/promises';
import {
  type DueChange,
  deletePublishedChanges,
  hasDueChanges,
  readDueChanges,
} from '../../articles/pending-changes.ts';
import type { AppContext } from '../../core/app-context.ts';
import { afterCommits } from '../../core/commit-watch.ts';
import { reclaimSpace } from '../../core/store/maintenance.ts';
import { chunks } from '../../lib/chunks.ts';
import { repeat, type Stoppable } from '../../lib/repeat.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import { readChangedArticles } from '../changed-articles.ts';
import { findTouchedFeeds } from '../feed-builds.ts';
import { queueHubNotifications } from '../hub/hub.ts';
import { mirrorDocuments } from '../mirror.ts';
import { type PublishFeedsResult, publishFeeds } from './publish-feeds.ts';

/** `since`: only changes that became due at this instant, or later. */
interface ChangeLimits {
  since?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Publishes all feeds to the store, and mirrors them to the folder of feeds.
 * @param untilAborted also publishes what does not fit into one step; default: leaves that to the background task
 * @throws Error where a template fails; or what the store throws
 */
export async function publish(app: AppContext, untilAborted?: AbortSignal): Promise<PublishFeedsResult> {
  const { changes, more } = await gatherChanges(app);
  const results = [await publishBatch(app, changes, undefined)];
  if (untilAborted !== undefined && more) results.push(await publishChanges(app, { signal: untilAborted }));
  await mirrorPublished(app);
  return summarise(results);
}

/** How long changes are gathered before they are published. */
const GATHER_CHANGES = 50;

/** Publishes changes as long as daywire runs. */
export function startPublishing(app: AppContext): Stoppable {
  const { store, clock, log } = app;
  return repeat(afterCommits(store, 100, SECOND), 'publishing changes', log, async (signal) => {
    if (!(await hasDueChanges(store.db, clock()))) return;
    await setTimeout(GATHER_CHANGES);
    const { changes, documents, rejected } = await publishChanges(app, { signal });
    const changed = documents.filter((document) => document.changed).length;
    log.info({ articles: changes, documents: changed, rejected: rejected.length }, 'published changes');
  });
}

/**
 * Mirrors the published documents to the folder of feeds. If it cannot be written, that is an alert: the documents are
 * in the store, and pages are served from there.
 * @returns whether it succeeded
 */
export async function mirrorPublished({ store, config, alerts }: AppContext): Promise<boolean> {
  const { feeds } = config.paths;
  const mirror = (): Promise<unknown> => mirrorDocuments(store.db, feeds);
  return alerts.storage.attempt('feeds', `The folder of feeds ${feeds}`, mirror);
}

/** Publishes pending changes batch by batch, the newest first, to the feeds that they touch, until none are left. */
export async function publishChanges(
  app: AppContext,
  { since, signal }: ChangeLimits = {},
): Promise<PublishFeedsResult & { changes: number }> {
  const results: PublishFeedsResult[] = [];
  let changes = 0;
  for (let more = true; more && !signal?.aborted; ) {
    const batch = await gatherChanges(app, since);
    const result = await publishBatch(app, batch.changes, [...batch.touched]);
    results.push(result);
    // A build by another process superseded this one: these changes are published again.
    const isPublished = result.superseded.length === 0 && result.postponedUntil === null;
    if (isPublished) changes += batch.changes.length;
    more = batch.more && isPublished;
  }
  if (changes >= CHANGES_PER_STEP && !(await hasBacklog(app))) await reclaimSpace(app.store.db, 'pending_changes');
  return { ...summarise(results), changes };
}

/** Changes that are published at once. */
interface ChangeBatch {
  changes: DueChange[];
  /** Ids of the feeds that they touch. */
  touched: Set<string>;
  /** Whether others are pending. */
  more: boolean;
}

/** Changes that are read at once. As many are a backlog, of a large import. */
const CHANGES_PER_STEP = 2_000;
/** How long changes that touch no feed are gathered until they are published, in milliseconds. */
const LONGEST_GATHERING = 2 * SECOND;

/** Gathers pending changes, the newest first, until some touch a feed. */
async function gatherChanges(app: AppContext, since?: number): Promise<ChangeBatch> {
  const startedAt = performance.now();
  const batch: ChangeBatch = { changes: [], touched: new Set(), more: false };
  // Newer changes that did not fit into a step.
  let isUnread = false;
  let newest: DueChange | undefined;
  let oldest: DueChange | undefined;
  for (;;) {
    // Changes that have become due meanwhile overtake the backlog.
    const newer = newest === undefined ? [] : await readChanges(app, { since: newest.dueAt + 1 });
    const changes = newer.length > 0 ? newer : await readChanges(app, { since, after: oldest });
    if (newer.length === 0) oldest = changes.at(-1);
    newest = newer[0] ?? newest ?? changes[0];
    batch.changes.push(...changes);
    for (const feed of await touchedBy(app, changes)) batch.touched.add(feed);
    isUnread ||= newer.length === CHANGES_PER_STEP;
    batch.more = changes.length === CHANGES_PER_STEP || newer.length > 0 || isUnread;
    const isLong = performance.now() - startedAt >= LONGEST_GATHERING;
    if (!batch.more || batch.touched.size > 0 || isLong) return batch;
  }
}

/** Taken before any article is read, so that a change made meanwhile stays pending. */
function readChanges(
  { store, clock }: AppContext,
  range: { since?: number | undefined; after?: DueChange | undefined },
): Promise<DueChange[]> {
  return readDueChanges(store.db, clock(), { limit: CHANGES_PER_STEP, ...range });
}

async function touchedBy({ store, config, clock }: AppContext, changes: DueChange[]): Promise<string[]> {
  const ids = changes.map(({ articleId }) => articleId);
  const articles = await readChangedArticles(store.db, config.feeds, ids);
  return findTouchedFeeds(store.db, config, articles, clock());
}

/** Whether so many changes are pending that they are published step by step. */
async function hasBacklog(app: AppContext): Promise<boolean> {
  return (await readChanges(app, {})).length === CHANGES_PER_STEP;
}

/** Publishes feeds with changes, and takes these off the outbox. @param feeds ids; undefined: all */
async function publishBatch(
  app: AppContext,
  changes: DueChange[],
  feeds: string[] | undefined,
): Promise<PublishFeedsResult> {
  const { store, config, templates, clock } = app;
  // First, because every second counts: pending deliveries of these editions carry a retracted article.
  await app.beforePublish(app);
  const build = (): Promise<PublishFeedsResult> =>
    publishFeeds(store, config, templates, {
      now: clock(),
      feeds,
      hasChanges: changes.length > 0,
      onStored: (tx, paths, at) => queueHubNotifications(tx, config, paths, at),
    });
  let result = await build();
  // Where the clock does not move, the changes stay pending for the next publish.
  while (result.postponedUntil !== null && (await clockReaches(clock, result.postponedUntil))) result = await build();
  // A newer build by another process need not contain these changes.
  const isStored = result.superseded.length === 0 && result.postponedUntil === null;
  // Short transactions, so that other writers do not wait.
  if (isStored) for (const some of chunks(changes, CHANGES_PER_STEP)) await deletePublishedChanges(store.db, some);
  if (result.documents.some((document) => document.changed)) await mirrorPublished(app);
  return result;
}

const NOTHING_PUBLISHED: PublishFeedsResult = { documents: [], rejected: [], superseded: [], postponedUntil: null };

/** The documents and rejections as they were published last, and whether documents changed at any time. */
export function summarise(results: readonly PublishFeedsResult[]): PublishFeedsResult {
  const documents = new Map<string, PublishFeedsResult['documents'][number]>();
  const rejected = new Map<string, PublishFeedsResult['rejected']>();
  for (const result of results) {
    for (const document of result.documents) {
      const changed = document.changed || documents.get(document.path)?.changed === true;
      documents.set(document.path, { ...document, changed });
      // The path is such as `latest.atom`.
      rejected.set(document.path.replace(/\.[^.]+$/, ''), []);
    }
    for (const [feed, entries] of Map.groupBy(result.rejected, (entry) => entry.feed)) rejected.set(feed, entries);
  }
  const last = results.at(-1) ?? NOTHING_PUBLISHED;
  const built = results.filter((result) => result.documents.length > 0).at(-1) ?? last;
  return {
    ...built,
    documents: [...documents.values()],
    rejected: [...rejected.values()].flat(),
  };
}

/**
 * Waits until `clock` reaches `instant`, but no longer than it would have taken at first: the clock may be set back.
 * @returns false for a clock that does not move, as in tests
 */
async function clockReaches(clock: Clock, instant: number): Promise<boolean> {
  const deadline = performance.now() + instant - clock();
  for (let before = Number.NaN; clock() < instant && performance.now() < deadline; ) {
    if (clock() === before) return false;
    before = clock();
    await setTimeout(Math.min(instant - before, 50));
  }
  return true;
}
