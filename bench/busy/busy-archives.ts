/**
 * Whether the archives of all feeds can be reached: every article is in its feed, or on a page that the links to
 * earlier pages (RFC 5005) lead to.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { articleId, type BusyFeed, type BusyInput, FEEDS } from './busy-input.ts';
import type { BusyNewsroom } from './busy-newsroom.ts';
import { request } from './busy-request.ts';

const LOOK_EVERY = 1_000;
/** Up to so many articles every page is read. */
const WALKED = 20_000;
/** Otherwise so many of the newest, by their links, and so many of the others, by their addresses. */
const NEWEST = 20;
const SAMPLED = 30;

/** The documents of a feed's chain, in Atom. */
interface ChainDocument {
  /** Articles in it. */
  ids: string[];
  /** Address of the page before, or null. */
  previous: string | null;
}

/** A feed without a window has an archive. */
const ARCHIVED: BusyFeed[] = FEEDS.filter((feed) => !('windowHours' in feed));

/**
 * Waits until the chains are as long as they have to be: less than a page of articles is on none. Asks for each feed
 * once a second, and knows the number of its pages from the address of the newest. All are of the month of the import.
 * @returns seconds after `from`, or null if `limit` ends before
 */
export async function untilArchived(
  newsroom: BusyNewsroom,
  { articles }: BusyInput,
  { from, limit }: { from: number; limit: number },
): Promise<number | null> {
  // Counted before: a million articles take a while, in which nothing else would be measured.
  const left = new Map(ARCHIVED.map((feed) => [feed, countMembers(feed, articles)]));
  const feeds = new ChangedDocuments();
  const sizes = new Map<BusyFeed, number>();
  let progress = '';
  while (performance.now() < from + limit) {
    for (const [feed, members] of left) {
      const changed = await feeds.read(`${newsroom.url}/feeds/${feed.id}.atom`);
      if (changed === null) continue;
      const { ids, previous } = changed;
      if (previous !== null && !sizes.has(feed)) sizes.set(feed, (await readDocument(previous)).ids.length);
      const size = sizes.get(feed) ?? 0;
      const archived = previous === null ? 0 : numberOf(previous) * size;
      if (previous === null ? ids.length >= members : archived > members - size) left.delete(feed);
      if (feed.id === 'latest') progress = `${archived} of ${members} articles of "latest" are archived`;
    }
    if (left.size === 0) return (performance.now() - from) / 1_000;
    await sleep(LOOK_EVERY);
  }
  process.stderr.write(`  the archives are not complete after ${limit / 1_000} s: ${progress}\n`);
  return null;
}

/**
 * Follows the chains. Of up to 20,000 articles it reads every page, and looks for the id of each article; of more, a
 * sample of the pages.
 * @throws Error where a page does not respond, or an article is in neither feed nor page
 */
export async function checkArchives(newsroom: BusyNewsroom, input: BusyInput): Promise<void> {
  for (const feed of ARCHIVED) {
    const document = await readDocument(`${newsroom.url}/feeds/${feed.id}.atom`);
    if (input.articles <= WALKED) await walk(feed, document, input.articles);
    else await sample(feed, document);
  }
}

async function walk(feed: BusyFeed, document: ChainDocument, articles: number): Promise<void> {
  const found = new Set(document.ids);
  for (let { previous } = document; previous !== null; ) {
    const page = await readDocument(previous);
    for (const id of page.ids) found.add(id);
    previous = page.previous;
  }
  for (let index = 0; index < articles; index++) {
    if (feed.has(index) && !found.has(articleId(index))) throw new Error(`${feed.id} lacks ${articleId(index)}`);
  }
}

async function sample(feed: BusyFeed, { previous: newest }: ChainDocument): Promise<void> {
  let previous = newest;
  for (let step = 0; step < NEWEST && previous !== null; step++) ({ previous } = await readDocument(previous));
  if (newest === null || previous === null) return;
  const pages = numberOf(previous);
  for (let step = 0; step < SAMPLED; step++) {
    const number = Math.max(1, Math.ceil((pages * (step + 1)) / SAMPLED));
    const page = await readDocument(addressOf(newest, number));
    const before = page.previous === null ? 0 : numberOf(page.previous);
    if (before !== number - 1) throw new Error(`page ${number} of ${feed.id} links to ${before}, not ${number - 1}`);
    if (page.ids.length === 0) throw new Error(`page ${number} of ${feed.id} is empty`);
  }
}

/** Reads documents only if they have changed since it read them last: a feed of a megabyte takes time to parse. */
class ChangedDocuments {
  readonly #tags = new Map<string, string>();

  /** @returns null if it has not changed */
  async read(url: string): Promise<ChainDocument | null> {
    const tag = this.#tags.get(url);
    const response = await request(url, tag === undefined ? {} : { headers: { 'If-None-Match': tag } });
    if (response.status === 304) return null;
    if (!response.ok) throw new Error(`${url} responds with ${response.status}`);
    this.#tags.set(url, response.headers.get('ETag') ?? '');
    return parseDocument(response.text);
  }
}

async function readDocument(url: string): Promise<ChainDocument> {
  const { ok, status, text } = await request(url);
  if (!ok) throw new Error(`${url} responds with ${status}`);
  return parseDocument(text);
}

function parseDocument(xml: string): ChainDocument {
  const links = [...xml.matchAll(/<link\b[^>]*>/g)].map(([link]) => link);
  const previous = links.find((link) => link.includes('rel="prev-archive"'));
  return {
    ids: [...xml.matchAll(/<id>tag:[^<]*:articles\/([^<]*)<\/id>/g)].map(([, id]) => id as string),
    previous: /href="([^"]*)"/.exec(previous ?? '')?.[1] ?? null,
  };
}

function countMembers(feed: BusyFeed, articles: number): number {
  let members = 0;
  for (let index = 0; index < articles; index++) if (feed.has(index)) members++;
  return members;
}

/** `…/2026-11.atom` is the first page of its month, `…/2026-11-2.atom` the second. */
function numberOf(address: string): number {
  return Number(/\d{4}-\d\d-(\d+)\.atom$/.exec(address)?.[1] ?? 1);
}

function addressOf(newest: string, number: number): string {
  return newest.replace(/(\d{4}-\d\d)(?:-\d+)?\.atom$/, number === 1 ? '$1.atom' : `$1-${number}.atom`);
}
