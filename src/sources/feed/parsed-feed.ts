/** A feed as it was read: the same shape for RSS, RDF, Atom and JSON Feed. */
import type { SourceEnclosure, SourceImage } from '../source-item.ts';

export interface FetchedFeed {
  /** IANA zone of dates without one; default UTC. */
  zone?: string;
  bytes: Uint8Array;
  /** The value of the HTTP header. */
  contentType: string | null;
  /** Where it was fetched from, after redirects. */
  url: string;
}

/**
 * Text is plain and clean, except for `summary` and `content`, which are HTML as the feed has it: not sanitised. URLs
 * are absolute http or https URLs without credentials. Instants are epoch milliseconds.
 */
export interface ParsedFeed {
  title: string | null;
  /** BCP 47, canonical. */
  language: string | null;
  /** In the order of the feed. */
  items: ParsedItem[];
  /** Ids of entries that an Atom feed says are deleted (RFC 6721). */
  deleted: string[];
  /** The next page of older items (RFC 5005 §3), or of a JSON Feed; null on the last one. */
  nextPage: string | null;
  /** Whether the document breaks the rules of XML or was cut, and was read nevertheless. */
  repaired: boolean;
  /** What was repaired or left out, for people; each once. */
  problems: string[];
}

export interface ParsedItem {
  /** The RSS guid, Atom id or JSON id as written, trimmed. */
  id: string | null;
  /** Whether the feed says that the id is the item's address. */
  isPermaLink: boolean;
  link: string | null;
  title: string | null;
  /** HTML. In RSS the description, which may be all that there is. */
  summary: string | null;
  /** HTML of the whole item. */
  content: string | null;
  /** Names. */
  authors: string[];
  categories: string[];
  publishedAt: number | null;
  updatedAt: number | null;
  images: SourceImage[];
  enclosures: SourceEnclosure[];
}

/** `reason` is a sentence part for people: "the document is …". A feed without items is a feed. */
export type FeedResult = { kind: 'feed'; feed: ParsedFeed } | { kind: 'unreadable'; reason: string };

/** Items that are read of one feed. */
export const MAX_ITEMS = 50_000;
/** Authors of one item; its categories, images and enclosures, too. */
export const MAX_PARTS = 100;
