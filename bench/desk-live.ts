/**
 * What it costs a delivery that people watch it at the desk, and how old the figures are that they see. Speeds are of
 * alternating parts of one delivery, with and without open pages, because that of a machine changes with time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import { type Dialect, openStore } from '../src/core/store/store.ts';
import { type BenchProcess, startBenchProcess } from './bench-process.ts';
import { countSubmitted, type DeliveringSetup } from './delivering-server.ts';
import { CONNECTIONS, writeKey } from './delivery-config.ts';
import { runTask } from './delivery-process.ts';
import { startSink } from './delivery-sink.ts';
import { DeskBrowser } from './desk-browser.ts';
import type { DeskAddress, DeskEdition } from './desk-live-server.ts';
import { median, percentile } from './figures.ts';
import { StoreSamples } from './store-samples.ts';

const MILLION = 1_000_000;
/** Each with four pages: twenty tabs. */
const BROWSERS = 5;
/** V8 compiles the hot functions during these. */
const WARM_UP = 3_000;

/** `npm run -s bench -- desk-live`. @param database null for both */
export async function benchDeskLive({
  deliveries = MILLION,
  database,
}: {
  deliveries?: number;
  database?: Dialect;
} = {}): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'daywire-bench-'));
  const sink = await startSink();
  const on = (store: DeliveringSetup['store']): Promise<LiveDelivery> =>
    watchDelivery({ folder, store, smtpUrl: sink.url, connections: CONNECTIONS }, deliveries);
  const figures: Record<string, number> = {};
  try {
    writeKey(folder);
    if (database !== 'postgres') {
      Object.assign(figures, figuresOf('Sqlite', await on({ path: join(folder, 'desk-live.db') })));
    }
    if (database === 'sqlite') return figures;
    const server = await startPostgresServer('daywire', []);
    try {
      const ofPostgres = await on({ databaseUrl: `${server.url}/daywire`, path: '' });
      return { ...figures, ...figuresOf('Postgres', ofPostgres) };
    } finally {
      await server.stop();
    }
  } finally {
    await sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface LiveDelivery {
  /** Messages a second of each part, without and with open pages in turn. */
  speeds: number[];
  /** Milliseconds from the instant that the store had a number to that when a browser received it. */
  ages: number[];
  /** Many times a second: milliseconds since the number that a browser shows is not that of the store any more. */
  staleness: number[];
  pageTimes: number[];
  reloads: number;
}

function figuresOf(database: string, { speeds, ages, staleness, pageTimes, reloads }: LiveDelivery) {
  const watched = speeds.filter((_, part) => part % 2 === 1);
  const ratios = watched.map((speed, n) => speed / (((speeds[2 * n] as number) + (speeds[2 * n + 2] as number)) / 2));
  const figures = {
    parts: speeds.length,
    ratio: Math.round(median(ratios) * 1_000) / 1_000,
    perSecondUnwatched: Math.round(median(speeds.filter((_, part) => part % 2 === 0))),
    perSecondWatched: Math.round(median(watched)),
    ageP50Ms: percentile(ages, 0.5),
    ageP95Ms: percentile(ages, 0.95),
    ageMaxMs: percentile(ages, 1),
    shownAgeP50Ms: percentile(staleness, 0.5),
    shownAgeP95Ms: percentile(staleness, 0.95),
    shownAgeMaxMs: percentile(staleness, 1),
    pageP50Ms: percentile(pageTimes, 0.5),
    pageP95Ms: percentile(pageTimes, 0.95),
    reloads,
  };
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${name}${database}`, value]));
}

/** Delivers an edition once, watched half of the time. */
async function watchDelivery(setup: DeliveringSetup, deliveries: number): Promise<LiveDelivery> {
  await runTask({ ...setup, kind: 'fill', subscribers: deliveries });
  const server = startBenchProcess('./desk-live-server.ts', setup);
  try {
    return await watchIn(server, setup);
  } finally {
    await server.end();
  }
}

async function watchIn(server: BenchProcess, setup: DeliveringSetup): Promise<LiveDelivery> {
  const address = await server.next<DeskAddress>();
  server.go();
  const edition = await server.next<DeskEdition>();
  const store = await openStore(setup.store);
  const measured: LiveDelivery = { speeds: [], ages: [], staleness: [], pageTimes: [], reloads: 0 };
  /** By browser: the number that it shows. */
  const shown = new Map<DeskBrowser, number>();
  let isMeasuring = false;
  const samples = new StoreSamples(
    () => countSubmitted(store, edition.id),
    (at) => {
      if (!isMeasuring) return;
      for (const value of shown.values()) {
        measured.staleness.push(samples.last > value ? at - samples.before(value + 1) : 0);
      }
    },
  );
  const open = async (): Promise<DeskBrowser> => {
    const browser: DeskBrowser = new DeskBrowser(address, (name, text) => {
      if (name !== `edition:${edition.id}:submitted` || text === '') return;
      const value = Number(text.replaceAll(',', ''));
      if (isMeasuring) received.push({ at: performance.now(), value });
      shown.set(browser, value);
    });
    await browser.open(edition.pages);
    return browser;
  };
  const received: { at: number; value: number }[] = [];
  try {
    await samples.until(WARM_UP);
    const seconds = Math.min(20, Math.max(4, edition.queued / 10_000));
    const isOver = (): boolean => samples.last >= edition.queued;
    for (let isWatched = false; ; isWatched = !isWatched) {
      const browsers = isWatched ? await Promise.all(Array.from({ length: BROWSERS }, open)) : [];
      // Until what opening and closing pages costs has passed.
      await sleep(100 * seconds);
      const from = performance.now();
      isMeasuring = true;
      await sleep(900 * seconds);
      isMeasuring = false;
      const to = performance.now();
      for (const browser of browsers) {
        shown.delete(browser);
        browser.close();
        measured.pageTimes.push(...browser.pageTimes);
        measured.reloads += browser.reloads;
      }
      if (isOver()) break;
      measured.speeds.push(samples.perSecond(from, to));
    }
    // One that is watched lies between two that are not.
    if (measured.speeds.length % 2 === 0) measured.speeds.pop();
    if (measured.speeds.length < 3) throw new Error('too few deliveries to measure');
    measured.ages = received.map(({ at, value }) => at - samples.before(value));
    return measured;
  } finally {
    await samples.stop();
    await store.close();
  }
}
