/**
 * How long each page of the desk takes in a large newsroom, on SQLite and PostgreSQL, and how long an editor waits for
 * the preview after a command: by the requests that a browser makes, in one process whose caches are warm. What several
 * pages vary by (a search, a place in a list) changes with each request.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgresServer } from '../scripts/postgres-server.ts';
import type { AppContext } from '../src/core/app-context.ts';
import { openDeskClient } from './desk-client.ts';
import { type EditTimes, timeEdits } from './desk-edits.ts';
import { fillNewsroom, type NewsroomSize, openNewsroom } from './desk-newsroom.ts';
import { percentile } from './figures.ts';

const MILLION = 1_000_000;
const WARM_UP = 3;
const ROUNDS = 60;
const EDITS_WARM_UP = 9;
const EDITS = 90;
/** What a page may take at most, in milliseconds. */
const LIMIT = 100;

export interface DeskPagesOptions {
  articles?: number;
  subscribers?: number;
  /** Default: both. */
  database?: 'sqlite' | 'postgres';
}

/**
 * @returns milliseconds: the 95th percentile of each page, such as `editionP95MsSqlite`, the slowest of them, how many
 * pages take more than 100, and the time from a command to the new preview
 */
export async function benchDeskPages(options: DeskPagesOptions = {}): Promise<Record<string, number>> {
  const { articles = MILLION, subscribers = MILLION, database } = options;
  const size = { articles, subscribers };
  const folder = mkdtempSync(join(tmpdir(), 'daywire-bench-desk-'));
  const figures: Record<string, number> = { articles, subscribers, rounds: ROUNDS };
  try {
    if (database !== 'postgres') {
      Object.assign(figures, await measure('Sqlite', { path: join(folder, 'daywire.db') }, size, folder));
    }
    if (database !== 'sqlite') {
      const server = await startPostgresServer('daywire', []);
      try {
        const where = { path: '', databaseUrl: `${server.url}/daywire` };
        Object.assign(figures, await measure('Postgres', where, size, folder));
      } finally {
        await server.stop();
      }
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(
  name: string,
  where: { path: string; databaseUrl?: string },
  size: NewsroomSize,
  folder: string,
): Promise<Record<string, number>> {
  const app = await openNewsroom(where, folder);
  try {
    await fillNewsroom(app, size, (what) => process.stderr.write(`${name}: ${what}\n`));
    const times = await timePages(app, size);
    const edits = await timeDraftEdits(app);
    const p95 = [...times].map(([page, all]): [string, number] => [page, percentile(all, 0.95)]);
    const slowest = Math.max(...p95.map(([, ms]) => ms));
    return {
      ...Object.fromEntries(p95.map(([page, ms]) => [`${page}P95Ms${name}`, ms])),
      [`slowestP95Ms${name}`]: slowest,
      [`pagesOver${LIMIT}Ms${name}`]: p95.filter(([, ms]) => ms > LIMIT).length,
      [`editToPreviewP50Ms${name}`]: percentile(edits.whole, 0.5),
      [`editToPreviewP95Ms${name}`]: percentile(edits.whole, 0.95),
    };
  } finally {
    await app.store.close();
  }
}

/** The response times of each page. */
async function timePages(app: AppContext, { articles }: NewsroomSize): Promise<Map<string, number[]>> {
  const client = await openDeskClient(app, 'admin');
  const times = new Map<string, number[]>();
  try {
    for (const [page, addressOf] of Object.entries(await pagesOf(app, articles))) {
      const taken: number[] = [];
      let html = '';
      for (let round = -WARM_UP; round < ROUNDS; round++) {
        const { path, form } = addressOf(round + WARM_UP, html);
        const init = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
        const start = performance.now();
        html = await client.request(path, init);
        if (round >= 0) taken.push(performance.now() - start);
      }
      times.set(page, taken);
    }
  } finally {
    await client.stop();
  }
  return times;
}

const DRAFT = '/desk/editions/daily-roundup/2026-11-25/draft';

/** The time from a command to the new preview. */
async function timeDraftEdits(app: AppContext): Promise<EditTimes> {
  const client = await openDeskClient(app, 'editor');
  try {
    return await timeEdits(client, DRAFT, { warmUp: EDITS_WARM_UP, rounds: EDITS });
  } finally {
    await client.stop();
  }
}

const WORDS = ['ports', 'battery plants', 'albercor', 'double orders', 'regional banks cut', 'hiring'];

/** Where a page is. @param html of the round before */
type AddressOf = (round: number, html: string) => { path: string; form?: Record<string, string> };

async function pagesOf({ store }: AppContext, articles: number): Promise<Record<string, AddressOf>> {
  const { db } = store;
  const newest = await db.selectFrom('editions').select(['id', 'slot']).orderBy('slot_at', 'desc').executeTakeFirst();
  if (newest === undefined) throw new Error('the newsroom has no edition');
  const subscribers = await db.selectFrom('subscribers').select('id').orderBy('id').limit(200).execute();
  const reports = db.selectFrom('outlet_items').select('group_id').distinct().orderBy('group_id').limit(100);
  const groups = await reports.execute();
  const at = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
  const page = (path: string): AddressOf => {
    return () => ({ path: `/desk${path}` });
  };
  const pages = (pathOf: (round: number) => string): AddressOf => {
    return (round) => ({ path: `/desk${pathOf(round)}` });
  };
  /** A list, each time a page further. */
  const list = (path: string): AddressOf => {
    return (_, html) => {
      const older = /href="([^"]*[?;&]after=[^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
      return { path: older ?? `/desk${path}` };
    };
  };
  const closed = `/editions/daily-roundup/${newest.slot}`;
  const seed = (round: number): string => `seed-1-${((round * 997) % articles) + 1}`;
  return {
    // First: they start the thread that renders, which takes seconds.
    edition: () => ({ path: DRAFT }),
    weeklyEdition: page('/editions/weekly-roundup/2026-11-29/draft'),
    today: page(''),
    testCopy: () => ({ path: `${DRAFT}/test` }),
    sendNow: () => ({ path: `${DRAFT}/send` }),
    roundup: page('/roundup'),
    group: pages((round) => `/roundup/g${at(groups, round).group_id}`),
    addReport: page('/roundup/add'),
    articles: list('/articles'),
    articleSearch: pages((round) => `/articles?q=${encodeURIComponent(at(WORDS, round))}`),
    article: pages((round) => `/articles/${seed(round)}`),
    articleText: pages((round) => `/articles/${seed(round)}/text`),
    articleEdit: pages((round) => `/articles/${seed(round)}/edit`),
    newBrief: page('/briefs/new'),
    editions: list('/editions'),
    closedEdition: page(closed),
    frozenPage: page(`${closed}/frozen`),
    reissue: page(`${closed}/reissue`),
    deliveries: page('/deliveries'),
    delivery: list(`/deliveries/${newest.id}`),
    cancel: page(`/deliveries/${newest.id}/cancel`),
    sources: page('/sources'),
    rejected: list('/sources/rejected'),
    feeds: page('/feeds'),
    runs: list('/runs'),
    lateRuns: list('/runs?state=late'),
    audience: page('/audience'),
    growthByWeek: page('/audience?by=week'),
    audienceSearch: (round) => ({ path: '/desk/audience', form: { address: `subscriber-1-${round + 1}` } }),
    ledger: pages((round) => `/audience/${at(subscribers, round).id}`),
    erase: pages((round) => `/audience/${at(subscribers, round).id}/erase`),
    suppressions: list('/audience/suppressions'),
    exportForm: page('/audience/export'),
    importForm: page('/audience/import'),
    accounts: page('/accounts'),
    invite: page('/accounts/invite'),
    audit: list('/audit'),
    ownAccount: page('/account'),
  };
}
