/** Requests to a source, and why a poll fails. */
import type { Selectable } from 'kysely';
import type { Tables } from '../core/store/tables.ts';
import { type FetchClient, type FetchResult, retryAfter } from '../lib/guarded-fetch/fetch-client.ts';
import { type Clock, DAY, HOUR, rfc3339 } from '../lib/time.ts';

export type Answer = Extract<FetchResult, { kind: 'answered' }>;

/**
 * How a poll fails.
 * - busy: 429, or 503 with Retry-After
 * - blocked: the server does not let daywire in
 * - not-found: 404
 * - gone: 410
 */
export type PollProblem = 'busy' | 'blocked' | 'not-found' | 'gone' | 'failed';

interface PollErrorDetails {
  kind?: PollProblem;
  /** The earliest instant at which the server wants to be called again. */
  retryAt?: number | null;
  /** The host that asked for this pause for all of it. */
  host?: string | null;
}

/** Why a source cannot be polled: a sentence about it, which contains no key. */
export class PollError extends Error {
  override name = 'PollError';
  readonly kind: PollProblem;
  readonly retryAt: number | null;
  readonly host: string | null;

  constructor(message: string, { kind = 'failed', retryAt = null, host = null }: PollErrorDetails = {}) {
    super(message);
    this.kind = kind;
    this.retryAt = retryAt;
    this.host = host;
  }
}

export interface Requester {
  client: FetchClient;
  /** Read after each answer: a request may wait for its host. */
  clock: Clock;
  signal?: AbortSignal | undefined;
}

/** @throws PollError without an answer, also from the gate of a host that asked for a pause */
export async function ask(
  { client, signal }: Requester,
  url: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const result = await client.fetch({ url, headers }, signal);
  signal?.throwIfAborted();
  if (result.kind === 'answered') return result;
  const isPrivate = result.kind === 'refused' && result.reason.includes('not public');
  const hint = isPrivate ? ': if it is yours, name its network in fetch.allow' : '';
  throw new PollError(`${placeOf(url)}: ${result.reason}${hint}`);
}

/** @throws PollError unless the status is 200 */
export async function askForOk(
  requester: Requester,
  url: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await ask(requester, url, headers);
  if (answer.status !== 200) throw statusError(answer, requester.clock());
  return answer;
}

/** A server that asks for a longer pause gets this one. */
const LONGEST_PAUSE = 48 * HOUR;

const ASKS = 'it asks not to be called before ';

/** Until when a server asked not to be called, as the reason of a state says; null if it did not. */
export function askedUntil(reason: string | null): number | null {
  const [, instant] = reason?.split(ASKS) ?? [];
  return instant === undefined ? null : Date.parse(instant);
}

/** The meaning of a status other than 200 and 304. */
export function statusError({ status, url, headers }: Answer, now: number): PollError {
  const problem = `${placeOf(url)} answered ${status}`;
  const retryAt = status === 429 || status === 503 ? retryAfter(headers, now, LONGEST_PAUSE) : null;
  if (status === 429 || retryAt !== null) {
    // 429 counts all requests of a client to the host (RFC 6585 §4).
    const host = status === 429 ? hostOf(new URL(url)) : null;
    const until = retryAt === null ? '' : `: ${ASKS}${rfc3339(retryAt)}`;
    return new PollError(problem + until, { kind: 'busy', retryAt, host });
  }
  if (status === 404) return new PollError(problem, { kind: 'not-found' });
  if (status === 410) return new PollError(`${problem}: it was removed for good`, { kind: 'gone' });
  const isRefused = status === 401 || status === 403;
  return new PollError(isRefused ? `${problem}: it refuses access; ${accessHint(url)}` : problem);
}

function accessHint(url: string): string {
  if (new URL(url).searchParams.has('key')) return 'is its key in DAYWIRE_SOURCE_KEYS right?';
  return 'a plugin or firewall of the site may block it';
}

/** An address without its query, which may hold a key. */
export function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** A server that answers 304 whatever has changed would hide that for ever. */
const UNCONDITIONAL_EVERY = DAY;

/** The headers by which a server says that nothing has changed since the last response; none once a day. */
export function conditionsOf(
  { endpoint, etag, last_modified, items_read_at: readAt }: LastResponse,
  now: number,
): Record<string, string> {
  if (endpoint === null || readAt === null || now - readAt >= UNCONDITIONAL_EVERY) return {};
  return {
    ...(etag === null ? {} : { 'If-None-Match': etag }),
    ...(last_modified === null ? {} : { 'If-Modified-Since': last_modified }),
  };
}

/** Nulls for a source that was never read. */
export type LastResponse = Pick<Selectable<Tables['sources']>, 'endpoint' | 'items_read_at' | Validator>;
type Validator = 'etag' | 'last_modified';

/** Characters of a validator. A longer one is of no use, and takes space. */
const MAX_VALIDATOR = 2_000;

/** Byte for byte. */
export function validatorsOf({ headers }: Pick<Answer, 'headers'>): Pick<LastResponse, Validator> {
  const short = (text: string | undefined): string | null =>
    text === undefined || text === '' || text.length > MAX_VALIDATOR ? null : text;
  return { etag: short(headers.etag), last_modified: short(headers['last-modified']) };
}

/** The host that shares one limit: without scheme and port. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/\.$/, '');
}
