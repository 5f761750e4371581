/**
 * Time and memory of an import of a hundred thousand articles. The import runs in a separate process, so that nothing
 * else counts.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { importPaths } from '../src/articles/import/import.ts';
import { loadConfig } from '../src/config/config.ts';
import { migrate } from '../src/store/schema.ts';
import { openStore } from '../src/store/store.ts';

const ARTICLES = 100_000;
const RUNS = 3;
const CONFIG = fileURLToPath(new URL('../config/daywire.yaml', import.meta.url));

/**
 * Imports 100,000 articles of about 250 words from one JSON Lines file into an empty SQLite file, several times.
 * @returns the median rate in articles a second, and the highest resident memory of any run in MiB
 */
export async function benchImport(articles = ARTICLES): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  try {
    const file = join(folder, 'articles.jsonl');
    await writeArticles(file, articles);
    const runs = [];
    for (let run = 0; run < RUNS; run++) runs.push(await importInChild(file, join(folder, `${run}.db`)));
    const rates = runs.map(({ seconds }) => articles / seconds).sort((a, b) => a - b);
    return {
      importArticlesPerSecond: Math.round(rates[Math.floor(rates.length / 2)] as number),
      importPeakResidentMiB: Math.round(Math.max(...runs.map(({ peakMiB }) => peakMiB))),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Run {
  seconds: number;
  peakMiB: number;
}

async function importInChild(file: string, database: string): Promise<Run> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), file, database]);
  return JSON.parse(stdout) as Run;
}

async function importHere(file: string, database: string): Promise<Run> {
  const config = loadConfig(CONFIG, {}, tmpdir());
  const store = await openStore({ path: database });
  await migrate(store);
  const start = performance.now();
  const report = await importPaths(store, config, [file], { clock: Date.now });
  const seconds = (performance.now() - start) / 1_000;
  await store.close();
  if (report.rejectedCount > 0) throw new Error(report.rejected[0]?.problems.join('\n'));
  return { seconds, peakMiB: process.resourceUsage().maxRSS / 1_024 };
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

const [, script, file, database] = process.argv;
if (script === fileURLToPath(import.meta.url) && file !== undefined && database !== undefined) {
  process.stdout.write(JSON.stringify(await importHere(file, database)));
}
