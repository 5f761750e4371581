/** What identifies an entry of a feed: keys of its guid, its link and its title. */
import { hash } from 'node:crypto';
import { DAY } from '../../lib/time.ts';
import { canonicalLink, isFrontPage } from '../canonical-link.ts';

/** The parts of an entry that say which report it is. */
export interface EntryIdentity {
  guid: string | null;
  /** Empty if it has none. */
  link: string;
  title: string;
  publishedAt: number | null;
}

/**
 * Keys are hashes with the kind in front, since guids and links have any length. Guids and their paths are compared
 * within a source, links and titles within an outlet, or within a site of the newsroom.
 */
export interface EntryKeys {
  /** The guid. One that is an address counts without its scheme and `www.`. */
  guid: string | null;
  /** The guid without scheme and host. Null if it has none, or nothing else. */
  path: string | null;
  /** The canonical link. Null for the front page of a site. */
  link: string | null;
  /** The normalised title and the day (UTC); for an entry without a date, the title alone. */
  title: string;
}

/** A stored item, as far as it is compared. */
export interface ComparedItem<Id = number> {
  id: Id;
  /** Null if it is not known. */
  title: string | null;
  url: string;
  publishedAt: number | null;
  /** Whether the previous document of the feed had it. */
  isCurrent: boolean;
  /** Whether another source of the outlet has it: that this feed lacks it says nothing. */
  isElsewhere?: boolean;
  /** The plain text of its body, where it is known. */
  text?: string | undefined;
}

/** A document's entries with what may identify them. */
export interface IdentifiedDocument {
  entries: { identity: EntryIdentity; keys: EntryKeys; repeats: boolean }[];
  /** Keys that several different entries have, and that identify none of them. */
  ambiguous: Set<string>;
}

export function keysOf({ guid, link, title, publishedAt }: EntryIdentity): EntryKeys {
  const canonical = canonicalLink(link);
  const day = publishedAt === null ? 'undated' : String(Math.floor(publishedAt / DAY));
  const path = guid === null ? null : pathOf(guid);
  return {
    guid: guid === null || guid === '' ? null : keyOf('guid', guid.replace(SCHEME, '')),
    path: path === null ? null : keyOf('path', path),
    link: canonical === null || isFrontPage(canonical) ? null : keyOf('link', canonical),
    title: keyOf(publishedAt === null ? 'undated' : 'title', `${day} ${normaliseTitle(title)}`),
  };
}

/** Whether a key is compared within the source of an entry; otherwise within its outlet. */
export function isKeyOfSource(key: string): boolean {
  return key.startsWith('guid:') || key.startsWith('path:');
}

/** Whether a key is a title without a date: it identifies an item only as long as the feed has the item. */
export function isUndatedKey(key: string): boolean {
  return key.startsWith('undated:');
}

export function isLinkKey(key: string): boolean {
  return key.startsWith('link:');
}

const SCHEME = /^https?:\/\/(?:www\.)?/i;
/** Some systems write `4711 at https://outlet.example`. */
const ORIGIN = /https?:\/\/[^/?#\s]*/i;

function pathOf(guid: string): string | null {
  if (!ORIGIN.test(guid)) return null;
  const path = guid.replace(ORIGIN, '').trim();
  return path === '' || path === '/' ? null : path;
}

/** Letters and digits alone, in lower case: quotation marks, dashes and spaces differ from one version to the next. */
export function normaliseTitle(title: string): string {
  const words = title.normalize('NFKC').toLowerCase();
  return words.replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ').trim() || words;
}

function keyOf(kind: string, text: string): string {
  return `${kind}:${hash('sha256', text).slice(0, 32)}`;
}
