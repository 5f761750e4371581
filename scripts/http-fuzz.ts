/**
 * npm run -s http-fuzz -- [--requests 10000] [--seed N] [--concurrency 16]
 *
 * Starts daywire with the sample newsroom in a folder of its own and sends random requests to it: split at any byte,
 * pipelined, half closed, with bad methods, bodies, paths and headers too large, from clients that leave, do not read
 * or are slow; then it floods it with 80 connections of 800 pipelined requests each. Prints the figures, and exits
 * with 1 if a rule is broken: the process is up, answers within a second, logs no error, its memory is flat, and in the
 * flood no turn of its event loop takes more than 100 ms of processor time. A run with the same seed sends the same
 * requests.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { FLOOD } from './fuzz/flood.ts';
import { type FuzzFigures, runExchanges } from './fuzz/run-exchanges.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
    concurrency: { type: 'string', default: '16' },
  },
});

/**
 * Growth of the resident memory, after a collection of garbage, from the warm-up to the end. MiB. Before daywire began
 * with settings for less memory, six runs grew by 5 to 54, as far as V8 kept pages, and none in 30,000 requests.
 */
const MAX_GROWTH = 96;
/** Requests before the memory is measured first. It grew by 85 MiB in the first 5,000. */
const WARM_UP = 5_000;
/** Milliseconds. */
const MAX_ANSWER = 1_000;
const MAX_RUN = 10 * 60_000;
const SLOW_CLIENTS = 50;
const IDLE_CLIENTS = 1_000;
/** In the flood: processor time of a turn, and /healthz on a machine that does nothing else. */
const MAX_TURN = 100;
const MAX_FLOODED = 250;
/** The time-out of a header, and the interval in which it is checked, with some room. */
const MAX_SLOW = 15_000;

interface Daywire {
  process: ChildProcess;
  port: number;
  /** The lines of its log. */
  log: string[];
  folder: string;
}

const ROOT = resolve(import.meta.dirname, '..');
const broken: string[] = [];
const daywire = await startDaywire();
try {
  await fuzz(daywire);
} finally {
  daywire.process.kill('SIGTERM');
  const stopped = await Promise.race([once(daywire.process, 'exit'), sleep(30_000, null, { ref: false })]);
  if (stopped === null) daywire.process.kill('SIGKILL');
  if (stopped?.[0] !== 0) broken.push(`it did not stop in order: ${JSON.stringify(stopped)}`);
  rmSync(daywire.folder, { recursive: true, force: true });
}
for (const rule of broken) console.error(`BROKEN ${rule}`);
process.exitCode = broken.length === 0 ? 0 : 1;

async function fuzz({ process: child, port, log }: Daywire): Promise<void> {
  const [requests, seed, concurrency] = [Number(values.requests), Number(values.seed), Number(values.concurrency)];
  const options = { port, concurrency, maxMs: MAX_RUN };
  await runExchanges({ ...options, seed: seed + 1, requests: Math.max(WARM_UP, requests / 2) });
  for (const socket of await openIdleClients(port)) socket.destroy();
  const before = await residentMemory(child);
  const slow = openSlowClients(port);
  const health = watchHealth(port);
  const began = performance.now();
  const figures = await runExchanges({ ...options, seed, requests });
  const seconds = (performance.now() - began) / 1_000;
  const slowest = Math.max(...(await health.stop()));
  const slowClosed = await slow;
  const idle = await openIdleClients(port);
  const withIdle = await timeHealth(port);
  for (const socket of idle) socket.destroy();
  const flooded = await flood(child, port);
  const after = await residentMemory(child);
  const atEnd = await timeHealth(port);
  print(figures, { seed, seconds, slowest, withIdle, atEnd, before, after, ...flooded });

  if (figures.requests < requests) broken.push(`only ${figures.requests} requests in ${seconds} s`);
  if (figures.responses === 0) broken.push('no response at all');
  broken.push(...new Set(figures.faults));
  if (slowClosed < SLOW_CLIENTS) broken.push(`${SLOW_CLIENTS - slowClosed} slow clients kept their connection`);
  if (withIdle > MAX_ANSWER) broken.push(`/healthz took ${withIdle} ms beside ${IDLE_CLIENTS} idle connections`);
  if (flooded.turn > MAX_TURN) broken.push(`a turn of the event loop took ${flooded.turn} ms in the flood`);
  if (flooded.p99 > MAX_FLOODED) broken.push(`/healthz took ${flooded.p99} ms (p99) in the flood`);
  if (atEnd > MAX_ANSWER) broken.push(`/healthz took ${atEnd} ms at the end`);
  if (after - before > MAX_GROWTH) broken.push(`the memory grew from ${before} to ${after} MiB`);
  if (child.exitCode !== null || child.signalCode !== null) broken.push('the process has ended');
  broken.push(...log.filter(isFault).map((line) => `it logged ${line.slice(0, 300)}`));
}

