/** A feed as it was read: the same shape for RSS, RDF, Atom and JSON Feed. */
import type { PollHints } from './poll-hints.ts';

export interface FetchedFeed {
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
  format: 'rss' | 'atom' | 'json';
  title: string | null;
  /** The site that the feed belongs to. */
  link: string | null;
  /** The address that the feed gives itself. */
  self: string | null;
  /** WebSub hubs. */
  hubs: string[];
  /** BCP 47, canonical. */
  language: string | null;
  hints: PollHints;
  /** In the order of the feed. */
  items: ParsedItem[];
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
  authors: ParsedAuthor[];
  categories: string[];
  publishedAt: number | null;
  updatedAt: number | null;
  images: ParsedImage[];
  /** Other than images. */
  enclosures: ParsedEnclosure[];
}

export interface ParsedAuthor {
  name: string | null;
  email: string | null;
  url: string | null;
}

export interface ParsedEnclosure {
  url: string;
  /** MIME type, in lower case. */
  type: string | null;
  /** Bytes. */
  length: number | null;
}

export interface ParsedImage extends ParsedEnclosure {
  /** Pixels. */
  width: number | null;
  height: number | null;
  /** What the image shows. */
  alt: string | null;
  credit: string | null;
}

/** `reason` is a sentence part for people: "the document is …". A feed without items is a feed. */
export type FeedResult = { kind: 'feed'; feed: ParsedFeed } | { kind: 'unreadable'; reason: string };

/** Items that are read of one feed. */
export const MAX_ITEMS = 50_000;
/** The parts of one item: of its authors, of its categories, of its images and of its enclosures. */
export const MAX_PARTS = 100;
