/** Another program locks an SQLite store at one moment of a newsroom's work, and releases it after some time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OPEN_DELIVERY_STATES } from '../../src/core/store/delivery-states.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import type { Fault } from './faults.ts';
import { Trial, until } from './trial.ts';

export const MOMENTS = ['start', 'first deliveries', 'slot', 'import', 'closing', 'sign-up'] as const;
export type Moment = (typeof MOMENTS)[number];

export interface LockResult {
  moment: Moment;
  /** How long the lock is held. */
  seconds: number;
  /** Seconds from the lock to the call of the webhook, and from its end to that of the resolution; null: none. */
  alert: number | null;
  resolved: number | null;
  message: string | null;
  /** What `/readyz` and `/healthz` answer when the lock has lasted 35 s, or null. */
  ready: string | null;
  health: string | null;
  /** State and reason of the newsletter's last run. */
  run: string | null;
  /** Status and seconds of each sign-up of the same address, one after the other, and its confirmations. */
  signUps: string | null;
  otherAlerts: string[];
  deliveries: number;
  faults: string[];
}

const RECOVERY_WITHIN = 3 * MINUTE;
/** A lock is told after 30 s; slow cores, and a start, add to it. */
const TOLD_WITHIN = 60;
const SIGN_UP_WITHIN = 10;
const SUBSCRIBER = 'late.subscriber@example.com';

