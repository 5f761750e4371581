/**
 * A newsroom with very many articles, driven as its users drive it: an import by the command, and then `daywire start`,
 * which has edits, readers, visitors and an edition to care for at the same time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCountingSink } from '../../scripts/counting-sink.ts';
import { freePort } from '../../scripts/free-port.ts';
import { startPostgresServer } from '../../scripts/postgres-server.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import { median, percentile } from '../figures.ts';
import { peakResidentMiB, residentMiB } from '../process-tree.ts';
import { editByCommand, editByFile } from './busy-edits.ts';
import { type BusyInput, writeBatch, writeInput } from './busy-input.ts';
import { BusyNewsroom } from './busy-newsroom.ts';
import { type PageTimes, requestPages, timeOf } from './busy-pages.ts';
import { type BusyStore, watchPostgres, watchSqlite } from './busy-store.ts';

const ARTICLES = 100_000;
const SUBSCRIBERS = 1_000;
/** Articles of which the newest are edited by file, and the rest by command. */
const STORIES = { file: 25, command: 5 };
/** With fewer articles, the run is short: a trial. */
const TRIAL = 20_000;
const FULL = { edits: 30, pause: 2_500, requests: 100, batch: 5_000, untilEdition: 3 * MINUTE };
const SHORT = { edits: 20, pause: 500, requests: 20, batch: 500, untilEdition: 20 * SECOND };
/** Of a trial that compares. */
const COMPARED_IMPORTS = 3;
const DELIVERY_LIMIT = 10 * MINUTE;
const REST = 20 * SECOND;
const ROOT = resolve(import.meta.dirname, '../..');

type Dialect = 'sqlite' | 'postgres';
type Figures = Record<string, number | null>;

interface BusyOptions {
  articles?: number;
  /** Default: both. */
  database?: Dialect;
  /** The folder of another version, which is measured too, with the same input. */
  against?: string;
}

/**
 * Figures of each database, with its name at their end; those of the other version end in `Before`. Both versions work
 * one after the other, so that neither has the other's load; the imports of a trial alternate, and are medians.
 *
 * - `importPerSecond`: until the last article is stored, process start included; `importSeconds`: until the command
 *   has ended; `importCpuSeconds`, `importMiB`: processor time and the highest resident memory of the command
 * - `editMedianSeconds`, `editP95Seconds`: from the commit of an edited file until the feed shows it over HTTP;
 *   `editFromFile…`: from the moment that the file is there; `editByCommand…`: from the start of `daywire import` until
 *   the feed shows it, and until the command has ended
 * - `documentsPerEdit`: feed documents that an edit of an article in three feeds rewrites, on average: nine at best
 * - `storeBytesPerInputByte`: without the index of headlines; `storeWithSearchBytesPerInputByte`: with it
 * - `pageP50Ms`, `pageP99Ms`: of the slowest page; and the 99th percentile of each; `firstPageMs`: of `/`, right after
 *   the start
 * - `startSeconds`: from `daywire start` to the end of its first run
 * - `startMiB`, `startPeakMiB`: resident memory of `daywire start` at rest after an edition and another import, and
 *   its peak
 */
