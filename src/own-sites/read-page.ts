/**
 * Reads one response of a source into article records. It runs in a thread: a page of a hundred posts, or a feed of ten
 * megabytes, would hold up everything else.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beginningOfText } from '../articles/beginning.ts';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import { CmsFormatError, type PostPage } from '../sources/cms/cms-api.ts';
import { readGhostPosts } from '../sources/cms/ghost.ts';
import { readWordPressPosts } from '../sources/cms/wordpress.ts';
import { readFeedItems } from '../sources/feed/feed-items.ts';
import type { EntryIdentity, IdentifiedDocument } from '../sources/identity/entry-keys.ts';
import { readIdentities } from '../sources/identity/identify.ts';
import type { SourceItem } from '../sources/source-item.ts';
import { type ArticleRecord, type RecordRules, shortUrl, toArticleRecord } from './article-record.ts';

export interface PageInput {
  api: SourceApi;
  /** The address of the response. */
  url: string;
  headers: IncomingHttpHeaders;
  body: Uint8Array;
  rules: RecordRules;
  now: number;
  /** Of the publication: that of a feed's dates without one. */
  zone: string;
}

export type PageResult = { kind: 'read'; page: ReadPage } | { kind: 'unreadable'; reason: string };

export interface ReadPage {
  /**
   * A `PageEntry` as JSON on each line, in UTF-8 and shared memory: to receive 50,000 items as objects blocks the event
   * loop of the main thread for 140 to 360 ms.
   */
  lines: Uint8Array;
  /** Keys that several items of a feed have, and that identify none of them. */
  ambiguous: string[];
  count: number;
  /** Number of pages in all; null if the response does not say. */
  pages: number | null;
  /** Whether the feed was not well-formed. */
  repaired: boolean;
  /** Of a feed; see `ParsedFeed`. */
  deleted: string[];
  nextPage: string | null;
  /** Repaired and omitted parts of the feed, for people. */
  problems: string[];
  /** When the first and the last item were modified, epoch milliseconds. */
  firstModifiedAt: number | null;
  lastModifiedAt: number | null;
}

export type PageEntry = ItemEntry | { kind: 'unreadable'; key: string; rule: string; raw: string };

export interface ItemEntry {
  kind: 'item';
  /** The id of a post; for a feed's item, the key that it gets if it is new. */
  key: string;
  /** What a feed's item is known by; null for a post, which its key identifies. */
  known: IdentifiedDocument['entries'][number] | null;
  url: string | null;
  publishedAt: number | null;
  modifiedAt: number | null;
  headline: string;
  /** Names of its categories, also of those without a section. */
  categories: string[];
  /** Without a time of publication if the source gives none. Null: the configuration leaves the item out. */
  record: ArticleRecord | null;
}

export function readPage({ rules, ...input }: PageInput): PageResult {
  try {
    const page = readItems(input);
    const { entries: known, ambiguous } = readIdentities(page.items.flatMap(identityOf));
    const entries: PageEntry[] = [
      ...page.items.map((item, index) => toEntry(item, known[index] ?? null, rules)),
      ...page.unreadable.map((post) => ({ kind: 'unreadable' as const, ...post })),
    ];
    return {
      kind: 'read',
      page: {
        lines: sharedBytes(entries.map((entry) => JSON.stringify(entry)).join('\n')),
        ambiguous: [...ambiguous],
        count: entries.length,
        pages: page.pages,
        repaired: page.repaired,
        ...{ problems: page.problems, deleted: page.deleted, nextPage: page.nextPage },
        firstModifiedAt: page.items[0]?.updatedAt ?? null,
        lastModifiedAt: page.items.at(-1)?.updatedAt ?? null,
      },
    };
  } catch (error) {
    if (error instanceof CmsFormatError) return { kind: 'unreadable', reason: error.message };
    throw error;
  }
}

const NO_FEED = { repaired: false, problems: [], deleted: [], nextPage: null };

function readItems(input: Omit<PageInput, 'rules'>): PostPage & Pick<ReadPage, keyof typeof NO_FEED> {
  const { api, url, headers, body, now, zone } = input;
  switch (api) {
    case 'wordpress':
      return { ...readWordPressPosts(body, headers), ...NO_FEED };
    case 'ghost':
      return { ...readGhostPosts(body), ...NO_FEED };
    case 'feed': {
      const document = { bytes: body, contentType: headers['content-type'] ?? null, url, zone };
      const result = readFeedItems(document, now);
      if (result.kind === 'unreadable') throw new CmsFormatError(result.reason);
      const { items, repaired, problems, deleted, nextPage } = result;
      return { items, unreadable: [], pages: 1, repaired, problems, deleted, nextPage };
    }
  }
}

/** Categories of an item that an operator gets to see. */
const MAX_CATEGORIES = 10;

function toEntry(item: SourceItem, known: ItemEntry['known'], rules: RecordRules): ItemEntry {
  const { key, publishedAt, updatedAt, headline } = item;
  // It is stored: without characters that a database refuses, and of limited length.
  const url = item.url === null ? null : shortUrl(item.url);
  const categories = item.categories.slice(0, MAX_CATEGORIES).map(({ name }) => name);
  const record = toArticleRecord(item, rules);
  return { kind: 'item', key, known, url, publishedAt, modifiedAt: updatedAt, headline, categories, record };
}

/** An item without a title is told from others by its text. @returns none for a post, which its key identifies */
function identityOf({ guid, url, headline, html, publishedAt }: SourceItem): EntryIdentity[] {
  if (guid === undefined) return [];
  const link = url ?? '';
  const title = headline || beginningOfText(html ?? '', 80).slice(0, 80) || (guid ?? link);
  return [{ guid, link, title, publishedAt }];
}

function sharedBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(Buffer.byteLength(text)));
  Buffer.from(bytes.buffer).write(text);
  return bytes;
}

/** The entries of a page in parts of `size`. Between two parts the event loop turns. */
export async function* entriesOf({ lines }: ReadPage, size: number): AsyncGenerator<PageEntry[]> {
  let part: PageEntry[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf(10, at);
    const to = end === -1 ? lines.length : end;
    part.push(JSON.parse(Buffer.from(lines.buffer, lines.byteOffset + at, to - at).toString()) as PageEntry);
    at = to + 1;
    if (part.length < size) continue;
    yield part;
    await nextTurn();
    part = [];
  }
  if (part.length > 0) yield part;
}
