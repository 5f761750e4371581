/** What a document changes of the stored items of its source. Pure. */
import type { Insertable, Selectable } from 'kysely';
import type { Tables } from '../../core/store/tables.ts';
import { DAY } from '../../lib/time.ts';
import { type IdentifiedDocument, isLinkKey } from '../../sources/identity/entry-keys.ts';
import { identify } from '../../sources/identity/identify.ts';
import { type FeedMemory, floods, nextUsual } from '../../sources/polling/flood.ts';
import type { UsableEntry } from './usable-entry.ts';

export type OutletItemRow = Selectable<Tables['outlet_items']>;
type ItemCorrection = Pick<OutletItemRow, 'id' | 'title' | 'summary' | 'url' | 'canonical_url' | 'image_url'>;

/** What is known of a feed before its document is recorded. */
export interface OutletMemory extends FeedMemory {
  source: string;
  outlet: string;
}

export interface RecordedItems {
  /** New items, in all states. */
  added: number;
  /** Those of them that were dated before the window, or that a first document has without a date. */
  old: number;
  known: number;
  /** Entries that repeat another entry of the document. */
  repeated: number;
  /** Items of the source that wait for the operator, those of earlier polls included. */
  held: number;
  /** When the newest of the new items was reported; null without new ones. */
  newsAt: number | null;
  /** Whether any item was known before. */
  knowsOne: boolean;
}

export interface RecordingPlan {
  /** Items to add, the earliest report first, with the index of their entries. */
  inserts: { entry: number; row: Insertable<Tables['outlet_items']> }[];
  /** By index of the entry. */
  knownItems: Map<number, number>;
  /** Keys of the items of entries, or of none. */
  keys: { key: string; entry: number | null }[];
  corrections: ItemCorrection[];
  /** Items whose link turned out to be that of several. */
  unlinked: number[];
  /** Items to mark as seen on this day. */
  seen: number[];
  usualNew: number | null;
  report: RecordedItems;
}

/**
 * @param keys the items of the document's stored keys; null for keys of none
 * @param stored these items, by id
 * @param windowMs how far back news reaches
 */
export function planRecording(
  feed: OutletMemory,
  entries: readonly UsableEntry[],
  {
    document,
    keys,
    stored,
  }: {
    document: IdentifiedDocument;
    keys: ReadonlyMap<string, number | null>;
    stored: ReadonlyMap<number, OutletItemRow>;
  },
  { now, windowMs }: { now: number; windowMs: number },
): RecordingPlan {
  const texts = new Map(entries.map(({ summary }, index) => [index, summary ?? '']));
  const found = identify(document, keys, comparedItems(stored, feed), texts);
  const shared = new Set(found.keys.filter(({ entry }) => entry === null).map(({ key }) => key));
  const contents = entries.map((entry, index) => {
    const link = document.entries[index]?.keys.link ?? null;
    const isShared = link !== null && (shared.has(link) || keys.get(link) === null);
    return contentOf(entry, isShared);
  });
  const knownItems = new Map<number, number>();
  for (const [index, outcome] of found.outcomes.entries()) {
    if (outcome.kind === 'known') knownItems.set(index, outcome.item);
  }
  const added = [...entries.entries()].filter(([index]) => found.outcomes[index]?.kind === 'new');
  const isFlood = floods(feed, added.length, now);
  const tellsImportance = isOrderedByHand(entries);
  const inserts = added.map(([index, entry]) => ({
    entry: index,
    row: {
      ...(contents[index] as Omit<ItemCorrection, 'id'>),
      ...{ source: feed.source, outlet: feed.outlet, language: entry.language, published_at: entry.publishedAt },
      ...{ first_seen_at: now, seen_at: now, group_id: null, position: tellsImportance ? index : null },
      state: isFlood ? 'held' : stateOf(entry, feed.readAt === null, now - windowMs),
    } as const,
  }));
  // Feeds have the newest first.
  const reportedAt = (index: number): number => entries[index]?.reportedAt ?? now;
  inserts.reverse().sort((one, other) => reportedAt(one.entry) - reportedAt(other.entry));
  return {
    ...{ inserts, knownItems, keys: found.keys },
    corrections: [...knownItems].flatMap(([index, id]) => {
      const correction = { id, ...(contents[index] as Omit<ItemCorrection, 'id'>) };
      return isCorrection(correction, stored.get(id), feed.source) ? [correction] : [];
    }),
    unlinked: [...shared].filter(isLinkKey).flatMap((key) => keys.get(key) ?? []),
    seen: [...knownItems.values()].filter((id) => (stored.get(id)?.seen_at ?? now) < startOfDay(now)),
    usualNew: isFlood || feed.readAt === null ? feed.usualNew : nextUsual(feed.usualNew, added.length),
    report: {
      ...{ added: added.length, known: knownItems.size, knowsOne: knownItems.size > 0 },
      old: inserts.filter(({ row }) => row.state === 'old').length,
      repeated: found.outcomes.filter(({ kind }) => kind === 'repeat').length,
      held: feed.held + (isFlood ? added.length : 0),
      newsAt: inserts.length === 0 ? null : reportedAt(inserts.at(-1)?.entry ?? -1),
    },
  };
}

/** Whether the order tells what the outlet finds important. In feeds that are sorted by date, few entries stand out. */
function isOrderedByHand(entries: readonly UsableEntry[]): boolean {
  const dates = entries.flatMap(({ publishedAt }) => publishedAt ?? []);
  const ordered = dates.slice(1).filter((date, index) => date <= (dates[index] as number)).length;
  return dates.length >= 5 && ordered <= 0.8 * (dates.length - 1);
}

/**
 * Dated before the window, it is an old report that the feed has brought up again. An undated one is new if the
 * documents before did not have it; nothing says that of the first document.
 */
function stateOf({ reportedAt }: UsableEntry, isFirst: boolean, from: number): OutletItemRow['state'] {
  if (reportedAt === null) return isFirst ? 'old' : 'open';
  return reportedAt < from ? 'old' : 'open';
}

function contentOf(
  { title, summary, url, canonicalUrl, imageUrl }: UsableEntry,
  isShared: boolean,
): Omit<ItemCorrection, 'id'> {
  return { title, summary, url, canonical_url: isShared ? null : canonicalUrl, image_url: imageUrl };
}

/** Whether the title or the link differs. A change of anything else, such as the summary, is not worth a write. */
function isCorrection(correction: ItemCorrection, stored: OutletItemRow | undefined, source: string): boolean {
  // Another source of the outlet may word it differently.
  if (stored === undefined || stored.source !== source) return false;
  return stored.title !== correction.title || stored.canonical_url !== correction.canonical_url;
}

function comparedItems(stored: ReadonlyMap<number, OutletItemRow>, { source: feed, readAt }: OutletMemory) {
  // `seen_at` is written once a day.
  const from = readAt === null ? 0 : startOfDay(readAt);
  return new Map(
    [...stored].map(([id, { source, title, url, published_at: publishedAt, seen_at: seenAt, summary }]) => {
      const isElsewhere = source !== feed;
      const text = isElsewhere ? undefined : (summary ?? undefined);
      return [id, { id, title, url, publishedAt, isCurrent: seenAt >= from, isElsewhere, text }];
    }),
  );
}

export function startOfDay(instant: number): number {
  return Math.floor(instant / DAY) * DAY;
}
