/**
 * Polls the feeds of outlets that are due: hosts side by side, and the feeds of one host one after the other. What a
 * poll has read, and how the feed is polled next, are recorded in one transaction, if the claim still holds: a process
 * that dies loses and doubles nothing.
 */
import { setTimeout } from 'node:timers/promises';
import type { AppContext } from '../../core/app-context.ts';
import type { RoundupSource } from '../../core/config/schema.ts';
import { roundupSources } from '../../core/config/sources.ts';
import { recordDoneRun } from '../../core/schedule/run-ledger.ts';
import type { Tx } from '../../core/store/store.ts';
import { inTransaction } from '../../core/store/store.ts';
import { ConcurrencyLimit } from '../../lib/concurrency/bounded-queue.ts';
import type { FetchClient, RequestGate } from '../../lib/guarded-fetch/fetch-client.ts';
import { repeat, type Stoppable } from '../../lib/repeat.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { type Clock, MINUTE, rfc3339, SECOND } from '../../lib/time.ts';
import { findHold, holdHost, hostOf, openHostGate, type Wait } from '../../sources/host-gate.ts';
import { findSourceRow, recordPollProgress, releaseSource, type SourceRow } from '../../sources/source-state.ts';
import { countHeldItems } from '../items/held-items.ts';
import { adoptOutletName } from '../items/item-keys.ts';
import { recordOutletItems } from '../items/outlet-items.ts';
import { openOutletClient } from '../sample/outlet-client.ts';
import { groupingWindow } from '../story-groups/regroup.ts';
import { afterPoll, type FeedCondition, type PollSignal, WITHHOLDING_STATES } from './feed-state.ts';
import { syncOutletAlerts } from './outlet-alerts.ts';
import {
  claimDueOutlet,
  claimOutletNow,
  conditionOf,
  type FeedFindings,
  findOutletFeed,
  hintsOf,
  listDueOutlets,
  type OutletFeedRow,
  postponeOutlet,
  recordOutletPoll,
  registerOutlets,
} from './outlet-feeds.ts';
import type { OutletDocument } from './read-outlet-feed.ts';
import { type OutletResponse, requestFeed } from './request-feed.ts';

/** Hosts that a process polls at once. */
const HOSTS_AT_ONCE = 8;

/** What polling needs of an app. */
export type OutletPollApp = Pick<AppContext, 'store' | 'config' | 'clock' | 'log'>;

export type OutletPollOutcome =
  | {
      kind: 'polled';
      before: FeedCondition;
      after: FeedCondition;
      /** Null for never. */
      nextAt: number | null;
      /** New items; the old ones are dated before the window, or were there before the first poll. */
      added: number;
      old: number;
      /** Items that wait for the operator. */
      held: number;
      /** What was repaired or left out, for people. */
      problems: string[];
    }
  /** The process ends, or another process has taken over. */
  | { kind: 'stopped' };

export interface PolledOutlet {
  source: string;
  outcome: OutletPollOutcome;
}

export interface OutletPollOptions {
  signal?: AbortSignal | undefined;
  /** Opens a client whose requests pass a gate. */
  openClient?: (gate: RequestGate) => FetchClient;
  wait?: Wait;
  /** A random number from -1 to 1. */
  jitter?: () => number;
  /** Of the hosts that are polled at once. */
  limit?: ConcurrencyLimit | undefined;
}

/** Polls the roundup sources that are due, unless another process does. */
export async function pollDueOutlets(app: OutletPollApp, options: OutletPollOptions = {}): Promise<PolledOutlet[]> {
  const poller = new OutletPoller(app, options);
  await poller.startDue(options.signal);
  return poller.finish();
}

/** Polls outlets as long as daywire runs. A host that is slow does not hold up the others. */
export function startPollingOutlets(app: OutletPollApp): Stoppable {
  const poller = new OutletPoller(app, {});
  const task = repeat(SECOND, 'polling outlets', app.log, (signal) => poller.startDue(signal));
  return {
    async stop() {
      await task.stop();
      await poller.finish();
    },
  };
}

export type OutletPollNow =
  | { kind: 'polled'; outcome: OutletPollOutcome }
  /** Another process polls it. */
  | { kind: 'busy' }
  /** Its server asked not to be called before. */
  | { kind: 'waiting'; until: number };

/** Polls one roundup source, due or not, also one that is gone or paused. */
export async function pollOutletNow(
  app: OutletPollApp,
  source: RoundupSource,
  options: OutletPollOptions = {},
): Promise<OutletPollNow> {
  const { store, clock } = app;
  await registerOutlets(store.db, [source], clock());
  const known = await findSourceRow(store.db, source.id);
  const heldUntil = known === null ? null : await findHold(store.db, hostOfRow(known), clock());
  if (heldUntil !== null) return { kind: 'waiting', until: heldUntil };
  const claim = await claimOutletNow(store.db, source.id, clock());
  if (claim.kind !== 'claimed') return claim;
  return { kind: 'polled', outcome: await pollClaimed(app, source, claim.row, options) };
}

