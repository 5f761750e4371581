/**
 * A story group: outlet items that report one event, and what was decided about it. Pure.
 *
 * A group without a decision is automatic: its items may be grouped otherwise at any time. One with a decision is
 * frozen: newcomers attach, and only an editor moves its items.
 */
import { outletKey } from '../../articles/outlets.ts';
import type { GroupingItem } from '../grouping/grouping-item.ts';
import { isDigest, isSecondary } from '../grouping/report-form.ts';
import type { UsableEntry } from '../items/usable-entry.ts';

type ItemContent = 'title' | 'summary' | 'url' | 'canonicalUrl' | 'language' | 'imageUrl' | 'publishedAt';

/** An outlet item as a member of a group. Its summary is published only where the source configures an excerpt. */
export interface GroupedItem extends Pick<UsableEntry, ItemContent> {
  id: number;
  /** The source that brought it; null for one that an editor added. */
  source: string | null;
  outlet: string;
  firstSeenAt: number;
  /** Whether grouping is sure that it belongs to its group, or an editor has seen it there. */
  isCertain: boolean;
}

export interface StoryGroup {
  /** The id of one of its items. */
  id: number;
  /** Earliest first; see `inReportOrder`. */
  items: GroupedItem[];
  /** Null while nobody has decided anything about it. */
  decision: GroupDecision | null;
}

export interface GroupDecision {
  state: 'open' | 'picked' | 'dropped';
  /** The item that is named first. A pick has one; null otherwise means that of `earliestReport`. */
  firstItem: number | null;
  /** The editor's own; null: that of the first item. */
  headline: string | null;
  /** The editor's own sentence, in Markdown; null for a pick of a rule. */
  text: string | null;
  /** A section id of the config. */
  section: string | null;
  /** Whether the article has the picture of the first item. */
  hasPicture: boolean;
  pickedBy: 'editor' | 'rule' | null;
  /** When it was first picked. */
  pickedAt: number | null;
  /** The article of the group, published or retracted; null before the first pick. */
  articleId: string | null;
  /** The items that the article credits: those that the editor saw. Later ones are new. */
  creditedItems: number[];
  /** Grows with each change of what the article shows. */
  revision: number;
  /** The revision that the article reflects. */
  publishedRevision: number;
  /** Editor who decided last. */
  editor: string;
  updatedAt: number;
}

/** The instant of a report: as the outlet dates it, but never after it was first seen. Epoch milliseconds. */
export function reportedAt({ publishedAt, firstSeenAt }: Pick<GroupedItem, 'publishedAt' | 'firstSeenAt'>): number {
  return Math.min(publishedAt ?? firstSeenAt, firstSeenAt);
}

/** Earliest report first; items of the same instant by id. */
export function inReportOrder(items: readonly GroupedItem[]): GroupedItem[] {
  return items.toSorted((a, b) => reportedAt(a) - reportedAt(b) || a.id - b.id);
}

/** The item that is named first: as decided, else the earliest report. */
export function firstItemOf({ items, decision }: StoryGroup): GroupedItem {
  const chosen = items.find(({ id }) => id === decision?.firstItem);
  return chosen ?? (earliestReport(items) as GroupedItem);
}

/** The first that is no video, live blog, digest or opinion piece, else the first. @param items earliest first */
export function earliestReport(items: readonly GroupedItem[]): GroupedItem | undefined {
  return items.find((item) => !isSecondary(item) && !isDigest(item.title, item.summary)) ?? items[0];
}

/** The items that a rule may credit: certain ones, and those that were credited before. */
export function creditableOf({ items, ...group }: StoryGroup): StoryGroup {
  const credited = new Set(group.decision?.creditedItems);
  return { ...group, items: items.filter(({ id, isCertain }) => isCertain || credited.has(id)) };
}

/** The items of a picked group that came after the editor's last look. */
export function newItems({ items, decision }: StoryGroup): GroupedItem[] {
  if (decision === null || decision.state !== 'picked') return [];
  const credited = new Set(decision.creditedItems);
  return items.filter(({ id }) => !credited.has(id));
}

/** Names of the outlets, each once, in the order of their reports. */
export function outletsOf(items: readonly GroupedItem[]): string[] {
  return firstOfEachOutlet(items).map(({ outlet }) => outlet);
}

/**
 * The `earliestReport` of each outlet, in the order of the first reports. Two feeds of one outlet may name it in
 * different case.
 */
export function firstOfEachOutlet(items: readonly GroupedItem[]): GroupedItem[] {
  const byOutlet = Map.groupBy(items, ({ outlet }) => outletKey(outlet));
  return [...byOutlet.values()].flatMap((reports) => earliestReport(reports) ?? []);
}

/** The instant of the latest report of a group, epoch milliseconds. */
export function newestReport({ items }: StoryGroup): number {
  return Math.max(...items.map(reportedAt));
}

/** What grouping reads of an item. @param language where its feed names none */
export function toGroupingItem(item: GroupedItem, language: string): GroupingItem {
  const { id, title, summary, canonicalUrl } = item;
  // Two feeds of one outlet may name it in different case.
  const outlet = outletKey(item.outlet);
  return { id, outlet, title, summary, canonicalUrl, language: item.language ?? language, at: reportedAt(item) };
}
