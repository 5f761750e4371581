/**
 * Runs one task of the delivery benchmark in a separate process, so that heap and compiled code of other tasks do not
 * count: `node delivery-process.ts TASK`, where TASK is JSON. Prints its figures as JSON.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Config } from '../src/core/config/config.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { deliver } from '../src/delivery/deliver.ts';
import { loadSigners } from '../src/delivery/message/dkim.ts';
import { openTransport } from '../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { benchConfig, SECRETS } from './delivery-config.ts';
import type { CopyOptions } from './delivery-edition.ts';

/** Each look reads a file of the system: every 50 ms, it took 2 % of the time of a delivery. */
const MEMORY_EVERY = 500;

interface TaskSetup {
  folder: string;
  store: { databaseUrl?: string; path: string };
  smtpUrl: string;
  connections: number;
}

export type Task = TaskSetup &
  (
    | { kind: 'fill'; subscribers: number; copies?: CopyOptions }
    | { kind: 'queue'; copies?: CopyOptions }
    | { kind: 'deliver'; warmUp: number; seconds?: number }
    | { kind: 'nodemailer'; warmUp: number; messages: number }
  );

export interface Figures {
  fill: Record<string, never>;
  /** `delayMs`: 99th percentile of the event loop's delay. */
  queue: { seconds: number; delayMs: number };
  deliver: { perSecond: number; submitted: number; residentMiB: number };
  nodemailer: { perSecond: number };
}

/** Runs a task in a new process, with a compile cache as the command has (bin/daywire.js). */
export async function runTask<T extends Task>(task: T): Promise<Figures[T['kind']]> {
  const args = [fileURLToPath(import.meta.url), JSON.stringify(task)];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(task.folder, 'compiled') };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as Figures[T['kind']];
}

async function runHere(task: Task): Promise<Figures[Task['kind']]> {
  const config = benchConfig(task.folder, task.smtpUrl, task.connections);
  const store = await openStore(task.store);
  try {
    switch (task.kind) {
      case 'fill':
        await migrate(store);
        await (await import('./delivery-edition.ts')).fillStore(store, config, task.subscribers, task.copies);
        return {};
      case 'queue':
        return await queueHere(store, config, task.copies);
      case 'deliver':
        return await deliverHere(store, config, task);
      case 'nodemailer':
        return { perSecond: await (await import('./delivery-nodemailer.ts')).sendByNodemailer(store, config, task) };
    }
  } finally {
    await store.close();
  }
}

async function queueHere(store: Store, plain: Config, copies?: CopyOptions): Promise<Figures['queue']> {
  const { closeLarge, composeLarge, withCopies } = await import('./delivery-edition.ts');
  const config = copies === undefined ? plain : withCopies(plain, copies);
  const composed = await composeLarge(store, config);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  const { isNew } = await closeLarge(store, config, composed);
  const seconds = (performance.now() - start) / 1_000;
  delay.disable();
  if (!isNew) throw new Error('the edition had been closed before');
  return { seconds, delayMs: delay.percentile(99) / 1e6 };
}

/** Delivers everything, or for some seconds. The measurement begins after the warm-up. */
async function deliverHere(
  store: Store,
  config: Config,
  { warmUp, seconds }: { warmUp: number; seconds?: number },
): Promise<Figures['deliver']> {
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, MEMORY_EVERY);
  let start = 0;
  const report = await deliver(store, config, openTransport(config), {
    clock: Date.now,
    secrets: SECRETS,
    signers: loadSigners(config),
    templates: openTemplates(config.paths.templates, config.publication.zone),
    signal: seconds === undefined ? undefined : AbortSignal.timeout(seconds * 1_000),
    onProgress: ({ submitted }) => {
      if (submitted === warmUp) start = performance.now();
    },
  });
  const perSecond = ((report.submitted - warmUp) / (performance.now() - start)) * 1_000;
  clearInterval(watch);
  const { submitted, deferred, failed, suppressed, stopped } = report;
  if (deferred + failed + suppressed > 0 || (seconds === undefined && stopped !== null)) {
    throw new Error(`not everything was submitted: ${JSON.stringify(report)}`);
  }
  return { perSecond, submitted, residentMiB: peak / 2 ** 20 };
}

const [, script, task] = process.argv;
if (script === fileURLToPath(import.meta.url) && task !== undefined) {
  // As "daywire start" does, whose settings for less memory count for the figures.
  const { restartWithMemorySettings } = await import(join(import.meta.dirname, '../bin/memory-settings.js'));
  restartWithMemorySettings(process, 'start');
  process.stdout.write(JSON.stringify(await runHere(JSON.parse(task))));
}
