/**
 * A newsroom with a long archive, for measuring the public pages: articles of usual length, filled set by set, and
 * years of editions.
 */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type RawBuilder, sql } from 'kysely';
import { openParts } from '../src/app/context-parts.ts';
import { type Article, tagUri } from '../src/articles/article.ts';
import { saveArticles } from '../src/articles/import/save.ts';
import type { AppContext } from '../src/core/app-context.ts';
import { type NewsletterConfig, parseConfig } from '../src/core/config/config.ts';
import { migrate } from '../src/core/store/schema.ts';
import { inTransaction, openStore, type Store } from '../src/core/store/store.ts';
import { closeEdition } from '../src/delivery/closing/close.ts';
import { composeEdition } from '../src/editions/compose.ts';
import { editionSlot } from '../src/editions/slot.ts';
import { publishFeeds } from '../src/feeds/publish/publish-feeds.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { DAY, HOUR, localDate } from '../src/lib/time.ts';
import { CUTOFF } from './compose.ts';

/** What the clock of the pages shows. */
export const PAGES_NOW = CUTOFF + HOUR;
/** So that a month has more than 25,000. */
export const ARTICLES_PER_DAY = 913;
/** Milliseconds from one article to the next. */
const SPACING = Math.floor(DAY / ARTICLES_PER_DAY);
/** Before the newest one. */
export const EDITIONS = 500;
const SECTIONS = ['business-tech', 'finance-economy', 'world', 'trending'];
const KINDS = ['brief', 'analysis', 'brief', 'feature', 'roundup-item', 'brief'] as const;
/** Forms of articles: the others differ in numbers alone. */
const PATTERNS = SECTIONS.length * KINDS.length;
/** Articles that are saved in one transaction. */
const BATCH = 500;

/** Opens the sample's configuration, without its sources. @param where its store; it is empty, or filled before */
export async function openArchive(where: { path: string; databaseUrl?: string }): Promise<AppContext> {
  const root = resolve(import.meta.dirname, '..');
  const file = join(root, 'config/daywire.yaml');
  const yaml = readFileSync(file, 'utf8').replace(/^sources:\n( {2}.*\n)+/m, '');
  const config = parseConfig(yaml, { file, env: { DAYWIRE_SECRET: 'x'.repeat(40) }, cwd: root });
  const store = await openStore(where);
  const templates = openTemplates(join(root, 'templates'), config.publication.zone);
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const clock = (): number => PAGES_NOW;
  return { config, store, ...openParts(config, store, { clock, log }), templates, clock, log };
}

/** The address of an article. @param index 0 for the newest */
export function archivedSlug(index: number): string {
  return `story-${index}`;
}

/** Fills an empty store, and publishes its feeds. Takes minutes for a million. */
export async function fillArchive(app: AppContext, articles: number): Promise<void> {
  const { store, config, templates } = app;
  await migrate(store);
  if (store.dialect === 'sqlite') await sql`pragma synchronous = off`.execute(store.db);
  await addArticles(store, articles, PAGES_NOW);
  await addEditions(app);
  await sql`analyze`.execute(store.db);
  if (store.dialect === 'postgres') await sql`vacuum`.execute(store.db);
  await publishFeeds(store, config, templates, { now: PAGES_NOW });
}

/** @param until the newest is from just before this instant */
export async function addArticles(store: Store, articles: number, until: number): Promise<void> {
  for (let from = 0; from < articles; from += BATCH) {
    const writes = Array.from({ length: Math.min(BATCH, articles - from) }, (_, index) => ({
      article: articleOf(from + index, until - 1 - (from + index) * SPACING),
      digest: 'digest',
    }));
    await inTransaction(store.db, (tx) => saveArticles(tx, writes, until));
  }
}

/** One edition of the newest articles, and others with the same content before it, one a day. */
async function addEditions({ store, config, templates }: AppContext): Promise<void> {
  const newsletter = config.newsletters[0] as NewsletterConfig;
  const zone = config.publication.zone;
  const slot = editionSlot(CUTOFF, zone, false);
  const options = { slot, cutoffAt: CUTOFF, now: CUTOFF, nonce: '5f2c9a71d04be83c6e1f7a90b4d8c215' };
  const composed = await composeEdition(store, config, templates, newsletter, options);
  if (composed.kind !== 'composed') throw new Error(`nothing was composed: ${composed.kind}`);
  await closeEdition(store, { ...composed, number: EDITIONS + 1 }, { ...newsletter, zone }, CUTOFF);
  for (let n = 1; n <= EDITIONS; n++) {
    const at = bigint(CUTOFF - n * DAY);
    await sql`insert into editions (newsletter, slot, slot_at, cutoff_at, number, headline, subject, preheader, nonce,
        html, text, archive_html, article_id, closed_at, delivery_state)
      select newsletter, ${localDate(CUTOFF - n * DAY, zone)}, ${at}, ${at}, ${EDITIONS - n + 1}, headline, subject,
        preheader, nonce, html, text, archive_html, article_id, ${at}, 'done'
      from editions where slot_at = ${bigint(CUTOFF)}`.execute(store.db);
  }
}

const SENTENCES = [
  'Makers shipped 35.3 million smartphones in March, 67.7% more than a year earlier, an academy of the ministry said.',
  'The figure was lower than in the month before, and a shortage of chips still weighs on the plans of most of them.',
  'Analysts of <a href="https://example.com/report?year=2021&amp;quarter=1">a research firm</a> expect it to last.',
  'Two people at suppliers, who asked not to be named, told the paper that they see no sign of it easing.',
];

function articleOf(index: number, publishedAt: number): Article {
  const pattern = index % PATTERNS;
  const kind = KINDS[pattern % KINDS.length] as Article['kind'];
  const bodyHtml = `<p>${SENTENCES.join(' ')}</p>`.repeat(1 + (pattern % 3));
  const outlet = { name: 'Harbour Post', url: `https://example.com/harbour/${index}`, publishedAt: null };
  const id = archivedSlug(index);
  return {
    id,
    tagUri: tagUri('example.com,2026', id),
    slug: id,
    url: null,
    kind,
    kicker: pattern % 5 === 0 ? 'Exclusive' : null,
    topic: 'Smartphones',
    headline: `Smartphone shipments rise by ${index} units & the supply of chips stays tight`,
    shortHeadline: null,
    pinned: false,
    dek: 'Three in four of the handsets run on the newer networks, up from 53% when the year began.',
    body: { format: 'html', source: bodyHtml },
    bodyHtml,
    publishedAt,
    updatedAt: publishedAt,
    section: SECTIONS[Math.floor(pattern / KINDS.length)] as string,
    tags: ['Smartphones', `Topic ${index % 50}`],
    bylines: [{ role: 'reporter', name: `Lin Anran ${index % 50}`, email: 'lin.anran@example.com' }],
    fullStory: null,
    related: [{ url: `https://example.com/related/${index}`, title: 'Shipments fell by a fifth last year' }],
    outlet: kind === 'roundup-item' ? outlet : null,
    also: [],
    eventKey: null,
    image: null,
    enclosures: [],
    language: 'en',
    status: { state: 'published' },
    page: null,
  };
}

/** PostgreSQL would take a parameter for a 32-bit integer, and SQLite for a number with a fraction. */
function bigint(value: number): RawBuilder<number> {
  return sql`cast(${value} as bigint)`;
}
