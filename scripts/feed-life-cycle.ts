/**
 * Polls random lives of feeds, of own sites and of outlets, and compares what is stored with what is true. Exits with 1
 * if a story was doubled, lost, misdated, wrongly updated or retracted.
 * `node scripts/feed-life-cycle.ts [--lives 2000] [--seed N] [--database sqlite|postgres]`
 *
 * Undecidable: (1) a story that returns after it was away, or is the oldest of the document, whose guid and link are
 * new, and whose headline is new or that of another one in the document; (2) a tombstone of a guid that no document
 * had; (3) a new story with the headline of another one that has gone, dated at most 14 hours apart; (4) a story that
 * returns with new guid, link and zone after it was away for more than two days. Such a life ends there, and is
 * counted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toArticle } from '../src/articles/stored-document.ts';
import { parseConfig } from '../src/core/config/config.ts';
import { articleSources, roundupSources } from '../src/core/config/sources.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore } from '../src/core/store/store.ts';
import { DAY, HOUR } from '../src/lib/time.ts';
import { OUTLETS } from '../src/outlets/polling/outlets.ts';
import { SITES } from '../src/own-sites/poll.ts';
import { CLOCK_SKEW } from '../src/sources/feed/dates-ahead.ts';
import { pollNow } from '../src/sources/polling/poller.ts';
import { serveLife, storiesOf } from './feed-life-cycle/document.ts';
import { FACTORS, Life, type Story } from './feed-life-cycle/life.ts';
import { Random } from './fuzz/random.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

const { values } = parseArgs({
  options: {
    lives: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '20261202' },
    database: { type: 'string', default: 'sqlite' },
  },
});
const STEPS = 7;
const START = Date.UTC(2026, 10, 2, 9);

const folder = mkdtempSync(join(tmpdir(), 'daywire-lives-'));
const postgres = values.database === 'postgres' ? await startPostgresServer('lives', NOT_DURABLE) : null;
const store = await openStore({
  path: join(folder, 'daywire.sqlite'),
  ...(postgres === null ? {} : { databaseUrl: `${postgres.url}/lives` }),
});
const random = new Random(Number(values.seed));
const factors = new Map<string, number>();
const faults: string[] = [];
let undecidable = 0;
let polls = 0;
try {
  await migrate(store);
  const total = Number(values.lives);
  for (let number = 0; number < total; number++) {
    const found = await live(number, number % 2 === 0 ? 'articles' : 'roundup');
    if (found === 'undecidable') undecidable += 1;
  }
  const least = (rank: number): string => {
    const counts = [...factors].filter(([name]) => name.split(' + ').length === rank).sort((a, b) => a[1] - b[1]);
    const [name, count] = counts[0] ?? ['none', 0];
    return `${name} in ${((100 * count) / total).toFixed(1)} %`;
  };
  console.log(`${total} lives, ${polls} polls, seed ${values.seed}, ${values.database}`);
  for (const factor of FACTORS)
    console.log(`  ${factor}: ${((100 * (factors.get(factor) ?? 0)) / total).toFixed(1)} %`);
  console.log(`rarest factor: ${least(1)}; rarest pair: ${least(2)}`);
  console.log(`undecidable: ${undecidable} lives (${((100 * undecidable) / total).toFixed(1)} %)`);
  for (const fault of faults.slice(0, 40)) console.log(`BROKEN: ${fault}`);
  console.log(
    faults.length === 0
      ? 'nothing was doubled, lost, misdated, wrongly updated or retracted'
      : `${faults.length} faults`,
  );
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await store.close();
  await postgres?.stop();
  rmSync(folder, { recursive: true });
}

interface Seen {
  edits: number;
  updatedAt: number;
  publishedAt: number;
  firstSeenAt: number;
  /** Its feed has only had dates ahead. */
  isAhead: boolean;
}

