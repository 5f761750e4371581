/** Reports of mail providers' webhooks, in one form for all of them, and the common parts of reading them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { BounceKind } from '../../core/store/tables.ts';
import { boundedLine, decodeUtf8 } from '../../lib/text/clean-text.ts';
import { DAY, MINUTE, SECOND } from '../../lib/time.ts';
import { findStatus } from '../bounces/classify.ts';

/** What happened to one message. */
export interface ProviderEvent {
  /** The same when the event is reported again; unique for its mail provider. At most 200 characters. */
  id: string;
  kind: BounceKind | 'delivered' | 'unsubscribe';
  /** The token that was put into the message, as the mail provider returns it; null without one. */
  token: string | null;
  /** The recipient's address; null if it is not reported. */
  email: string | null;
  /** RFC 3463, such as 5.1.1; null without one. */
  status: string | null;
  /** What the server said. */
  detail: string;
  /** Epoch milliseconds. */
  at: number;
}

export interface ProviderRequest {
  headers: Pick<Headers, 'get'>;
  /** Byte for byte. */
  body: Uint8Array;
  /** When it was received, epoch milliseconds. */
  now: number;
}

export type ProviderCheck =
  /** `nonce`: may be used once, since the signature covers it and not the body; null if the body is signed. */
  | { kind: 'events'; events: ProviderEvent[]; nonce: string | null }
  /** Not signed by the mail provider: 401. */
  | { kind: 'unsigned'; reason: string }
  /** Signed, but malformed: 400. */
  | { kind: 'malformed'; reason: string };

export function unsigned(reason: string): Extract<ProviderCheck, { kind: 'unsigned' }> {
  return { kind: 'unsigned', reason };
}

/** A body as JSON; undefined if it is none. */
export function parseJsonBody(body: Uint8Array): unknown {
  const text = decodeUtf8(body);
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reports per request: ten times what any mail provider sends. 2 MiB of empty objects would take 10 s. */
const MAX_REPORTS = 10_000;

/**
 * Converts reports to events. A malformed report does not stop the others.
 * @param reports one, or an array
 * @param toEvent returns null for a report that changes nothing, such as an opened message
 * @returns `malformed` if no report has the schema's form, or there are more than 10,000
 */
export function readReports<Schema extends z.ZodType>(
  reports: unknown,
  schema: Schema,
  toEvent: (report: z.output<Schema>) => ProviderEvent | null,
  nonce: string | null = null,
): ProviderCheck {
  const list = Array.isArray(reports) ? reports : [reports];
  const read = list.length > MAX_REPORTS ? [] : list.map((one) => schema.safeParse(one)).filter((one) => one.success);
  if (read.length === 0 && list.length > 0) {
    return { kind: 'malformed', reason: 'the body must be JSON: an event, or an array of up to 10,000' };
  }
  const events = read.map(({ data }) => toEvent(data)).filter((event) => event !== null);
  return { kind: 'events', events, nonce };
}

/**
 * Checks an Authorization field (RFC 7617): some mail providers sign nothing, but send a password that the operator put
 * into the address of the webhook.
 * @param secret `user:password`
 * @param schemes.bearer also accepts the secret itself as a bearer token (RFC 6750)
 */
export function isAuthorized(headers: Pick<Headers, 'get'>, secret: string, schemes: { bearer: boolean }): boolean {
  const [, scheme = '', given = ''] = /^([A-Za-z]+) +(\S+)$/.exec(headers.get('authorization') ?? '') ?? [];
  const isBearer = schemes.bearer && scheme.toLowerCase() === 'bearer';
  if (secret === '' || !(isBearer || scheme.toLowerCase() === 'basic')) return false;
  // Digests have the same length, so that the comparison takes the same time wherever they differ.
  const digest = (value: Buffer | string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(Buffer.from(given, isBearer ? 'utf8' : 'base64')), digest(secret));
}

/** Mail providers repeat an event for one hour (Amazon SNS) to three days at most. */
export const REPLAY_WINDOW = 7 * DAY;
const MAX_CLOCK_DIFFERENCE = 5 * MINUTE;
/** How long the ids of recorded events are kept, from their receipt: longer than a signature of them is accepted. */
export const EVENT_IDS_KEPT = REPLAY_WINDOW + DAY;

/**
 * Checks the instant of a signature. Within the window, the recorded id of an event makes a replay harmless.
 * @param signedAt epoch milliseconds
 * @returns why it is refused, or null
 */
export function whyUntimely(signedAt: number, now: number): string | null {
  if (!(signedAt - now <= MAX_CLOCK_DIFFERENCE)) return 'its signature is dated more than five minutes in the future';
  if (!(now - signedAt <= REPLAY_WINDOW)) return 'its signature is older than seven days, so it may be a replay';
  return null;
}

/** Value of a key in a table of types or reasons; null if the table does not list it. */
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

const MAX_DETAIL_LENGTH = 500;
/** RFC 5321 §4.5.3.1: local part, @ and domain. */
const MAX_ADDRESS_LENGTH = 320;
/** The longest identifier that a mail provider documents has 100 characters. */
const MAX_WORD_LENGTH = 200;

/**
 * Fields of reports, as zod types. None fails, so that one odd field does not lose a report: each gives a clean and
 * bounded value, or nothing.
 */
export const fields = {
  /** An identifier, or the name of a type or reason. */
  word: line(MAX_WORD_LENGTH),
  /** What a server said. */
  detail: line(MAX_DETAIL_LENGTH),
  email: line(MAX_ADDRESS_LENGTH).transform((text) => text || null),
  /** The token of a return path (audience/tokens.ts), alone or within a text. Not verified. */
  token: line(MAX_WORD_LENGTH).transform(
    (text) => /(?<![A-Za-z0-9])[bs][a-z2-7]{39}(?![A-Za-z0-9])/i.exec(text)?.[0] ?? null,
  ),
  /** An enhanced status (RFC 3463), alone or within a text. */
  status: line(MAX_DETAIL_LENGTH).transform((text) => /^2\.\d{1,3}\.\d{1,3}$/.exec(text)?.[0] ?? findStatus(text)),
  /** Epoch milliseconds from a number of seconds; null if it is none. */
  seconds: z
    .unknown()
    .optional()
    .transform((value) => {
      const number = typeof value === 'string' && /^\d{1,12}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
      return typeof number === 'number' && number > 0 && number < 1e12 ? Math.floor(number * SECOND) : null;
    }),
  /** Epoch milliseconds of an ISO 8601 instant; null if it is none. */
  isoInstant: line(50).transform((text) => {
    const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isFinite(at) && at > 0 ? at : null;
  }),
};
