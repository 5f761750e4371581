/** Reads the feed of an outlet into entries. It runs in a thread: a feed may have ten megabytes. */
import { dekOf } from '../../sources/feed/feed-items.ts';
import { parseFeed } from '../../sources/feed/parse-feed.ts';
import type { ParsedFeed, ParsedItem } from '../../sources/feed/parsed-feed.ts';
import { medianGap } from '../../sources/polling/flood.ts';
import { MAX_SUMMARY, type OutletEntry } from '../items/usable-entry.ts';

export interface OutletDocument {
  /** What the feed calls itself. */
  title: string | null;
  /** BCP 47. */
  language: string | null;
  /** In the order of the feed. */
  entries: OutletEntry[];
  /** The median time between two items, in milliseconds; null while there are too few with a date. */
  itemGap: number | null;
  /** Whether the document breaks the rules of XML, and was read nevertheless. */
  repaired: boolean;
  /** What was repaired or left out, for people. */
  problems: string[];
}

export type OutletFeedResult =
  | { kind: 'read'; document: OutletDocument }
  /** `reason` is a sentence part: "the document is …". */
  | { kind: 'unreadable'; reason: string };

/** Entries that are read of one feed. */
const MAX_ENTRIES = 10_000;
/** Characters of HTML of which a summary is the text. */
const MAX_SUMMARY_HTML = 20_000;

/** @param now dates that are more than a day ahead of it count as absent */
export function readOutletFeed({
  document,
  now,
}: {
  document: Parameters<typeof parseFeed>[0];
  now: number;
}): OutletFeedResult {
  const result = parseFeed(document, now);
  if (result.kind === 'unreadable') return result;
  const { title, language, items, repaired, problems } = result.feed;
  const entries = items.slice(0, MAX_ENTRIES).map((item) => toEntry(item, result.feed));
  const isCut = items.length > MAX_ENTRIES;
  const cut = `it has more than ${MAX_ENTRIES.toLocaleString('en')} items: the rest was not read`;
  return {
    kind: 'read',
    document: {
      ...{ title, language },
      entries,
      itemGap: medianGap(entries.flatMap(({ publishedAt }) => publishedAt ?? [])),
      repaired,
      problems: isCut ? [...problems, cut] : problems,
    },
  };
}

function toEntry(item: ParsedItem, { language }: ParsedFeed): OutletEntry {
  const { id, isPermaLink, link, title, images } = item;
  return {
    ...{ guid: id, isPermaLink, link, title, language },
    summary: summaryOf(item),
    publishedAt: item.publishedAt ?? item.updatedAt,
    imageUrl: images[0]?.url ?? null,
  };
}

function summaryOf({ summary, content }: ParsedItem): string | null {
  const html = summary ?? content;
  const text = html === null ? null : dekOf(html.slice(0, MAX_SUMMARY_HTML));
  if (text === null || text.length <= MAX_SUMMARY) return text;
  return text.slice(0, MAX_SUMMARY).replace(/[\ud800-\udbff]$/, '');
}
