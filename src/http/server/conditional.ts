/**
 * Conditional requests (RFC 9110 §13): has the client what it asks for already?
 */

export interface Validators {
  /** With its quotes, and `W/` before them where it is weak. */
  etag: string;
  /** Epoch milliseconds; whole seconds count. */
  modifiedAt?: number | undefined;
}

/**
 * Whether a GET or HEAD is to be answered with 304. If-None-Match, where it is sent, decides alone (§13.2.2); it compares
 * weakly (§13.1.2), so that a proxy that compressed on the way and weakened the tag is still answered.
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

/** The entity tags of an If-None-Match, with their quotes and without `W/`; or the star that stands for any. */
export function opaqueTags(noneMatch: string): string[] | '*' {
  if (noneMatch.trim() === '*') return '*';
  return [...noneMatch.matchAll(ENTITY_TAG)].map(([tag]) => opaque(tag));
}

/** Whether an If-Modified-Since says that the client has what was last changed at `modifiedAt` (epoch milliseconds). */
export function isUnchangedSince(since: string, modifiedAt: number): boolean {
  const seconds = parseHttpDate(since);
  return seconds !== null && Math.floor(modifiedAt / 1_000) <= seconds;
}

/** An instant as `Tue, 24 Nov 2026 12:43:00 GMT` (RFC 9110 §5.6.7). */
export function httpDate(instant: number): string {
  return new Date(instant).toUTCString();
}

const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

// The three forms of §5.6.7: IMF-fixdate, RFC 850 and asctime; a date in another form counts as not sent.
const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d) GMT$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d:\d\d:\d\d) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})$/;

/** Epoch seconds, or null. */
function parseHttpDate(text: string): number | null {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) return seconds(match[1], match[2], match[3], match[4]);
  match = RFC_850.exec(text);
  // No reader of this century means the last one with a year of two digits below 70.
  if (match !== null) return seconds(match[1], match[2], `${Number(match[3]) < 70 ? 20 : 19}${match[3]}`, match[4]);
  match = ASCTIME.exec(text);
  if (match !== null) return seconds(match[2]?.trim().padStart(2, '0'), match[1], match[4], match[3]);
  return null;
}

function seconds(day = '', month = '', year = '', time = ''): number | null {
  const parsed = Date.parse(`${day} ${month} ${year} ${time} GMT`);
  return Number.isNaN(parsed) ? null : parsed / 1_000;
}
