/**
 * What choices cost: the speed and memory of delivering 100,000 copies of an edition in 1, 1,000 and 100,000 choices,
 * against the same edition without choices; and closing and queueing a million subscribers with 1,000 choices.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import { CONNECTIONS, writeKey } from './delivery-config.ts';
import type { CopyOptions } from './delivery-edition.ts';
import { runTask, type Task } from './delivery-process.ts';
import { type Sink, startSink } from './delivery-sink.ts';
import { median } from './figures.ts';

const SUBSCRIBERS = 100_000;
const MILLION = 1_000_000;
const CLOSED_CHOICES = 1_000;
const ROUNDS = 5;
/** For each number of choices in each round. */
const SECONDS = 8;
// V8 compiles the hot functions during these messages.
const WARM_UP = 1_500;

export interface CopiesBenchOptions {
  /** Default: 100,000; of closing: a million. */
  subscribers?: number;
  /** Measures this number of choices only. */
  choices?: number;
  /** Default: `en` and `zh-Hans`, whose copies are encoded in base64. */
  language?: CopyOptions['language'];
  /** Measures closing and queueing only. */
  'close-only'?: boolean;
}

/** `npm run -s bench -- delivery-copies`. Ratios are to the uniform edition, in alternating rounds. */
export async function benchDeliveryCopies(options: CopiesBenchOptions = {}): Promise<Record<string, number>> {
  const { subscribers, choices, language } = options;
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const sink = await startSink();
  try {
    writeKey(folder);
    const figures: Record<string, number> = {};
    for (const one of options['close-only'] ? [] : language === undefined ? (['en', 'zh-Hans'] as const) : [language]) {
      const counts = choices === undefined ? [1, 1_000, 100_000] : [choices];
      Object.assign(figures, await compareCopies(folder, sink, one, counts, subscribers));
    }
    return { ...figures, ...(await closeOnBoth(folder, sink, choices ?? CLOSED_CHOICES, subscribers)) };
  } finally {
    await sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function compareCopies(
  folder: string,
  sink: Sink,
  language: CopyOptions['language'],
  counts: number[],
  subscribers = SUBSCRIBERS,
): Promise<Record<string, number>> {
  const runs = new Map(
    [0, ...counts].map((count) => [count, { perSecond: [] as number[], residentMiB: [] as number[] }]),
  );
  const setupFor = (choices: number) => setupOf(folder, sink, { path: join(folder, `${language}-${choices}.db`) });
  for (const choices of runs.keys()) await closeFor(setupFor(choices), { choices, language }, subscribers);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [choices, figures] of runs) {
      const task = { ...setupFor(choices), kind: 'deliver', warmUp: WARM_UP, seconds: SECONDS } as const;
      const { perSecond, residentMiB } = await runTask(task);
      figures.perSecond.push(perSecond);
      figures.residentMiB.push(residentMiB);
    }
  }
  const uniform = runs.get(0) as { perSecond: number[]; residentMiB: number[] };
  const named = (choices: number): string => (choices === 0 ? 'Uniform' : `${choices}Choices`);
  const prefix = language === 'en' ? 'english' : 'chinese';
  return Object.assign(
    {},
    ...[...runs].map(([choices, { perSecond, residentMiB }]) => ({
      [`${prefix}PerSecond${named(choices)}`]: Math.round(median(perSecond)),
      [`${prefix}ResidentMiB${named(choices)}`]: Math.round(median(residentMiB)),
      ...(choices === 0
        ? {}
        : {
            // Ratios within a round: other load on the machine affects both.
            [`${prefix}Ratio${named(choices)}`]: round(median(ratios(perSecond, uniform.perSecond))),
            [`${prefix}MemoryRatio${named(choices)}`]: round(median(ratios(residentMiB, uniform.residentMiB))),
          }),
    })),
  );
}

function ratios(values: readonly number[], base: readonly number[]): number[] {
  return values.map((value, index) => value / (base[index] as number));
}

async function closeOnBoth(
  folder: string,
  sink: Sink,
  choices: number,
  subscribers = MILLION,
): Promise<Record<string, number>> {
  const copies = { choices, language: 'en' } as const;
  const sqlite = await closeFor(setupOf(folder, sink, { path: join(folder, 'close.db') }), copies, subscribers);
  const server = await startPostgresServer('daywire', []);
  try {
    const store = { databaseUrl: `${server.url}/daywire`, path: '' };
    const postgres = await closeFor(setupOf(folder, sink, store), copies, subscribers);
    return { closeSecondsSqlite: round(sqlite.seconds), closeSecondsPostgres: round(postgres.seconds) };
  } finally {
    await server.stop();
  }
}

/** Fills an empty store, and closes an edition. */
async function closeFor(setup: ReturnType<typeof setupOf>, copies: CopyOptions, subscribers: number) {
  await runTask({ ...setup, kind: 'fill', subscribers, copies });
  return runTask({ ...setup, kind: 'queue', copies });
}

function setupOf(folder: string, sink: Sink, store: Task['store']) {
  return { folder, store, smtpUrl: sink.url, connections: CONNECTIONS };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
