/** What grouping takes and gives: outlet items in, story groups and suggestions out. */

/** An outlet item, as far as grouping reads it. */
export interface GroupingItem {
  /** The id of the stored outlet item, unique among the items. */
  id: number;
  outlet: string;
  title: string;
  /** Plain text; null where the feed has none. */
  summary: string | null;
  /** Items with the same canonical link are copies of one report. */
  canonicalUrl: string | null;
  /** BCP 47 tag of the feed, or the newsroom's where the feed has none. Null if neither is known. */
  language: string | null;
  /** When it was reported, in epoch milliseconds. It orders a group, and decides between equal items or parts. */
  at: number;
}

/** A group that an editor or a rule touched: it keeps its items, and newcomers may attach. */
export interface FrozenGroup {
  id: number;
  /** Ids of its items. Those that are not among the grouped items are ignored. */
  items: number[];
}

export interface ItemGroup {
  /** The id of the frozen group, or of the earliest item. */
  id: number;
  /** Ids of its items, the earliest report first. */
  items: number[];
  /** Those that grouping is sure enough of for a rule to credit them; see `groupItems`. */
  certain: number[];
}

/** Two groups that may report the same event. */
export interface GroupSuggestion {
  /** The smaller id of the two. */
  groupId: number;
  otherId: number;
  /** How similar their items are, above 0, mostly below 1: to order suggestions by. */
  similarity: number;
}

export interface Grouping {
  /** By id. Each item is in exactly one of them. */
  groups: ItemGroup[];
  /** The most similar first. */
  suggestions: GroupSuggestion[];
}
