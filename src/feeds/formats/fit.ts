/**
 * A feed in its three formats, each small enough for the readers that give up on a large one. Older bodies become summaries before
 * an item is dropped.
 */
import { renderAtom } from './atom.ts';
import type { FeedItem } from './feed-item.ts';
import { type FeedEntry, type FeedView, FORMATS, type Format, type Tombstone } from './feed-view.ts';
import { renderJsonFeed } from './json-feed.ts';
import { cdataHtml } from './markup.ts';
import { renderRss } from './rss.ts';

/** A document stays below this. Google News, for one, reads 1 MB of an article and 2 MB of a feed. */
const MAX_BYTES = 1_000_000;

export interface FittedFeed {
  documents: Record<Format, string>;
  /** How many items it holds, and how many of them whole. */
  items: number;
  full: number;
}

export interface FitOptions {
  content: 'full' | 'summary';
  /** Whether the oldest items may be dropped where even their summaries are too much; a window's may not. */
  mayDrop: boolean;
  /** The ids of items that are dropped last: no archive holds them yet. */
  keep?: ReadonlySet<string> | undefined;
}

/** @param items newest first */
export function fitFeed(view: FeedView, items: FeedItem[], tombstones: Tombstone[], options: FitOptions): FittedFeed {
  const render = (entries: FeedEntry[]): FittedFeed => ({
    documents: {
      rss: renderRss(view, entries),
      atom: renderAtom(view, entries, tombstones),
      json: renderJsonFeed(view, entries),
    },
    items: entries.length,
    full: entries.filter(({ full }) => full).length,
  });
  const summaries = items.map((item) => ({ item, full: false }));
  if (options.content === 'full') {
    const whole = render(items.map((item) => ({ item, full: item.html !== '' })));
    if (largest(whole) < MAX_BYTES) return whole;
  }
  const short = render(summaries);
  const room = MAX_BYTES - largest(short);
  if (room > 0) return options.content === 'full' ? render(withBodies(items, room)) : short;
  return options.mayDrop ? newestThatFit(summaries, options.keep ?? new Set(), render) : short;
}

function largest({ documents }: FittedFeed): number {
  return Math.max(...FORMATS.map((format) => Buffer.byteLength(documents[format])));
}

/** Gives bodies to the newest first, as long as there is room; one too large for what is left is passed over. */
function withBodies(items: FeedItem[], room: number): FeedEntry[] {
  let left = room;
  return items.map((item) => {
    const size = bodyBytes(item);
    const full = item.html !== '' && size < left;
    if (full) left -= size;
    return { item, full };
  });
}

// What the elements around a body take, rounded up; in JSON the body replaces content_text.
const AROUND_BODY = 100;

/** What a whole item takes beyond its summary, at most. */
export function bodyBytes(item: FeedItem): number {
  return Math.max(Buffer.byteLength(cdataHtml(item.html)), Buffer.byteLength(JSON.stringify(item.html))) + AROUND_BODY;
}

function newestThatFit(
  entries: FeedEntry[],
  keep: ReadonlySet<string>,
  render: (entries: FeedEntry[]) => FittedFeed,
): FittedFeed {
  const [kept, others] = [true, false].map((is) => entries.filter(({ item }) => keep.has(item.id) === is));
  const inOrder = [...(kept as FeedEntry[]), ...(others as FeedEntry[])];
  let fits = 0;
  let tooMany = entries.length;
  let best = render([]);
  while (tooMany - fits > 1) {
    const count = Math.floor((fits + tooMany) / 2);
    const chosen = new Set(inOrder.slice(0, count));
    const tried = render(entries.filter((entry) => chosen.has(entry)));
    if (largest(tried) < MAX_BYTES) {
      fits = count;
      best = tried;
    } else {
      tooMany = count;
    }
  }
  return best;
}
