/**
 * Whether a process that queues and submits an edition still answers: the delay of its event loop, and the time that
 * requests from another process take.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import { startBenchProcess } from './bench-process.ts';
import { CONNECTIONS, writeKey } from './delivery-config.ts';
import { runTask } from './delivery-process.ts';
import { type Sink, startSink } from './delivery-sink.ts';
import type { LoopFigures, ServerAddresses, ServerSetup } from './responsive-server.ts';

const MILLION = 1_000_000;
/** Of submitting, on each database: a million take ten minutes. */
const SECONDS = 60;

/** Between the end of a response and the next request for the same path. */
const PAUSE_MS = 50;

interface Responsiveness extends LoopFigures {
  /** 99th percentiles of the response times, in milliseconds. */
  responseP99: { home: number; healthz: number; metrics: number };
}

/** `npm run -s bench -- responsiveness`. @param deliveries to queue and submit */
export async function benchResponsiveness({ deliveries = MILLION } = {}): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const sink = await startSink();
  try {
    writeKey(folder);
    return await responsivenessOnBoth(folder, sink, deliveries);
  } finally {
    await sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Delay of the event loop, response times and speed, in a process that serves, queues and submits all at once. */
export async function responsivenessOnBoth(
  folder: string,
  sink: Sink,
  deliveries = MILLION,
): Promise<Record<string, number>> {
  const measure = async (store: ServerSetup['store']): Promise<Responsiveness> => {
    const setup = { folder, store, smtpUrl: sink.url, connections: CONNECTIONS };
    await runTask({ ...setup, kind: 'fill', subscribers: deliveries });
    return measureResponsiveness({ ...setup, seconds: SECONDS });
  };
  const sqlite = await measure({ path: join(folder, 'responsive.db') });
  const server = await startPostgresServer('daywire', []);
  try {
    const postgres = await measure({ databaseUrl: `${server.url}/daywire`, path: '' });
    return { ...figuresOf('Sqlite', sqlite), ...figuresOf('Postgres', postgres) };
  } finally {
    await server.stop();
  }
}

function figuresOf(database: string, { delayP99, delayMax, turnP99, turnMax, responseP99, ...rest }: Responsiveness) {
  const { home, healthz, metrics } = responseP99;
  const figures = {
    busyLoopDelayP99Ms: delayP99,
    busyLoopDelayMaxMs: delayMax,
    busyTurnCpuP99Ms: turnP99,
    busyTurnCpuMaxMs: turnMax,
    busyHomeP99Ms: home,
    busyHealthzP99Ms: healthz,
    busyMetricsP99Ms: metrics,
    busySubmittedPerSecond: rest.perSecond,
  };
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`${name}${database}`, Math.round(value * 10) / 10]),
  );
}

/** @param setup of a store that has articles, subscribers and no edition */
async function measureResponsiveness(setup: ServerSetup): Promise<Responsiveness> {
  const server = startBenchProcess('./responsive-server.ts', setup);
  const polling = new AbortController();
  try {
    const { url, metricsUrl } = await server.next<ServerAddresses>();
    const paths = { home: url, healthz: `${url}healthz`, metrics: `${metricsUrl}metrics` };
    // The first responses load and compile what all others use.
    for (const path of Object.values(paths)) await respondTo(path, new Agent());
    server.go();
    const times = Object.entries(paths).map(async ([name, path]) => [name, await poll(path, polling.signal)] as const);
    const figures = await server.next<LoopFigures>();
    polling.abort();
    const percentiles = (await Promise.all(times)).map(([name, all]) => [name, percentile(all, 0.99)]);
    return { ...figures, responseP99: Object.fromEntries(percentiles) as Responsiveness['responseP99'] };
  } finally {
    polling.abort();
    await server.end();
  }
}

/** Requests a path again and again. @returns the times of the responses, in milliseconds */
async function poll(url: string, signal: AbortSignal): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  while (!signal.aborted) {
    const start = performance.now();
    await respondTo(url, agent);
    times.push(performance.now() - start);
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
  agent.destroy();
  return times;
}

async function respondTo(url: string, agent: Agent): Promise<void> {
  const [response] = await once(get(url, { agent }), 'response');
  if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}`);
  response.resume();
  await once(response, 'end');
}

function percentile(values: number[], share: number): number {
  if (values.length === 0) throw new Error('nothing was measured');
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] as number;
}