/** @returns `undecidable` where the life ended before its end */
async function live(number: number, use: 'articles' | 'roundup'): Promise<'lived' | 'undecidable'> {
  let now = START;
  const life = new Life(number, random, now);
  for (const factor of life.factors) {
    factors.set(factor, (factors.get(factor) ?? 0) + 1);
    for (const other of life.factors) {
      if (factor < other) factors.set(`${factor} + ${other}`, (factors.get(`${factor} + ${other}`) ?? 0) + 1);
    }
  }
  const paths = life.has('two sources') ? ['/feed', '/section'] : ['/feed'];
  const config = parseConfig(configOf(number, paths, use), { file: 'lives.yaml', env: {}, cwd: folder });
  const app = { store, config, clock: () => now, log: { debug() {}, info() {}, warn() {}, error() {} } };
  const client = serveLife(life);
  const wait = async (milliseconds: number): Promise<void> => {
    now += milliseconds;
  };
  const options = { openClient: () => client, wait, jitter: () => 0 };
  const shown = new Map<string, Story>();
  const seen = new Map<string, Seen>();
  /** Stories that the last document did not have, with the time of the last one that had it. */
  const away = new Map<string, number>();
  let polledAt = now;
  /** Of an outlet's items, as first recorded. */
  const dates = new Map<string, number | null>();
  const label = (what: string, step: number): string =>
    `life ${number} (${use}; ${[...life.factors].join(', ')}), step ${step}: ${what}`;
  for (let step = 0; step < STEPS; step++) {
    if (step > 0) {
      now += life.has('304 for ever') ? 25 * HOUR : random.int(1, 5) * HOUR;
      life.step(now);
    }
    const before = new Set(shown.keys());
    for (const path of paths) {
      // A page of the archive is read at the first import of each source alone.
      const pages = step === 0 && life.has('archive pages') && use === 'articles' ? 5 : 1;
      for (let page = 1; page <= pages; page++)
        for (const story of storiesOf(life, path, page)) shown.set(story.marker, story);
    }
    if (isUndecidable(life, [...shown.values()], before, { away, polledAt })) return 'undecidable';
    for (const [index, path] of paths.entries()) {
      const kind = use === 'articles' ? SITES : OUTLETS;
      const source = (use === 'articles' ? articleSources(config) : roundupSources(config))[index];
      const poll = await pollNow(app, kind as typeof SITES, source as never, options);
      polls += 1;
      const isRead = poll.kind === 'polled' && poll.outcome.kind === 'polled' && poll.outcome.after.failures === 0;
      if (!isRead) faults.push(label(`${path} was not read: ${JSON.stringify(poll).slice(0, 300)}`, step));
    }
    const current = new Set(paths.flatMap((path) => storiesOf(life, path)).map(({ marker }) => marker));
    for (const marker of shown.keys()) if (!current.has(marker) && !away.has(marker)) away.set(marker, polledAt);
    for (const marker of current) {
      away.delete(marker);
      shown.get(marker)?.changed.clear();
    }
    polledAt = now;
    const problems = await (use === 'articles'
      ? checkArticles(number, life, { shown, seen, current, now })
      : checkItems(number, { shown, current, dates }));
    faults.push(...problems.map((problem) => label(problem, step)));
    if (problems.length > 0) break;
  }
  return 'lived';
}

function isUndecidable(
  life: Life,
  stories: readonly Story[],
  before: ReadonlySet<string>,
  { away, polledAt }: { away: ReadonlyMap<string, number>; polledAt: number },
): boolean {
  const last = life.shown.at(-1);
  const gone = stories.filter(({ state, marker }) => state !== 'there' && before.has(marker));
  return stories.some((story) => {
    const { changed, state, marker } = story;
    if (changed.has('guid') && state === 'deleted') return true;
    const namesakes = before.has(marker) ? [] : gone.filter((other) => other.title === story.title);
    // The dates that are stored may be those of another zone.
    if (namesakes.some((other) => Math.abs(other.at - story.at) <= 28 * HOUR)) return true;
    if (!changed.has('guid') || !changed.has('link') || !(away.has(marker) || story === last)) return false;
    if (life.has('shift') && (away.get(marker) ?? polledAt) < polledAt - 2 * DAY) return true;
    return changed.has('headline') || life.shown.some((other) => other !== story && other.title === story.title);
  });
}

