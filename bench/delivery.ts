/**
 * Speed of delivering a signed edition, compared with nodemailer's pooled transport and Postfix's `smtp-source`, to the
 * same sink; memory with ten thousand and a million subscribers; the time to queue a million deliveries; what
 * PostgreSQL spends for each message; and how a process answers that queues and submits them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import { CONNECTIONS, MESSAGE_BYTES, writeKey } from './delivery-config.ts';
import { databaseCosts } from './delivery-database.ts';
import { type Figures, runTask, type Task } from './delivery-process.ts';
import { runSource, type Sink, startSink } from './delivery-sink.ts';
import { median } from './figures.ts';
import { responsivenessOnBoth } from './responsiveness.ts';

const RUNS = 5;
// V8 compiles the hot functions during these messages.
const WARM_UP = 1_500;
// A few seconds for each.
const MESSAGES = { ours: 8_000, nodemailer: 1_000, source: 8_000 };
const MILLION = 1_000_000;
const MEMORY_SECONDS = 8;

/**
 * Messages of 97 KB, signed (RSA, 2048 bits), to distinct subscribers: daywire's with its queue in an SQLite file,
 * nodemailer's with its own MIME building and signing, `smtp-source`'s unsigned. Speeds are medians of alternating
 * runs. `smtpSourceRatio` is null if Postfix is not installed. `residentMiB` is the higher of the two values that
 * follow it, `queueMillionSeconds` the slower. What begins with `database` is the cost of PostgreSQL, with one, two and
 * four delivering processes. What begins with `busy` is measured while a million deliveries are
 * queued and submitted for a minute, in the process that also serves.
 */
export async function benchDelivery(): Promise<Record<string, number | null>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const sink = await startSink();
  try {
    writeKey(folder);
    const speed = await compareSpeed(folder, sink);
    const small = await deliverQueued(folder, sink, 'small.db', 10_000);
    const large = await deliverQueued(folder, sink, 'large.db', MILLION);
    const postgres = await queueOnPostgres(folder, sink);
    return {
      ...speed,
      residentMiB: Math.round(Math.max(small.residentMiB, large.residentMiB)),
      residentMiB10000: Math.round(small.residentMiB),
      residentMiB1000000: Math.round(large.residentMiB),
      queueMillionSeconds: round(Math.max(large.queue.seconds, postgres.seconds)),
      queueMillionSecondsSqlite: round(large.queue.seconds),
      queueMillionSecondsPostgres: round(postgres.seconds),
      queueDelayP99MsSqlite: round(large.queue.delayMs),
      queueDelayP99MsPostgres: round(postgres.delayMs),
      ...(await databaseCosts(folder, sink)),
      ...(await responsivenessOnBoth(folder, sink)),
    };
  } finally {
    await sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

// Alternating, so that other load on the machine affects all equally.
async function compareSpeed(folder: string, sink: Sink): Promise<Record<string, number | null>> {
  const ours: number[] = [];
  const nodemailer: number[] = [];
  const source: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const setup = setupOf(folder, sink, { path: join(folder, `speed-${run}.db`) });
    await queueAll(folder, sink, setup.store, WARM_UP + MESSAGES.ours);
    ours.push((await runTask({ ...setup, kind: 'deliver', warmUp: WARM_UP })).perSecond);
    const messages = MESSAGES.nodemailer;
    nodemailer.push((await runTask({ ...setup, kind: 'nodemailer', warmUp: messages / 4, messages })).perSecond);
    const counts = { messages: MESSAGES.source, bytes: MESSAGE_BYTES, connections: CONNECTIONS };
    const perSecond = await runSource(sink, counts);
    if (perSecond !== null) source.push(perSecond);
  }
  const signed = median(ours);
  return {
    signedPerSecond: Math.round(signed),
    nodemailerPooledSignedPerSecond: Math.round(median(nodemailer)),
    ratio: round(signed / median(nodemailer)),
    smtpSourcePerSecond: source.length === 0 ? null : Math.round(median(source)),
    smtpSourceRatio: source.length === 0 ? null : round(signed / median(source)),
    messageBytes: MESSAGE_BYTES,
    connections: CONNECTIONS,
  };
}

/** Queues an edition, and delivers it for some seconds. */
async function deliverQueued(
  folder: string,
  sink: Sink,
  file: string,
  subscribers: number,
): Promise<{ residentMiB: number; queue: Figures['queue'] }> {
  const setup = setupOf(folder, sink, { path: join(folder, file) });
  const queue = await queueAll(folder, sink, setup.store, subscribers);
  const { residentMiB } = await runTask({ ...setup, kind: 'deliver', warmUp: WARM_UP, seconds: MEMORY_SECONDS });
  return { residentMiB, queue };
}

/** Fills an empty store with subscribers, and closes an edition for them. */
async function queueAll(
  folder: string,
  sink: Sink,
  store: Task['store'],
  subscribers: number,
): Promise<Figures['queue']> {
  const setup = setupOf(folder, sink, store);
  await runTask({ ...setup, kind: 'fill', subscribers });
  return runTask({ ...setup, kind: 'queue' });
}

function setupOf(folder: string, sink: Sink, store: Task['store']) {
  return { folder, store, smtpUrl: sink.url, connections: CONNECTIONS };
}

/** Queues a million deliveries on a PostgreSQL server with default settings. */
async function queueOnPostgres(folder: string, sink: Sink): Promise<Figures['queue']> {
  const server = await startPostgresServer('daywire', []);
  try {
    return await queueAll(folder, sink, { databaseUrl: `${server.url}/daywire`, path: '' }, MILLION);
  } finally {
    await server.stop();
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
