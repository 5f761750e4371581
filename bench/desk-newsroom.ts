/**
 * A large newsroom for measuring the desk: articles and subscribers through the same import as real ones, and years of
 * everything else that its pages list, set-based.
 */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type RawBuilder, sql } from 'kysely';
import { seedStore } from '../scripts/seed.ts';
import { openParts } from '../src/app/context-parts.ts';
import type { AppContext } from '../src/core/app-context.ts';
import { type Config, type NewsletterConfig, parseConfig } from '../src/core/config/config.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { closeEdition } from '../src/delivery/closing/close.ts';
import { composeEdition } from '../src/editions/compose.ts';
import { editionSlot } from '../src/editions/slot.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { DAY, HOUR, localDate, MINUTE } from '../src/lib/time.ts';
import { CUTOFF, saveStories } from './compose.ts';

export interface NewsroomSize {
  articles: number;
  /** Each has a delivery of the newest edition. */
  subscribers: number;
}

/** What the clock of the desk shows: an hour before the newest edition's slot of the next day. */
const NOW = CUTOFF + 23 * HOUR;

/** Feeds of other outlets. */
const OUTLETS = 200;
/** Editions that were closed before, one a day. */
const EDITIONS = 1_000;
const STORIES = 25;
/** Articles that are too new to be in one of them. */
const OLDER = 1_000;
const REPORTS = 4_000;
const REPORTS_PER_GROUP = 4;
const AUDIT_ROWS = 200_000;
const REJECTIONS = 50_000;
const READER_DAYS = 7;
const READERS = 60;
const BOUNCES = 20_000;
const RUNS_OF = ['publish', 'newsletter:daily-roundup', 'newsletter:weekly-roundup', 'outlets'];
const RUNS = 250_000;

/** Opens the sample's configuration with many outlets. @param where its store; it is empty, or filled before */
export async function openNewsroom(where: { path: string; databaseUrl?: string }, folder: string): Promise<AppContext> {
  const root = resolve(import.meta.dirname, '..');
  const file = join(root, 'config/daywire.yaml');
  const outlets = Array.from(
    { length: OUTLETS },
    (_, n) => `  - { id: outlet-${n}, url: "https://outlet-${n}.example/feed", use: roundup, outlet: Outlet ${n} }\n`,
  );
  const yaml = readFileSync(file, 'utf8').replace(/^sources:\n( {2}.*\n)+/m, `sources:\n${outlets.join('')}`);
  const config = parseConfig(yaml, { file, env: { DAYWIRE_SECRET: 'x'.repeat(40) }, cwd: folder });
  if (config.sources.length !== OUTLETS) throw new Error('the sample configuration lists its sources otherwise');
  const store = await openStore(where);
  const templates = openTemplates(join(root, 'templates'), config.publication.zone);
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const clock = (): number => NOW;
  return { config, store, ...openParts(config, store, { clock, log }), templates, clock, log };
}

/** Fills an empty store. Takes minutes for a million. @param onStep gets the name of each part that is filled */
export async function fillNewsroom(app: AppContext, size: NewsroomSize, onStep: (part: string) => void): Promise<void> {
  const { store } = app;
  await migrate(store);
  // The seed's articles end with the past editions, so that the newest one has known stories.
  await seedStore(app, { ...size, seed: 1, until: NOW - HOUR });
  onStep('articles and subscribers');
  await saveStories(store);
  await closeNewest(app);
  onStep('the newest edition');
  await addEditions(store);
  await addReports(store, app.config);
  await addLogs(store);
  await addReaders(store, app.config);
  await sql`analyze`.execute(store.db);
  onStep('everything else');
}

/** Closes an edition for all subscribers; three in five of its deliveries are submitted, and some have failed. */
async function closeNewest({ store, config, templates }: AppContext): Promise<void> {
  const newsletter = config.newsletters[0] as NewsletterConfig;
  const slot = editionSlot(CUTOFF, config.publication.zone, false);
  const options = { slot, cutoffAt: CUTOFF, now: CUTOFF, nonce: '5f2c9a71d04be83c6e1f7a90b4d8c215' };
  const composed = await composeEdition(store, config, templates, newsletter, options);
  if (composed.kind !== 'composed') throw new Error(`nothing was composed: ${composed.kind}`);
  const numbered = { ...composed, number: EDITIONS + 1 };
  const { edition } = await closeEdition(store, numbered, { ...newsletter, zone: config.publication.zone }, CUTOFF);
  const outcome = (state: string, reply: RawBuilder<unknown>, which: RawBuilder<unknown>) =>
    sql`update deliveries set state = ${state}, attempts = 1, changed_at = ${bigint(CUTOFF + MINUTE)} + subscriber_id,
      reply = ${reply} where edition_id = ${edition.id} and ${which}`.execute(store.db);
  await outcome('submitted', sql`'250 2.0.0 accepted'`, sql`subscriber_id % 5 < 3`);
  await outcome(
    'failed',
    sql`'550 5.1.1 rule ' || (subscriber_id % 23) || ' of the server: no such mailbox here'`,
    sql`subscriber_id % 50 = 3`,
  );
  await sql`insert into bounces (edition_id, subscriber_id, kind, status, detail, at)
    ${numbers(store, BOUNCES)} select ${edition.id}, subscribers.id, 'hard', '5.1.1', 'unknown user',
      ${bigint(CUTOFF + HOUR)} + n from counted join subscribers on subscribers.id = n * 5 + 1`.execute(store.db);
  await sql`insert into edition_progress (edition_id, minute, at, submitted, failed)
    ${numbers(store, 600)} select ${edition.id}, ${CUTOFF / MINUTE} + n, ${bigint(CUTOFF)} + n * ${MINUTE},
      n * 1000, n * 30 from counted`.execute(store.db);
}

