/** The first run of a started process: loads the sample, imports, publishes, composes and delivers what is due. */
import { importWatched } from '../articles/import/watched/watched-folders.ts';
import { hasDueChanges } from '../articles/pending-changes.ts';
import { hasNoArticles } from '../articles/queries.ts';
import type { AppContext } from '../core/app-context.ts';
import type { WorkProgress } from '../core/cli/progress.ts';
import { runDue } from '../core/schedule/run-due.ts';
import type { Run } from '../core/schedule/run-ledger.ts';
import { type CloseOutcome, composeNow } from '../delivery/closing/close.ts';
import { closeDueEditions } from '../delivery/closing/send-now.ts';
import { deliverDue, type NamedRunResult } from '../delivery/deliver-due.ts';
import { DeliveryMonitor } from '../delivery/monitor/monitor.ts';
import { needsOperator } from '../delivery/monitor/run-details.ts';
import { lastEdition } from '../editions/queries.ts';
import { publish } from '../feeds/publish/publish.ts';
import { SECOND } from '../lib/time.ts';
import { OUTLETS } from '../outlets/polling/outlets.ts';
import { regroup } from '../outlets/story-groups/regroup.ts';
import { SITES } from '../own-sites/poll.ts';
import { describePoll, pollDue } from '../sources/polling/poller.ts';
import type { SourceKind } from '../sources/polling/source-kind.ts';
import { jobsOf } from './capabilities.ts';
import { applySamplePicks, loadSampleNewsroom } from './sample/newsroom.ts';

/** Results of the first run; null for what is not part of this process's roles. */
export interface FirstRun {
  /** Null where the store held articles already, or the configuration is not the sample's. */
  sample: { articles: number; subscribers: number; rejected: number } | null;
  imported: { added: number; updated: number; rejected: number } | null;
  /** The sources that were due. */
  polled: { source: string; text: string }[];
  published: { documents: number; changed: number; rejected: number } | null;
  /** The edition of the sample's first start. */
  edition: CloseOutcome | null;
  runs: Run[];
  delivered: NamedRunResult | null;
}

/** Whether a run failed, or delivery needs an operator. */
export function hasFailed({ runs, delivered }: FirstRun): boolean {
  return (delivered !== null && needsOperator(delivered)) || runs.some((run) => run.state === 'failed');
}

export interface FirstRunOptions {
  /** Aborted to end daywire: deliveries under way are finished and recorded, and nothing new begins. */
  stop: AbortSignal;
  onProgress?: ((progress: WorkProgress) => void) | undefined;
}

export const NOTHING_DONE = { sample: null, imported: null, polled: [], published: null, edition: null, runs: [] };

/** Limits of the work of the first run. Default: those of a process that continues it. */
interface FirstRunLimits {
  /** Whether no background task will publish what is left. */
  isAlone?: boolean;
  /** Milliseconds for the polls of sources. A slot that is due gets what they bring until then. */
  polls?: number;
}

const POLL_LIMIT = 20 * SECOND;

/** The part of the role `schedule`. */
export async function publishAndCompose(
  app: AppContext,
  { onProgress, stop }: FirstRunOptions,
  { isAlone = false, polls = POLL_LIMIT }: FirstRunLimits = {},
): Promise<Omit<FirstRun, 'delivered'>> {
  const { store, config, clock } = app;
  const isEmptySample = config.sample && (await hasNoArticles(store.db));
  const loaded = isEmptySample ? await loadSampleNewsroom(store, config, { now: clock() }) : null;
  const sample = loaded && { ...loaded, rejected: loaded.rejected.length };
  const imported = await importWatched(app, {
    signal: stop,
    onProgress: (progress) => onProgress?.({ kind: 'importing', ...progress }),
  });
  const polled = stop.aborted ? [] : await pollFirst(app, AbortSignal.any([stop, AbortSignal.timeout(polls)]));
  // The next start publishes and composes. A publish of what such an import has left to do may take minutes.
  if (stop.aborted) return { ...NOTHING_DONE, sample, imported, polled };
  const first = config.newsletters.find(({ kind }) => kind === 'roundup');
  // Decided by the editions, not by `loaded`: an earlier first start may have been killed after its import.
  const lacksEdition = config.sample && first !== undefined && (await lastEdition(store.db, first.id)) === null;
  if (lacksEdition) await applySamplePicks(app);
  const { documents, rejected } = await publish(app, isAlone ? stop : undefined);
  const edition = lacksEdition ? await composeNow(app, first) : null;
  await closeDueEditions(app);
  const runs = await runDue(store, jobsOf(app), { ...app, signal: stop });
  // An edition is an item of a feed: publish it now.
  if (await hasDueChanges(store.db, clock())) await publish(app, isAlone ? stop : undefined);
  const changed = documents.filter((document) => document.changed).length;
  const published = { documents: documents.length, changed, rejected: rejected.length };
  return { sample, imported, polled, published, edition, runs };
}

async function pollFirst(app: AppContext, signal: AbortSignal): Promise<FirstRun['polled']> {
  const polled = await Promise.all([pollKind(app, SITES, signal), pollKind(app, OUTLETS, signal)]);
  // Also without news: rules may be new. A grouping that is cut short changes nothing; one that fails raises an alert.
  await regroup(app, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return polled.flat();
}

async function pollKind(app: AppContext, kind: SourceKind, signal: AbortSignal): Promise<FirstRun['polled']> {
  return (await pollDue(app, kind, { signal })).map(({ source, outcome }) => {
    if (outcome.kind === 'stopped') return { source, text: 'is still being read' };
    const { failures, state, reason } = outcome.after;
    const text = failures > 0 ? `${state}: ${reason}` : (describePoll(kind, outcome) ?? 'nothing has changed');
    return { source, text };
  });
}

/** The part of the role `deliver`. */
export function deliverFirst(
  app: AppContext,
  { stop, onProgress }: FirstRunOptions,
  monitor = new DeliveryMonitor(app),
): Promise<NamedRunResult> {
  return deliverDue(app, {
    signal: stop,
    monitor,
    onProgress: (report) => onProgress?.({ kind: 'delivering', report }),
  });
}
