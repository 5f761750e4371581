/**
 * What a real `daywire start` of the sample newsroom costs while nothing happens: its start, memory, processor and
 * wake-ups. Also of another version, in turns.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../scripts/free-port.ts';
import { MINUTE, SECOND } from '../src/lib/time.ts';
import { type Figures, median } from './figures.ts';
import { processorSeconds, residentMiB, voluntarySwitches } from './process-tree.ts';

const ROUNDS = 3;
const STARTS = 5;
/** From the last start until memory is read. */
const REST = MINUTE;
/** Processor and wake-ups are counted for as long. */
const WATCHED = MINUTE;

/** @param options.against the folder of another daywire, with its `bin/` and `node_modules/`, or in `node_modules/` */
export async function benchRest({ against }: { against?: string } = {}): Promise<Figures> {
  const versions = [
    { name: 'here', daywire: fileURLToPath(new URL('..', import.meta.url)) },
    ...(against === undefined ? [] : [{ name: 'against', daywire: resolve(against) }]),
  ];
  const figures: Figures = {};
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { name, daywire } of versions) figures[`${name} ${round}`] = await measure(daywire);
  }
  return figures;
}

async function measure(daywire: string): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  try {
    const [port, metrics] = [await freePort(), await freePort()];
    for (const part of ['config', 'sample']) await cp(join(daywire, part), join(folder, part), { recursive: true });
    const file = join(folder, 'config', 'daywire.yaml');
    const config = await readFile(file, 'utf8');
    await writeFile(
      file,
      config.replace('port: 8080', `port: ${port}`).replace(/127\.0\.0\.1:9464/, `127.0.0.1:${metrics}`),
    );
    const url = `http://127.0.0.1:${port}/`;
    const first = await start(daywire, folder, url);
    // Until what follows a first start is done, and what it has compiled is in the cache.
    await sleep(10 * SECOND);
    await stop(first.child);
    const seconds: number[] = [];
    for (let count = 1; ; count++) {
      const started = await start(daywire, folder, url);
      seconds.push(started.seconds);
      if (count === STARTS) return { startSeconds: round(median(seconds)), ...(await watch(started.child)) };
      await sleep(SECOND);
      await stop(started.child);
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts daywire. @returns the seconds until its front page was answered with 200 */
async function start(daywire: string, folder: string, url: string): Promise<{ child: ChildProcess; seconds: number }> {
  const begin = performance.now();
  const child = spawn(process.execPath, [join(daywire, 'bin/daywire.js'), 'start'], {
    cwd: folder,
    env: { ...process.env, DAYWIRE_LOG: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // It must not outlive this process.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  while ((await fetch(url).catch(() => null))?.status !== 200) {
    if (child.exitCode !== null) throw new Error(`daywire in ${daywire} ended with ${child.exitCode}`);
    await sleep(5);
  }
  return { child, seconds: (performance.now() - begin) / 1_000 };
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

async function watch(child: ChildProcess): Promise<Figures> {
  const pid = child.pid as number;
  await sleep(REST);
  const resident = residentMiB(pid);
  const before = { processor: processorSeconds(pid), switches: voluntarySwitches(pid), at: performance.now() };
  await sleep(WATCHED);
  const elapsed = (performance.now() - before.at) / 1_000;
  const used = processorSeconds(pid) - before.processor;
  const switches = voluntarySwitches(pid) - before.switches;
  await stop(child);
  return {
    residentMiB: Math.round(resident),
    corePercent: round((100 * used) / elapsed),
    switchesPerSecond: round(switches / elapsed),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
