/**
 * Kills delivering processes at random moments and counts what the recipients got.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE } from '../src/lib/time.ts';
import { migrate } from '../src/store/schema.ts';
import { openStore, type Store } from '../src/store/store.ts';
import { queueEdition } from '../tests/delivery/fixture.ts';
import { type CountingSink, startCountingSink } from './counting-sink.ts';
import type { WorkerOrder } from './kill-test-worker.ts';

export interface KillOptions {
  /** A database without anything but, perhaps, its tables. */
  store: { databaseUrl?: string | undefined; path: string };
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
  notSubmitted: number;
  seconds: number;
}

// Longer than any lease.
const LEAP = 13 * MINUTE;
// How long deliveries go on before a process is killed, at most.
const LONGEST_LIFE = 500;
const TIME_LIMIT = 15 * MINUTE;

/** @throws where a process fails of itself, or all takes longer than a quarter of an hour */
export async function runKills(options: KillOptions): Promise<KillFigures> {
  const { deliveries, kills, workers, connections } = options;
  const begun = performance.now();
  const store = await openStore(options.store);
  // So slow that the work outlives the kills, as well as can be told before.
  const delay = Math.ceil((LONGEST_LIFE * workers * connections * kills) / deliveries);
  const sink = await startCountingSink(Math.min(Math.max(delay, 2), 200));
  const crew = openCrew(options, sink);
  try {
    await migrate(store);
    const recipients = await queueRound(store, deliveries, 1);
    const deadline = begun + TIME_LIMIT;
    const inTime = (): void => {
      if (performance.now() > deadline) throw new Error('the kill test takes too long');
    };
    for (let round = 2; crew.kills() < kills; inTime()) {
      crew.staff();
      await crew.killOne();
      if ((await countOpen(store)) === 0) recipients.push(...(await queueRound(store, deliveries, round++)));
    }
    for (; (await countOpen(store)) > 0; inTime()) {
      crew.staff();
      await crew.finish();
    }
    const seconds = Math.round((performance.now() - begun) / 1000);
    return { ...count(recipients, sink), ...(await settled(store)), ...told(options, crew.kills()), seconds };
  } finally {
    await crew.end();
    await sink.close();
    await store.close();
  }
}

interface Crew {
  /** Starts a process where one was killed; where all have found nothing more to do, moves the clock on and starts them all. */
  staff(): void;
  /** Kills one of those at work, after a while. */
  killOne(): Promise<void>;
  /** Waits until all have found nothing more to do. */
  finish(): Promise<void>;
  kills(): number;
  /** Ends what is left. */
  end(): Promise<void>;
}

interface Worker {
  process: ChildProcess;
  killed: boolean;
  /** Ends with the process. @throws where it failed of itself */
  ended: Promise<void>;
}

function openCrew({ store, workers, connections, onKill }: KillOptions, sink: CountingSink): Crew {
  const crew: (Worker | null)[] = Array.from({ length: workers }, () => null);
  let ahead = 0;
  let kills = 0;
  const start = (): Worker => startWorker({ ...store, smtpUrl: sink.url, connections, ahead });
  return {
    staff() {
      const working = crew.some((worker) => worker !== null && isAlive(worker));
      // Only while nobody is at work: to a clock that runs ahead, the leases of the living would seem to have lapsed.
      if (!working) ahead += LEAP;
      for (const [n, worker] of crew.entries()) {
        if (!working || worker?.killed) crew[n] = start();
      }
    },
    async killOne() {
      const alive = crew.filter((worker) => worker !== null && isAlive(worker)) as Worker[];
      const victim = alive[Math.floor(Math.random() * alive.length)];
      if (victim === undefined) return;
      // One in ten dies before it has begun.
      if (Math.random() < 0.9) await Promise.race([sink.nextCopy(), victim.ended]);
      await Promise.race([sleep(Math.random() * LONGEST_LIFE), victim.ended]);
      if (!isAlive(victim)) return;
      victim.killed = true;
      victim.process.kill('SIGKILL');
      await victim.ended;
      kills += 1;
      onKill?.(kills);
    },
    async finish() {
      await Promise.all(crew.map((worker) => worker?.ended));
    },
    kills: () => kills,
    async end() {
      for (const worker of crew) {
        if (worker === null || !isAlive(worker)) continue;
        worker.killed = true;
        worker.process.kill('SIGKILL');
        await worker.ended;
      }
    },
  };
}

function startWorker(order: WorkerOrder): Worker {
  const script = join(import.meta.dirname, 'kill-test-worker.ts');
  const process_ = spawn(process.execPath, [script, JSON.stringify(order)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const worker: Worker = { process: process_, killed: false, ended: Promise.resolve() };
  worker.ended = once(process_, 'exit').then(([code]) => {
    if (code !== 0 && !worker.killed) throw new Error(`a delivering process failed by itself with ${code}`);
  });
  worker.ended.catch(() => {});
  return worker;
}

function isAlive({ process: { exitCode, signalCode } }: Worker): boolean {
  return exitCode === null && signalCode === null;
}

/** @returns the recipients */
async function queueRound(store: Store, deliveries: number, round: number): Promise<string[]> {
  const emails = Array.from({ length: deliveries }, (_, n) => `reader${n + 1}@round${round}.example.com`);
  const slot = `2026-11-24-${String(round).padStart(4, '0')}`;
  await queueEdition(store, emails, { slot, number: round, articleId: `daily-roundup-${slot}` });
  return emails;
}

async function countOpen(store: Store): Promise<number> {
  const { open } = await store.reports
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('open'))
    .where('state', 'in', ['pending', 'submitting'])
    .executeTakeFirstOrThrow();
  return open;
}

async function settled(store: Store): Promise<Pick<KillFigures, 'notSubmitted'>> {
  const { other } = await store.reports
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('other'))
    .where('state', '!=', 'submitted')
    .executeTakeFirstOrThrow();
  return { notSubmitted: other };
}

function count(
  recipients: string[],
  { copies }: CountingSink,
): Pick<KillFigures, 'deliveries' | 'extras' | 'withoutCopy' | 'otherMessageIds'> {
  const extras = [...copies.values()].flatMap(([first, ...more]) => more.map((id) => id === first));
  return {
    deliveries: recipients.length,
    extras: extras.length,
    withoutCopy: recipients.filter((recipient) => !copies.has(recipient)).length,
    otherMessageIds: extras.filter((same) => !same).length,
  };
}

function told({ connections }: KillOptions, kills: number): Pick<KillFigures, 'kills' | 'connections' | 'bound'> {
  return { kills, connections, bound: connections * kills };
}

/** What is wrong with the figures; empty where all is well. */
export function findFaults(figures: KillFigures): string[] {
  const { extras, bound, withoutCopy, otherMessageIds, notSubmitted } = figures;
  return [
    ...(withoutCopy > 0 ? [`${withoutCopy} recipients have no copy`] : []),
    ...(extras > bound ? [`${extras} extra copies are more than ${bound}`] : []),
    ...(otherMessageIds > 0 ? [`${otherMessageIds} extra copies have another Message-ID`] : []),
    ...(notSubmitted > 0 ? [`${notSubmitted} deliveries did not end as submitted`] : []),
  ];
}
