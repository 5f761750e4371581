/**
 * Polls sources that are due: hosts side by side, and the sources of one host one after the other. How a poll ends, and
 * when the source is polled next, are recorded in one transaction, if the claim still holds: a process that dies loses
 * and doubles nothing.
 */
import { setTimeout } from 'node:timers/promises';
import { afterCommits } from '../../core/commit-watch.ts';
import type { AnySource } from '../../core/config/sources.ts';
import { recordDoneRun } from '../../core/schedule/run-ledger.ts';
import { type Db, inTransaction } from '../../core/store/store.ts';
import { ConcurrencyLimit } from '../../lib/concurrency/bounded-queue.ts';
import type { FetchClient, RequestGate } from '../../lib/guarded-fetch/fetch-client.ts';
import { repeat, type Stoppable } from '../../lib/repeat.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { MINUTE, rfc3339, SECOND } from '../../lib/time.ts';
import { findHold, holdHost, openHostGate, type Wait } from '../host-gate.ts';
import { hostOf, PollError } from '../request.ts';
import {
  beginAgain,
  claimDueSource,
  claimSourceNow,
  conditionOf,
  endPoll,
  findSourceRow,
  listDueSources,
  postponeSource,
  registerSources,
  releaseSource,
  type SourceRow,
} from '../source-state.ts';
import { afterPoll, type SourceCondition, WITHHOLDING_STATES } from './poll-state.ts';
import { syncSourceAlerts } from './source-alerts.ts';
import {
  type EndOfPoll,
  LostClaimError,
  type Poll,
  type PollApp,
  progress,
  type SourceKind,
  type TryApp,
} from './source-kind.ts';

/** Hosts of one kind that a process polls at once. */
const HOSTS_AT_ONCE = 8;

export type PollOutcome<R> =
  | {
      kind: 'polled';
      before: SourceCondition;
      /** With failures, the poll has failed, and `result` is what was stored before that. */
      after: SourceCondition;
      /** Null for never. */
      nextAt: number | null;
      result: R;
    }
  /** The process ends, or another process has taken over. */
  | { kind: 'stopped' };

export interface PolledSource<R> {
  source: string;
  outcome: PollOutcome<R>;
}

export interface PollOptions {
  signal?: AbortSignal | undefined;
  /** Default: the client of the kind. */
  openClient?: (gate: RequestGate) => FetchClient;
  wait?: Wait;
  /** A random number from -1 to 1. */
  jitter?: () => number;
  /** Limit of the hosts that are polled at once. */
  limit?: ConcurrencyLimit | undefined;
  isByHand?: boolean;
}

/** Polls the sources of a kind that are due, unless another process does. */
export async function pollDue<S extends AnySource, R>(
  app: PollApp,
  kind: SourceKind<S, R>,
  options: PollOptions = {},
): Promise<PolledSource<R>[]> {
  const poller = new Poller(app, kind, options);
  await poller.startDue(options.signal);
  return poller.finish();
}

/** Polls sources as long as daywire runs. A host that is slow does not hold up the others. */
export function startPolling<S extends AnySource, R>(app: PollApp, kind: SourceKind<S, R>): Stoppable {
  const poller = new Poller(app, kind, {});
  const task = repeat(afterCommits(app.store, SECOND, 5 * SECOND), 'polling sources', app.log, (signal) =>
    poller.startDue(signal),
  );
  return {
    async stop() {
      await task.stop();
      await poller.finish();
    },
  };
}

export type PollNow<R> =
  | { kind: 'polled'; outcome: PollOutcome<R> }
  /** It is being polled, or another source of its site is. */
  | { kind: 'busy' }
  /** Its server asked not to be called before. */
  | { kind: 'waiting'; until: number };

/**
 * Polls one source, due or not, also one that is gone or paused.
 * @param options.isWhole reads all of it again, not only what has changed
 */
export async function pollNow<S extends AnySource, R>(
  app: PollApp,
  kind: SourceKind<S, R>,
  source: S,
  { isWhole = false, ...options }: PollOptions & { isWhole?: boolean } = {},
): Promise<PollNow<R>> {
  const { store, config, clock } = app;
  await registerSources(store.db, config, [source], clock());
  const known = await findSourceRow(store.db, source.id);
  const heldUntil = known === null ? null : await findHold(store.db, hostOfRow(known), clock());
  if (heldUntil !== null) return { kind: 'waiting', until: heldUntil };
  const claim = await claimSourceNow(store.db, source.id, kind.siblings(config, source), clock());
  if (claim.kind !== 'claimed') return claim;
  if (isWhole) await beginAgain(store.db, claim.row, clock());
  const outcome = await pollClaimed(app, kind, source, claim.row, { ...options, isByHand: true });
  return { kind: 'polled', outcome };
}

