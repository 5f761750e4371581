/**
 * Fields of reports, as zod types. None fails, so that one odd field does not lose a report: each gives a clean,
 * bounded value, or nothing.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { boundedLine } from '../../lib/text/clean-text.ts';
import { SECOND } from '../../lib/time.ts';
import { findStatus } from '../bounces/classify.ts';

const MAX_DETAIL_LENGTH = 500;
/** RFC 5321 §4.5.3.1: local part, @ and domain. */
const MAX_ADDRESS_LENGTH = 320;
/** Of identifiers and names of types. The longest that a mail provider documents has 100. */
const MAX_WORD_LENGTH = 200;

/** One line of at most `limit` characters; empty if it is not a text. */
function line(limit: number) {
  // Cut before it is cleaned: a report may be as long as a request.
  return z
    .unknown()
    .optional()
    .transform((value) => {
      if (typeof value === 'number' && Number.isFinite(value)) return String(value);
      return typeof value === 'string' ? boundedLine(value.slice(0, 2 * limit), limit) : '';
    });
}

/** An identifier, or the name of a type or reason. */
export const word = line(MAX_WORD_LENGTH);

/** What a server said. */
export const detail = line(MAX_DETAIL_LENGTH);

export const email = line(MAX_ADDRESS_LENGTH).transform((text) => text || null);

/** The token of a return path (audience/tokens.ts), alone or within a text. Not verified. */
export const token = line(MAX_WORD_LENGTH).transform(
  (text) => /(?<![A-Za-z0-9])[bs][a-z2-7]{39}(?![A-Za-z0-9])/i.exec(text)?.[0] ?? null,
);

/** An enhanced status (RFC 3463), alone or within a text. */
export const status = line(MAX_DETAIL_LENGTH).transform(
  (text) => /^2\.\d{1,3}\.\d{1,3}$/.exec(text)?.[0] ?? findStatus(text),
);

/** Epoch milliseconds from a number of seconds; null if it is none. */
export const seconds = z
  .unknown()
  .optional()
  .transform((value) => {
    const number = typeof value === 'string' && /^\d{1,12}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
    return typeof number === 'number' && number > 0 && number < 1e12 ? Math.floor(number * SECOND) : null;
  });

/** Epoch milliseconds of an ISO 8601 instant; null if it is none. */
export const isoInstant = line(50).transform((text) => {
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(at) && at > 0 ? at : null;
});

/** What a table of types or reasons says; null if it does not list the key. */
export function lookUp<Value>(table: Readonly<Record<string, Value>>, key: string): Value | null {
  return Object.hasOwn(table, key) ? (table[key] ?? null) : null;
}

/**
 * The id of a report from what identifies it. A digest: it has a fixed length and no address, so that nothing of it has
 * to be erased with a subscriber.
 */
export function eventId(...parts: (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