async function checkArticles(
  number: number,
  life: Life,
  after: { shown: ReadonlyMap<string, Story>; seen: Map<string, Seen>; current: ReadonlySet<string>; now: number },
): Promise<string[]> {
  const { shown, seen, current, now } = after;
  const rows = await store.db.selectFrom('articles').selectAll().where('id', 'like', `l${number}-%`).execute();
  const byStory = Map.groupBy(rows.map(toArticle), ({ bodyHtml }) => markerIn(bodyHtml));
  const problems: string[] = [];
  for (const [marker, story] of shown) {
    const [article, other] = byStory.get(marker) ?? [];
    if (article === undefined) {
      problems.push(`${marker} was lost`);
      continue;
    }
    if (other !== undefined) problems.push(`${marker} was doubled`);
    const { updatedAt, publishedAt, status, headline, url } = article;
    const before = seen.get(marker);
    const wantsRetraction = story.state === 'deleted';
    if ((status.state === 'retracted') !== wantsRetraction) problems.push(`${marker} is ${status.state}`);
    if (url?.includes('utm_')) problems.push(`${marker} is published with tracking: ${url}`);
    // A date ahead is not believed: until the feed corrects it, a story is from when it was first read.
    const written = story.at + life.shift;
    const firstSeenAt = before?.firstSeenAt ?? now;
    const isRead = before === undefined || current.has(marker);
    const isAhead = (before?.isAhead ?? true) && (!isRead || written > firstSeenAt + CLOCK_SKEW);
    const isCorrected = before?.isAhead === true && !isAhead;
    const wantedDate =
      before === undefined || isCorrected ? (isAhead ? now : Math.min(written, now)) : before.publishedAt;
    if (publishedAt !== wantedDate) problems.push(`${marker} is dated ${publishedAt} instead of ${wantedDate}`);
    const isEdited = before !== undefined && before.edits !== story.edits && current.has(marker);
    const isSame = before?.updatedAt === updatedAt || (isCorrected && updatedAt === publishedAt);
    const hasMoved = before !== undefined && !isSame && !wantsRetraction;
    if (hasMoved !== isEdited && before !== undefined && !wantsRetraction)
      problems.push(`${marker} was ${hasMoved ? 'wrongly' : 'not'} updated`);
    if (current.has(marker) && headline !== story.title)
      problems.push(`${marker} is called ${headline}, not ${story.title}`);
    const edits = current.has(marker) ? story.edits : (before?.edits ?? story.edits);
    seen.set(marker, { edits, updatedAt, publishedAt, firstSeenAt, isAhead });
  }
  return problems;
}

async function checkItems(
  number: number,
  after: { shown: ReadonlyMap<string, Story>; dates: Map<string, number | null>; current: ReadonlySet<string> },
): Promise<string[]> {
  const { shown, dates, current } = after;
  const rows = await store.db.selectFrom('outlet_items').selectAll().where('source', 'like', `l${number}-%`).execute();
  const byStory = Map.groupBy(rows, ({ summary }) => markerIn(summary ?? ''));
  return [...shown].flatMap(([marker, { title }]) => {
    const [item, ...others] = byStory.get(marker) ?? [];
    if (item === undefined || others.length > 0) return `${marker} has ${byStory.get(marker)?.length ?? 0} items`;
    if (!dates.has(marker)) dates.set(marker, item.published_at);
    if (item.published_at !== dates.get(marker)) return `${marker} is dated ${item.published_at}`;
    if (current.has(marker) && item.title !== title) return `${marker} is called ${item.title}, not ${title}`;
    return item.url.includes('utm_') ? `${marker} has tracking` : [];
  });
}

function markerIn(text: string): string {
  return /m\d+x\d+x/.exec(text)?.[0] ?? '';
}

function configOf(number: number, paths: string[], use: 'articles' | 'roundup'): string {
  const sources = paths.map((path, index) => {
    const url = `http://life${number}.example${path}`;
    const more = use === 'articles' ? 'api: feed' : `outlet: Outlet ${number}`;
    return `  - { id: l${number}-${index}, url: "${url}", use: ${use}, ${more} }`;
  });
  return `publication:
  name: The Times
  about: News.
  url: http://127.0.0.1:8080
  tagAuthority: example.com,2026
  language: en
  zone: Asia/Taipei
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Test Road
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
sources:
${sources.join('\n')}
`;
}