interface DueSource<S> {
  source: S;
  host: string;
  siblings: string[];
}

class Poller<S extends AnySource, R> {
  readonly #app: PollApp;
  readonly #kind: SourceKind<S, R>;
  readonly #options: PollOptions;
  readonly #limit: ConcurrencyLimit;
  /** Polls in progress, by host, or by the first source of a site. */
  readonly #running = new Map<string, Promise<void>>();
  #polled: PolledSource<R>[] = [];

  constructor(app: PollApp, kind: SourceKind<S, R>, options: PollOptions) {
    this.#app = app;
    this.#kind = kind;
    this.#options = options;
    this.#limit = options.limit ?? new ConcurrencyLimit(HOSTS_AT_ONCE);
  }

  /** Begins to poll what is due, on hosts where nothing is under way. */
  async startDue(signal: AbortSignal | undefined): Promise<void> {
    const { store, config, clock } = this.#app;
    const sources = new Map(this.#kind.sources(config).map((source) => [source.id, source]));
    await registerSources(store.db, config, [...sources.values()], clock());
    const due = await listDueSources(store.db, [...sources.keys()], clock());
    const found = due.map((row) => {
      const source = sources.get(row.id) as S;
      return { source, host: hostOfRow(row), siblings: this.#kind.siblings(config, source) };
    });
    const groupOf = ({ source, host, siblings }: DueSource<S>): string =>
      siblings.length === 0 ? host : `site of ${[source.id, ...siblings].toSorted()[0]}`;
    for (const [group, polls] of Map.groupBy(found, groupOf)) {
      if (this.#running.has(group)) continue;
      const work = this.#limit.run(() => this.#pollEach(polls, signal));
      const ended = work.finally(() => this.#running.delete(group));
      this.#running.set(group, ended);
    }
  }

  /** Waits for the polls in progress. @returns the polls that ended since the last call */
  async finish(): Promise<PolledSource<R>[]> {
    await Promise.all(this.#running.values());
    return this.#polled.splice(0);
  }

  async #pollEach(due: DueSource<S>[], signal: AbortSignal | undefined): Promise<void> {
    const { store, clock, log } = this.#app;
    for (const { source, host, siblings } of due) {
      if (signal?.aborted) return;
      try {
        const heldUntil = await findHold(store.db, host, clock());
        if (heldUntil !== null) {
          await postponeSource(store.db, source.id, heldUntil);
          continue;
        }
        // Claimed when its turn comes: otherwise its lease would run while another one is slow.
        const row = await claimDueSource(store.db, source.id, siblings, clock());
        if (row === null) continue;
        const outcome = await pollClaimed(this.#app, this.#kind, source, row, { ...this.#options, signal });
        this.#polled.push({ source: source.id, outcome });
      } catch (error) {
        log.error({ source: source.id, error: errorLine(error) }, 'polling a source failed; retrying');
      }
    }
  }
}

function hostOfRow({ endpoint, url }: SourceRow): string {
  return hostOf(new URL(endpoint ?? url));
}

async function pollClaimed<S extends AnySource, R>(
  app: PollApp,
  kind: SourceKind<S, R>,
  source: S,
  row: SourceRow,
  options: PollOptions,
): Promise<PollOutcome<R>> {
  const { store, clock, log } = app;
  const startedAt = clock();
  const outcome = await readAndRecord(app, kind, source, row, options);
  if (outcome.kind === 'stopped') return outcome;
  const { before, after, nextAt, result } = outcome;
  const { id } = source;
  // A source that is always the same is not logged with each poll.
  const changes = describePoll(kind, outcome);
  if (changes !== null) {
    log.info({ source: id, changes }, 'polled');
    const problems = kind.problems(result);
    if (problems.length > 0) log.warn({ source: id, problems }, 'repaired, left out or rejected');
    await recordDoneRun(store.db, { schedule: `source:${id}`, startedAt, reason: changes }, clock());
  }
  if (after.state !== before.state) {
    const next = nextAt === null ? null : rfc3339(nextAt);
    const level = WITHHOLDING_STATES.includes(after.state) ? 'warn' : 'info';
    log[level]({ source: id, state: after.state, reason: after.reason, next }, 'the state of a source has changed');
  }
  // The usual poll has nothing to alert about, before and after.
  if (after.state !== before.state || after.failures > 0 || after.state === 'held') await syncSourceAlerts(app);
  return outcome;
}

/** `3 new, 12 old, now failing`; null if nothing has changed. */
export function describePoll<R>(
  kind: Pick<SourceKind<AnySource, R>, 'describeChanges'>,
  { before, after, result }: Extract<PollOutcome<R>, { kind: 'polled' }>,
): string | null {
  const parts = [...kind.describeChanges(result), ...(after.state === before.state ? [] : [`now ${after.state}`])];
  return parts.length === 0 ? null : parts.join(', ');
}

/** The claim is renewed at most so often while a request waits. */
const RENEW_EVERY = MINUTE / 2;

/** @throws what the store throws */
async function readAndRecord<S extends AnySource, R>(
  app: PollApp,
  kind: SourceKind<S, R>,
  source: S,
  row: SourceRow,
  options: PollOptions,
): Promise<PollOutcome<R>> {
  const { store, clock } = app;
  const { openClient = (gate) => kind.openClient(app, gate), wait = waitFor, jitter = randomJitter } = options;
  const startedAt = clock();
  const before = conditionOf(row);
  let renewedAt = startedAt;
  const onWait = async (): Promise<void> => {
    if (clock() - renewedAt < RENEW_EVERY) return;
    renewedAt = clock();
    await progress({ store, row, clock }, {});
  };
  const { signal = new AbortController().signal, isByHand = false } = options;
  const client = openClient(openHostGate({ db: store.db, clock, wait, onWait }));
  const asked = { client, signal, isByHand, jitter: jitter() };
  const poll: Poll<S, R> = { ...app, ...asked, source, row, result: kind.emptyResult() };
  try {
    const end = await kind.read(poll).catch((error: unknown) => {
      if (error instanceof PollError && !signal.aborted) return error;
      throw error;
    });
    const { condition: after, nextAt } = await inTransaction(store.db, async (tx) => {
      const now = clock();
      if (end instanceof PollError) await holdAskingHost(tx, end, now);
      const { signal, findings } = end instanceof PollError ? failureOf(end) : await end(tx, now);
      // The first poll may have found its address, or a poll may have looked for it again.
      const known = { ...before, endpoint: row.endpoint };
      const transition = afterPoll(known, signal, { now, jitter: poll.jitter, use: source.use });
      if (!(await endPoll(tx, row, transition, { startedAt, now, findings }))) throw new LostClaimError();
      return transition;
    });
    return { kind: 'polled', before, after, nextAt, result: poll.result };
  } catch (error) {
    if (error instanceof LostClaimError) return { kind: 'stopped' };
    if (!signal.aborted) throw error;
    await releaseSource(store.db, row, clock());
    return { kind: 'stopped' };
  }
}

function failureOf({ kind, message: problem, retryAt }: PollError) {
  return { signal: { kind, problem, retryAt }, findings: {} satisfies Awaited<ReturnType<EndOfPoll>>['findings'] };
}

/** Records the pause that a host has asked for, also where nothing else is recorded. */
async function holdAskingHost(db: Db, { host, retryAt }: PollError, now: number): Promise<void> {
  if (host !== null && retryAt !== null) await holdHost(db, host, retryAt, now);
}

/**
 * Tries a source: what it is, and what its newest items would become. Nothing is recorded except the pause that a host
 * asks for.
 * @throws PollError that says why it cannot be polled
 */
export async function trySource<S extends AnySource>(
  app: TryApp,
  kind: Pick<SourceKind<S>, 'try'>,
  source: S,
  signal: AbortSignal,
): ReturnType<SourceKind['try']> {
  try {
    return await kind.try(app, source, signal);
  } catch (error) {
    if (error instanceof PollError) await holdAskingHost(app.store.db, error, app.clock());
    throw error;
  }
}

export const waitFor: Wait = (milliseconds, signal) =>
  setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });

const randomJitter = (): number => Math.random() * 2 - 1;
