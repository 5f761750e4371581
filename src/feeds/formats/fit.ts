/**
 * Chooses the items and bodies of a document, so that it is small enough for readers that reject large ones in each of
 * its formats. Older bodies become summaries before items are dropped.
 */
import { atomFrame } from './atom.ts';
import type { Frame } from './feed-package.ts';
import { type FeedItem, type FeedView, FORMATS, type Format, feedUpdated, type Tombstone } from './feed-view.ts';
import { jsonFrame } from './json-feed.ts';
import { type RenderedBody, type RenderedItem, renderItems, withBody } from './rendered-item.ts';
import { rssFrame } from './rss.ts';

export type FrameBytes = Record<keyof Frame, Buffer>;

/** Frames of a feed, which depend on its items only by their newest instants. */
export class Frames {
  readonly #view: FeedView;
  readonly #tombstones: Tombstone[];
  #last: { instants: string; frames: Record<Format, FrameBytes> } | null = null;

  constructor(view: FeedView, tombstones: Tombstone[]) {
    this.#view = view;
    this.#tombstones = tombstones;
  }

  /** @param items newest first */
  of(items: Pick<FeedItem, 'publishedAt' | 'updatedAt'>[]): Record<Format, FrameBytes> {
    const updatedAt = feedUpdated(this.#view, items);
    const publishedAt = items[0]?.publishedAt ?? null;
    const instants = `${updatedAt} ${publishedAt}`;
    if (this.#last?.instants !== instants) this.#last = { instants, frames: this.#make(updatedAt, publishedAt) };
    return this.#last.frames;
  }

  #make(updatedAt: number, publishedAt: number | null): Record<Format, FrameBytes> {
    return {
      rss: toBytes(rssFrame(this.#view, updatedAt, publishedAt)),
      atom: toBytes(atomFrame(this.#view, updatedAt, this.#tombstones)),
      json: toBytes(jsonFrame(this.#view)),
    };
  }
}

function toBytes({ head, first, between, tail }: Frame): FrameBytes {
  return { head: Buffer.from(head), first: Buffer.from(first), between: Buffer.from(between), tail: Buffer.from(tail) };
}

/** Limit of a document. Google News, for example, reads 1 MB of an article and 2 MB of a feed. */
export const MAX_BYTES = 1_000_000;
/** Bytes for the newest bodies: summaries of older items leave so much. */
const MIN_BODY_BYTES = 250_000;

/** An item in one document: with its body, or with its summary only. */
export interface FeedEntry {
  item: RenderedItem;
  full: boolean;
}

export interface FitOptions {
  content: 'full' | 'summary';
  /** Whether the oldest items may be dropped if even summaries are too large. Those of a window may not. */
  mayDrop: boolean;
}

/** Renders and fits items in one step. @param items newest first */
export function fitFeed(
  view: FeedView,
  items: FeedItem[],
  tombstones: Tombstone[],
  options: FitOptions,
): { bodies: Record<Format, string>; items: number } {
  const frames = new Frames(view, tombstones);
  const rendered = renderItems(items, view);
  const bodies = new Map(rendered.map(({ item, body }) => [item, body]));
  const entries = chooseEntries(frames, [...bodies.keys()], options);
  const write = documentWriter(frames, entries, (item) => bodies.get(item) as RenderedBody);
  const text = (format: Format): string => write(format).toString();
  return { bodies: { rss: text('rss'), atom: text('atom'), json: text('json') }, items: entries.length };
}

/**
 * Prepares the documents of a feed.
 * @param bodyOf gives the bodies of full entries
 * @returns writes one as UTF-8, in up to 10 ms
 */
export function documentWriter(
  frames: Frames,
  entries: FeedEntry[],
  bodyOf: (item: RenderedItem) => RenderedBody,
): (format: Format) => Buffer {
  const around = frames.of(entries.map(({ item }) => item));
  const bodies = new Map(entries.flatMap(({ item, full }) => (full ? [[item, bodyOf(item)]] : [])));
  return (format) => {
    const { head, first, between, tail } = around[format];
    const parts = [head];
    for (const { item } of entries) {
      const body = bodies.get(item);
      parts.push(parts.length === 1 ? first : between);
      if (body === undefined) parts.push(item.texts[format].bytes);
      else parts.push(...withBody(item.texts[format], format, body));
    }
    parts.push(tail);
    return Buffer.concat(parts);
  };
}

/** @param items newest first */
export function chooseEntries(frames: Frames, items: RenderedItem[], { content, mayDrop }: FitOptions): FeedEntry[] {
  const summaries = items.map((item) => ({ item, full: false }));
  // All instants have the same length: one set of frames measures the documents of any choice of items.
  const around = frames.of(items);
  const largest = (entries: FeedEntry[]): number =>
    Math.max(...FORMATS.map((format) => bytesOf(entries, format, around[format])));
  if (content === 'full' && items.reduce((sum, { htmlBytes }) => sum + htmlBytes, 0) < MAX_BYTES) {
    const whole = items.map((item) => ({ item, full: item.htmlBytes > 0 }));
    if (largest(whole) < MAX_BYTES) return whole;
  }
  const bodyBytes =
    content === 'full' ? items.reduce((sum, one) => sum + (one.htmlBytes > 0 ? one.bodyBytes : 0), 0) : 0;
  const room = MAX_BYTES - Math.min(bodyBytes, MIN_BODY_BYTES);
  const shown = mayDrop && largest(summaries) >= room ? newestThatFit(summaries, around, room) : summaries;
  return bodyBytes > 0 ? withBodies(shown, MAX_BYTES - largest(shown)) : shown;
}

function bytesOf(entries: FeedEntry[], format: Format, { head, first, between, tail }: FrameBytes): number {
  let sum = head.length + tail.length;
  if (entries.length > 0) sum += first.length + (entries.length - 1) * between.length;
  for (const { item, full } of entries) {
    const { bytes, fullBytes } = item.texts[format];
    sum += full ? fullBytes : bytes.length;
  }
  return sum;
}

/** Adds bodies, newest first, while they fit into `spare` bytes; one that does not fit is skipped. */
function withBodies(entries: FeedEntry[], spare: number): FeedEntry[] {
  let left = spare;
  return entries.map(({ item }) => {
    const full = item.htmlBytes > 0 && item.bodyBytes < left;
    if (full) left -= item.bodyBytes;
    return { item, full };
  });
}

function newestThatFit(summaries: FeedEntry[], around: Record<Format, FrameBytes>, room: number): FeedEntry[] {
  const sums = new Map(FORMATS.map((format) => [format, bytesOf([], format, around[format])]));
  const tooMany = summaries.findIndex(({ item }, index) => {
    for (const [format, sum] of sums) {
      const { first, between } = around[format];
      sums.set(format, sum + (index === 0 ? first : between).length + item.texts[format].bytes.length);
    }
    return Math.max(...sums.values()) >= room;
  });
  return tooMany < 0 ? summaries : summaries.slice(0, tooMany);
}
