/**
 * Publishes feeds: pauses editions with retracted articles, closes archive pages, builds, stores and mirrors feeds.
 */
import { setTimeout } from 'node:timers/promises';
import { deletePublishedChanges, readDueChanges } from '../articles/pending-changes.ts';
import { pauseEditionsWithRetracted } from '../delivery/control/retraction.ts';
import { type ArchiveOptions, type ArchiveProgress, closeDuePages } from '../feeds/archive/close-due-pages.ts';
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
  /** Limits of the work on archives before the feeds that link to them are built. */
  archives?: Omit<ArchiveOptions, 'now'> | undefined;
}

export interface PublishResult extends PublishReport {
  archives: ArchiveProgress;
}

/** News comes first: what is left to do for archives waits for the background task or for the next publish. */
const DEFAULT_ARCHIVE_LIMITS = { within: 300 };
/** Keeps memory flat after an import of a million articles. */
const CHANGES_PER_BATCH = 20_000;

/**
 * Publishes feeds to the store, batch by batch of pending changes, and mirrors them to the folder of feeds.
 * @throws Error where an id names no feed, or a template fails; or what the store throws
 */
export async function publish(app: AppContext, request: PublishRequest = {}): Promise<PublishResult> {
  const { store, config, clock } = app;
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
    await mirrorDocuments(store.db, config.paths.feeds);
    return { ...report, documents: [...documents.values()], archives: { closed, more: archives.more } };
  }
}

/** Publishes one batch of pending changes. `hasMore`: another batch is to follow. */
async function publishBatch(
  { store, config, templates, clock }: AppContext,
  { feeds, archives: limits = DEFAULT_ARCHIVE_LIMITS }: PublishRequest,
): Promise<{ report: PublishReport; archives: ArchiveProgress; hasMore: boolean }> {
  // Taken before any article is read, so that a change made meanwhile stays pending.
  const changes = await readDueChanges(store.db, clock(), CHANGES_PER_BATCH);
  const changed = changes.map(({ articleId }) => articleId);
  const now = clock();
  await recordMembers(store, config, { now, changed });
  const archives = await closeDuePages(store, config, { ...limits, now });
  const report = await publishFeeds(store, config, templates, {
    now,
    feeds,
    changedArticles: feeds === undefined ? changed : [],
    onStored: (tx, paths, at) => queueHubNotifications(tx, config, paths, at),
  });
  // A newer build by another process need not contain these changes.
  const isStored = report.superseded.length === 0 && report.postponedUntil === null;
  if (!isStored) return { report, archives, hasMore: false };
  // The same changes again: each batch corrects a limited number of archive pages.
  if (report.pagesLeft > 0) return { report, archives, hasMore: true };
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
