/**
 * The state of a source, and how the result of a poll changes it. Pure. The reasons are for people.
 *
 * - active: it is read. Polled by its rhythm.
 * - moved: permanent redirects were confirmed, and its new address is polled. By its rhythm.
 * - held: so many items were new that an operator must accept them. By its rhythm.
 * - dormant: no news for 30 days. Polled daily.
 * - waiting: 429, or 503 with Retry-After. Polled when that is over, and not earlier than after an error.
 * - blocked: 403, a challenge, or a page instead of the feed. Polled daily.
 * - failing: no answer, another status, or a document that cannot be read. Polled after longer and longer pauses.
 * - gone: 410, or 404 for 14 days. Polled when an operator asks for it.
 *
 * The newsroom's own sites are only active, moved, held, waiting or failing.
 */
import type { Selectable } from 'kysely';
import type { AnySource } from '../../core/config/sources.ts';
import type { Tables } from '../../core/store/tables.ts';
import { DAY, HOUR, MINUTE, rfc3339 } from '../../lib/time.ts';
import type { PollProblem } from '../request.ts';

type State = Selectable<Tables['sources']>['state'];

/** States in which no items of a source arrive. */
export const WITHHOLDING_STATES: readonly State[] = ['held', 'waiting', 'blocked', 'failing', 'gone'];

/** What is known of a source between polls. Instants are epoch milliseconds. */
export interface SourceCondition {
  state: State;
  since: number;
  /** A sentence; null while there is nothing to tell. */
  reason: string | null;
  /** The address that is polled; null until it was found. */
  endpoint: string | null;
  /** Where permanent redirects lead. Once that is confirmed, it is the endpoint. */
  movedTo: string | null;
  movedSince: number | null;
  /** Polls that were redirected there, one after the other. */
  movedPolls: number;
  /** Whether the feed there had an item that was known before. */
  movedKnown: boolean;
  /** The first of the answers of 404 that have no other between them. */
  notFoundSince: number | null;
  /** When the last new item came; null before the first poll that reads it. */
  newsAt: number | null;
  /** Polls that have failed in a row. */
  failures: number;
}

export interface ReadSignal {
  kind: 'read';
  /** The address that was read, before redirects. */
  endpoint: string;
  /** Where all redirects were permanent: where they led. */
  movedTo: string | null;
  /** Whether the document has an item that was known before the poll. Null if it cannot tell, as with 304. */
  knowsOne: boolean | null;
  /** When the newest of its new items came; null without new ones. */
  newsAt: number | null;
  /** Items that wait for the operator. */
  held: number;
  /** When it is polled next by its rhythm. */
  nextAt: number;
}

/** What a poll has found. */
export type PollSignal = ReadSignal | { kind: PollProblem; problem: string; retryAt: number | null };

export interface SourceTransition {
  condition: SourceCondition;
  /** When it is polled next; null for never. */
  nextAt: number | null;
}

interface PollMoment {
  now: number;
  /** From -1 to 1. */
  jitter: number;
  use: AnySource['use'];
}

const DORMANT_AFTER = 30 * DAY;
const GONE_AFTER = 14 * DAY;
const MOVED_AFTER = 48 * HOUR;
const MOVED_POLLS = 3;
export const JITTER = 0.1;

export function afterPoll(before: SourceCondition, signal: PollSignal, moment: PollMoment): SourceTransition {
  if (signal.kind === 'read') return afterRead(before, signal, moment);
  const { now, jitter, use } = moment;
  const { problem } = signal;
  const retryAt = nextRetry(now, before.failures, { jitter, use });
  const failed = { ...before, failures: before.failures + 1 };
  switch (signal.kind) {
    case 'busy':
      return { condition: enter(failed, 'waiting', problem, now), nextAt: Math.max(retryAt, signal.retryAt ?? 0) };
    case 'blocked':
      return { condition: enter(failed, 'blocked', problem, now), nextAt: nextDailyPoll(now, jitter) };
    case 'failed':
      return { condition: enter(failed, 'failing', problem, now), nextAt: retryAt };
    case 'gone':
    case 'not-found': {
      const notFoundSince = before.notFoundSince ?? now;
      // It is looked for again where the configuration says.
      const missing = { ...failed, endpoint: null, notFoundSince };
      if (use === 'articles') return { condition: enter(missing, 'failing', problem, now), nextAt: retryAt };
      const isGone = signal.kind === 'gone' || now - notFoundSince >= GONE_AFTER;
      const since = signal.kind === 'gone' ? problem : `${problem} since ${rfc3339(notFoundSince)}`;
      return isGone
        ? { condition: enter(missing, 'gone', `${since}. It is no longer polled`, now), nextAt: null }
        : { condition: enter(missing, 'failing', `${since}; after 14 days it counts as gone`, now), nextAt: retryAt };
    }
  }
}

