/** The tables of sources: the newsroom's own sites, and feeds of other outlets with what editors decide about them. */
import type { Generated } from 'kysely';

export interface SourceTables {
  /** The sources of the configuration, and former ones. */
  sources: {
    id: string;
    /** As configured when the rest was found: another one begins again. */
    url: string;
    configured_api: SourceApi | 'auto';
    /** Rules for its items as JSON; if they change, all items are read again. */
    rules: string;
    /** Null until it is found. */
    api: SourceApi | null;
    /** Base of the API's URLs, or the address of the feed. */
    endpoint: string | null;
    /** Validators of the feed, byte for byte as the server sent them. */
    etag: string | null;
    last_modified: string | null;
    /** All posts that were modified up to then have been read. */
    read_to: number | null;
    /** 1 if the last feed was not well-formed, and was read all the same. */
    repaired: Generated<number>;
    due_at: number;
    /** The last request to poll at once. */
    requested_at: number | null;
    lease_until: number | null;
    fence: Generated<number>;
    polled_at: number | null;
    succeeded_at: number | null;
    /** Polls that failed since one succeeded. */
    failures: Generated<number>;
    failing_since: number | null;
    paused_at: number | null;
    use: Generated<'articles' | 'roundup'>;
    /** The start of the last complete sweep of recent ids, and of all. */
    swept_at: number | null;
    fully_swept_at: number | null;
    /** See sources/polling/poll-state.ts. */
    state: Generated<'active' | 'moved' | 'waiting' | 'blocked' | 'failing' | 'gone' | 'held' | 'dormant'>;
    state_since: Generated<number>;
    /** Why it is in this state, for people. */
    reason: string | null;
    /** Where permanent redirects lead, since when, and the number of polls that were redirected there. */
    moved_to: string | null;
    moved_since: number | null;
    moved_polls: Generated<number>;
    /** 1 if the feed there had an item that was known before. */
    moved_known: Generated<number>;
    not_found_since: number | null;
    /** When the last new item came. */
    news_at: number | null;
    /** The rest is about feeds. The median time between two items, in milliseconds. */
    item_gap: number | null;
    /** The usual number of new items of a poll. */
    usual_new: number | null;
    /** No longer read or written: how often a feed asks to be polled. */
    hints: string | null;
    /** When the items of a document were last recorded. A response 304 has none. */
    items_read_at: number | null;
  };
  /** Items that were found at sources. */
  source_items: {
    source: string;
    item: string;
    article_id: string;
    url: string | null;
    /** As the source says; else see own-sites/import-entries.ts. */
    published_at: number;
    modified_at: number | null;
    /** Null for an item that was stored before these were. `seen_at`: when the last document or page had it. */
    first_seen_at: number | null;
    seen_at: number | null;
    /** Complete sweeps in a row that did not find it. */
    missing: Generated<number>;
    /** It is gone: `waiting` for the operator, its article `retracted`, or `left` as it is. */
    withdrawal: 'waiting' | 'retracted' | 'left' | null;
    /** `held` for the operator, `accepted` and not imported yet, or `ignored` for good. */
    hold: 'held' | 'accepted' | 'ignored' | null;
    /** The record to import of an item that is held or accepted, as JSON. */
    record: string | null;
  };
  /** Keys of the items of the newsroom's own feeds, as those of outlet items: `scope` is the source. */
  source_item_keys: { scope: string; key: string; item: string | null; stored_at: number };
  /** Hosts of outlets' feeds: one request at a time, by whichever process, and a pause after each. */
  source_hosts: {
    host: string;
    /** The lease of a request under way. */
    busy_until: number | null;
    /** When the next request may begin. */
    free_at: number;
    /** When `free_at` was written. */
    written_at: number;
  };
  /** An item of another outlet. */
  outlet_items: {
    id: Generated<number>;
    /** Null if an editor added it by its address. */
    source: string | null;
    outlet: string;
    title: string;
    /** Plain text; null if the feed has none. */
    summary: string | null;
    url: string;
    /**
     * The same for all addresses of one page; see sources/canonical-link.ts. Null if other items have it
     * too, or if it is the front page of a site.
     */
    canonical_url: string | null;
    /** BCP 47. */
    language: string | null;
    image_url: string | null;
    /** As the outlet says; null if it does not. */
    published_at: number | null;
    first_seen_at: number;
    /** When its feed last had it, within a day. */
    seen_at: number;
    /** `held` by a flood; `old` before the first poll; `ignored` by the operator. Only `open` ones are grouped. */
    state: 'open' | 'held' | 'old' | 'ignored';
    /** The id of one of the items of its group. */
    group_id: number | null;
    /** Its place in the feed when it was first seen, from 0; null in a feed that is sorted by date. */
    position: number | null;
    /** 1 if grouping is sure enough that it belongs to its group for a rule to credit it. */
    certain: Generated<number>;
  };
  /**
   * Keys of outlet items: `scope` is the source for guids, the outlet for links and titles. `item` is null for a key
   * that several items had at once, which identifies none. `stored_at` is when that was found.
   */
  outlet_item_keys: { scope: string; key: string; item: number | null; stored_at: number };
  /** A group that an editor or a rule has touched. Others exist only as `group_id` of their items. */
  story_groups: {
    /** The id of one of its items. */
    id: number;
    state: 'open' | 'picked' | 'dropped';
    /** The item whose outlet is named first; null for the earliest. */
    first_item: number | null;
    /** The editor's own; null for the outlet's. */
    headline: string | null;
    /** The editor's sentence. */
    text: string | null;
    section: string | null;
    /** 1: with the picture of the first item. */
    has_picture: Generated<number>;
    picked_by: 'editor' | 'rule' | null;
    picked_at: number | null;
    article_id: string | null;
    /** JSON: ids of the items that the article credits. Others came after the editor's last look. */
    credited_items: Generated<string>;
    revision: Generated<number>;
    /** The revision that its article has. */
    published_revision: Generated<number>;
    /** Editor who decided last. */
    editor: string;
    updated_at: number;
  };
  /** Pairs of groups that perhaps report the same event. */
  group_suggestions: { group_id: number; other_id: number; similarity: number };
  /** Document frequencies of a past day (UTC): `terms` is JSON, the number of groups by term. */
  grouping_terms: { day: string; language: string; group_count: number; terms: string };
  /** All commands to the roundup; `command` is JSON. */
  roundup_log: { number: Generated<number>; at: number; editor: string; command: string };
}

export type SourceApi = 'wordpress' | 'ghost' | 'feed';
