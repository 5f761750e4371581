/**
 * Kills delivering processes at random moments and counts the copies of each recipient. Three of four recipients have
 * chosen stories.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { OPEN_DELIVERY_STATES } from '../src/core/store/delivery-states.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { settleDeliveries } from '../src/delivery/control/edition-control.ts';
import { isMarkedUncertain } from '../src/delivery/queue/delivery-outcome.ts';
import { MINUTE } from '../src/lib/time.ts';
import { type CountingSink, startCountingSink } from './counting-sink.ts';
import type { WorkerOptions } from './kill-test-worker.ts';
import { giveCopies, queueEdition } from './test-edition.ts';

export interface KillOptions {
  /** An empty database, with or without its tables. */
  store: { databaseUrl?: string | undefined; path: string };
  /** Per edition; another is queued while there are kills left. */
  deliveries: number;
  kills: number;
  workers: number;
  connections: number;
  onKill?: (kills: number) => void;
}

export interface KillFigures {
  deliveries: number;
  kills: number;
  connections: number;
  /** Copies beyond each recipient's first. */
  extras: number;
  /** Connections times kills: at most one message of a connection can be uncertain. */
  bound: number;
  withoutCopy: number;
  /** Extras with another Message-ID than the first. */
  otherMessageIds: number;
  /** Extras with other bytes than the first. */
  otherBytes: number;
  notSubmitted: number;
  seconds: number;
}

/** Longer than any lease. */
export const CLOCK_STEP = 18 * MINUTE;
/** Maximum time between two kills, after the first copy. */
const MAX_LIFETIME = 500;
const TIME_LIMIT = 15 * MINUTE;

/** @throws if a process fails by itself, or after a quarter of an hour */
export async function runKills(options: KillOptions): Promise<KillFigures> {
  const { deliveries, kills, workers, connections } = options;
  const start = performance.now();
  const store = await openStore(options.store);
  // Slow enough for the deliveries to last until the last kill, as far as that can be estimated.
  const delay = Math.ceil((MAX_LIFETIME * workers * connections * kills) / deliveries);
  const bytes = new Map<string, string[]>();
  const sink = await startCountingSink(Math.min(Math.max(delay, 2), 200), ({ recipient, text }) => {
    const known = bytes.get(recipient) ?? [];
    bytes.set(recipient, [...known, createHash('sha256').update(text).digest('base64')]);
  });
  const group = new WorkerGroup(options, sink);
  try {
    await migrate(store);
    const recipients = await queueNumbered(store, deliveries, 1);
    const checkTime = (): void => {
      if (performance.now() > start + TIME_LIMIT) throw new Error('the kill test takes too long');
    };
    for (let number = 2; group.kills < kills; checkTime()) {
      group.startMissing();
      await group.killOne();
      await settleHeld(store, group);
      if ((await countOpen(store)) === 0) recipients.push(...(await queueNumbered(store, deliveries, number++)));
    }
    for (; (await countOpen(store)) > 0; checkTime()) {
      group.startMissing();
      await group.finish();
      await settleHeld(store, group);
    }
    return {
      ...countCopies(recipients, sink, bytes),
      kills: group.kills,
      connections,
      bound: connections * group.kills,
      notSubmitted: await countNotSubmitted(store),
      seconds: Math.round((performance.now() - start) / 1000),
    };
  } finally {
    await group.stop();
    await sink.close();
    await store.close();
  }
}

export interface WorkerProcess {
  process: ChildProcess;
  isKilled: boolean;
  /** Resolves when the process exits. @throws if it failed by itself */
  ended: Promise<void>;
}

/** The delivering processes. */
class WorkerGroup {
  readonly #options: KillOptions;
  readonly #sink: CountingSink;
  readonly #workers: (WorkerProcess | null)[];
  #ahead = 0;
  kills = 0;

  constructor(options: KillOptions, sink: CountingSink) {
    this.#options = options;
    this.#sink = sink;
    this.#workers = Array.from({ length: options.workers }, () => null);
  }

  get isRunning(): boolean {
    return this.#workers.some((worker) => worker !== null && isAlive(worker));
  }

  /** The clock of the processes. */
  get now(): number {
    return Date.now() + this.#ahead;
  }

  /** Replaces killed processes. If all have exited, sets the clock ahead and starts all. */
  startMissing(): void {
    const { isRunning } = this;
    // Only if none is running: to a clock that is ahead, the leases of running processes would seem expired.
    if (!isRunning) this.#ahead += CLOCK_STEP;
    for (const [n, worker] of this.#workers.entries()) {
      if (!isRunning || worker?.isKilled) this.#workers[n] = this.#start();
    }
  }

