/** Polls the feeds of outlets that are due: hosts side by side, and the feeds of one host one after the other. */
import { setTimeout as waitFor } from 'node:timers/promises';
import type { AppContext } from '../../core/app-context.ts';
import type { RoundupSource } from '../../core/config/config.ts';
import { roundupSources } from '../../core/config/sources.ts';
import { recordDoneRun } from '../../core/schedule/run-ledger.ts';
import { ConcurrencyLimit } from '../../lib/concurrency/concurrency-limit.ts';
import { repeat, type Stoppable } from '../../lib/repeat.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { rfc3339, SECOND } from '../../lib/time.ts';
import { findHold, hostOf } from '../../sources/host-gate.ts';
import { findSourceRow, type SourceRow } from '../../sources/source-state.ts';
import { openOutletClient } from '../sample/outlet-client.ts';
import { groupingWindow } from '../story-groups/regroup.ts';
import { syncOutletAlerts } from './outlet-alerts.ts';
import { claimDueOutlet, claimOutletNow, listDueOutlets, postponeOutlet, registerOutlets } from './outlet-feeds.ts';
import { type OutletPollDeps, type OutletPollOutcome, pollClaimedOutlet } from './poll-outlet.ts';

/** Hosts that a process polls at once. */
const HOSTS_AT_ONCE = 8;

/** What polling needs of an app. */
export type OutletPollApp = Pick<AppContext, 'store' | 'config' | 'clock' | 'log'>;

export interface PolledOutlet {
  source: string;
  outcome: OutletPollOutcome;
}

export interface OutletPollOptions extends Partial<Pick<OutletPollDeps, 'openClient' | 'wait' | 'jitter'>> {
  signal?: AbortSignal | undefined;
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
  { signal, openClient, wait, jitter }: OutletPollOptions,
): Promise<OutletPollOutcome> {
  const { store, config, clock } = app;
  const startedAt = clock();
  const deps: OutletPollDeps = {
    ...{ store, clock, signal },
    openClient: openClient ?? ((gate) => openOutletClient(app, { gate })),
    wait:
      wait ?? ((milliseconds, stop) => waitFor(milliseconds, undefined, stop === undefined ? {} : { signal: stop })),
    jitter: jitter ?? (() => Math.random() * 2 - 1),
  };
  const outcome = await pollClaimedOutlet(deps, source, row, { windowMs: groupingWindow(config) });
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

type Polled = Extract<OutletPollOutcome, { kind: 'polled' }>;

/** Once for each change of its state, and of its repair: a feed that is always the same is not logged each time. */
function logPoll({ log }: OutletPollApp, { id }: RoundupSource, outcome: Polled): void {
  const { before, after, nextAt, problems } = outcome;
  const changes = describeOutletChanges(outcome);
  const next = nextAt === null ? null : rfc3339(nextAt);
  if (changes !== null) log.info({ source: id, changes }, 'polled');
  if (changes !== null && problems.length > 0) log.warn({ source: id, problems }, 'feed repaired');
  if (after.state !== before.state) {
    const level = ['active', 'moved', 'dormant'].includes(after.state) ? 'info' : 'warn';
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