class OutletPoller {
  readonly #app: OutletPollApp;
  readonly #options: OutletPollOptions;
  readonly #limit: ConcurrencyLimit;
  /** What is under way, by host. */
  readonly #running = new Map<string, Promise<void>>();
  #polled: PolledOutlet[] = [];

  constructor(app: OutletPollApp, options: OutletPollOptions) {
    this.#app = app;
    this.#options = options;
    this.#limit = options.limit ?? new ConcurrencyLimit(HOSTS_AT_ONCE);
  }

  /** Begins to poll what is due, on hosts where nothing is under way. */
  async startDue(signal: AbortSignal | undefined): Promise<void> {
    const { store, config, clock } = this.#app;
    const sources = new Map(roundupSources(config).map((source) => [source.id, source]));
    if (sources.size === 0) return;
    const { db } = store;
    await registerOutlets(db, [...sources.values()], clock());
    const due = await listDueOutlets(db, [...sources.keys()], clock());
    const byHost = Map.groupBy(due, hostOfRow);
    for (const [host, rows] of byHost) {
      if (this.#running.has(host)) continue;
      const polls = rows.map(({ id }) => sources.get(id)).filter((source) => source !== undefined);
      const work = this.#limit.run(() => this.#pollEach(host, polls, signal));
      this.#running.set(
        host,
        work.finally(() => this.#running.delete(host)),
      );
    }
  }

  /** Waits for what is under way. @returns what was polled since the last call */
  async finish(): Promise<PolledOutlet[]> {
    await Promise.all(this.#running.values());
    return this.#polled.splice(0);
  }

  async #pollEach(host: string, sources: RoundupSource[], signal: AbortSignal | undefined): Promise<void> {
    const { store, clock, log } = this.#app;
    for (const source of sources) {
      if (signal?.aborted) return;
      try {
        const heldUntil = await findHold(store.db, host, clock());
        if (heldUntil !== null) {
          await postponeOutlet(store.db, source.id, heldUntil);
          continue;
        }
        // Claimed when its turn comes: otherwise its lease would run while another one is slow.
        const row = await claimDueOutlet(store.db, source.id, clock());
        if (row === null) continue;
        const outcome = await pollClaimed(this.#app, source, row, { ...this.#options, signal });
        this.#polled.push({ source: source.id, outcome });
      } catch (error) {
        log.error({ source: source.id, error: errorLine(error) }, 'polling an outlet failed; retrying');
      }
    }
  }
}

function hostOfRow({ endpoint, url }: SourceRow): string {
  return hostOf(new URL(endpoint ?? url));
}

async function pollClaimed(
  app: OutletPollApp,
  source: RoundupSource,
  row: SourceRow,
  options: OutletPollOptions,
): Promise<OutletPollOutcome> {
  const { store, clock } = app;
  const startedAt = clock();
  const outcome = await requestAndRecord(app, source, row, options);
  if (outcome.kind === 'stopped') return outcome;
  logPoll(app, source, outcome);
  const { before, after, held } = outcome;
  // The usual poll has nothing to alert about, before and after.
  if (before.state !== after.state || after.failures > 0 || held > 0) await syncOutletAlerts(app);
  const reason = describeOutletChanges(outcome);
  if (reason !== null) {
    await recordDoneRun(store.db, { schedule: `source:${source.id}`, startedAt, reason }, clock());
  }
  return outcome;
}

/** The claim is renewed at most so often. */
const RENEW_EVERY = MINUTE / 2;

class LostOutletError extends Error {}

/** @throws what the store throws */
async function requestAndRecord(
  app: OutletPollApp,
  source: RoundupSource,
  row: SourceRow,
  options: OutletPollOptions,
): Promise<OutletPollOutcome> {
  const { store, config, clock } = app;
  const { openClient = (gate) => openOutletClient(app, { gate }), wait = waitFor, jitter = randomJitter } = options;
  const startedAt = clock();
  const lost = new AbortController();
  const signal = options.signal === undefined ? lost.signal : AbortSignal.any([lost.signal, options.signal]);
  try {
    const feed = await findOutletFeed(store.db, row.id);
    const client = openClient(openHostGate({ db: store.db, clock, wait, onWait: renewing(app, row, lost) }));
    const response = await requestFeed({ client, clock, signal }, source, row);
    // Before the transaction, which may be repeated.
    const times = { startedAt, windowMs: groupingWindow(config), jitter: jitter() };
    return await inTransaction(store.db, (tx) => recordResponse({ tx, clock }, { source, row, feed, response }, times));
  } catch (error) {
    if (error instanceof LostOutletError || lost.signal.aborted) return { kind: 'stopped' };
    if (options.signal?.aborted) {
      await releaseSource(store.db, row, clock());
      return { kind: 'stopped' };
    }
    throw error;
  }
}

const waitFor: Wait = (milliseconds, signal) =>
  setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });

const randomJitter = (): number => Math.random() * 2 - 1;

/** Keeps the claim while requests wait for their host. */
function renewing({ store, clock }: OutletPollApp, row: SourceRow, lost: AbortController): () => Promise<void> {
  let renewedAt = clock();
  return async () => {
    const now = clock();
    if (now - renewedAt < RENEW_EVERY) return;
    renewedAt = now;
    if (!(await recordPollProgress(store.db, row, {}, now))) lost.abort(new LostOutletError());
  };
}

