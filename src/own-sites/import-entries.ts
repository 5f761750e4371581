/** Imports what a source has, through the import of articles: one item is one input, with its own rejection. */
import { analyseArticles, importFiles } from '../articles/import/import.ts';
import type { ImportFile } from '../articles/import/import-files.ts';
import { MAX_RECORD_BYTES, type SourceRecord } from '../articles/import/json-lines.ts';
import { sourceOrigin } from '../articles/import/origin.ts';
import { type ArticleImportResult, addToResult, emptyResult } from '../articles/import/result.ts';
import type { Config } from '../core/config/config.ts';
import { inTransaction, type Store } from '../core/store/store.ts';
import { type Clock, rfc3339 } from '../lib/time.ts';
import { problemOfDatesAhead } from '../sources/feed/dates-ahead.ts';
import { saveKeys } from '../sources/identity/item-keys.ts';
import {
  findSourceItems,
  listOnHold,
  recordSeenItems,
  type SeenItem,
  type SourceItemRow,
} from '../sources/item-state.ts';
import { medianGap, nextUsual } from '../sources/polling/flood.ts';
import type { PollFindings, SourceRow } from '../sources/source-state.ts';
import { type ArticleRecord, articleId } from './article-record.ts';
import { type FeedItemEntry, identifyItems, siteKeyTable } from './identify-items.ts';
import { type PlannedItem, planItems } from './plan-items.ts';
import { entriesOf, type ItemEntry, type PageEntry, type ReadPage } from './read-page.ts';

/** As many as a batch of the import. */
const PART = 100;

export interface EntryImportOptions {
  clock: Clock;
  signal?: AbortSignal | undefined;
  /** Items whose last change was before this instant, and is known, are not imported again. Null: all are. */
  settledBefore?: number | null;
  /** Called with the items of each part, once they are stored. */
  afterPart?: (items: ItemEntry[]) => Promise<void>;
}

/** What the entries of a page have brought. */
export interface EntryImport {
  articles: ArticleImportResult;
  /** New items that wait for the operator. */
  held: number;
  /** What the next page of a feed is compared with. */
  findings: Pick<PollFindings, 'item_gap' | 'items_read_at' | 'usual_new'>;
  /** What an operator should know, for people. */
  problems: string[];
}

/**
 * Imports the entries of a page, and records which items the source has. Doing it again changes nothing.
 * @throws the reason of `signal`
 */
export async function importEntries(
  store: Store,
  config: Config,
  source: SourceRow,
  page: ReadPage,
  { clock, signal, settledBefore = null, afterPart }: EntryImportOptions,
): Promise<EntryImport> {
  const { id } = source;
  const seenAt = clock();
  const { plan, known, keys, dates, repeats } = await planPage(store, source, page, seenAt);
  const articles = emptyResult();
  let from = 0;
  for await (const entries of entriesOf(page, PART)) {
    const files: ImportFile[] = [];
    const items: ItemEntry[] = [];
    const seen: SeenItem[] = [];
    for (const [index, entry] of entries.entries()) {
      const planned = plan[from + index] ?? null;
      if (entry.kind === 'unreadable') {
        files.push(itemFile(id, entry.key, { kind: 'unusable', rule: entry.rule, raw: entry.raw }));
      } else if (planned !== null && !isSettled(entry, known.get(planned.item), settledBefore)) {
        const { item, publishedAt } = planned;
        const content = contentOf(entry, planned, id);
        const heldRecord = planned.isOnHold && content?.kind === 'text' ? content.text : null;
        if (content !== null && heldRecord === null) files.push(itemFile(id, item, content));
        items.push({ ...entry, key: item });
        const { url, modifiedAt } = entry;
        seen.push({ item, articleId: articleId(id, item), url, publishedAt, modifiedAt, heldRecord });
      }
    }
    addToResult(articles, await importFiles(store, config, files, { clock, background: true, signal }));
    // An aborted import ends without an error: not all of these items have been stored.
    signal?.throwIfAborted();
    const ofPart = keys.get(from)?.map(({ key, entry }) => ({ key, item: plan[entry ?? -1]?.item ?? null })) ?? [];
    await inTransaction(store.db, async (tx) => {
      await recordSeenItems(tx, id, seen, seenAt);
      await saveKeys(tx, siteKeyTable(id), ofPart, seenAt);
    });
    await afterPart?.(items);
    from += entries.length;
  }
  await analyseArticles(store, articles);
  const added = plan.filter((planned) => planned?.isNew);
  const held = added.filter((planned) => planned?.isOnHold).length;
  const isUsual = held === 0 && source.succeeded_at !== null;
  const usual = isUsual ? nextUsual(source.usual_new, added.length) : source.usual_new;
  // A document without items is a fault of the site, and says nothing of its habits.
  const findings = plan.length === 0 ? {} : { item_gap: medianGap(dates), items_read_at: seenAt, usual_new: usual };
  const ahead = problemOfDatesAhead(dates, seenAt, config.publication.zone);
  const repeated = `items that repeat others, or cannot be told from them, and were left out: ${repeats}`;
  const problems = [...(ahead === null ? [] : [ahead]), ...(repeats === 0 ? [] : [repeated])];
  return { articles, held, findings, problems };
}

