/**
 * Conditional requests (RFC 9110 §13).
 */

import type { Coding } from './negotiate.ts';

export interface Validators {
  /** With its quotes, and `W/` if it is weak. */
  etag: string;
  /** Epoch milliseconds, compared in whole seconds. */
  modifiedAt?: number | undefined;
}

/**
 * Whether the response to a GET or HEAD is 304. If-None-Match takes precedence over If-Modified-Since (§13.2.2) and
 * compares weakly (§13.1.2): a proxy that compresses a response may weaken its tag.
 */
export function isNotModified(headers: Headers, validators: Validators): boolean {
  const noneMatch = headers.get('If-None-Match');
  if (noneMatch !== null) {
    const tags = opaqueTags(noneMatch);
    return tags === '*' || tags.includes(opaque(validators.etag));
  }
  const since = headers.get('If-Modified-Since');
  return since !== null && validators.modifiedAt !== undefined && isUnchangedSince(since, validators.modifiedAt);
}

/** The entity tags of an If-None-Match, with their quotes and without `W/`; `*` for any. */
function opaqueTags(noneMatch: string): string[] | '*' {
  if (noneMatch.trim() === '*') return '*';
  return [...noneMatch.matchAll(ENTITY_TAG)].map(([tag]) => opaque(tag));
}

/** The tag of a body in one coding, since the bytes of codings differ (RFC 9110 §8.8.3.3). @param hash of the body */
export function entityTag(hash: string, coding: Coding): string {
  return coding === 'identity' ? `"${hash}"` : `"${hash}-${coding}"`;
}

/**
 * Whether an If-None-Match has the tag of that body in any coding, also one that a compressing proxy has derived from
 * ours.
 */
export function matchesHash(noneMatch: string, hash: string): boolean {
  const tags = opaqueTags(noneMatch);
  return tags === '*' || tags.some((tag) => tag.startsWith(`"${hash}`) && CODINGS.test(tag.slice(hash.length + 1, -1)));
}

// Apache appends -gzip to a tag, Jetty --gzip, older versions ;gzip: also to a tag of ours that has a suffix.
// Matched from its beginning: a search for the end took 60 ms for a tag of 14 KB.
const CODINGS = /^(?:[-;]{1,2}(?:gzip|br|zstd|deflate))*$/;

/** Whether nothing changed since an If-Modified-Since. @param modifiedAt of the last change, epoch milliseconds */
export function isUnchangedSince(since: string, modifiedAt: number): boolean {
  const seconds = parseHttpDate(since);
  return seconds !== null && Math.floor(modifiedAt / 1_000) <= seconds;
}

/** An instant (epoch milliseconds) as `Tue, 24 Nov 2026 12:43:00 GMT` (RFC 9110 §5.6.7). */
export function httpDate(instant: number): string {
  return new Date(instant).toUTCString();
}

const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

// The three formats of §5.6.7. A date in any other format counts as missing.
const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d) GMT$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d:\d\d:\d\d) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})$/;

/** Epoch seconds, or null. */
function parseHttpDate(text: string): number | null {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) return seconds(match[1], match[2], match[3], match[4]);
  match = RFC_850.exec(text);
  // Years below 70 are of this century: the format has two digits.
  if (match !== null) return seconds(match[1], match[2], `${Number(match[3]) < 70 ? 20 : 19}${match[3]}`, match[4]);
  match = ASCTIME.exec(text);
  if (match !== null) return seconds(match[2]?.trim().padStart(2, '0'), match[1], match[4], match[3]);
  return null;
}

function seconds(day = '', month = '', year = '', time = ''): number | null {
  const parsed = Date.parse(`${day} ${month} ${year} ${time} GMT`);
  return Number.isNaN(parsed) ? null : parsed / 1_000;
}
