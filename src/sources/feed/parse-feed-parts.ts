/**
 * Parses a feed in a thread. Its items leave the thread as JSON in shared memory, in parts: to receive 50,000 of them
 * as objects blocks the event loop of the main thread for 140 to 360 ms.
 */
import { parseFeed } from './parse-feed.ts';
import type { FetchedFeed, ParsedFeed, ParsedItem } from './parsed-feed.ts';

export type FeedParts =
  | { kind: 'feed'; feed: Omit<ParsedFeed, 'items'>; parts: ItemParts }
  | { kind: 'unreadable'; reason: string };

export interface ItemParts {
  /** Of all parts. */
  itemCount: number;
  /** One part after the other: a list of items, as JSON in UTF-8. */
  bytes: Uint8Array;
  /** Where each part ends. */
  ends: number[];
}

/** UTF-16 units of the items of a part, more or less. JSON.parse takes about a millisecond for it. */
const PART_LENGTH = 64 * 1_024;

export function parseFeedParts({ fetched, now }: { fetched: FetchedFeed; now: number }): FeedParts {
  const result = parseFeed(fetched, now);
  if (result.kind === 'unreadable') return result;
  const { items, ...feed } = result.feed;
  return { kind: 'feed', feed, parts: partsOf(items) };
}

function partsOf(items: ParsedItem[]): ItemParts {
  const texts: string[] = [];
  let part: string[] = [];
  let length = 0;
  for (const item of items) {
    const text = JSON.stringify(item);
    part.push(text);
    length += text.length;
    if (length < PART_LENGTH) continue;
    texts.push(`[${part.join()}]`);
    part = [];
    length = 0;
  }
  if (part.length > 0) texts.push(`[${part.join()}]`);
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.from(new SharedArrayBuffer(lengths.reduce((sum, one) => sum + one, 0)));
  const ends: number[] = [];
  for (const text of texts) {
    const start = ends.at(-1) ?? 0;
    ends.push(start + bytes.write(text, start));
  }
  return { itemCount: items.length, bytes: new Uint8Array(bytes.buffer), ends };
}