  #start(): WorkerProcess {
    const { store, connections } = this.#options;
    return startWorker({ ...store, smtpUrl: this.#sink.url, connections, ahead: this.#ahead });
  }

  /** Kills one of the running processes after a random time. */
  async killOne(): Promise<void> {
    const alive = this.#workers.filter((worker) => worker !== null && isAlive(worker)) as WorkerProcess[];
    const victim = alive[Math.floor(Math.random() * alive.length)];
    if (victim === undefined) return;
    // One in ten before it has delivered anything.
    if (Math.random() < 0.9) await Promise.race([this.#sink.nextCopy(), victim.ended]);
    await Promise.race([sleep(Math.random() * MAX_LIFETIME), victim.ended]);
    if (!isAlive(victim)) return;
    await kill(victim);
    this.kills += 1;
    this.#options.onKill?.(this.kills);
  }

  /** Waits until all processes have exited. */
  async finish(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker?.ended));
  }

  /** Kills the remaining processes. */
  async stop(): Promise<void> {
    for (const worker of this.#workers) if (worker !== null && isAlive(worker)) await kill(worker);
  }
}

export function startWorker(options: WorkerOptions): WorkerProcess {
  const script = join(import.meta.dirname, 'kill-test-worker.ts');
  const process_ = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const worker: WorkerProcess = { process: process_, isKilled: false, ended: Promise.resolve() };
  worker.ended = once(process_, 'exit').then(([code]) => {
    if (code !== 0 && !worker.isKilled) throw new Error(`a delivering process failed by itself with ${code}`);
  });
  // Awaited later.
  worker.ended.catch(() => {});
  return worker;
}

async function kill(worker: WorkerProcess): Promise<void> {
  worker.isKilled = true;
  worker.process.kill('SIGKILL');
  await worker.ended;
}

function isAlive({ process: { exitCode, signalCode } }: WorkerProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Queues an edition. @returns the recipients */
async function queueNumbered(store: Store, deliveries: number, number: number): Promise<string[]> {
  const emails = Array.from({ length: deliveries }, (_, n) => `subscriber${n + 1}@edition${number}.example.com`);
  const slot = `2026-11-24-${String(number).padStart(4, '0')}`;
  const { editionId } = await queueEdition(store, emails, { slot, number, articleId: `daily-roundup-${slot}` });
  await giveCopies(store, editionId);
  return emails;
}

/** Does what an operator does about deliveries that were interrupted twice: has them submitted again. */
async function settleHeld({ db }: Store, group: WorkerGroup): Promise<void> {
  if (group.isRunning) return;
  const held = await db
    .selectFrom('deliveries')
    .select(['edition_id', 'subscriber_id'])
    .where('state', '=', 'submitting')
    .where(isMarkedUncertain(sql.ref('reason')))
    .execute();
  // Whatever lease is left: all processes have ended.
  const now = group.now + CLOCK_STEP;
  for (const row of held) {
    const which = { editionId: row.edition_id, subscriberId: row.subscriber_id };
    await settleDeliveries(db, which, 'retry', now);
  }
}

async function countOpen(store: Store): Promise<number> {
  const { open } = await store.reports
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('open'))
    .where('state', 'in', OPEN_DELIVERY_STATES)
    .executeTakeFirstOrThrow();
  return open;
}

async function countNotSubmitted(store: Store): Promise<number> {
  const { count } = await store.reports
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('state', '!=', 'submitted')
    .executeTakeFirstOrThrow();
  return count;
}

function countCopies(
  recipients: string[],
  { copies }: CountingSink,
  bytes: ReadonlyMap<string, string[]>,
): Pick<KillFigures, 'deliveries' | 'extras' | 'withoutCopy' | 'otherMessageIds' | 'otherBytes'> {
  const areSame = (all: ReadonlyMap<string, string[]>): boolean[] =>
    [...all.values()].flatMap(([first, ...more]) => more.map((one) => one === first));
  const extras = areSame(copies);
  return {
    deliveries: recipients.length,
    extras: extras.length,
    withoutCopy: recipients.filter((recipient) => !copies.has(recipient)).length,
    otherMessageIds: extras.filter((isSame) => !isSame).length,
    otherBytes: areSame(bytes).filter((isSame) => !isSame).length,
  };
}

/** Violations of the guarantees; empty if there are none. */
export function findFaults(figures: KillFigures): string[] {
  const { extras, bound, withoutCopy, otherMessageIds, otherBytes, notSubmitted } = figures;
  return [
    ...(withoutCopy > 0 ? [`${withoutCopy} recipients have no copy`] : []),
    ...(extras > bound ? [`${extras} extra copies are more than ${bound}`] : []),
    ...(otherMessageIds > 0 ? [`${otherMessageIds} extra copies have another Message-ID`] : []),
    ...(otherBytes > 0 ? [`${otherBytes} extra copies have other bytes`] : []),
    ...(notSubmitted > 0 ? [`${notSubmitted} deliveries did not end as submitted`] : []),
  ];
}
