/**
 * Records the articles of pending changes in archives, before the feeds that they touch are published.
 */
import { type DueChange, readDueChanges } from '../../articles/pending-changes.ts';
import type { AppContext } from '../../core/app-context.ts';
import { SECOND } from '../../lib/time.ts';
import { type ArchivePageNumbers, addPages, recordMembers } from '../archive/record-members.ts';
import { findFeedsBehindArchive, findTouchedFeeds } from '../feed-builds.ts';

/** Changes whose articles archives have recorded, and that have not been published. */
export interface RecordedBatch {
  changes: DueChange[];
  /** Ids of the feeds that they touch. */
  touched: Set<string>;
  /** Number of archive pages closed. */
  closed: number;
  /** Earlier archive pages that have some of the articles. */
  pages: ArchivePageNumbers;
  /** Whether others are pending. */
  more: boolean;
}

export const NO_CHANGES: Readonly<RecordedBatch> = {
  changes: [],
  touched: new Set(),
  closed: 0,
  pages: new Map(),
  more: false,
};

/** Changes of one transaction, for which other publishes wait. As many at once are a backlog, of a large import. */
export const CHANGES_PER_STEP = 2_000;
/** How long changes that touch no feed are recorded until they are published, in milliseconds. */
const LONGEST_RECORDING = 2 * SECOND;

/** Records the articles of pending changes in archives, the newest first, until some touch a feed. */
export async function recordChanges(app: AppContext, since?: number): Promise<RecordedBatch> {
  const startedAt = performance.now();
  const batch: RecordedBatch = { changes: [], touched: new Set(), closed: 0, pages: new Map(), more: false };
  // Newer changes that did not fit into a step.
  let isUnread = false;
  let newest: DueChange | undefined;
  let oldest: DueChange | undefined;
  for (;;) {
    // What has become due meanwhile overtakes the backlog.
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
  const { articles, closed, pages } = await recordMembers(store, config, { now, changed: ids });
  to.closed += closed;
  addPages(to.pages, pages);
  for (const feed of await findTouchedFeeds(store.db, config, articles, now)) to.touched.add(feed);
  // Of a backlog, what waits for archive pages is shown at the end.
  const isBacklog = changes.length === CHANGES_PER_STEP;
  for (const feed of isBacklog ? [] : await findFeedsBehindArchive(store.db, config)) to.touched.add(feed);
}

/** Whether so many changes are pending that they are published step by step. */
export async function hasBacklog(app: AppContext): Promise<boolean> {
  return (await readChanges(app, {})).length === CHANGES_PER_STEP;
}
