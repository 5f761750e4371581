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
import { type ArchiveOptions, type ArchiveProgress, closeDuePages } from '../archive/close-due-pages.ts';
import { type ArchivePageNumbers, addPages, recordMembers, touchArchivePages } from '../archive/record-members.ts';
import { findFeedsBehindArchive, findTouchedFeeds } from '../feed-builds.ts';
import { lockFeedVersion } from '../feed-version.ts';
import { queueHubNotifications } from '../hub/hub.ts';
import { mirrorDocuments } from '../mirror.ts';
import { type PublishFeedsResult, publishFeeds } from './publish-feeds.ts';

/** `onProgress`: gets the number of archive pages closed so far. */
export type ArchiveLimits = Pick<ArchiveOptions, 'signal' | 'onProgress'>;

/** `since`: only changes that became due at this instant, or later. */
interface ChangeLimits {
  since?: number;
  signal?: AbortSignal | undefined;
}

export interface PublishResult extends PublishFeedsResult {
  archives: ArchiveProgress;
}

/**
 * Publishes all feeds to the store, and mirrors them to the folder of feeds.
 * @param archives also closes due pages of archives, and publishes all pending changes; default: leaves both to the
 *   background tasks
 * @throws Error where a template fails; or what the store throws
 */
export async function publish(app: AppContext, archives?: ArchiveLimits): Promise<PublishResult> {
  const results: PublishResult[] = [];
  const changes = await recordChanges(app);
  if (archives !== undefined) results.push(await closePages(app, archives));
  results.push(await publishRecorded(app, { ...changes, feeds: undefined }));
  if (archives !== undefined && changes.more) {
    results.push(await publishChanges(app, archives), await closePages(app, archives), await publishBehind(app));
  }
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

/** Closes the due pages of archives, and publishes the feeds that do not link to the newest pages. */
export async function archive(app: AppContext, options: ArchiveLimits = {}): Promise<PublishResult> {
  const closed = await closePages(app, options);
  return options.signal?.aborted ? closed : summarise([closed, await publishBehind(app)]);
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
): Promise<PublishResult & { changes: number }> {
  const results: PublishResult[] = [];
  let changes = 0;
  for (let more = true; more && !signal?.aborted; ) {
    const batch = await recordChanges(app, since);
    const result = await publishRecorded(app, { ...batch, feeds: [...batch.touched] });
    results.push(result);
    // A build by another process superseded this one: these changes are published again.
    const isPublished = result.superseded.length === 0 && result.postponedUntil === null;
    if (isPublished) changes += batch.changes.length;
    more = batch.more && isPublished;
  }
  if (changes >= CHANGES_PER_STEP && !(await hasBacklog(app))) await reclaimSpace(app.store.db, 'pending_changes');
  return { ...summarise(results), changes };
}

/** Changes whose articles archives have recorded, and that have not been published. */
interface RecordedBatch {
  changes: DueChange[];
  /** Ids of the feeds that they touch. */
  touched: Set<string>;
  /** Closed archive pages that have some of the articles. */
  pages: ArchivePageNumbers;
  /** Whether others are pending. */
  more: boolean;
}

const NO_CHANGES: Readonly<RecordedBatch> = { changes: [], touched: new Set(), pages: new Map(), more: false };

/** Changes of one transaction, for which other publishes wait. As many at once are a backlog, of a large import. */
const CHANGES_PER_STEP = 2_000;
/** How long changes that touch no feed are recorded until they are published, in milliseconds. */
const LONGEST_RECORDING = 2 * SECOND;

/** Records the articles of pending changes in archives, the newest first, until some touch a feed. */
async function recordChanges(app: AppContext, since?: number): Promise<RecordedBatch> {
  const startedAt = performance.now();
  const batch: RecordedBatch = { changes: [], touched: new Set(), pages: new Map(), more: false };
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
    await recordStep(app, changes, batch);
    isUnread ||= newer.length === CHANGES_PER_STEP;
    batch.more = changes.length === CHANGES_PER_STEP || newer.length > 0 || isUnread;
    const isLong = performance.now() - startedAt >= LONGEST_RECORDING;
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

async function recordStep(
  { store, config, clock }: AppContext,
  changes: DueChange[],
  to: RecordedBatch,
): Promise<void> {
  const now = clock();
  const ids = changes.map(({ articleId }) => articleId);
  const { articles, pages } = await recordMembers(store, config, { now, changed: ids });
  addPages(to.pages, pages);
  for (const feed of await findTouchedFeeds(store.db, config, articles, now)) to.touched.add(feed);
}

/** Whether so many changes are pending that they are published step by step. */
async function hasBacklog(app: AppContext): Promise<boolean> {
  return (await readChanges(app, {})).length === CHANGES_PER_STEP;
}

/** Publishes feeds with recorded changes, and takes these off the outbox. @param feeds ids; undefined: all */
async function publishRecorded(
  app: AppContext,
  { changes, pages, more, feeds }: Omit<RecordedBatch, 'touched'> & { feeds: string[] | undefined },
): Promise<PublishResult> {
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
  if (isStored) await endChanges(app, changes, pages);
  if (result.documents.some((document) => document.changed)) await mirrorPublished(app);
  return { ...result, archives: { closed: 0, more } };
}

/** Takes published changes off the outbox. The archive pages that have their articles get a later time, once. */
async function endChanges(
  { store, clock }: AppContext,
  changes: DueChange[],
  pages: ArchivePageNumbers,
): Promise<void> {
  // Short transactions, so that other writers do not wait.
  let touched = pages;
  for (const some of chunks(changes, CHANGES_PER_STEP)) {
    await store.db.transaction().execute(async (tx) => {
      await lockFeedVersion(tx);
      await touchArchivePages(tx, touched, clock());
      await deletePublishedChanges(tx, some);
    });
    touched = new Map();
  }
}

/** Publishes the feeds that do not link to the newest page of their archive. */
async function publishBehind(app: AppContext): Promise<PublishResult> {
  const feeds = await findFeedsBehindArchive(app.store.db, app.config);
  // A backlog would change the links again and again: who publishes it publishes them at the end.
  if (feeds.length === 0 || (await hasBacklog(app))) return NOTHING_PUBLISHED;
  return publishRecorded(app, { ...NO_CHANGES, feeds });
}

async function closePages(
  { store, config, clock }: AppContext,
  options: Omit<ArchiveOptions, 'now'>,
): Promise<PublishResult> {
  const archives = await closeDuePages(store, config, { ...options, now: clock() });
  return { ...NOTHING_PUBLISHED, archives };
}

const NOTHING_PUBLISHED: PublishResult = {
  documents: [],
  rejected: [],
  superseded: [],
  postponedUntil: null,
  archives: { closed: 0, more: false },
};

/** The documents and rejections as they were published last, and whether documents changed at any time. */
export function summarise(results: readonly PublishResult[]): PublishResult {
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
    archives: {
      closed: results.reduce((sum, { archives }) => sum + archives.closed, 0),
      more: last.archives.more,
    },
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