export async function benchBusy({ articles = ARTICLES, database, against }: BusyOptions = {}): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const figures: Figures = {};
  try {
    const newestAt = Date.now();
    const stories = STORIES.file + STORIES.command;
    const input = await writeInput(join(folder, 'input'), { articles, stories, newestAt });
    const versions = [
      { name: '', checkout: ROOT },
      ...(against === undefined ? [] : [{ name: 'Before', checkout: resolve(against) }]),
    ];
    const run = articles < TRIAL ? SHORT : FULL;
    const imports = articles < TRIAL && against !== undefined ? COMPARED_IMPORTS : 1;
    for (const dialect of ['sqlite', 'postgres'] as const) {
      if (database !== undefined && database !== dialect) continue;
      const rates = versions.map((): number[] => []);
      for (let number = 0; number < imports; number++) {
        for (const [index, { name, checkout }] of versions.entries()) {
          const isLast = number === imports - 1;
          say(`${dialect} ${name === '' ? 'this version' : checkout}${isLast ? '' : ': import alone'}`);
          const measured = await inNewsroom(
            join(folder, 'newsroom'),
            checkout,
            dialect,
            async (place): Promise<Figures> => {
              const imported = await importAll(place, input);
              rates[index]?.push(articles / imported.secondsToLast);
              return isLast ? measure(place, input, newestAt, imported, run) : {};
            },
          );
          const suffix = `${dialect === 'sqlite' ? 'Sqlite' : 'Postgres'}${name}`;
          // A run of hours that is ended early has these at least.
          say(`  ${JSON.stringify(measured)}`);
          for (const [figure, value] of Object.entries(measured)) figures[figure + suffix] = value;
          figures[`importPerSecond${suffix}`] = Math.round(median(rates[index] as number[]));
        }
      }
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A newsroom, and what looks at it from outside. */
interface Place {
  newsroom: BusyNewsroom;
  store: BusyStore;
  /** Number of subscribers that have a copy of an edition. */
  delivered(): number;
}

async function inNewsroom<T>(
  folder: string,
  checkout: string,
  dialect: Dialect,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const sink = await startCountingSink(0);
  const server = dialect === 'postgres' ? await startPostgresServer('daywire', []) : null;
  const databaseUrl = server === null ? null : `${server.url}/daywire`;
  const newsroom = new BusyNewsroom({ folder, checkout, port: await freePort(), smtpUrl: sink.url, databaseUrl });
  const store = databaseUrl === null ? watchSqlite(newsroom.storeFile) : await watchPostgres(databaseUrl);
  try {
    return await work({ newsroom, store, delivered: () => sink.copies.size });
  } finally {
    await newsroom.stop();
    await store.close();
    await server?.stop();
    await sink.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Imported {
  /** When the last article was there, milliseconds of `performance.now()`. */
  lastAt: number;
  secondsToLast: number;
  seconds: number;
  processorSeconds: number;
  peakMiB: number;
}

async function importAll({ newsroom, store }: Place, input: BusyInput): Promise<Imported> {
  newsroom.configure('0 0 1 1 *');
  const addresses = Array.from({ length: SUBSCRIBERS }, (_, n) => `person${n}@domain${n % 50}.example`);
  const people = newsroom.write('people.csv', ['email', ...addresses].join('\n'));
  await newsroom.run(['subscribers', 'import', people]);
  for (const [index, story] of input.stories.entries()) {
    newsroom.write(`${index < STORIES.file ? 'articles' : 'desk'}/${story.id}.jsonl`, story.line());
  }
  const start = performance.now();
  let lastAt = Number.NaN;
  const ended = newsroom.run(['import', '--yes', 'articles', 'desk', input.file]);
  let isOver = false;
  const watching = (async () => {
    while (!isOver && Number.isNaN(lastAt)) {
      if ((await store.digestOf(input.lastId)) !== null) lastAt = performance.now();
      else await sleep(20);
    }
  })();
  const { seconds, processorSeconds, peakMiB } = await ended.finally(() => {
    isOver = true;
  });
  await watching;
  if (Number.isNaN(lastAt)) lastAt = performance.now();
  const secondsToLast = (lastAt - start) / 1_000;
  say(`  imported ${Math.round(input.articles / secondsToLast)} a second; the command took ${Math.round(seconds)} s`);
  return { lastAt, secondsToLast, seconds, processorSeconds, peakMiB };
}

async function measure(
  { newsroom, store, delivered }: Place,
  input: BusyInput,
  newestAt: number,
  imported: Imported,
  run: typeof FULL,
): Promise<Figures> {
  const slot = new Date(Math.ceil((Date.now() + run.untilEdition) / MINUTE) * MINUTE);
  newsroom.configure(`${slot.getUTCMinutes()} ${slot.getUTCHours()} * * *`);
  const start = performance.now();
  await newsroom.start();
  const startSeconds = (performance.now() - start) / 1_000;
  say(`  started in ${startSeconds.toFixed(1)} s`);
  const firstPageMs = await timeOf(newsroom, '/');
  const [edits, pages] = await Promise.all([
    editByFile(newsroom, store, input.stories.slice(0, STORIES.file), { count: run.edits, pause: run.pause }),
    requestPages(newsroom, run.requests),
  ]);
  say(`  edits: ${edits.fromCommit.map((seconds) => seconds.toFixed(1)).join(' ')} s`);
  const commands = await editByCommand(newsroom, input.stories.slice(STORIES.file));
  say(`  edits by command: ${commands.shown.map((seconds) => seconds.toFixed(1)).join(' ')} s`);
  // The slot has passed if the start took long; then nothing is due.
  if (Date.now() > slot.getTime() + MINUTE && delivered() === 0) await newsroom.run(['compose', 'daily']);
  const isDelivered = await isDone('the edition', DELIVERY_LIMIT, async () => delivered() >= SUBSCRIBERS);
  const batch = await writeBatch(join(newsroom.folder, 'articles/batch.jsonl'), input, newestAt, run.batch);
  const isImported = await isDone('another import', DELIVERY_LIMIT, async () => {
    return (await store.digestOf(batch.lastId)) !== null;
  });
  await sleep(REST);
  const [startMiB, startPeakMiB] = [residentMiB(newsroom.pid), peakResidentMiB(newsroom.pid)];
  await newsroom.stop();
  const bytes = await store.bytes();
  const perInput = (some: number): number => round(some / (input.bytes + batch.bytes), 2);
  return {
    importPerSecond: null,
    importSeconds: round(imported.seconds, 1),
    importCpuSeconds: round(imported.processorSeconds, 1),
    importMiB: Math.round(imported.peakMiB),
    startSeconds: round(startSeconds, 1),
    editMedianSeconds: round(median(edits.fromCommit), 2),
    editP95Seconds: percentileTo(edits.fromCommit, 0.95),
    editFromFileMedianSeconds: round(median(edits.fromFile), 2),
    editFromFileP95Seconds: percentileTo(edits.fromFile, 0.95),
    editByCommandShownSeconds: round(median(commands.shown), 2),
    editByCommandEndedSeconds: round(median(commands.ended), 2),
    documentsPerEdit: round(edits.documents.reduce((sum, count) => sum + count, 0) / edits.documents.length, 1),
    storeBytesPerInputByte: perInput(bytes.all - bytes.search),
    storeWithSearchBytesPerInputByte: perInput(bytes.all),
    ...pageFigures(pages),
    firstPageMs: Math.round(firstPageMs),
    startMiB: isDelivered && isImported ? Math.round(startMiB) : null,
    startPeakMiB: Math.round(startPeakMiB),
  };
}

function pageFigures(times: PageTimes): Figures {
  const slowest = (share: number): number => Math.max(...Object.values(times).map((some) => percentile(some, share)));
  return {
    pageP50Ms: slowest(0.5),
    pageP99Ms: slowest(0.99),
    ...Object.fromEntries(Object.entries(times).map(([page, some]) => [`${page}P99Ms`, percentile(some, 0.99)])),
  };
}

/** To a hundredth. */
function percentileTo(values: number[], share: number): number {
  return round(
    percentile(
      values.map((value) => value * 10),
      share,
    ) / 10,
    2,
  );
}

async function isDone(what: string, limit: number, condition: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + limit;
  while (performance.now() < end) {
    if (await condition()) return true;
    await sleep(SECOND / 4);
  }
  say(`  ${what} takes longer than ${limit / 1_000} s`);
  return false;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