/** Holds the write lock of a store until it is killed, or for some time: a process of its own, as locks are. */
async function lockStore(path: string, milliseconds: number): Promise<ChildProcess> {
  const code = `const { DatabaseSync } = require('node:sqlite');
    const db = new DatabaseSync(process.argv[1], { timeout: 60000 });
    db.exec('begin immediate');
    console.log('locked');
    setTimeout(() => { db.exec('rollback'); db.close(); }, Number(process.argv[2]));`;
  const child = spawn(process.execPath, ['-e', code, path, String(milliseconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  return child;
}

/** Never throws: what fails is among the faults of the result. */
export async function runLockTrial(moment: Moment, seconds: number, deliveries: number): Promise<LockResult> {
  const trial = new Trial();
  const result: LockResult = {
    ...{ moment, seconds, alert: null, resolved: null, message: null, ready: null, health: null, run: null },
    ...{ signUps: null, otherAlerts: [], deliveries: 0, faults: [] },
  };
  try {
    await suffer(trial, result, deliveries);
  } catch (error) {
    result.faults.push((error as Error).message);
  } finally {
    result.faults.push(...trial.processes.flatMap(({ crashes }) => crashes));
    if (result.faults.length > 0) {
      const lines = trial.processes.flatMap(({ log }) => log.slice(-12));
      process.stderr.write(lines.map((line) => `  ${moment} ${seconds} s: ${line}\n`).join(''));
    }
    await trial.close();
  }
  return result;
}

async function suffer(trial: Trial, result: LockResult, deliveries: number): Promise<void> {
  const { moment, seconds, faults } = result;
  const isAtSlot = moment === 'slot' || moment === 'closing';
  const slotAt = Math.ceil((Date.now() + 120 * SECOND) / MINUTE) * MINUTE;
  const slot = new Date(slotAt);
  const cron = isAtSlot ? `${slot.getUTCMinutes()} ${slot.getUTCHours()} * * *` : undefined;
  await trial.prepare({ spread: 8 } as Fault, 'sqlite', deliveries, cron);
  const path = join(trial.folder, 'var/daywire.db');
  const [process] = trial.processes as [(typeof trial.processes)[number]];
  if (moment === 'first deliveries') await trial.command('compose', 'daily-roundup');
  const expect = async (what: string, within: number, condition: () => Promise<boolean> | boolean): Promise<void> => {
    if ((await until(within, condition, 20)) === undefined) throw new Error(`${what} within ${within / SECOND} s`);
  };
  if (moment !== 'start') process.start();
  if (moment === 'first deliveries')
    await expect('nothing is delivered', 2 * MINUTE, () => trial.arrivals.length >= deliveries / 6);
  else if (moment !== 'start') await expect('daywire is not ready', MINUTE, () => trial.isWell());
  if (moment === 'import') {
    for (let n = 0; n < 8; n++) trial.writeArticle(`import-${n}`, `Imported Number ${n}`);
    await sleep(100);
  }
  if (moment === 'slot') await sleep(Math.max(0, slotAt - 2 * SECOND - Date.now()));
  if (moment === 'closing')
    await expect('no run begins', 3 * MINUTE, async () => (await trial.readRun())?.state === 'running');

  const holder = await lockStore(path, seconds * SECOND);
  const lockedAt = performance.now();
  const released = once(holder, 'exit').then(() => performance.now());
  if (moment === 'start') process.start();
  trial.writeStory();
  const signUps = moment === 'sign-up' ? signUpUntil(process, released) : Promise.resolve(null);
  if (seconds > 35) {
    await sleep(35 * SECOND);
    const [ready, health] = [await process.ask('/readyz'), await process.ask('/healthz')];
    result.ready = `${ready?.status ?? (await process.probe('/readyz'))}`;
    result.health = health === null ? null : `${health.status} ${health.text}`;
  }
  const endedAt = await released;
  const hasEnded = (): boolean => process.crashes.length > 0;

  const storage = (state: string): number | undefined =>
    trial.alerts.calls.find((call) => call.key === 'storage:store' && call.state === state)?.at;
  await until(RECOVERY_WITHIN, async () => hasEnded() || ((await trial.isWell()) && (await trial.isPublished())));
  if (hasEnded()) return;
  if (isAtSlot) {
    await until(
      RECOVERY_WITHIN,
      async () => !['running', 'failed', undefined].includes((await trial.readRun())?.state),
    );
    const run = await trial.readRun();
    result.run = `${run?.state}: ${run?.reason}`;
    if (run?.state !== 'done' && run?.state !== 'late') faults.push(`the run is ${result.run}`);
    if (/process ended/.test(result.run)) faults.push('the reason is not true');
  } else if (moment !== 'first deliveries') await trial.command('compose', 'daily-roundup');
  result.signUps = await signUps;
  if (storage('raised') !== undefined) await until(RECOVERY_WITHIN, () => storage('resolved') !== undefined);
  if (!(await trial.isWell())) faults.push('it is not well afterwards');
  if (!(await trial.isPublished())) faults.push('the article of the outage is not published');
  const open = async (): Promise<number> =>
    (await trial.readDeliveries()).filter(({ state }) => OPEN_DELIVERY_STATES.some((one) => one === state)).length;
  await until(RECOVERY_WITHIN, async () => (await open()) === 0);
  if ((await open()) > 0) faults.push(`${await open()} deliveries are open`);
  const code = await process.stop();
  if (code !== 0) faults.push(`it ends with ${code} after SIGTERM`);

  const at = { raised: storage('raised'), resolved: storage('resolved') };
  const secondsOf = (from: number, to: number | undefined): number | null =>
    to === undefined ? null : Math.round((to - from) / SECOND);
  result.alert = secondsOf(lockedAt, at.raised);
  result.resolved = secondsOf(endedAt, at.resolved);
  result.message = trial.alerts.calls.find(({ key }) => key === 'storage:store')?.message ?? null;
  const others = trial.alerts.calls.filter(({ key }) => key !== 'storage:store');
  result.otherAlerts = others.map(({ key, state }) => `${key} ${state}`);
  if (seconds >= 60 && !((result.alert ?? Number.POSITIVE_INFINITY) <= TOLD_WITHIN)) faults.push('it is not told');
  if (seconds >= 60 && !/locked/.test(result.message ?? '')) faults.push('the alert does not name the lock');
  if (seconds >= 60 && (result.resolved === null || result.ready !== '503')) faults.push('/readyz or the end');
  if (/no process/.test(result.health ?? '')) faults.push('/healthz names a false reason');
  const confirmations = trial.copiesOf(SUBSCRIBER);
  const counted = await trial.count([SUBSCRIBER]);
  result.deliveries = counted.deliveries;
  faults.push(...counted.lost.slice(0, 3), ...counted.doubled.slice(0, 3));
  if (moment === 'sign-up' && confirmations !== 1) faults.push(`${confirmations} confirmations`);
  if (moment === 'sign-up') result.signUps += `; ${confirmations} confirmation`;
  if (/SLOW/.test(result.signUps ?? '')) faults.push('a sign-up was not answered in time');
}

/** Signs up again and again, as an impatient person does, once with two requests at a time. */
async function signUpUntil(process: Trial['processes'][number], released: Promise<unknown>): Promise<string> {
  let isReleased = false;
  void released.then(() => {
    isReleased = true;
  });
  const results: string[] = [];
  const signUp = async (): Promise<void> => {
    const startedAt = performance.now();
    const fields = new URLSearchParams({ email: SUBSCRIBER, newsletter: 'daily-roundup' });
    const answer = await process.ask('/subscribe', { method: 'POST', body: fields }, 2 * MINUTE);
    const took = (performance.now() - startedAt) / SECOND;
    results.push(`${answer?.status ?? 'none'} ${took.toFixed(1)} s${took > SIGN_UP_WITHIN ? ' SLOW' : ''}`);
  };
  const first = signUp();
  await sleep(3 * SECOND);
  await Promise.all([first, signUp()]);
  while (!isReleased && results.length < 6) await signUp();
  await released;
  await signUp();
  return results.join(', ');
}
