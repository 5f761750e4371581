/**
 * Publishes feeds: pauses editions with retracted articles, builds, stores and mirrors feeds.
 */
import { setTimeout } from 'node:timers/promises';
import { type DueChange, deletePublishedChanges } from '../../articles/pending-changes.ts';
import type { AppContext } from '../../core/app-context.ts';
import { reclaimSpace } from '../../core/store/maintenance.ts';
import { chunks } from '../../lib/chunks.ts';
import { collectGarbage } from '../../lib/threads/collect-garbage.ts';
import type { Clock } from '../../lib/time.ts';
import { type ArchiveOptions, type ArchiveProgress, closeDuePages } from '../archive/close-due-pages.ts';
import { type ArchiveMirrorOptions, mirrorArchives, mirroredArchives } from '../archive/mirror-archives.ts';
import { type ArchivePageNumbers, touchArchivePages } from '../archive/record-members.ts';
import { findFeedsBehindArchive } from '../feed-builds.ts';
import { lockFeedVersion } from '../feed-version.ts';
import { queueHubNotifications } from '../hub/hub.ts';
import { mirrorDocuments } from '../mirror.ts';
import { type PublishFeedsResult, publishFeeds } from './publish-feeds.ts';
import { CHANGES_PER_STEP, hasBacklog, NO_CHANGES, type RecordedBatch, recordChanges } from './record-changes.ts';

export interface PublishRequest {
  /** Ids of feeds. Default: all feeds. Pending changes are taken off the outbox only when all feeds are published. */
  feeds?: string[] | undefined;
  /**
   * Closes the due pages of their archives, and with all feeds publishes all pending changes. Default: leaves both to
   * the background tasks.
   */
  archives?: ArchiveLimits | undefined;
}

/** `onProgress`: gets the number of archive pages closed so far. */
type ArchiveLimits = Pick<ArchiveOptions, 'signal' | 'onProgress'>;

export interface PublishResult extends PublishFeedsResult {
  archives: ArchiveProgress;
}

/**
 * Publishes feeds to the store, and mirrors them to the folder of feeds.
 * @throws Error where an id names no feed, or a template fails; or what the store throws
 */
export async function publish(app: AppContext, request: PublishRequest = {}): Promise<PublishResult> {
  const { feeds, archives: options } = request;
  const results: PublishResult[] = [];
  const changes = feeds === undefined ? await recordChanges(app) : NO_CHANGES;
  if (options !== undefined) results.push(await closePages(app, { ...options, feeds }));
  results.push(await publishRecorded(app, { ...changes, feeds }));
  if (options !== undefined && changes.more) {
    results.push(await publishPending(app, options), await closePages(app, options), await publishBehind(app));
  }
  if (options === undefined) await mirrorPublished(app);
  else await mirrorFeeds(app, { feeds, signal: options.signal });
  return summarise(results);
}

/**
 * Publishes pending changes, the newest first, to the feeds that they touch, until none are left. When articles have
 * come to closed archive pages, it publishes the feeds that link to these.
 * @param options.since only changes that became due at this instant, or later
 */
export async function publishChanges(
  app: AppContext,
  options: ArchiveLimits & { since?: number } = {},
): Promise<PublishResult & { changes: number }> {
  const pending = await publishPending(app, options);
  const results: PublishResult[] = [pending];
  if (!options.signal?.aborted) {
    // A backlog leaves much garbage, and all feeds may have waited for its end.
    if (pending.changes >= CHANGES_PER_STEP) await collectGarbage();
    results.push(await publishBehind(app));
  }
  return { ...summarise(results), changes: pending.changes };
}

/** Closes the due pages of archives, and publishes the feeds that do not link to the newest pages. */
export async function archive(app: AppContext, options: ArchiveLimits = {}): Promise<PublishResult> {
  const closed = await closePages(app, options);
  return options.signal?.aborted ? closed : summarise([closed, await publishBehind(app)]);
}

/** Mirrors feeds and archives to the folder of feeds. `more`: archive pages are left. */
export async function mirrorFeeds(
  app: AppContext,
  limits: Omit<ArchiveMirrorOptions, 'now'>,
): Promise<{ more: boolean }> {
  await mirrorPublished(app);
  return mirrorArchives(app.store.db, app.config, { ...limits, now: app.clock() });
}

/** Without archive pages, which a running daywire mirrors in the background. */
async function mirrorPublished({ store, config }: AppContext): Promise<void> {
  await mirrorDocuments(store.db, config.paths.feeds, mirroredArchives(config));
}

/** Publishes pending changes batch by batch. */
async function publishPending(
  app: AppContext,
  { since, signal, onProgress }: ArchiveLimits & { since?: number | undefined },
): Promise<PublishResult & { changes: number }> {
  const results: PublishResult[] = [];
  let changes = 0;
  let closed = 0;
  for (let more = true; more && !signal?.aborted; ) {
    const batch = await recordChanges(app, since);
    closed += batch.closed;
    if (batch.closed > 0) onProgress?.(closed);
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

/** Publishes feeds with recorded changes, and takes these off the outbox. @param feeds ids; undefined: all */
async function publishRecorded(
  app: AppContext,
  { changes, closed, pages, more, feeds }: Omit<RecordedBatch, 'touched'> & { feeds: string[] | undefined },
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
  let report = await build();
  // Where the clock does not move, the changes stay pending for the next publish.
  while (report.postponedUntil !== null && (await clockReaches(clock, report.postponedUntil))) report = await build();
  // A newer build by another process need not contain these changes.
  const isStored = report.superseded.length === 0 && report.postponedUntil === null;
  if (isStored) await endChanges(app, changes, pages);
  if (report.documents.some((document) => document.changed)) await mirrorPublished(app);
  return { ...report, archives: { closed, more } };
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

/** Publishes the feeds that do not show their archive as it is. */
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
      rejected.set(feedOf(document.path), []);
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

/** @param path such as `latest.atom` */
function feedOf(path: string): string {
  return path.replace(/\.[^.]+$/, '');
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
