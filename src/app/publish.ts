/**
 * Publishes feeds: pauses editions with retracted articles, closes archive pages, builds, stores and mirrors feeds.
 */
import { setTimeout } from 'node:timers/promises';
import { deletePublishedChanges, readDueChanges } from '../articles/pending-changes.ts';
import { pauseEditionsWithRetracted } from '../delivery/control/retraction.ts';
import { type ArchiveOptions, type ArchiveProgress, closeDuePages } from '../feeds/archive/close-due-pages.ts';
import { type ArchiveMirrorOptions, mirrorArchives, mirroredArchives } from '../feeds/archive/mirror-archives.ts';
import { recordMembers } from '../feeds/archive/record-members.ts';
import { mirrorDocuments } from '../feeds/mirror.ts';
import { type PublishReport, publishFeeds } from '../feeds/publish.ts';
import type { Clock } from '../lib/time.ts';
import { raiseAlert } from '../schedule/alerts.ts';
import { queueHubNotifications } from '../websub/hub.ts';
import type { AppContext } from './app-context.ts';
import { editionName, retractionAlert } from './editions.ts';

export interface PublishRequest {
  /** Ids of feeds. Default: all feeds. Pending changes are taken off the outbox only when all feeds are published. */
  feeds?: string[] | undefined;
  /** Closes the due pages of their archives first. Default: leaves that to the background task. */
  archives?: Pick<ArchiveOptions, 'signal' | 'onProgress'> | undefined;
}

export interface PublishResult extends PublishReport {
  archives: ArchiveProgress;
}

const NOTHING_CLOSED: ArchiveProgress = { closed: 0, more: false };
/** Keeps memory flat after an import of a million articles. */
const CHANGES_PER_BATCH = 20_000;

/**
 * Publishes feeds to the store, batch by batch of pending changes, and mirrors them to the folder of feeds.
 * @throws Error where an id names no feed, or a template fails; or what the store throws
 */
export async function publish(app: AppContext, request: PublishRequest = {}): Promise<PublishResult> {
  const { clock } = app;
  // First, because every second counts: pending deliveries of these editions carry a retracted article.
  await pauseRetracted(app);
  const documents = new Map<string, PublishReport['documents'][number]>();
  let closed = 0;
  for (;;) {
    const { report, archives, hasMore } = await publishBatch(app, request);
    closed += archives.closed;
    // Where the clock does not move, the changes stay pending for the next publish.
    if (report.postponedUntil !== null && (await clockReaches(clock, report.postponedUntil))) continue;
    for (const document of report.documents) {
      const changed = document.changed || documents.get(document.path)?.changed === true;
      documents.set(document.path, { ...document, changed });
    }
    if (hasMore) continue;
    const limits = request.archives === undefined ? { within: 0 } : { signal: request.archives.signal };
    await mirrorFeeds(app, { ...limits, feeds: request.feeds });
    return { ...report, documents: [...documents.values()], archives: { closed, more: archives.more } };
  }
}

/** Mirrors what has been published to the folder of feeds. `more`: archive pages are left. */
export async function mirrorFeeds(
  { store, config, clock }: AppContext,
  limits: Omit<ArchiveMirrorOptions, 'now'>,
): Promise<{ more: boolean }> {
  await mirrorDocuments(store.db, config.paths.feeds, mirroredArchives(config));
  return mirrorArchives(store.db, config, { ...limits, now: clock() });
}

/** Publishes one batch of pending changes. `hasMore`: another batch is to follow. */
async function publishBatch(
  { store, config, templates, clock }: AppContext,
  { feeds, archives: options }: PublishRequest,
): Promise<{ report: PublishReport; archives: ArchiveProgress; hasMore: boolean }> {
  // Taken before any article is read, so that a change made meanwhile stays pending.
  const changes = await readDueChanges(store.db, clock(), CHANGES_PER_BATCH);
  const changed = changes.map(({ articleId }) => articleId);
  const now = clock();
  const filled = feeds === undefined ? await recordMembers(store, config, { now, changed }) : 0;
  const { closed, more } =
    options === undefined ? NOTHING_CLOSED : await closeDuePages(store, config, { ...options, feeds, now });
  const archives = { closed: filled + closed, more };
  const report = await publishFeeds(store, config, templates, {
    now,
    feeds,
    hasChanges: feeds === undefined && changed.length > 0,
    onStored: (tx, paths, at) => queueHubNotifications(tx, config, paths, at),
  });
  // A newer build by another process need not contain these changes.
  const isStored = report.superseded.length === 0 && report.postponedUntil === null;
  if (!isStored) return { report, archives, hasMore: false };
  if (feeds !== undefined) return { report, archives, hasMore: false };
  await deletePublishedChanges(store.db, changes);
  return { report, archives, hasMore: changes.length === CHANGES_PER_BATCH };
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

/** Pauses the pending deliveries of editions that hold an article retracted since they closed, and raises alerts. */
async function pauseRetracted({ store, clock, log }: AppContext): Promise<void> {
  const paused = await pauseEditionsWithRetracted(store, async (tx, { editionId, articleIds }) => {
    const name = await editionName(tx, editionId);
    const message =
      `Delivery of ${name} is paused: retracted since it closed: ${articleIds.join(', ')}. ` +
      `Resume it with "daywire editions resume ${name}", or cancel it with "daywire editions cancel ${name}".`;
    // Not the key of other pauses: the webhook fires once per key, and that alert may be open already.
    await raiseAlert(tx, { key: retractionAlert(editionId), message }, clock());
  });
  for (const { editionId, articleIds } of paused) {
    log.warn({ edition: editionId, articles: articleIds }, 'paused an edition that holds retracted articles');
  }
}