async function startDaywire(): Promise<Daywire> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-fuzz-'));
  for (const name of ['config', 'sample']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const config = join(folder, 'config/daywire.yaml');
  const yaml = readFileSync(config, 'utf8');
  writeFileSync(config, yaml.replace('port: 8080', 'port: 0').replace('127.0.0.1:9464', '127.0.0.1:0'));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DAYWIRE_')));
  // Collects garbage when asked, so that the resident memory can be compared.
  const collect = "data:text/javascript,process.on('SIGUSR2', () => globalThis.gc())";
  const turns = new URL('./fuzz/turns.ts', import.meta.url).href;
  const args = ['--expose-gc', '--import', collect, '--import', turns, join(ROOT, 'bin/daywire.js'), 'start', '--json'];
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const [stdout, stderr] = [child.stdout as Readable, child.stderr as Readable];
  const log: string[] = [];
  stderr.setEncoding('utf8').on('data', (text: string) => log.push(...text.split('\n').filter(Boolean)));
  let printed = '';
  for await (const text of stdout.setEncoding('utf8')) {
    printed += text;
    const [, port] = /"url": ?"http:\/\/127\.0\.0\.1:(\d+)\/"/.exec(printed) ?? [];
    if (port !== undefined) return { process: child, port: Number(port), log, folder };
  }
  throw new Error(`daywire did not start: ${printed}${log.join('\n')}`);
}

/** MiB. */
async function residentMemory({ pid }: ChildProcess): Promise<number> {
  for (let round = 0; round < 3; round++) {
    process.kill(pid as number, 'SIGUSR2');
    await sleep(1_000);
  }
  return Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024);
}

async function flood(child: ChildProcess, port: number): Promise<{ turn: number; p99: number }> {
  await longestTurn(child);
  const health = watchHealth(port);
  await once(new Worker(new URL('./fuzz/flood.ts', import.meta.url), { workerData: { port } }), 'exit');
  const times = (await health.stop()).sort((a, b) => a - b);
  return { turn: await longestTurn(child), p99: times[Math.floor(times.length * 0.99)] as number };
}

/** Since the last call. Milliseconds of processor time. */
async function longestTurn(child: ChildProcess): Promise<number> {
  child.send('longest turn');
  const [figure] = await once(child, 'message');
  return figure as number;
}

/** Errors, and what is not a record of the log, such as the stack of an exception. */
function isFault(line: string): boolean {
  try {
    return (JSON.parse(line) as { level: number }).level >= 50;
  } catch {
    return true;
  }
}

/** Writes a header byte by byte. @returns how many connections the server has closed in time */
async function openSlowClients(port: number): Promise<number> {
  const closed = Array.from({ length: SLOW_CLIENTS }, async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const header = 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ';
    let at = 0;
    const timer = setInterval(() => socket.write(header[at++] ?? 'x'), 250);
    socket.resume();
    const outcome = await Promise.race([eventOf(socket, 'close'), sleep(MAX_SLOW, 'open' as const)]);
    clearInterval(timer);
    socket.destroy();
    return outcome !== 'open';
  });
  return (await Promise.all(closed)).filter(Boolean).length;
}

async function openIdleClients(port: number): Promise<Socket[]> {
  const opened = Array.from({ length: IDLE_CLIENTS }, async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await Promise.race([eventOf(socket, 'ready'), eventOf(socket, 'close')]);
    return socket;
  });
  return Promise.all(opened);
}

/** Unlike `once` of node:events, does not reject when the server resets the connection. */
function eventOf(socket: Socket, event: 'ready' | 'close'): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()));
}

function watchHealth(port: number): { stop(): Promise<number[]> } {
  const times: number[] = [];
  let isStopped = false;
  const watching = (async () => {
    while (!isStopped) {
      times.push(await timeHealth(port));
      await sleep(100);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await watching;
      return times;
    },
  };
}

/** Milliseconds until /healthz has answered with 200 on a new connection; infinite if it does not. */
async function timeHealth(port: number): Promise<number> {
  const began = performance.now();
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`, {
      headers: { Connection: 'close' },
      signal: AbortSignal.timeout(10_000),
    });
    await response.text();
    return response.status === 200 ? Math.round(performance.now() - began) : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function print(figures: FuzzFigures, run: Record<string, number>): void {
  const statuses = [...figures.statuses].sort().map(([status, count]) => `${status}: ${count}`);
  console.log(
    [
      `seed                              ${run.seed}`,
      `requests, connections             ${figures.requests}, ${figures.connections} in ${run.seconds?.toFixed(1)} s`,
      `responses                         ${figures.responses} (${statuses.join(', ')})`,
      `slowest /healthz during the run   ${run.slowest} ms`,
      `/healthz, ${IDLE_CLIENTS} idle connections  ${run.withIdle} ms`,
      `/healthz at the end               ${run.atEnd} ms`,
      `flood of ${FLOOD.connections} × ${FLOOD.requests} pipelined       /healthz p99 ${run.p99} ms, longest turn ${run.turn?.toFixed(0)} ms`,
      `resident memory                   ${run.before} MiB after the warm-up, ${run.after} MiB at the end`,
    ].join('\n'),
  );
}
