/**
 * Adds older articles to archives, and closes pages whose month is over or that are full. A page is closed before the
 * feed that links to it is built, so that no article is missing from both at any moment.
 */
import type { Config, FeedConfig } from '../../core/config/config.ts';
import type { Store, Tx } from '../../core/store/store.ts';
import { lockFeedVersion } from '../feed-version.ts';
import { type Archive, feedsWithArchive, isBackfilled, openArchives } from './archives.ts';
import { type PlannedPage, planPages } from './plan-pages.ts';
import { backfill, readClosable, removeWaiting } from './record-members.ts';
import { closePages, deleteWaiting, readPlaces, readWaiting, savePlaces } from './save-pages.ts';

export interface ArchiveOptions {
  now: number;
  /** Starts no further step once it is aborted. */
  signal?: AbortSignal | undefined;
  onProgress?: ((closed: number) => void) | undefined;
}

export interface ArchiveProgress {
  /** Number of pages closed. */
  closed: number;
  /** Whether more is left to do. */
  more: boolean;
}

/** Backfills archives and closes due pages. Several processes may do it at once, and it may end at any time. */
export async function closeDuePages(store: Store, config: Config, options: ArchiveOptions): Promise<ArchiveProgress> {
  const { now, signal, onProgress } = options;
  let closed = 0;
  for (const feed of feedsWithArchive(config)) {
    // First, so that the pages are in the order of time.
    for (let isComplete = await isBackfilled(store.db, feed); !isComplete; ) {
      if (signal?.aborted) return { closed, more: true };
      isComplete = await backfill(store, config, feed, now);
    }
    for (let isOver = !(await hasDuePage(store, config, feed, now)); !isOver; ) {
      if (signal?.aborted) return { closed, more: true };
      const step = await closeSomePages(store, config, feed, now);
      closed += step.closed;
      isOver = step.isOver;
      if (step.closed > 0) onProgress?.(closed);
    }
  }
  return { closed, more: false };
}

/** Articles of one transaction, for which publishes wait. */
const MEMBERS_PER_STEP = 2_000;

async function hasDuePage({ db }: Store, config: Config, feed: FeedConfig, now: number): Promise<boolean> {
  const waiting = await readWaiting(db, feed.id, MEMBERS_PER_STEP);
  return planPages(waiting, config.publication.zone, now).length > 0;
}

/** Closes the next pages of an archive. `isOver`: no other is due. */
function closeSomePages(
  store: Store,
  config: Config,
  feed: FeedConfig,
  now: number,
): Promise<{ closed: number; isOver: boolean }> {
  return store.db.transaction().execute(async (tx) => {
    await lockFeedVersion(tx);
    const archive = (await openArchives(tx, config)).find((one) => one.feed.id === feed.id);
    if (archive === undefined) return { closed: 0, isOver: true };
    const { closable, gone } = await readClosable(tx, feed, now, MEMBERS_PER_STEP);
    // They are recorded again if they come back.
    await removeWaiting(tx, archive, gone);
    const planned = planPages(closable, config.publication.zone, now);
    await closeIn(tx, archive, planned, now);
    return { closed: planned.length, isOver: planned.length === 0 };
  });
}

async function closeIn(tx: Tx, archive: Archive, planned: PlannedPage[], now: number): Promise<void> {
  const ids = planned.flatMap(({ members }) => members.map(({ id }) => id));
  const places = await readPlaces(tx, ids);
  await closePages(tx, archive, planned, { places, now });
  await savePlaces(tx, places);
  await deleteWaiting(tx, archive.feed.id, ids);
}
