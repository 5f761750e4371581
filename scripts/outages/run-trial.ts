/** Makes one outage while a newsroom delivers an edition, and measures what is noticed and how it recovers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OPEN_DELIVERY_STATES } from '../../src/core/store/delivery-states.ts';
import type { Dialect } from '../../src/core/store/store.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import type { AlertCall } from './alert-calls.ts';
import type { Fault } from './faults.ts';
import { Trial, until } from './trial.ts';

/** Times in milliseconds; null: it did not happen in time. */
export interface TrialResult {
  fault: string;
  database: Dialect;
  note: string | undefined;
  /** From the beginning of the fault to the call of the webhook. */
  alert: number | null;
  message: string | null;
  /** From the end of the fault until all has recovered: the longest of the next four. */
  recovery: number | null;
  /** All ports and `/healthz` answer 200. */
  ready: number | null;
  /** The next copy arrives. Zero if nothing was left to deliver. */
  delivering: number | null;
  /** The article that was written during the outage is in the feed. */
  published: number | null;
  /** The webhook is called for the end of the alert. */
  resolved: number | null;
  deliveries: number;
  lost: number;
  doubled: number;
  /** Second copies that a kill explains. */
  uncertain: number;
  /** Deliveries that wait for the end of a lease of 12 minutes: their submission was interrupted. */
  leased: number;
  otherAlerts: string[];
  faults: string[];
}

const START_WITHIN = 2 * MINUTE;
/** The promised minute, and what slow cores add to it. */
const ALERT_WITHIN = 75 * SECOND;
const RECOVERY_WITHIN = 3 * MINUTE;
/** After the beginning of a fault: `/readyz` answers as it will until the end. */
const SETTLED_AFTER = 8 * SECOND;
const FAULTS_SHOWN = 3;
/** Lines of the log of each process, after a fault of the trial. */
const LINES_SHOWN = 12;

export interface RunTrialOptions {
  dialect: Dialect;
  deliveries: number;
  onStep(step: string): void;
}

/** Never throws: what fails is among the faults of the result. */
export async function runTrial(fault: Fault, options: RunTrialOptions): Promise<TrialResult> {
  const trial = new Trial();
  const result: TrialResult = {
    ...{ fault: fault.name, database: options.dialect, note: fault.note, message: null },
    ...{ alert: null, recovery: null, ready: null, delivering: null, published: null, resolved: null },
    ...{ deliveries: 0, lost: 0, doubled: 0, uncertain: 0, leased: 0, otherAlerts: [], faults: [] },
  };
  const stop = (): void => void trial.close().finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    await start(trial, fault, options);
    await suffer(trial, fault, options, result);
    await finish(trial, fault, options, result);
  } catch (error) {
    const { message, cause } = error as Error;
    result.faults.push(cause instanceof Error ? `${message}: ${cause.message}` : message);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    result.faults.push(...trial.processes.flatMap(({ crashes }) => crashes));
    if (result.faults.length > 0) {
      for (const { name, log } of trial.processes) {
        process.stderr.write(
          `${log
            .slice(-LINES_SHOWN)
            .map((line) => `  ${name}: ${line}\n`)
            .join('')}`,
        );
      }
    }
    await trial.close();
  }
  return result;
}

async function start(trial: Trial, fault: Fault, { dialect, deliveries, onStep }: RunTrialOptions): Promise<void> {
  const { isAtStart, isDueAtStart } = fault;
  onStep('preparing');
  await trial.prepare(fault, dialect, deliveries);
  if (isDueAtStart) await trial.command('compose', 'daily-roundup');
  if (isAtStart) return;
  onStep('starting');
  for (const process of trial.processes) process.start();
  const expect = async (what: string, condition: () => Promise<boolean> | boolean): Promise<void> => {
    if ((await until(START_WITHIN, condition)) === undefined) throw new Error(`within two minutes, ${what}`);
  };
  await expect('daywire is not ready', () => trial.isWell());
  if (!isDueAtStart) await trial.command('compose', 'daily-roundup');
  await expect('nothing is delivered', () => trial.arrivals.length >= deliveries / 5);
}

