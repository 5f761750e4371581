/**
 * Operations on sources: polling what is due, polling one, and deciding on what a source has withdrawn.
 */
import type { AlertId } from '../core/alerts/alert-kind.ts';
import { raiseAlert, resolveAlerts } from '../core/alerts/alerts.ts';
import type { AppContext } from '../core/app-context.ts';
import type { ArticleSource } from '../core/config/config.ts';
import { openConfiguredClient } from '../core/config/fetching.ts';
import { articleSources } from '../core/config/sources.ts';
import { recordDoneRun } from '../core/schedule/run-ledger.ts';
import { type InTransaction, inTransaction } from '../core/store/store.ts';
import { ConcurrencyLimit } from '../lib/concurrency/bounded-queue.ts';
import type { FetchClient } from '../lib/guarded-fetch/fetch-client.ts';
import { DAY, rfc3339 } from '../lib/time.ts';
import type { SourceKind } from '../sources/control-sources.ts';
import { listWaitingWithdrawals, recordWithdrawal } from '../sources/item-state.ts';
import {
  beginAgain,
  claimDueSources,
  claimSource,
  findSourceRow,
  registerSources,
  type SourceRow,
  setPaused,
} from '../sources/source-state.ts';
import { type PollOutcome, pollSource } from './poll.ts';
import type { PollResult } from './poll-steps.ts';
import { retractItems, withdrawalAlert } from './sweep.ts';

/** The newsroom's own sites, as a kind of source. */
export const SITES: SourceKind = {
  register: (tx, config, source, now) => registerSources(tx, { ...config, sources: [source] }, now),
  resume: (tx, id, now) => setPaused(tx, id, false, now),
  findObstacle: async () => null,
};

/** How long a source may fail before an alert is raised. */
const ALERT_AFTER = DAY;
/** Sources that a process polls at once: a slow one does not hold up the others. */
const CONCURRENT = 4;

export interface PolledSource {
  source: string;
  outcome: PollOutcome;
}

export interface PollOptions {
  signal?: AbortSignal | undefined;
  /** Default: as configured. */
  client?: FetchClient | undefined;
}

/** Polls the sources that are due, unless another process does. */
export async function pollDueSources(app: AppContext, options: PollOptions = {}): Promise<PolledSource[]> {
  const { store, config, clock } = app;
  if (articleSources(config).length === 0) return [];
  await registerSources(store.db, config, clock());
  const client = options.client ?? openConfiguredClient(config);
  const limit = new ConcurrencyLimit(CONCURRENT);
  const polls = articleSources(config).map((source) => limit.run(() => pollIfDue(app, source, { ...options, client })));
  return (await Promise.all(polls)).flatMap((polled) => polled ?? []);
}

/** A task for each source that polls it when it is due: the first poll of a large site may take an hour. */
export function pollingSources(app: AppContext): ((signal: AbortSignal) => Promise<void>)[] {
  const { store, config, clock } = app;
  const client = openConfiguredClient(config);
  const limit = new ConcurrencyLimit(CONCURRENT);
  return articleSources(config).map((source) => async (signal) => {
    await limit.run(async () => {
      await registerSources(store.db, { ...config, sources: [source] }, clock());
      await pollIfDue(app, source, { signal, client });
    });
  });
}

/** @returns null if it is not due, or another process polls it */
async function pollIfDue(app: AppContext, source: ArticleSource, options: PollOptions): Promise<PolledSource | null> {
  const { store, clock } = app;
  if (options.signal?.aborted) return null;
  // Claimed when its turn comes: otherwise its lease would run while another one is slow.
  const [row] = await claimDueSources(store.db, [source.id], clock());
  if (row === undefined) return null;
  return { source: source.id, outcome: await pollClaimed(app, source, row, options) };
}

/**
 * Polls one source, due or not.
 * @param options.isWhole reads all posts again, not only what has changed
 * @returns null while another process polls it
 */
export async function pollNow(
  app: AppContext,
  source: ArticleSource,
  { isWhole = false, ...options }: PollOptions & { isWhole?: boolean } = {},
): Promise<PollOutcome | null> {
  const { store, config, clock } = app;
  await registerSources(store.db, config, clock());
  const row = await claimSource(store.db, source.id, clock());
  if (row !== null && isWhole) await beginAgain(store.db, row, clock());
  return row === null ? null : pollClaimed(app, source, row, options);
}

async function pollClaimed(
  app: AppContext,
  source: ArticleSource,
  row: SourceRow,
  { signal, client }: PollOptions,
): Promise<PollOutcome> {
  const { store, config, clock, log } = app;
  const startedAt = clock();
  const deps = { store, config, client: client ?? openConfiguredClient(config), clock, signal };
  const wasRepaired = row.repaired === 1;
  const outcome = await pollSource(deps, source, row);
  if (outcome.kind === 'stopped') return outcome;
  const { report } = outcome;
  for (const { source: place, problems } of report.rejected) log.warn({ source: place, problems }, 'rejected');
  const changes = describeChanges(report);
  // Not with every poll of a feed that is always the same.
  if (report.feedProblems.length > 0 && (changes !== null || !wasRepaired)) {
    log.warn({ source: source.id, problems: report.feedProblems }, 'feed repaired');
  }
  if (changes !== null) {
    log.info({ source: source.id, changes }, 'polled');
    await recordDoneRun(store.db, { schedule: `source:${source.id}`, startedAt, reason: changes }, clock());
  }
  if (outcome.kind === 'failed') await noteFailure(app, source, outcome.problem);
  else await resolveAlerts(store.db, [failureAlert(source.id)], clock());
  return outcome;
}

/** `3 added, 1 updated, 1 rejected, 2 retracted`; null if nothing changed. */
export function describeChanges(report: PollResult): string | null {
  const { added, updated, rejectedCount: rejected, retracted, left, waiting } = report;
  const counts = { added, updated, rejected, retracted, 'withdrawn and left': left, 'withdrawn and waiting': waiting };
  const parts = Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : `${count} ${what}`));
  return parts.length === 0 || added + updated + retracted + left + waiting === 0 ? null : parts.join(', ');
}

async function noteFailure({ store, clock, log }: AppContext, { id }: ArticleSource, problem: string): Promise<void> {
  const now = clock();
  const row = await findSourceRow(store.db, id);
  if (row === null) return;
  log.warn({ source: id, problem, retryAt: rfc3339(row.due_at) }, 'polling a source failed');
  const since = row.failing_since;
  if (since === null || now - since < ALERT_AFTER) return;
  const message = `${id} has failed since ${rfc3339(since)}: ${problem}. Its articles stay as they are.`;
  await raiseAlert(store.db, { ...failureAlert(id), message }, now);
}

export function failureAlert(source: string): AlertId {
  return { kind: 'source', subject: { source } };
}

/**
 * Decides on posts that are gone and wait for the operator: retracts their articles, or keeps them as they are.
 * @param onCommit called last, in the same transaction, if any waited
 * @returns how many there were
 */
export async function decideWithdrawals(
  app: AppContext,
  source: ArticleSource,
  decision: 'retract' | 'keep',
  onCommit?: InTransaction,
): Promise<number> {
  const { store, config, clock } = app;
  return inTransaction(store.db, async (tx) => {
    const items = (await listWaitingWithdrawals(tx, source.id)).map(({ item }) => item);
    if (decision === 'retract') await retractItems(tx, { config, source }, items, clock());
    else await recordWithdrawal(tx, source.id, items, 'left');
    await resolveAlerts(tx, [withdrawalAlert(source.id)], clock());
    if (items.length > 0) await onCommit?.(tx);
    return items.length;
  });
}
