/**
 * npm run -s seed -- --articles 100000 --subscribers 1000000
 *     [--seed 1] [--until 2026-11-24T12:00:00Z] [--config FILE] [--force]
 *
 * Fills a store with invented articles and subscribers, for trials and measurements. The same seed and instant give the
 * same rows. The configuration and DAYWIRE_DATABASE_URL name the store. Without --force it must hold no articles.
 * Nothing is published, composed or delivered.
 */

import { parseArgs } from 'node:util';
import { openParts } from '../src/app/context-parts.ts';
import type { ImportFile } from '../src/articles/import/files/import-files.ts';
import type { SourceRecord } from '../src/articles/import/files/json-lines.ts';
import { importFiles } from '../src/articles/import/import.ts';
import { hasNoArticles } from '../src/articles/queries.ts';
import { importBatch } from '../src/audience/csv/import-batch.ts';
import type { ImportRow } from '../src/audience/csv/row.ts';
import { type AppContext, withAppContext } from '../src/core/app-context.ts';
import { openProgress } from '../src/core/cli/progress.ts';
import { type Config, ConfigError } from '../src/core/config/config.ts';
import { StoreError } from '../src/core/store/store.ts';
import { openLog } from '../src/lib/log.ts';
import { DAY, MINUTE, rfc3339 } from '../src/lib/time.ts';

export interface SeedOptions {
  articles: number;
  subscribers: number;
  /** Chooses the invented content: another seed gives other articles and addresses. */
  seed: number;
  /** Publication instant of the newest article, epoch milliseconds. */
  until: number;
  /** Milliseconds from one article to the next; default: a quarter of an hour. */
  interval?: number;
  /** Adds to a store that holds articles. */
  force?: boolean;
  onProgress?: (what: 'articles' | 'subscribers', done: number) => void;
}

/** The options make no sense, or the store is in use. */
class SeedError extends Error {
  override name = 'SeedError';
}

const ROWS_PER_BATCH = 500;
/** About a hundred articles a day. */
const ARTICLE_INTERVAL = 15 * MINUTE;

async function main(): Promise<number> {
  const progress = openProgress(process.stderr);
  try {
    const { configFile, ...options } = readOptions();
    const { env, stderr } = process;
    const surroundings = { configFile, env, cwd: process.cwd(), clock: Date.now, log: openLog(stderr, 'warn') };
    const start = performance.now();
    await withAppContext(surroundings, openParts, async (app) => {
      await seedStore(app, { ...options, onProgress: (what, done) => progress.show(`seeding: ${done} ${what}`) });
      progress.clear();
      const seconds = Math.round((performance.now() - start) / 1_000);
      console.log(
        `${options.articles} articles and ${options.subscribers} subscribers in ${app.store.location}, in ${seconds} s`,
      );
    });
    return 0;
  } catch (error) {
    progress.clear();
    if (!isForOperator(error)) throw error;
    console.error(error.message);
    return 1;
  }
}

function isForOperator(error: unknown): error is Error {
  const isUsage = String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
  return isUsage || [SeedError, ConfigError, StoreError].some((type) => error instanceof type);
}

function readOptions(): SeedOptions & { configFile: string } {
  const { values } = parseArgs({
    options: {
      articles: { type: 'string', default: '1000' },
      subscribers: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      until: { type: 'string' },
      config: { type: 'string', default: process.env.DAYWIRE_CONFIG ?? 'config/daywire.yaml' },
      force: { type: 'boolean', default: false },
    },
  });
  const count = (name: 'articles' | 'subscribers' | 'seed'): number => {
    const value = Number(values[name]);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new SeedError(`--${name} is ${values[name]}: must be a whole number, 0 or more`);
  };
  const until = values.until === undefined ? Date.now() : Date.parse(values.until);
  if (Number.isNaN(until))
    throw new SeedError(`--until is ${values.until}: must be an instant such as 2026-11-24T12:00:00Z`);
  return {
    articles: count('articles'),
    subscribers: count('subscribers'),
    seed: count('seed'),
    until,
    force: values.force,
    configFile: values.config,
  };
}

/**
 * Imports invented articles and subscribers through the same functions as real ones, in flat memory.
 * @throws SeedError where the store holds articles, and `force` is not set
 */
export async function seedStore(app: AppContext, options: SeedOptions): Promise<void> {
  if (!options.force && !(await hasNoArticles(app.store.db))) {
    throw new SeedError(`${app.store.location} holds articles: name another store, or add to it with --force`);
  }
  await seedArticles(app, options);
  await seedSubscribers(app, options);
}

async function seedArticles({ store, config }: AppContext, options: SeedOptions): Promise<void> {
  const { articles, seed, until, onProgress } = options;
  const file: ImportFile = {
    origin: 'seed',
    path: `seed-${seed}.jsonl`,
    name: `seed-${seed}.jsonl`,
    format: 'jsonl',
    bytes: articles,
    fingerprint: '',
    modifiedAt: null,
    async *records(): AsyncIterable<SourceRecord> {
      for (let index = 0; index < articles; index++) {
        const text = JSON.stringify(inventArticle(config, options, index));
        yield { line: index + 1, readTo: index + 1, content: { kind: 'text', text } };
      }
    },
  };
  const report = await importFiles(store, config, [file], {
    clock: () => until,
    onProgress: ({ read }) => onProgress?.('articles', read),
  });
  // Content that breaks a rule is a mistake in this script.
  if (report.rejectedCount > 0) throw new Error(report.rejected[0]?.problems.join('\n'));
}

