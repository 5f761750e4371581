/**
 * Parses the name of a feed reader, and the number of subscribers that it reports, from a User-Agent header (RFC 9110
 * §10.1.5). There is no standard for the number: aggregators write it into comments, in several ways.
 */
import { LIBRARIES, READERS } from './known-readers.ts';

export interface ReaderName {
  /** A name of known-readers.ts, BROWSER, OTHER, or the token of a program that declares itself public. */
  reader: string;
  /** 0 to 100,000,000; null if the header has no number, or the program cannot be distinguished from others. */
  subscribers: number | null;
  /** Distinguishes the feeds that an aggregator has for one URL. Only stored as a digest. */
  id: string | null;
}

const BROWSER = 'browser';
/** Programs that are not distinguished. */
export const OTHER = 'other';

const NAMES: ReadonlySet<string> = new Set([...READERS.values(), ...LIBRARIES.values(), BROWSER, OTHER]);

/** Whether the name is known to this program, instead of taken from a header. */
export function isKnownReader(name: string): boolean {
  return NAMES.has(name);
}

/** Whether the name is that of browsers, which do not identify themselves as any other program. */
export function isBrowserName(name: string): boolean {
  return name === BROWSER;
}

/** Characters that are parsed; headers of real programs are shorter. */
const HEADER_LIMIT = 512;
const MOST_SUBSCRIBERS = 100_000_000;

const ADDRESS = /\+?https?:\/\/[^\s;,()<>"']*/gi;
const PUBLIC_TOKEN = /^[A-Za-z][A-Za-z0-9-]{1,30}$/;
// Every repetition is bounded or cannot backtrack: the time is linear in the length.
const NUMBER = "(\\d[\\d.,'’\u00a0\u202f]{0,30})";
const COUNT_FIRST = new RegExp(`(?:^|[\\s;,(:=_-])${NUMBER}\\+?[\\s_]{1,3}(?:subscriber|reader|follower)`, 'i');
const COUNT_LAST = new RegExp(
  `(?:subscribers?|readers|followers|users)(?: count)?(?:\\s?[:=]\\s?|[\\s_])${NUMBER}(?![\\d/])`,
  'i',
);
const FEED_ID = /\bfeed-?id\s?[:=]\s?([\w-]{1,64})/i;
// NewsBlur identifies its feed by the URL of its page.
const NEWSBLUR_SITE = /newsblur\.com\/site\/(\d{1,20})/i;

const UNKNOWN: ReaderName = { reader: OTHER, subscribers: null, id: null };

/** `reader` contains nothing of the header itself, except for the token of a public program. */
export function readerName(userAgent: string | null | undefined): ReaderName {
  if (!userAgent) return UNKNOWN;
  const header = userAgent.slice(0, HEADER_LIMIT);
  const bare = header.replace(ADDRESS, ' ');
  const subscribers = countIn(bare);
  const isPublic = subscribers !== null || bare.length !== header.length;
  const reader = nameIn(bare, isPublic && userAgent.length <= HEADER_LIMIT, isPublic);
  // The numbers of several programs with the same name would overwrite each other.
  if (reader === OTHER || reader === BROWSER || subscribers === null) return { reader, subscribers: null, id: null };
  const id = FEED_ID.exec(bare)?.[1] ?? NEWSBLUR_SITE.exec(header)?.[1] ?? null;
  return { reader, subscribers, id };
}

function nameIn(bare: string, mayUseToken: boolean, isPublic: boolean): string {
  const words = productWords(bare);
  for (const word of words) {
    const name = READERS.get(word.toLowerCase());
    if (name !== undefined) return name;
  }
  const token = ownToken(bare);
  if (token !== null && mayUseToken && !LIBRARIES.has(token.toLowerCase())) return token;
  for (const word of words) {
    const name = LIBRARIES.get(word.toLowerCase());
    if (name !== undefined) return name;
  }
  return !isPublic && isBrowser(bare) ? BROWSER : OTHER;
}

/**
 * The words that may name a product, in order: those with a version after a slash, and the first one or two of the
 * header and of each part of a comment. "like FeedFetcher-Google" is therefore none.
 */
function productWords(bare: string): string[] {
  const found: string[] = [];
  for (const part of bare.split(/[();,[\]<>]/)) {
    const words = part.trim().split(/\s+/);
    for (const [at, word] of words.entries()) {
      const slash = word.indexOf('/');
      const name = slash < 0 ? word : word.slice(0, slash);
      const next = words[at + 1]?.split('/', 1)[0];
      if (at === 0 && next !== undefined) found.push(`${name} ${next}`);
      if (at === 0 || slash > 0) found.push(name);
    }
  }
  return found;
}

/** The token of an unknown program, or null. */
function ownToken(bare: string): string | null {
  // Programs that imitate browsers have their name in a comment.
  const own = /^\s*Mozilla\b/i.test(bare) ? /\bcompatible;\s{0,3}([^\s;)]{1,64})/i.exec(bare)?.[1] : bare.trim();
  const token = own?.split(/[\s/;(,]/, 1)[0] ?? '';
  return PUBLIC_TOKEN.test(token) && !NAMES.has(token.toLowerCase()) ? token : null;
}

function isBrowser(bare: string): boolean {
  return /^(?:Mozilla|Opera)\/\d/.test(bare) && /Gecko|AppleWebKit|MSIE|Trident|Presto/.test(bare);
}

function countIn(bare: string): number | null {
  const written = (COUNT_FIRST.exec(bare) ?? COUNT_LAST.exec(bare))?.[1]?.replace(/[^\d]+$/, '');
  if (written === undefined) return null;
  // Only groups of three digits are thousands: "2.0 subscribers" is not a number of subscribers.
  if (!/^(?:\d+|\d{1,3}(?:[^\d]\d{3})+)$/.test(written)) return null;
  return Math.min(Number(written.replace(/[^\d]/g, '')), MOST_SUBSCRIBERS);
}
