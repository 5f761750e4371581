/** Imports what a source has, through the import of articles: one item is one input, with its own rejection. */
import { candidateOf } from '../articles/edits/desk-base.ts';
import { changeArticle, readStoredArticles, whyNotEditable } from '../articles/edits/stored-article.ts';
import { type ImportFile, recordFile } from '../articles/import/files/import-files.ts';
import { MAX_RECORD_BYTES, type SourceRecord } from '../articles/import/files/json-lines.ts';
import { analyseArticles, importFiles } from '../articles/import/import.ts';
import { originName, sourceOrigin } from '../articles/import/origin.ts';
import { type ArticleImportResult, addToResult, emptyResult } from '../articles/import/result.ts';
import { retractArticles } from '../articles/import/retract.ts';
import type { ArticleSource } from '../core/config/schema.ts';
import { inTransaction } from '../core/store/store.ts';
import { DAY, MINUTE, rfc3339, SECOND } from '../lib/time.ts';
import { CLOCK_SKEW, problemOfDatesAhead } from '../sources/feed/dates-ahead.ts';
import { textOfHtml } from '../sources/html-text.ts';
import { saveKeys } from '../sources/identity/item-keys.ts';
import {
  findSourceItems,
  listOnHold,
  recordSeenItems,
  type SeenItem,
  type SourceItemRow,
} from '../sources/item-state.ts';
import { type FeedMemory, floods, LEAST_FLOOD, medianGap, nextUsual } from '../sources/polling/flood.ts';
import { type Poll, progress } from '../sources/polling/source-kind.ts';
import type { PollFindings } from '../sources/source-state.ts';
import { type ArticleRecord, articleId } from './article-record.ts';
import { identifyItems, siteKeyTable } from './identify-items.ts';
import { entriesOf, type ItemEntry, type PageEntry, type ReadPage } from './read-page.ts';
import { findSharedArticles, siblingsOf, siteKeysOf } from './shared-items.ts';

/** As many as a batch of the import. */
const PART = 100;

export interface SitePollResult extends ArticleImportResult {
  /** Retracted because the source has withdrawn them. */
  retracted: number;
  /** Withdrawn by the source, and left as they are. */
  left: number;
  /** Too many at once: they wait for the operator. */
  waiting: number;
  /** New, and too many at once: they wait for the operator, too. */
  held: number;
  /** Repairs of a feed, dates that cannot be true, and items that were left out, for people. */
  feedProblems: string[];
}

export type SitePoll = Poll<ArticleSource, SitePollResult>;

/** By which the clock of a CMS may differ from this one. */
const MAX_CLOCK_DIFFERENCE = 5 * MINUTE;

/**
 * Imports the entries of a page, and records which items the source has. Doing it again changes nothing.
 * @returns what the next document of a feed is compared with
 * @throws the reason of `signal`
 */
export async function importEntries(poll: SitePoll, page: ReadPage, readAt: number | null): Promise<PollFindings> {
  const { store, config, row, clock, signal, result } = poll;
  const { id } = row;
  const seenAt = clock();
  const { plan, known, articleOf, keys, dates, repeats } = await planPage(poll, page, readAt, seenAt);
  // A feed may change an item without dating the change.
  const settledBefore = row.api === 'feed' || row.polled_at === null ? null : row.polled_at - MAX_CLOCK_DIFFERENCE;
  const articles = emptyResult();
  let from = 0;
  for await (const entries of entriesOf(page, PART)) {
    const files: ImportFile[] = [];
    const seen: SeenItem[] = [];
    const leftOut: string[] = [];
    const sections = new Map<string, string>();
    for (const [index, entry] of entries.entries()) {
      const planned = plan[from + index] ?? null;
      if (entry.kind === 'unreadable') {
        files.push(itemFile(id, entry.key, { kind: 'unusable', rule: entry.rule, raw: entry.raw }));
      } else if (planned !== null && !isSettled(entry, known.get(planned.item), settledBefore)) {
        const { item, publishedAt } = planned;
        const article = articleOf(item);
        const isShared = article !== articleId(id, item);
        const { url, modifiedAt, record } = entry;
        const content = isShared ? null : contentOf(entry, planned, id);
        const heldRecord = planned.isOnHold && content?.kind === 'text' ? content.text : null;
        if (isShared && !known.has(item) && typeof record?.section === 'string') sections.set(article, record.section);
        else if (content === null && !isShared) leftOut.push(article);
        else if (content !== null && heldRecord === null) files.push(itemFile(id, item, content));
        seen.push({ item, articleId: article, url, publishedAt, modifiedAt, heldRecord });
      }
    }
    addToResult(articles, await importFiles(store, config, files, { clock, background: true, signal }));
    // An aborted import ends without an error: not all of these items have been stored.
    signal.throwIfAborted();
    const ofPart = keys.get(from)?.map(({ key, entry }) => ({ key, item: plan[entry ?? -1]?.item ?? null })) ?? [];
    await addSections(poll, sections);
    await inTransaction(store.db, async (tx) => {
      await recordSeenItems(tx, id, seen, seenAt);
      await saveKeys(tx, siteKeyTable(id), ofPart, seenAt);
    });
    await retractLeftOut(poll, leftOut);
    await progress(poll, {});
    from += entries.length;
  }
  await analyseArticles(store, articles);
  addToResult(result, articles);
  const added = plan.filter((planned) => planned?.isNew);
  const held = added.filter((planned) => planned?.isOnHold).length;
  result.held += held;
  result.feedProblems.push(...page.problems);
  const ahead = problemOfDatesAhead(dates, seenAt, config.publication.zone);
  if (ahead !== null) result.feedProblems.push(ahead);
  if (repeats > 0) result.feedProblems.push(`items that repeat others, or seem to, and were left out: ${repeats}`);
  // A document without items is a fault of the site, and says nothing of its habits.
  if (plan.length === 0) return {};
  const isUsual = held === 0 && row.succeeded_at !== null;
  const usual = isUsual ? nextUsual(row.usual_new, added.length) : row.usual_new;
  return { item_gap: medianGap(dates), items_read_at: seenAt, usual_new: usual };
}