async function seedSubscribers({ store, config, keys }: AppContext, options: SeedOptions): Promise<void> {
  const { subscribers, seed, until, onProgress } = options;
  const secrets = await keys.signingSecrets();
  for (let from = 0; from < subscribers; from += ROWS_PER_BATCH) {
    const length = Math.min(ROWS_PER_BATCH, subscribers - from);
    const rows = Array.from({ length }, (_, at) => inventSubscriber(config, options, from + at));
    await importBatch(store, secrets, rows, { source: `seed-${seed}.csv`, now: until });
    onProgress?.('subscribers', from + length);
  }
}

const SUBJECTS = ['Chip Makers', 'Battery Plants', 'Port Operators', 'Regional Banks', 'Carmakers', 'Grid Companies'];
const VERBS = ['Raise', 'Cut', 'Defend', 'Review', 'Double', 'Postpone'];
const OBJECTS = [
  'Their Forecasts',
  'Spending on Factories',
  'Prices',
  'Hiring Plans',
  'Orders From Abroad',
  'Dividends',
];
const SENTENCES = [
  'Orders rose by **12.4%** on the year, the industry association said on Tuesday.',
  'The figure compares with [an estimate](https://example.com/estimate) of 9% in March.',
  'A shortage of parts remains a risk for the second half, two suppliers said.',
  '“We expect no change before autumn,” one manager said & asked not to be named.',
  'Three in four plants run on the newer lines, up from 53% at the start of the year.',
  'The companies declined to comment on individual contracts.',
];
const NAMES = ['Ada', 'Ben', 'Chloé', 'Dmitri', 'Emeka', 'Fatima', 'Goro', 'Hana'];
const TOPICS = ['Energy', 'Trade', 'Finance', 'Labour', 'Transport', 'Research'];
const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'Africa/Lagos'];

function inventArticle(config: Config, options: SeedOptions, index: number): Record<string, unknown> {
  const { seed, until, interval = ARTICLE_INTERVAL } = options;
  const random = randomOf(seed, index);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const share = random();
  const kind = share < 0.6 ? 'brief' : share < 0.75 ? 'analysis' : share < 0.85 ? 'feature' : 'roundup-item';
  const paragraphs = Array.from({ length: 3 + Math.floor(random() * 4) }, () =>
    [pick(SENTENCES), pick(SENTENCES), pick(SENTENCES)].join(' '),
  );
  const outlet = pick(NAMES);
  const article = {
    id: `seed-${seed}-${index + 1}`,
    kind,
    kicker: random() < 0.2 && config.leadKickers.length > 0 ? pick(config.leadKickers) : null,
    headline: `${pick(SUBJECTS)} ${pick(VERBS)} ${pick(OBJECTS)}`,
    dek: pick(SENTENCES).replaceAll('*', ''),
    published: rfc3339(until - index * interval),
    section: pick(config.sections).id,
    tags: [...new Set([pick(TOPICS), `Topic ${Math.floor(random() * 500)}`])],
    bylines: [{ name: `${pick(NAMES)} Example` }],
    ...(kind === 'roundup-item'
      ? { outlet: { name: `The ${outlet} Times`, url: `https://example.com/${outlet.toLowerCase()}/${index}` } }
      : {}),
    body: paragraphs.join('\n\n'),
  };
  // Last, so that an earlier seed gives the same rest.
  const place = inventPlace(Math.floor(random() ** 3 * PLACES));
  const isChinese = random() < 0.02;
  return { ...article, headline: isChinese ? `${pick(CHINESE)}${pick(CHINESE)}` : `${article.headline} in ${place}` };
}

/** As many as a newspaper names in some years; a few of them in most headlines. */
const PLACES = 40_000;
const SYLLABLES = ['al', 'ber', 'cor', 'den', 'el', 'far', 'gor', 'hal', 'is', 'jun', 'kel', 'lan', 'mor', 'nor', 'os'];
const CHINESE = ['央行下调利率', '港口运营商', '推迟股息', '电池工厂', '扩大招聘计划', '芯片制造商', '上调预期'];

/** `Albercor`: a name of three to five syllables for each number. */
function inventPlace(number: number): string {
  let name = '';
  for (let rest = number + SYLLABLES.length ** 2; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
    name += SYLLABLES[rest % SYLLABLES.length];
  }
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** A subscriber of every newsletter, or one in twenty who left, and one in a hundred whose address bounced. */
function inventSubscriber({ newsletters }: Config, { seed, until }: SeedOptions, index: number): ImportRow {
  const random = randomOf(seed + 1, index);
  const ids = newsletters.map(({ id }) => id);
  const hasLeft = random() < 0.05;
  // Lower-case ASCII: the address is its own key.
  const email = `subscriber-${seed}-${index + 1}@d${Math.floor(random() ** 3 * 200)}.example.com`;
  return {
    line: index + 2,
    email,
    key: email,
    zone: random() < 0.2 ? (ZONES[Math.floor(random() * ZONES.length)] as string) : null,
    newsletters: hasLeft ? [] : ids,
    unsubscribed: hasLeft ? ids : [],
    pausedUntil: null,
    suppressed: random() < 0.01 ? 'hard-bounce' : null,
    since: until - Math.floor(random() * 1_000) * DAY,
    status: 'subscribed',
  };
}

/** Numbers in [0, 1) that depend on the seed and the row alone (mulberry32). */
function randomOf(seed: number, index: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) process.exitCode = await main();