/** The newsroom's own sites are asked again sooner than those of others. */
const RETRIES = {
  articles: { first: 5 * MINUTE, longest: 4 * HOUR },
  roundup: { first: 15 * MINUTE, longest: DAY },
};

/**
 * The instant of the next poll after an error: twice as late after each one.
 * @param failures polls that have failed in a row before this one
 */
export function nextRetry(now: number, failures: number, { jitter, use }: Omit<PollMoment, 'now'>): number {
  const { first, longest } = RETRIES[use];
  return Math.round(now + Math.min(first * 2 ** Math.min(failures, 20), longest) * (1 + JITTER * jitter));
}

/** The instant of the next daily poll. @param jitter from -1 to 1 */
function nextDailyPoll(now: number, jitter: number): number {
  return Math.round(now + DAY * (1 + JITTER * jitter));
}

export const NOT_MOVED = { movedTo: null, movedSince: null, movedPolls: 0, movedKnown: false };

function enter(condition: SourceCondition, state: State, reason: string | null, now: number): SourceCondition {
  return { ...condition, state, reason, since: condition.state === state ? condition.since : now };
}

function afterRead(before: SourceCondition, signal: ReadSignal, { now, jitter }: PollMoment): SourceTransition {
  const newsAt = signal.newsAt ?? before.newsAt ?? now;
  const asked = { ...before, endpoint: signal.endpoint };
  const condition = { ...asked, ...afterRedirects(asked, signal, now), newsAt, notFoundSince: null, failures: 0 };
  const { nextAt } = signal;
  if (signal.held > 0) return { condition: enter(condition, 'held', heldReason(signal.held), now), nextAt };
  if (now - newsAt >= DORMANT_AFTER) {
    const reason = `it has had no new item since ${rfc3339(newsAt)}`;
    return {
      condition: enter(condition, 'dormant', reason, now),
      nextAt: Math.max(nextAt, nextDailyPoll(now, jitter)),
    };
  }
  const { movedTo, movedSince, endpoint } = condition;
  if (movedTo === null || movedSince === null) return { condition: enter(condition, 'active', null, now), nextAt };
  if (movedTo === endpoint) {
    const reason = `it has moved to ${movedTo}: name that address in the configuration`;
    return { condition: enter(condition, 'moved', reason, now), nextAt };
  }
  const reason = `since ${rfc3339(movedSince)} it redirects permanently to ${movedTo}`;
  return { condition: enter(condition, 'active', reason, now), nextAt };
}

export function heldReason(items: number): string {
  return `${items} items were new at once, and wait for a decision`;
}

/**
 * A new address is polled once permanent redirects have led to it in three polls over 48 hours, and if its feed had an
 * item that was known before: a site that redirects all that is gone to its home page, or a new owner of the domain,
 * has none.
 */
function afterRedirects(
  before: SourceCondition,
  { movedTo, knowsOne }: ReadSignal,
  now: number,
): Pick<SourceCondition, 'endpoint' | keyof typeof NOT_MOVED> {
  const { endpoint } = before;
  const hasMoved = before.movedTo !== null && before.movedTo === endpoint;
  if (movedTo === null || movedTo === endpoint) return hasMoved ? before : { endpoint, ...NOT_MOVED };
  if (movedTo !== before.movedTo) {
    // 304: the validators of the known document hold there.
    return { endpoint, movedTo, movedSince: now, movedPolls: 1, movedKnown: knowsOne ?? true };
  }
  const { movedSince, movedKnown } = before;
  const movedPolls = before.movedPolls + 1;
  const isConfirmed = movedPolls >= MOVED_POLLS && now - (movedSince ?? now) >= MOVED_AFTER && movedKnown;
  return { endpoint: isConfirmed ? movedTo : endpoint, movedTo, movedSince, movedPolls, movedKnown };
}