/** Puts articles without a section, which another source brought, into that of this source, as the desk would. */
async function addSections(poll: SitePoll, sections: ReadonlyMap<string, string>): Promise<void> {
  const author = originName(sourceOrigin(poll.source.id));
  for (const [id, article] of await readStoredArticles(poll.store.db, [...sections.keys()])) {
    const section = sections.get(id) as string;
    if (article.article.section !== null || whyNotEditable(article) !== null) continue;
    await changeArticle(poll, id, 'import', { author }, (stored) => ({ ...candidateOf(stored.article), section }));
  }
}

/** Retracts articles of posts that the configuration leaves out since they are for members only. */
async function retractLeftOut({ store, config, source, clock, result }: SitePoll, ids: string[]): Promise<void> {
  if (ids.length === 0 || source.withdrawn === 'leave') return;
  const note = `This story is now for members of ${new URL(source.url).hostname}.`;
  const publicUrl = config.publication.url;
  const retracted = await inTransaction(store.db, (tx) => retractArticles(tx, ids, { note, publicUrl }, clock()));
  result.retracted += retracted.length;
}

/** What becomes of the entries of a page, by index. Null for those that are no items, or that repeat one. */
async function planPage(
  { store: { db }, config, row: source, source: configured }: SitePoll,
  page: ReadPage,
  readAt: number | null,
  now: number,
) {
  const heads: ReturnType<typeof headOf>[] = [];
  for await (const entries of entriesOf(page, PART)) heads.push(...entries.map(headOf));
  const { id, api, succeeded_at, items_read_at, usual_new: usualNew, item_gap: itemGap } = source;
  const isFeed = api === 'feed';
  const newKeys = heads.map(({ key }) => key) as string[];
  const entries = heads.flatMap(({ known }) => known ?? []);
  const document = { entries, ambiguous: new Set(page.ambiguous) };
  const feed = { newKeys, document, bodiesOf: (wanted: readonly number[]) => bodiesOf(page, wanted) };
  // Its key identifies a post; by its link, other sources of the site are compared with it.
  const links = new Map<string, number>();
  for (const [entry, { siteKeys }] of heads.entries()) for (const key of siteKeys) links.set(key, entry);
  const { items, keys } = isFeed
    ? await identifyItems(db, source, { ...feed, readAt }, now)
    : { items: heads.map(({ key }) => key), keys: [...links].map(([key, entry]) => ({ key, entry })) };
  const named = [...new Set(items)].filter((item) => item !== null);
  const known = new Map((await findSourceItems(db, id, named)).map((row) => [row.item, row]));
  const { length: held } = await listOnHold(db, id, 'held');
  const memory = { isFeed, usualNew, itemGap, readAt: items_read_at ?? succeeded_at, held };
  const added = heads.flatMap(({ siteKeys }, index): [string, string[]][] => {
    const item = items[index];
    return item == null || known.has(item) ? [] : [[item, siteKeys.filter((key) => !document.ambiguous.has(key))]];
  });
  const shared = await findSharedArticles(db, siblingsOf(config, configured), new Map(added), [...known.values()]);
  const articleOf = (item: string): string => known.get(item)?.article_id ?? shared.get(item) ?? articleId(id, item);
  const identified = heads.map((head, index) => {
    const item = items[index] ?? null;
    const isShared = item !== null && articleOf(item) !== articleId(id, item);
    return { ...head, item, isLeftOut: head.isLeftOut || isShared };
  });
  return {
    ...{ plan: planItems(identified, known, memory, now), known, articleOf },
    keys: Map.groupBy(keys, ({ entry }) => Math.floor((entry ?? 0) / PART) * PART),
    dates: isFeed ? heads.flatMap(({ publishedAt }) => publishedAt ?? []) : [],
    repeats: isFeed ? items.filter((item) => item === null).length : 0,
  };
}

