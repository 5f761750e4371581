/**
 * What delivering costs PostgreSQL: processor time and write-ahead log for each message, by one, two and four
 * delivering processes on one queue.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import { CONNECTIONS, writeKey } from './delivery-config.ts';
import { runTask, type Task } from './delivery-process.ts';
import { type Sink, startSink } from './delivery-sink.ts';
import { median } from './figures.ts';
import { processorSeconds } from './process-tree.ts';

const PROCESSES = [1, 2, 4] as const;
const ROUNDS = 3;
/** Of each number of processes in each round. */
const SECONDS = 15;
/** More than are submitted in all rounds. */
const DELIVERIES = 300_000;

/** `npm run -s bench -- delivery-database`. @param deliveries to queue */
export async function benchDeliveryDatabase({ deliveries = DELIVERIES } = {}): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const sink = await startSink();
  try {
    writeKey(folder);
    return await databaseCosts(folder, sink, deliveries);
  } finally {
    await sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * On a server with PostgreSQL's default settings. Of each number of processes (the digit at the end) the medians of
 * alternating rounds: milliseconds of the database's processor time and bytes of its log for each message, and messages
 * a second of all processes. Of queueing the same for each delivery, and what a delivery takes on the disk.
 */
export async function databaseCosts(
  folder: string,
  sink: Sink,
  deliveries = DELIVERIES,
): Promise<Record<string, number>> {
  const server = await startPostgresServer('daywire', []);
  const databaseUrl = `${server.url}/daywire`;
  const client = new Client({ connectionString: databaseUrl });
  try {
    await client.connect();
    const meter = await openMeter(client);
    const setup = { folder, store: { databaseUrl, path: '' }, smtpUrl: sink.url, connections: CONNECTIONS };
    await runTask({ ...setup, kind: 'fill', subscribers: deliveries });
    const queued = await meter.measure(async () => {
      await runTask({ ...setup, kind: 'queue' });
      return deliveries;
    });
    const { rows } = await client.query("select pg_total_relation_size('deliveries') as bytes");
    const bytesOfDelivery = Math.round(Number(rows[0].bytes) / deliveries);
    const costs = new Map(PROCESSES.map((count) => [count, [] as Cost[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const count of PROCESSES) {
        const cost = await meter.measure(() => deliverFor({ ...setup, kind: 'deliver', warmUp: 0 }, count));
        // The processes start before that time.
        costs.get(count)?.push({ ...cost, perSecond: cost.messages / SECONDS });
      }
    }
    return {
      databaseBytesPerDelivery: bytesOfDelivery,
      ...figuresOf('Queue', [queued]),
      ...figuresOfProcesses(costs),
    };
  } finally {
    await client.end();
    await server.stop();
  }
}

/** Of the database, for each message. */
interface Cost {
  messages: number;
  processorMs: number;
  logBytes: number;
  perSecond: number;
}

function figuresOfProcesses(costs: ReadonlyMap<number, Cost[]>): Record<string, number> {
  return Object.assign({}, ...[...costs].map(([count, some]) => figuresOf(`${count}`, some)));
}

function figuresOf(name: string, costs: Cost[]): Record<string, number> {
  const middle = (value: (cost: Cost) => number): number => median(costs.map(value));
  return {
    [`databaseCpuMsPerMessage${name}`]: Math.round(middle((cost) => cost.processorMs) * 1_000) / 1_000,
    [`databaseWalBytesPerMessage${name}`]: Math.round(middle((cost) => cost.logBytes)),
    [`databasePerSecond${name}`]: Math.round(middle((cost) => cost.perSecond)),
  };
}

/** Delivers with so many processes at once. @returns the number of submitted messages */
async function deliverFor(task: Extract<Task, { kind: 'deliver' }>, count: number): Promise<number> {
  const processes = Array.from({ length: count }, () => runTask({ ...task, seconds: SECONDS }));
  const submitted = (await Promise.all(processes)).reduce((sum, figures) => sum + figures.submitted, 0);
  if (submitted === 0) throw new Error('nothing was left to deliver: the benchmark needs more deliveries');
  return submitted;
}

/** Measures the server while something works with it. */
async function openMeter(client: Client): Promise<{ measure(work: () => Promise<number>): Promise<Cost> }> {
  const ask = async (query: string): Promise<string> => (await client.query(query)).rows[0].value;
  const folder = await ask("select current_setting('data_directory') as value");
  const pid = Number((await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n', 1)[0]);
  const logPosition = async (): Promise<number> =>
    Number(await ask("select pg_current_wal_lsn() - '0/0'::pg_lsn as value"));
  return {
    async measure(work) {
      // The first change of a page after a checkpoint writes it whole: the same beginning for all.
      await client.query('checkpoint');
      const [processorBefore, logBefore, start] = [processorSeconds(pid), await logPosition(), performance.now()];
      const count = await work();
      const seconds = (performance.now() - start) / 1_000;
      return {
        messages: count,
        processorMs: ((processorSeconds(pid) - processorBefore) * 1_000) / count,
        logBytes: ((await logPosition()) - logBefore) / count,
        perSecond: count / seconds,
      };
    },
  };
}
