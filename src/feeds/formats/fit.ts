/**
 * Renders a feed in its three formats, each small enough for readers that reject large documents. Older bodies become
 * summaries before items are dropped.
 */
import { renderAtom } from './atom.ts';
import { type FeedEntry, type FeedItem, type FeedView, FORMATS, type Format, type Tombstone } from './feed-view.ts';
import { renderJsonFeed } from './json-feed.ts';
import { cdataHtml } from './markup.ts';
import { renderRss } from './rss.ts';

/** Limit of a document. Google News, for example, reads 1 MB of an article and 2 MB of a feed. */
const MAX_BYTES = 1_000_000;

export interface FittedFeed {
  bodies: Record<Format, string>;
  /** Number of items, and of those with their bodies. */
  items: number;
  full: number;
}

export interface FitOptions {
  content: 'full' | 'summary';
  /** Whether the oldest items may be dropped if even summaries are too large. Those of a window may not. */
  mayDrop: boolean;
  /** Ids of items that are dropped last, because no archive page has them yet. */
  keep?: ReadonlySet<string> | undefined;
}

/** @param items newest first */
export function fitFeed(view: FeedView, items: FeedItem[], tombstones: Tombstone[], options: FitOptions): FittedFeed {
  const render = (entries: FeedEntry[]): FittedFeed => ({
    bodies: {
      rss: renderRss(view, entries),
      atom: renderAtom(view, entries, tombstones),
      json: renderJsonFeed(view, entries),
    },
    items: entries.length,
    full: entries.filter(({ full }) => full).length,
  });
  const summaries = items.map((item) => ({ item, full: false }));
  if (options.content === 'full' && bytesOf(items) < MAX_BYTES) {
    const whole = render(items.map((item) => ({ item, full: item.html !== '' })));
    if (largest(whole) < MAX_BYTES) return whole;
  }
  const short = render(summaries);
  const spare = MAX_BYTES - largest(short);
  if (spare > 0) return options.content === 'full' ? render(withBodies(items, spare)) : short;
  return options.mayDrop ? newestThatFit(summaries, options.keep ?? new Set(), render) : short;
}

/** Bytes of the bodies alone, as they are in RSS and Atom, or fewer. */
function bytesOf(items: FeedItem[]): number {
  return items.reduce((sum, { html }) => sum + Buffer.byteLength(html), 0);
}

function largest({ bodies }: FittedFeed): number {
  return Math.max(...FORMATS.map((format) => Buffer.byteLength(bodies[format])));
}

/** Adds bodies, newest first, while they fit into `spare` bytes; one that does not fit is skipped. */
function withBodies(items: FeedItem[], spare: number): FeedEntry[] {
  let left = spare;
  return items.map((item) => {
    // The bytes of a body escaped for a format take a hundred times as long to count.
    const mayFit = item.html !== '' && Buffer.byteLength(item.html) < left;
    const size = mayFit ? bodyBytes(item) : Number.POSITIVE_INFINITY;
    const full = size < left;
    if (full) left -= size;
    return { item, full };
  });
}

// Bytes of the elements around a body, rounded up; in JSON the body replaces content_text.
const BODY_OVERHEAD = 100;

/** Bytes that an item with its body takes beyond one with its summary, at most. */
export function bodyBytes(item: FeedItem): number {
  return (
    Math.max(Buffer.byteLength(cdataHtml(item.html)), Buffer.byteLength(JSON.stringify(item.html))) + BODY_OVERHEAD
  );
}

function newestThatFit(
  entries: FeedEntry[],
  keep: ReadonlySet<string>,
  render: (entries: FeedEntry[]) => FittedFeed,
): FittedFeed {
  const isKept = ({ item }: FeedEntry): boolean => keep.has(item.id);
  const byPriority = [...entries.filter(isKept), ...entries.filter((entry) => !isKept(entry))];
  let fits = 0;
  let tooMany = entries.length;
  let best = render([]);
  while (tooMany - fits > 1) {
    const count = Math.floor((fits + tooMany) / 2);
    const chosen = new Set(byPriority.slice(0, count));
    const rendered = render(entries.filter((entry) => chosen.has(entry)));
    if (largest(rendered) < MAX_BYTES) {
      fits = count;
      best = rendered;
    } else {
      tooMany = count;
    }
  }
  return best;
}