interface PolledFeed {
  source: RoundupSource;
  row: SourceRow;
  feed: OutletFeedRow | null;
  response: OutletResponse;
}

/** @throws LostOutletError */
async function recordResponse(
  { tx, clock }: { tx: Tx; clock: Clock },
  { source, row, feed, response }: PolledFeed,
  { startedAt, windowMs, jitter }: { startedAt: number; windowMs: number; jitter: number },
): Promise<OutletPollOutcome> {
  const now = clock();
  const condition = conditionOf(row, feed, now);
  const recorded =
    response.kind === 'document'
      ? await recordDocument(tx, { source, row }, response.document, { now, windowMs })
      : null;
  if (response.kind === 'unchanged') await adoptOutletName(tx, { source: row.id, outlet: source.outlet });
  if (response.kind === 'problem' && response.hold !== null)
    await holdHost(tx, response.hold.host, response.hold.until, now);
  const held = recorded?.held ?? (await countHeldItems(tx, row.id));
  const before = response.kind === 'problem' ? condition : { ...condition, endpoint: response.endpoint };
  const { signal, findings } = learn(response, { feed, recorded, held });
  const transition = afterPoll(before, signal, { now, jitter });
  if (!(await recordOutletPoll(tx, row, transition, { startedAt, now, findings }))) throw new LostOutletError();
  const { added = 0, old = 0, problems = [] } = recorded ?? {};
  const readProblems = response.kind === 'document' ? response.document.problems : [];
  return {
    ...{ kind: 'polled', before: condition, after: transition.condition, nextAt: transition.nextAt },
    ...{ added, old, held, problems: [...readProblems, ...problems] },
  };
}

type Recorded = NonNullable<Awaited<ReturnType<typeof recordOutletItems>>>;

/** @throws LostOutletError */
async function recordDocument(
  tx: Tx,
  { source, row }: Pick<PolledFeed, 'source' | 'row'>,
  { entries }: OutletDocument,
  times: { now: number; windowMs: number },
): Promise<Recorded> {
  const { language } = source;
  const inLanguage = language === undefined ? entries : entries.map((entry) => ({ ...entry, language }));
  const recorded = await recordOutletItems(tx, row, source.outlet, inLanguage, times);
  if (recorded === null) throw new LostOutletError();
  return recorded;
}

/** What a response says of the feed. */
function learn(
  response: OutletResponse,
  { feed, recorded, held }: { feed: OutletFeedRow | null; recorded: Recorded | null; held: number },
): { signal: PollSignal; findings: FeedFindings } {
  if (response.kind === 'problem') return { signal: response.signal, findings: {} };
  const { movedTo, maxAge, etag, lastModified } = response;
  if (response.kind === 'unchanged') {
    const rhythm = { itemGap: feed?.item_gap ?? null, maxAge, hints: hintsOf(feed), hasValidators: true };
    return { signal: { kind: 'read', movedTo, knowsOne: null, newsAt: null, held, rhythm }, findings: {} };
  }
  const { itemGap, hints, repaired } = response.document;
  const hasValidators = (etag ?? lastModified) !== null;
  const rhythm = { itemGap, maxAge, hints, hasValidators };
  // Before the first document nothing is known, and the new place is as good as the old one.
  const knowsOne = feed === null || feed.read_at === null ? null : (recorded?.knowsOne ?? false);
  return {
    signal: { kind: 'read', movedTo, knowsOne, newsAt: recorded?.newsAt ?? null, held, rhythm },
    findings: { etag, lastModified, repaired, itemGap, hints },
  };
}

type Polled = Extract<OutletPollOutcome, { kind: 'polled' }>;

/** Once for each change of its state, and of its repair: a feed that is always the same is not logged each time. */
function logPoll({ log }: OutletPollApp, { id }: RoundupSource, outcome: Polled): void {
  const { before, after, nextAt, problems } = outcome;
  const changes = describeOutletChanges(outcome);
  const next = nextAt === null ? null : rfc3339(nextAt);
  if (changes !== null) log.info({ source: id, changes }, 'polled');
  if (changes !== null && problems.length > 0) log.warn({ source: id, problems }, 'feed repaired');
  if (after.state !== before.state) {
    const level = WITHHOLDING_STATES.some((state) => state === after.state) ? 'warn' : 'info';
    log[level]({ source: id, state: after.state, reason: after.reason, next }, 'the state of an outlet has changed');
  }
}

/** `3 new, 12 old, now failing`; `5000 held, now held`; null if nothing has changed. */
export function describeOutletChanges({ before, after, added, old }: Polled): string | null {
  const isHeld = after.state === 'held';
  const counts = { new: isHeld ? 0 : added - old, old, held: isHeld ? added : 0 };
  const parts = Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : `${count} ${what}`));
  if (after.state !== before.state) parts.push(`now ${after.state}`);
  return parts.length === 0 ? null : parts.join(', ');
}
