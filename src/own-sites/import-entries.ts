/** Imports what a source has, through the import of articles: one item is one input, with its own rejection. */
import { analyseArticles, importFiles } from '../articles/import/import.ts';
import type { ImportFile } from '../articles/import/import-files.ts';
import { sourceOrigin } from '../articles/import/origin.ts';
import { type ArticleImportResult, addToResult, emptyResult } from '../articles/import/result.ts';
import { MAX_RECORD_BYTES, type SourceRecord } from '../articles/import/source-record.ts';
import type { Config } from '../core/config/config.ts';
import type { Store } from '../core/store/store.ts';
import { type Clock, rfc3339 } from '../lib/time.ts';
import { findSourceItems, recordSeenItems } from '../sources/item-state.ts';
import { type ArticleRecord, articleId } from './article-record.ts';
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

/**
 * Imports the entries of a page, and records which items the source has. Doing it again changes nothing.
 * @throws the reason of `signal`
 */
export async function importEntries(
  store: Store,
  config: Config,
  sourceId: string,
  page: ReadPage,
  { clock, signal, settledBefore = null, afterPart }: EntryImportOptions,
): Promise<ArticleImportResult> {
  const result = emptyResult();
  for await (const whole of entriesOf(page, PART)) {
    const part = settledBefore === null ? whole : await withoutSettled(store, sourceId, whole, settledBefore);
    const items = part.filter((entry) => entry.kind === 'item');
    const firstSeen = await readFirstSeen(store, sourceId, items, clock());
    const files = part.flatMap((entry) => importFileOf(sourceId, entry, firstSeen) ?? []);
    addToResult(result, await importFiles(store, config, files, { clock, background: true, signal }));
    // An aborted import ends without an error: not all of these items have been stored.
    signal?.throwIfAborted();
    const seen = items.map(({ key, url, publishedAt, modifiedAt }) => ({
      ...{ item: key, articleId: articleId(sourceId, key), url, modifiedAt },
      publishedAt: publishedAt ?? (firstSeen.get(key) as number),
    }));
    await recordSeenItems(store.db, sourceId, seen);
    await afterPart?.(items);
  }
  await analyseArticles(store, result);
  return result;
}

/** The entries that may have changed since they were read: some CMSs date a change by its second. */
async function withoutSettled(
  { db }: Store,
  sourceId: string,
  entries: PageEntry[],
  settledBefore: number,
): Promise<PageEntry[]> {
  const keys = entries.flatMap((entry) => (entry.kind === 'item' ? entry.key : []));
  const rows = await findSourceItems(db, sourceId, keys);
  const settled = new Map(
    rows
      .filter(({ missing, withdrawal }) => missing === 0 && withdrawal === null)
      .map(({ item, modified_at }) => [item, modified_at]),
  );
  return entries.filter((entry) => {
    if (entry.kind !== 'item' || entry.modifiedAt === null || entry.modifiedAt >= settledBefore) return true;
    return settled.get(entry.key) !== entry.modifiedAt;
  });
}

/** When the items without a time of publication were first seen, by key. That does not change. */
async function readFirstSeen(
  { db }: Store,
  sourceId: string,
  items: ItemEntry[],
  now: number,
): Promise<Map<string, number>> {
  const undated = items.filter(({ publishedAt }) => publishedAt === null).map(({ key }) => key);
  const known = await findSourceItems(db, sourceId, undated);
  return new Map([...undated.map((key): [string, number] => [key, now]), ...known.map(toFirstSeen)]);
}

function toFirstSeen({ item, published_at }: { item: string; published_at: number }): [string, number] {
  return [item, published_at];
}

/** @returns null for an item that the configuration leaves out */
function importFileOf(sourceId: string, entry: PageEntry, firstSeen: Map<string, number>): ImportFile | null {
  const content = contentOf(entry, firstSeen);
  if (content === null) return null;
  return itemFile(sourceId, entry.key, content);
}

function contentOf(entry: PageEntry, firstSeen: Map<string, number>): SourceRecord['content'] | null {
  if (entry.kind === 'unreadable') return { kind: 'unusable', rule: entry.rule, raw: entry.raw };
  const { key, record } = entry;
  if (record === null) return null;
  const at = firstSeen.get(key);
  return recordContent(at === undefined ? record : { ...record, published: rfc3339(at) }, entry.headline);
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
