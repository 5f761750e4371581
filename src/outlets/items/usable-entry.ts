/** Fields to store of an entry, or why there are none. Text is clean and bounded, URLs and dates plausible. Pure. */
import { boundedLine, cleanLine, cleanUrl, hasVisibleCharacter } from '../../lib/text/clean-text.ts';
import { DAY } from '../../lib/time.ts';
import { canonicalLink, isFrontPage, withoutTracking } from '../../sources/canonical-link.ts';
import { CLOCK_SKEW } from '../../sources/feed/dates-ahead.ts';
import { type EntryIdentity, normaliseTitle } from '../../sources/identity/entry-keys.ts';

/** Characters. */
export const MAX_TITLE = 300;
const MAX_EXCERPT = 500;
export const MAX_URL = 2_048;
const MAX_LANGUAGE = 35;
/** Nothing on the web is older. */
const FIRST_DATE = Date.UTC(1991, 7, 6);

export interface UsableEntry {
  identity: EntryIdentity;
  title: string;
  summary: string | null;
  url: string;
  /** Null for the front page of a site, which is no report. */
  canonicalUrl: string | null;
  language: string | null;
  imageUrl: string | null;
  /** Epoch milliseconds; null without a date that can be true. */
  publishedAt: number | null;
  /** When it was reported, as far as its date says; not after `now`. For a wrong zone, `now`. Null without a date. */
  reportedAt: number | null;
}

/** @returns a string for an entry that cannot be used: what it lacks, as "3 entries <reason>" */
export function readEntry(entry: OutletEntry, now: number): UsableEntry | string {
  const title = boundedLine(entry.title ?? '', MAX_TITLE);
  if (!hasVisibleCharacter(title)) return 'without a title';
  // The guid of an entry without a link may be its address.
  const url = cleanUrl(withoutTracking(entry.link ?? (entry.isPermaLink ? entry.guid : null) ?? ''));
  if (url === null) return 'without a link';
  if (url.length > MAX_URL) return `with a link of more than ${MAX_URL} characters`;
  const canonical = canonicalLink(url);
  const date = entry.publishedAt !== null && entry.publishedAt >= FIRST_DATE ? entry.publishedAt : null;
  const isPossible = date !== null && date <= now + DAY;
  return {
    identity: { guid: entry.guid, link: url, title, publishedAt: isPossible ? date : null },
    title,
    summary: summaryOf(entry.summary, title),
    url,
    canonicalUrl: canonical === null || isFrontPage(canonical) ? null : canonical,
    language: entry.language !== null && entry.language.length <= MAX_LANGUAGE ? cleanLine(entry.language) : null,
    imageUrl: imageOf(entry.imageUrl),
    publishedAt: date !== null && date <= now + CLOCK_SKEW ? date : null,
    reportedAt: isPossible ? Math.min(date, now) : null,
  };
}

/** Null if it says only what the title says. */
function summaryOf(summary: string | null, title: string): string | null {
  const text = boundedLine(summary ?? '', MAX_EXCERPT);
  return hasVisibleCharacter(text) && normaliseTitle(text) !== normaliseTitle(title) ? text : null;
}

function imageOf(url: string | null): string | null {
  const clean = cleanUrl(url ?? '');
  return clean !== null && clean.length <= MAX_URL ? clean : null;
}

/** Problems are counted: a feed without titles has one, not a hundred. */
export function readEntries(
  entries: readonly OutletEntry[],
  now: number,
): { usable: UsableEntry[]; problems: string[] } {
  const read = entries.map((entry) => readEntry(entry, now));
  const reasons = Map.groupBy(
    read.filter((one) => typeof one === 'string'),
    (reason) => reason,
  );
  return {
    usable: read.filter((one) => typeof one !== 'string'),
    problems: [...reasons].map(([reason, { length }]) =>
      length === 1 ? `an entry ${reason} was left out` : `${length} entries ${reason} were left out`,
    ),
  };
}

/** One entry of another outlet's feed, as it was read: not yet identified, nor compared with what is known. */
export interface OutletEntry {
  /** The RSS guid, Atom id or JSON id as written, trimmed; at most 8,192 characters. Null if it has none. */
  guid: string | null;
  /** Whether the feed says that the guid is the address of the report. */
  isPermaLink: boolean;
  /** The address of the report: absolute, http or https, without a login. */
  link: string | null;
  /** Plain text on one line, clean; at most 5,000 characters. */
  title: string | null;
  /** Plain text on one line, clean; at most `MAX_SUMMARY` characters. */
  summary: string | null;
  /** Epoch milliseconds, at most a day ahead; null if the feed gives no date. */
  publishedAt: number | null;
  /** BCP 47, canonical: of the feed, null if it names none. */
  language: string | null;
  /** Absolute, http or https. */
  imageUrl: string | null;
}

/** Characters. An excerpt is shorter, and grouping needs no more. */
export const MAX_SUMMARY = 2_000;
