/** Requests to a source, and why a poll fails. */
import type { FetchClient, FetchResult } from '../lib/guarded-fetch/fetch-client.ts';
import { retryAfter } from '../lib/guarded-fetch/fetch-client.ts';

export type Answer = Extract<FetchResult, { kind: 'answered' }>;

/** Why a source cannot be polled: a sentence about it, which contains no key. */
export class PollError extends Error {
  override name = 'PollError';
  /** The earliest that the server wants to be called again, or null. */
  readonly retryAt: number | null;
  /** The API is no longer where it was found. */
  readonly isGone: boolean;

  constructor(message: string, { retryAt = null, isGone = false }: { retryAt?: number | null; isGone?: boolean } = {}) {
    super(message);
    this.retryAt = retryAt;
    this.isGone = isGone;
  }
}

export interface Requester {
  client: FetchClient;
  now: number;
  signal?: AbortSignal | undefined;
}

/** @throws PollError without an answer */
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
  if (answer.status !== 200) throw statusError(answer, requester.now);
  return answer;
}

export function statusError({ status, url, headers }: Answer, now: number): PollError {
  const hint = status === 401 || status === 403 ? `: it refuses access; ${accessHint(url)}` : '';
  const isBusy = status === 429 || status === 503;
  return new PollError(`${placeOf(url)} answered ${status}${hint}`, {
    retryAt: isBusy ? retryAfter(headers, now) : null,
    isGone: status === 404 || status === 410,
  });
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
