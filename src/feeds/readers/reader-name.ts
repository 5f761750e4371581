/**
 * Which reader asks, and how many subscribers it says it has, from a User-Agent header (RFC 9110 §10.1.5). There is no standard for the
 * counts: aggregators write them into comments, in a handful of ways.
 */
import { LIBRARIES, READERS } from './known-readers.ts';

export interface ReaderName {
  /** A name of known-readers.ts, BROWSER, OTHER, or the product token of a program that declares itself a public one. */
  reader: string;
  /** What it reports, 0 to 100,000,000; null where it says nothing, or cannot be told from others. */
  subscribers: number | null;
  /** Tells apart the feeds that one aggregator has for one address. Never kept as it is. */
  id: string | null;
}

const BROWSER = 'browser';
/** All that is not told apart. */
export const OTHER = 'other';

const NAMES: ReadonlySet<string> = new Set([...READERS.values(), ...LIBRARIES.values(), BROWSER, OTHER]);

/** Whether it is one of the names that this program knows, and not one that a stranger chose. */
export function isKnownReader(name: string): boolean {
  return NAMES.has(name);
}

/** Headers that real programs send are shorter; of a longer one, this much is looked at. */
export const HEADER_LIMIT = 512;
const MOST_SUBSCRIBERS = 100_000_000;

const ADDRESS = /\+?https?:\/\/[^\s;,()<>"']*/gi;
const PUBLIC_TOKEN = /^[A-Za-z][A-Za-z0-9-]{1,30}$/;
// Every repetition is bounded or cannot give back what it took: the time is linear in the length.
const NUMBER = "(\\d[\\d.,'’\u00a0\u202f]{0,30})";
const COUNT_FIRST = new RegExp(`(?:^|[\\s;,(:=_-])${NUMBER}\\+?[\\s_]{1,3}(?:subscriber|reader|follower)`, 'i');
const COUNT_LAST = new RegExp(
  `(?:subscribers?|readers|followers|users)(?: count)?(?:\\s?[:=]\\s?|[\\s_])${NUMBER}(?![\\d/])`,
  'i',
);
const FEED_ID = /\bfeed-?id\s?[:=]\s?([\w-]{1,64})/i;
// NewsBlur names its feed by the address of its page.
const NEWSBLUR_SITE = /newsblur\.com\/site\/(\d{1,20})/i;

const NOBODY: ReaderName = { reader: OTHER, subscribers: null, id: null };

/** The reader that sent the header. Of the header itself, nothing but a public program's token is in the answer's `reader`. */
export function readerName(userAgent: string | null | undefined): ReaderName {
  if (!userAgent) return NOBODY;
  const header = userAgent.slice(0, HEADER_LIMIT);
  const bare = header.replace(ADDRESS, ' ');
  const subscribers = countIn(bare);
  const isPublic = subscribers !== null || bare.length !== header.length;
  const reader = nameIn(bare, isPublic && userAgent.length <= HEADER_LIMIT, isPublic);
  // Several aggregators' counts would overwrite each other.
  if (reader === OTHER || reader === BROWSER || subscribers === null) return { reader, subscribers: null, id: null };
  const id = FEED_ID.exec(bare)?.[1] ?? NEWSBLUR_SITE.exec(header)?.[1] ?? null;
  return { reader, subscribers, id };
}

function nameIn(bare: string, mayBeTold: boolean, isPublic: boolean): string {
  const words = productWords(bare);
  for (const word of words) {
    const name = READERS.get(word.toLowerCase());
    if (name !== undefined) return name;
  }
  const token = ownToken(bare);
  if (token !== null && mayBeTold && !LIBRARIES.has(token.toLowerCase())) return token;
  for (const word of words) {
    const name = LIBRARIES.get(word.toLowerCase());
    if (name !== undefined) return name;
  }
  return !isPublic && isBrowser(bare) ? BROWSER : OTHER;
}

/**
 * The words that may name a product, in their order: those with a version behind a slash, and the first one or two of the header and of
 * each part of a comment. "like FeedFetcher-Google" is therefore none.
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

/** What a program that nobody knows calls itself, or null. */
function ownToken(bare: string): string | null {
  // Programs that pose as browsers name themselves in a comment.
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
  // Only groups of three are thousands: "2.0 subscribers" is a version, or nonsense.
  if (!/^(?:\d+|\d{1,3}(?:[^\d]\d{3})+)$/.test(written)) return null;
  return Math.min(Number(written.replace(/[^\d]/g, '')), MOST_SUBSCRIBERS);
}
