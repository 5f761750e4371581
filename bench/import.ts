/**
 * Time and memory of an import of a hundred thousand articles into both databases. Each import runs in a process of its
 * own (import-process.ts), so that nothing else counts.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import { median } from './figures.ts';

const ARTICLES = 100_000;
const RUNS = 3;
/** Number of articles from which there is one run: it takes up to a quarter of an hour. */
const ONCE_FROM = 500_000;
const HERE = resolve(import.meta.dirname, '..');
const PROCESS = fileURLToPath(new URL('./import-process.ts', import.meta.url));

export interface ImportBenchOptions {
  articles?: number;
  /** Instead of both. */
  database?: 'sqlite' | 'postgres';
  /** The folder of another version, with its `node_modules/`: it imports the same, in turn with this one. */
  against?: string;
}

/**
 * Imports articles of about 250 words from one JSON Lines file into empty databases: three times, and once if they are
 * half a million or more.
 * @returns median rates in articles a second, and the highest resident memory of any run in MiB
 */
export async function benchImport({
  articles = ARTICLES,
  database,
  against,
}: ImportBenchOptions = {}): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  try {
    const file = join(folder, 'articles.jsonl');
    await writeArticles(file, articles);
    const count = articles < ONCE_FROM ? RUNS : 1;
    const versions = against === undefined ? [HERE] : [resolve(against), HERE];
    const measure = async (open: (name: string) => Promise<string>) => {
      const runs = new Map<string, ImportRun[]>(versions.map((version) => [version, []]));
      for (let run = 0; run < count; run++) {
        for (const version of versions) {
          const place = await open(`run-${run}-${versions.indexOf(version)}`);
          runs.get(version)?.push(await runProcess(version, file, place));
        }
      }
      return (version: string) => summarise(runs.get(version) ?? [], articles);
    };
    const figures: Record<string, number> = {};
    const add = (prefix: string, of: Awaited<ReturnType<typeof measure>>): void => {
      const { rate, peakMiB, microseconds } = of(HERE);
      Object.assign(figures, {
        [`${prefix}PerSecond`]: rate,
        [`${prefix}PeakMiB`]: peakMiB,
        [`${prefix}ProcessorMicrosecondsPerArticle`]: microseconds,
      });
      if (against === undefined) return;
      const before = of(resolve(against));
      Object.assign(figures, {
        [`${prefix}PerSecondBefore`]: before.rate,
        [`${prefix}PeakMiBBefore`]: before.peakMiB,
        [`${prefix}ProcessorMicrosecondsPerArticleBefore`]: before.microseconds,
        [`${prefix}TimesBefore`]: Math.round((rate / before.rate) * 100) / 100,
      });
    };
    if (database !== 'postgres') add('import', await measure(async (name) => join(folder, `${name}.db`)));
    if (database !== 'sqlite') {
      const { newDatabase, stop } = await startPostgres();
      try {
        add('postgresImport', await measure(newDatabase));
      } finally {
        await stop();
      }
    }
    const [sqlite, postgres] = [figures.importPerSecond, figures.postgresImportPerSecond];
    if (sqlite !== undefined && postgres !== undefined) {
      figures.postgresToSqlite = Math.round((postgres / sqlite) * 100) / 100;
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What import-process.ts prints. */
export interface ImportRun {
  seconds: number;
  peakMiB: number;
  /** Of all threads of the process; without the database server. */
  processorSeconds: number;
}

async function runProcess(version: string, file: string, database: string): Promise<ImportRun> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, version, file, database]);
  return JSON.parse(stdout) as ImportRun;
}

function summarise(runs: ImportRun[], articles: number) {
  return {
    rate: Math.round(median(runs.map(({ seconds }) => articles / seconds))),
    peakMiB: Math.round(Math.max(...runs.map(({ peakMiB }) => peakMiB))),
    microseconds: Math.round(median(runs.map((run) => (run.processorSeconds / articles) * 1_000_000))),
  };
}

/** A server with PostgreSQL's defaults. Each new database replaces the one before. */
async function startPostgres(): Promise<{ newDatabase(name: string): Promise<string>; stop(): Promise<void> }> {
  const { url, stop } = await startPostgresServer('daywire', []);
  let last: string | null = null;
  return {
    async newDatabase(name) {
      const client = new pg.Client(`${url}/daywire`);
      await client.connect();
      if (last !== null) await client.query(`drop database "${last}"`);
      await client.query(`create database "${name}"`);
      await client.end();
      last = name;
      return `${url}/${name}`;
    },
    stop,
  };
}

async function writeArticles(file: string, count: number): Promise<void> {
  const stream = createWriteStream(file);
  for (let index = 0; index < count; index++) {
    if (!stream.write(`${JSON.stringify(benchArticle(index))}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

const SENTENCES = [
  'Shipments rose by **67.7%** on the year to 35.3 million units, the ministry’s research academy said on Tuesday.',
  'The figure compares with [an estimate](https://example.com/estimate) of 31 million that analysts had named in March.',
  'A shortage of chips remains a risk for the second half, two people at suppliers told the paper.',
  '“We see no sign of it easing before autumn,” one of them said & asked not to be named.',
  'Three in four of the handsets run on the newer networks, up from 53% when the year began.',
];

/** An article of about 250 words. */
export function benchArticle(index: number): Record<string, unknown> {
  const paragraph = (from: number): string => [0, 1, 2].map((n) => SENTENCES[(from + n) % SENTENCES.length]).join(' ');
  return {
    id: `bench-${index}`,
    kind: ['brief', 'analysis', 'feature'][index % 3],
    kicker: index % 5 === 0 ? 'Exclusive' : null,
    topic: 'Smartphones',
    headline: `Smartphone Shipments Rise by ${index} Units as Supply of Chips Stays Tight`,
    dek: 'Three in four of the handsets run on the newer networks.',
    published: new Date(1_760_000_000_000 - index * 60_000).toISOString(),
    section: ['business-tech', 'finance-economy', 'world'][index % 3],
    tags: ['Smartphones', `Topic ${index % 50}`],
    bylines: [{ role: 'reporter', name: 'Lin Example', email: 'lin@example.com' }],
    related: [{ url: 'https://example.com/earlier', title: 'An earlier story' }],
    body: [0, 1, 2, 3, 4].map((n) => paragraph(index + n)).join('\n\n'),
  };
}