async function addEditions(store: Store): Promise<void> {
  const { db } = store;
  for (let n = 1; n <= EDITIONS; n++) {
    const slotAt = CUTOFF - n * DAY;
    const slot = localDate(slotAt, 'Asia/Shanghai');
    await sql`insert into editions (newsletter, slot, slot_at, cutoff_at, number, headline, subject, preheader, nonce,
        html, text, archive_html, article_id, closed_at, delivery_state)
      select newsletter, ${slot}, ${bigint(slotAt)}, ${bigint(slotAt)}, ${EDITIONS - n + 1}, headline, subject,
        preheader, nonce, '<p>An old edition</p>', 'An old edition', '<p>An old edition</p>', article_id,
        ${bigint(slotAt)}, 'done' from editions where slot_at = ${bigint(CUTOFF)}`.execute(db);
    await sql`insert into edition_visits (newsletter, slot, day, visits) values ('daily-roundup', ${slot}, '', ${n})
      `.execute(db);
  }
  const article = sql`'seed-1-' || (${bigint(OLDER)} + editions.id * ${bigint(STORIES)} + n)`;
  await sql`insert into edition_articles (edition_id, newsletter, article_id, block, position)
    ${numbers(store, STORIES)} select editions.id, newsletter, ${article}, 'news', n
    from counted, editions where slot_at < ${bigint(CUTOFF)}
    and exists (select 1 from articles where articles.id = ${article})`.execute(db);
  await sql`insert into delivery_totals (edition_id, state, count)
    select id, 'submitted', 900000 + id from editions where slot_at < ${bigint(CUTOFF)}`.execute(db);
}

/** Reports of other outlets within the roundup's window, in groups, and years of decisions about others. */
async function addReports(store: Store, { sources }: Config): Promise<void> {
  const { db } = store;
  for (const { id, url } of sources) {
    const polled = { polled_at: NOW - MINUTE, succeeded_at: NOW - MINUTE, due_at: NOW + HOUR };
    const found = { configured_api: 'auto' as const, rules: '{}', api: 'feed' as const, endpoint: url };
    await db
      .insertInto('sources')
      .values({ id, url, use: 'roundup', ...found, ...polled })
      .execute();
  }
  await sql`insert into outlet_items (source, outlet, title, summary, url, canonical_url, language, published_at,
      first_seen_at, seen_at, state, group_id)
    ${numbers(store, REPORTS)} select 'outlet-' || (n % ${bigint(OUTLETS)}), 'Outlet ' || (n % ${bigint(OUTLETS)}),
      'Report ' || n || ' on the figures of the quarter', 'The company said so on Tuesday.',
      'https://example.com/report/' || n, 'https://example.com/report/' || n, 'en',
      ${bigint(NOW - MINUTE)} - n * 20000, ${bigint(NOW)} - n * 20000, ${bigint(NOW)}, 'open', null
    from counted`.execute(db);
  await sql`update outlet_items set group_id = id - (id - 1) % ${REPORTS_PER_GROUP}`.execute(db);
  await sql`insert into roundup_log (at, editor, command) ${numbers(store, 20_000)}
    select ${bigint(NOW - 365 * DAY)} + n * 1000000, 'Edda', '{"command":{"kind":"drop"},"groups":[' || -n || '],"items":[],"headline":"An old report"}' from counted
    `.execute(db);
}

async function addLogs(store: Store): Promise<void> {
  const { db } = store;
  await sql`insert into audit_log (at, account_id, actor, act, subject, detail) ${numbers(store, AUDIT_ROWS)}
    select ${bigint(NOW - 1_000 * DAY)} + n * 400000, null, 'console', 'draft.move', 'daily-roundup/' || n, '{}'
    from counted`.execute(db);
  await sql`insert into rejections (key, stage, source, line, problems, raw, rejected_at)
    ${numbers(store, REJECTIONS)} select 'rejected:' || n, 'import', 'inbox/file-' || n || '.md', 3,
      '["the field “published” is not an instant"]', 'published: soon', ${bigint(NOW - 100 * DAY)} + n * 100000
    from counted`.execute(db);
  for (const [index, schedule] of RUNS_OF.entries()) {
    await sql`insert into runs (schedule, slot_at, state, covers, attempts, started_at, finished_at)
      ${numbers(store, RUNS)} select ${schedule}, ${bigint(NOW)} - n * 600000, case n % 500 when 7 then 'late' else 'done' end,
        1, 1, ${bigint(NOW + index)} - n * 600000, ${bigint(NOW)} - n * 600000 + 2000 from counted`.execute(db);
  }
}

async function addReaders(store: Store, { feeds }: Config): Promise<void> {
  for (let day = 0; day < READER_DAYS; day++) {
    const date = localDate(NOW - day * DAY, 'Asia/Shanghai');
    for (const { id } of feeds) {
      await sql`insert into feed_readers (day, path, reader, requests, unchanged) ${numbers(store, READERS)}
        select ${date}, ${`${id}.atom`}, 'Reader ' || n, 100 + n, 80 from counted`.execute(store.db);
    }
  }
}

/** `with counted(n)`: the numbers from 1 to `count`. */
function numbers({ dialect }: Store, count: number): RawBuilder<unknown> {
  return dialect === 'sqlite'
    ? sql`with recursive counted(n) as (select 1 union all select n + 1 from counted where n < ${count})`
    : sql`with counted(n) as (select generate_series(1, cast(${count} as integer)))`;
}

/** PostgreSQL would take a parameter for a 32-bit integer, and SQLite for a number with a fraction. */
function bigint(value: number): RawBuilder<number> {
  return sql`cast(${value} as bigint)`;
}
