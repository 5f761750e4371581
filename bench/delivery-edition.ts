/**
 * The edition of the delivery benchmark: its subscribers and articles, and copies of the required size.
 */
import { sql } from 'kysely';
import type { Article } from '../src/articles/article.ts';
import { choiceText } from '../src/articles/choice.ts';
import type { Config } from '../src/core/config/config.ts';
import { editionLocale } from '../src/core/config/site-view.ts';
import { jsonRows } from '../src/core/store/json-rows.ts';
import type { Store } from '../src/core/store/store.ts';
import { type ClosedEdition, closeEdition } from '../src/delivery/closing/close.ts';
import { loadSigners } from '../src/delivery/message/dkim.ts';
import { prepareMessages } from '../src/delivery/message/edition-message.ts';
import { type ComposedEdition, composeEdition } from '../src/editions/compose.ts';
import { openCopies } from '../src/editions/copies/copy.ts';
import { mapParts } from '../src/editions/copies/segments.ts';
import { editionSlot } from '../src/editions/slot.ts';
import { chunks } from '../src/lib/chunks.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { CUTOFF, saveStories } from './compose.ts';
import { MESSAGE_BYTES, newsletterOf, SECRETS } from './delivery-config.ts';

export interface CopyOptions {
  /** Distinct choices of the subscribers; 0 for a newsletter without choices. */
  choices: number;
  language: 'en' | 'zh-Hans';
}

const SECTIONS = ['business-tech', 'finance-economy', 'world', 'trending'];
const TAGS = Array.from({ length: 12 }, (_, n) => `tag-${n}`);
const REPORTERS = Array.from({ length: 8 }, (_, n) => `Reporter ${n}`);

/** Each story has a section, two tags and a reporter, so that choices differ in their stories. */
function facetsOf(number: number): Partial<Article> {
  const tags = [TAGS[number % 12], TAGS[(number * 5 + 1) % 12]] as string[];
  const name = REPORTERS[(number * 3) % 8] as string;
  return { section: SECTIONS[number % 4] as string, tags, bylines: [{ role: 'reporter', name, email: null }] };
}

function chineseText(number: number): Partial<Article> {
  const bodyHtml = `<p>${'三月份，手机厂商的出货量比上年同期增长三分之二，研究机构预计增长将持续到秋季。'.repeat(6)}</p>`;
  const headline = `芯片短缺隐现，智能手机出货量增长三分之二，第${number}篇报道`;
  return { headline, dek: '主管部门下属研究院周二公布了这一数字，低于前一个月。', bodyHtml, language: 'zh-Hans' };
}

/** The n-th of many choices: a subset of sections, tags and reporters, in an order without a pattern. */
function choiceOf(n: number): string {
  // Odd, so that each number below 2^20 has bits of its own.
  const bits = ((n + 1) * 0x9e37b) % 2 ** 20;
  const chosen = (values: string[], from: number) => values.filter((_, index) => (bits >> (from + index)) & 1);
  const tags = chosen(TAGS, 0);
  const reporters = chosen(REPORTERS, 12);
  const sections = n % 3 === 0 ? [SECTIONS[n % 4] as string] : [];
  return choiceText({ sections, tags, reporters: bits === 0 ? REPORTERS : reporters, atLeast: 1 }) as string;
}

/** The newsletter of a configuration, with choices if its subscribers have some. */
export function withCopies(config: Config, { choices, language }: CopyOptions): Config {
  const change = { language, ...(choices === 0 ? {} : { choices: { sections: true, tags: TAGS, reporters: true } }) };
  return { ...config, newsletters: config.newsletters.map((one, n) => (n === 0 ? { ...one, ...change } : one)) };
}

/** Fills an empty store with the articles of an edition and confirmed subscribers at a hundred domains. */
export async function fillStore(
  store: Store,
  config: Config,
  subscribers: number,
  copies?: CopyOptions,
): Promise<void> {
  await saveStories(store, (number) =>
    copies === undefined ? {} : { ...facetsOf(number), ...(copies.language === 'en' ? {} : chineseText(number)) },
  );
  const series =
    store.dialect === 'sqlite'
      ? sql`with recursive counted(n) as (select 1 union all select n + 1 from counted where n < ${subscribers})`
      : sql`with counted(n) as (select generate_series(1, cast(${subscribers} as integer)))`;
  const address = sql`'subscriber' || n || '@domain' || (n % 100) || '.example.com'`;
  await sql`insert into subscribers (email, email_key, created_at)
    ${series} select ${address}, ${address}, 0 from counted`.execute(store.db);
  await sql`create table bench_choices (n bigint primary key, choice text)`.execute(store.db);
  for (const numbers of chunks([...Array(copies?.choices ?? 0).keys()], 10_000)) {
    const rows = numbers.map((n) => [n, choiceOf(n)]);
    const r = jsonRows(store.dialect, rows, { n: 'int', choice: 'text' });
    await sql`insert into bench_choices select n, choice from ${r} r`.execute(store.db);
  }
  const choice = sql`(select choice from bench_choices where n = subscribers.id % ${sql.lit(copies?.choices || 1)})`;
  await sql`insert into subscriptions (subscriber_id, newsletter, state, changed_at, choice)
    select id, ${newsletterOf(config).id}, 'confirmed', 0, ${choice} from subscribers`.execute(store.db);
  // As in production, where they were inserted over months and autovacuum has analysed them.
  await sql`analyze`.execute(store.db);
}

/** Composes the edition, with HTML added until the whole has `MESSAGE_BYTES`: copies have fewer stories, and less. */
export async function composeLarge(store: Store, config: Config): Promise<ComposedEdition> {
  const { publication, paths } = config;
  const templates = openTemplates(paths.templates, publication.zone);
  const slot = editionSlot(CUTOFF, publication.zone, false);
  const options = { slot, cutoffAt: CUTOFF, now: CUTOFF, nonce: '5f2c9a71d04be83c6e1f7a90b4d8c215' };
  const composed = await composeEdition(store, config, templates, newsletterOf(config), options);
  if (composed.kind !== 'composed') throw new Error(`nothing was composed: ${composed.kind}`);
  const { html, segments } = composed;
  const isChinese = newsletterOf(config).language === 'zh-Hans';
  const line = isChinese ? '<p>主管部门周二公布了这一数字。</p>\n' : '<p>The ministry said so on Tuesday.</p>\n';
  for (let fill = 0; ; fill += 50) {
    const filled = (text: string): string => text.replace('</body>', `${line.repeat(fill)}</body>`);
    composed.html = filled(html);
    composed.segments = segments && { ...segments, html: mapParts(segments.html, filled) };
    if ((await sizeOf(composed, config)) >= MESSAGE_BYTES) return composed;
  }
}

async function sizeOf(composed: ComposedEdition, config: Config): Promise<number> {
  const make = prepareMessages(
    { ...composed, id: 1, closedAt: CUTOFF, messageIdDomain: null },
    newsletterOf(config),
    config,
    SECRETS,
    loadSigners(config),
  );
  const recipient = { subscriberId: 1, email: 'subscriber1@domain1.example.com', tokenVersion: 1, expiresAt: null };
  return (await make({ ...recipient, now: CUTOFF })).size;
}

/** Closes the edition and queues its deliveries. */
export function closeLarge(store: Store, config: Config, composed: ComposedEdition): Promise<ClosedEdition> {
  const newsletter = newsletterOf(config);
  const decide = composed.segments && openCopies(composed, editionLocale(config, newsletter));
  return closeEdition(store, composed, { ...newsletter, zone: config.publication.zone, decide }, Date.now());
}