/** What becomes of the entries of a page, by index. Null for those that are no items, or that repeat one. */
async function planPage({ db }: Store, source: SourceRow, page: ReadPage, now: number) {
  const heads: ReturnType<typeof headOf>[] = [];
  for await (const entries of entriesOf(page, PART)) heads.push(...entries.map(headOf));
  const { id, api, succeeded_at, items_read_at, usual_new: usualNew, item_gap: itemGap } = source;
  const isFeed = api === 'feed';
  const { items, keys } = isFeed
    ? await identifyItems(db, source, heads as FeedItemEntry[], now)
    : { items: heads.map(({ key }) => key), keys: [] };
  const rows = await findSourceItems(
    db,
    id,
    [...new Set(items)].filter((item) => item !== null),
  );
  const known = new Map(rows.map((row) => [row.item, row]));
  const { length: held } = await listOnHold(db, id, 'held');
  const memory = { isFeed, usualNew, itemGap, readAt: items_read_at ?? succeeded_at, held };
  const identified = heads.map((head, index) => ({ ...head, item: items[index] ?? null }));
  return {
    ...{ plan: planItems(identified, known, memory, now), known },
    keys: Map.groupBy(keys, ({ entry }) => Math.floor((entry ?? 0) / PART) * PART),
    dates: isFeed ? heads.flatMap(({ publishedAt }) => publishedAt ?? []) : [],
    repeats: isFeed ? items.filter((item) => item === null).length : 0,
  };
}

function headOf(entry: PageEntry) {
  if (entry.kind === 'unreadable') return { key: null, known: null, publishedAt: null, isLeftOut: true };
  const { key, known, publishedAt, record } = entry;
  return { key, known, publishedAt, isLeftOut: record === null };
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
  const dated = isDateInvented ? { published: rfc3339(publishedAt) } : {};
  return recordContent({ ...record, id: articleId(source, item), ...dated }, headline);
}

/** The place of an item, as rejections name it. */
export function itemPath(sourceId: string, key: string): string {
  return `${sourceId}/${key}`;
}

export function itemFile(sourceId: string, key: string, content: SourceRecord['content']): ImportFile {
  const path = itemPath(sourceId, key);
  const bytes = content.kind === 'text' ? content.text.length : 0;
  const records = async function* (): AsyncGenerator<SourceRecord> {
    yield { line: null, readTo: bytes, content };
  };
  const origin = sourceOrigin(sourceId);
  return { path, name: path, origin, format: 'jsonl', bytes, fingerprint: '', modifiedAt: null, records };
}

export function recordContent(record: ArticleRecord, headline: string): SourceRecord['content'] {
  const text = JSON.stringify(record);
  if (text.length <= MAX_RECORD_BYTES) return { kind: 'text', text };
  return { kind: 'unusable', rule: 'the post is longer than 8 MB', raw: headline };
}
