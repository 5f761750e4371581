/** Conditional requests (RFC 9110 §13). */
import { parseHttpDate } from '../../lib/http-date.ts';
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
  const instant = parseHttpDate(since);
  return instant !== null && Math.floor(modifiedAt / 1_000) * 1_000 <= instant;
}

/** An instant (epoch milliseconds) as `Tue, 24 Nov 2026 12:43:00 GMT` (RFC 9110 §5.6.7). */
export function httpDate(instant: number): string {
  return new Date(instant).toUTCString();
}

const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}