/** Makes the fault, and ends it. */
async function suffer(
  trial: Trial,
  fault: Fault,
  { deliveries, onStep }: RunTrialOptions,
  result: TrialResult,
): Promise<void> {
  const { lasts, isAtStart } = fault;
  onStep('failing');
  const beganAt = performance.now();
  const before = trial.alerts.calls.length;
  await fault.begin(trial);
  if (isAtStart) for (const process of trial.processes) process.start();
  trial.writeStory();
  const find = (state: AlertCall['state']): AlertCall | undefined =>
    trial.alerts.calls.slice(before).find((call) => call.state === state && call.key.startsWith(fault.alert));
  const raised = until(ALERT_WITHIN, () => find('raised') !== undefined);
  // Deliveries may go on: the next step needs some that are left.
  if (lasts === undefined || lasts > ALERT_WITHIN || isAtStart) await raised;
  if (lasts === undefined || lasts >= 2 * SETTLED_AFTER) {
    await sleep(Math.max(0, beganAt + SETTLED_AFTER - performance.now()));
    result.faults.push(...(await findUnready(trial, fault)), ...((await fault.check?.(trial)) ?? []));
  }
  if (lasts !== undefined) await sleep(Math.max(0, beganAt + lasts - performance.now()));

  onStep('recovering');
  const isDone = trial.arrivals.length >= deliveries;
  await fault.end(trial);
  const endedAt = performance.now();
  const nextCopy = (): number | undefined => trial.arrivals.find((at) => at > endedAt);
  const [ready, , published] = await Promise.all([
    until(RECOVERY_WITHIN, () => trial.isWell()),
    until(RECOVERY_WITHIN, () => isDone || nextCopy() !== undefined),
    until(RECOVERY_WITHIN, () => trial.isPublished()),
    raised.then((at) => at && until(RECOVERY_WITHIN, () => find('resolved') !== undefined)),
  ]);
  const since = (at: number | undefined): number | null =>
    at === undefined ? null : Math.max(0, Math.round(at - endedAt));
  const call = find('raised');
  const times = {
    ready: since(ready),
    delivering: isDone ? 0 : since(nextCopy()),
    published: since(published),
    resolved: since(find('resolved')?.at),
  };
  const missing = Object.entries(times).filter(([, time]) => time === null);
  const recovery = missing.length > 0 ? null : Math.max(...Object.values(times).map((time) => time ?? 0));
  const alert = call === undefined ? null : Math.round(call.at - beganAt);
  Object.assign(result, times, { alert, recovery, message: call?.message ?? null });
  if (call === undefined) result.faults.push(`no alert ${fault.alert} within ${ALERT_WITHIN / SECOND} s`);
  for (const [name] of missing) result.faults.push(`not ${name} within ${RECOVERY_WITHIN / SECOND} s`);
  const others = trial.alerts.calls.filter(({ key }) => !key.startsWith(fault.alert));
  result.otherAlerts = others.map(({ key, state }) => `${key} ${state}`);
}

/** Finds ports that do not answer as they must during the fault. */
async function findUnready(trial: Trial, { readiness }: Fault): Promise<string[]> {
  const faults: string[] = [];
  for (const process of trial.processes.filter(({ isRunning }) => isRunning)) {
    const [live, ready] = [await process.probe('/livez'), await process.probe('/readyz')];
    if (live !== 200) faults.push(`meanwhile /livez of ${process.name} answers ${live}`);
    if (ready !== readiness) faults.push(`meanwhile /readyz of ${process.name} answers ${ready}`);
    if (!process.isServing || readiness !== 200) continue;
    const site = await process.ask('/readyz');
    if (site?.status !== 200) faults.push(`meanwhile /readyz on the site of ${process.name} answers ${site?.status}`);
  }
  return faults;
}

/** Lets the deliveries end, stops daywire, and counts. */
async function finish(
  trial: Trial,
  { spread }: Fault,
  { onStep }: RunTrialOptions,
  result: TrialResult,
): Promise<void> {
  onStep('delivering the rest');
  const within = spread * SECOND + RECOVERY_WITHIN;
  const count = async (...states: string[]): Promise<number> =>
    (await trial.readDeliveries()).filter(({ state }) => states.includes(state)).length;
  await until(within, async () => (await count('pending')) === 0);
  await until(SETTLED_AFTER, async () => (await count(...OPEN_DELIVERY_STATES)) === 0);
  const pending = await count('pending');
  if (pending > 0) result.faults.push(`${pending} deliveries are still pending after ${within / SECOND} s`);
  result.leased = await count('submitting');
  for (const process of trial.processes) {
    const code = await process.stop();
    if (code !== 0) result.faults.push(`${process.name} ends with ${code} after SIGTERM`);
  }
  if (result.leased + pending > 0) await trial.deliverRest();
  const { deliveries, lost, doubled, uncertain } = await trial.count();
  result.faults.push(...lost.slice(0, FAULTS_SHOWN), ...doubled.slice(0, FAULTS_SHOWN));
  Object.assign(result, { deliveries, uncertain, lost: lost.length, doubled: doubled.length });
}