async function bodiesOf(page: ReadPage, wanted: readonly number[]): Promise<Map<number, string>> {
  const bodies = new Map<number, string>();
  let from = 0;
  for await (const entries of entriesOf(page, PART)) {
    for (const index of wanted) {
      const entry = entries[index - from];
      const body = entry?.kind === 'item' ? entry.record?.body : undefined;
      if (typeof body === 'string') bodies.set(index, textOfHtml(body));
    }
    from += entries.length;
  }
  return bodies;
}

function headOf(entry: PageEntry) {
  if (entry.kind === 'unreadable')
    return { key: null, known: null, siteKeys: [] as string[], publishedAt: null, isLeftOut: true };
  const { key, known, publishedAt, record } = entry;
  return { key, known, siteKeys: siteKeysOf(entry), publishedAt, isLeftOut: record === null };
}

/** Whether an entry has not changed since it was read: some CMSs date a change by its second. */
function isSettled({ modifiedAt }: ItemEntry, row: SourceItemRow | undefined, settledBefore: number | null): boolean {
  if (row === undefined || settledBefore === null || modifiedAt === null || modifiedAt >= settledBefore) return false;
  return row.missing === 0 && row.withdrawal === null && row.modified_at === modifiedAt;
}

/** @returns null for an item that the configuration leaves out */
function contentOf(
  { record, headline }: ItemEntry,
  { item, publishedAt, isDateInvented }: PlannedItem,
  source: string,
): SourceRecord['content'] | null {
  if (record === null) return null;
  const dated = isDateInvented ? { published: rfc3339(publishedAt), dateInvented: true } : {};
  return recordContent({ ...record, id: articleId(source, item), ...dated }, headline);
}

/** The place of an item, as rejections name it. */
export function itemPath(sourceId: string, key: string): string {
  return `${sourceId}/${key}`;
}

export function itemFile(sourceId: string, key: string, content: SourceRecord['content']): ImportFile {
  const path = itemPath(sourceId, key);
  const bytes = content.kind === 'text' ? content.text.length : 0;
  return recordFile({ path, name: path, origin: sourceOrigin(sourceId), format: 'jsonl' }, content, bytes);
}

export function recordContent(record: ArticleRecord, headline: string): SourceRecord['content'] {
  const text = JSON.stringify(record);
  if (text.length <= MAX_RECORD_BYTES) return { kind: 'text', text };
  return { kind: 'unusable', rule: 'the post is longer than 8 MB', raw: headline };
}

export interface IdentifiedItem {
  /** Null for one that is no item, or repeats another. */
  item: string | null;
  publishedAt: number | null;
  isLeftOut: boolean;
}

export interface PlannedItem {
  item: string;
  publishedAt: number;
  /** Whether `publishedAt` is daywire's, since the source has none that can be true. */
  isDateInvented: boolean;
  isNew: boolean;
  isOnHold: boolean;
}

/** What no source has dated until its first poll is as old as its oldest item, and older than any newsletter's news. */
const LEAST_AGE = 31 * DAY;

/**
 * - An item has the date that its source gives. A feed's date that is ahead of the moment at which the item was first
 *   seen is wrong, also once that date has passed: such an item, and one without a date, is from when it was first
 *   seen. What has no date in the first poll is old, and in the order of the document.
 * - New items of a feed wait where they are a flood, and so do those of any site that would make more than 20 articles
 *   of the first poll today's news. While some wait, later ones do.
 * @param known rows of the items that are stored, by item
 * @param memory.readAt null until a poll has read all of the site
 */
export function planItems(
  items: readonly IdentifiedItem[],
  known: ReadonlyMap<string, SourceItemRow>,
  memory: FeedMemory & { isFeed: boolean },
  now: number,
): (PlannedItem | null)[] {
  const isFirst = memory.readAt === null;
  const oldest = items.reduce((least, { publishedAt }) => Math.min(least, publishedAt ?? least), now - LEAST_AGE);
  const plan = items.map(({ item, publishedAt: written, isLeftOut }, index) => {
    if (item === null) return null;
    const row = known.get(item);
    const latest = memory.isFeed ? (row?.first_seen_at ?? now) + CLOCK_SKEW : Number.POSITIVE_INFINITY;
    // Rows from before items had keys may be dated ahead.
    const invented = Math.min(row?.published_at ?? (written === null && isFirst ? oldest - index * SECOND : now), now);
    const isDateInvented = written === null || written > latest;
    const publishedAt = isDateInvented ? invented : written;
    const isNew = row === undefined && !isLeftOut;
    return { item, publishedAt, isDateInvented, isNew, isOnHold: row?.hold === 'held' || row?.hold === 'ignored' };
  });
  const isFlood = ({ length }: PlannedItem[]): boolean =>
    memory.held > 0 || (isFirst ? length > LEAST_FLOOD : memory.isFeed && floods(memory, length, now));
  const added = plan.filter((planned) => planned !== null).filter(({ isNew }) => isNew);
  const suspects = isFirst || !memory.isFeed ? added.filter(({ publishedAt }) => publishedAt > now - DAY) : added;
  if (isFlood(suspects)) for (const suspect of suspects) suspect.isOnHold = true;
  return plan;
}
