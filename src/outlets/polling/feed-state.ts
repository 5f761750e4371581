/**
 * The state of an outlet's feed, and how the result of a poll changes it. Pure. The reasons are for people.
 *
 * - active: it is read. Polled by its rhythm.
 * - moved: permanent redirects were confirmed, and its new address is polled. By its rhythm.
 * - held: so many items were new that an operator must accept them. By its rhythm.
 * - dormant: no news for 30 days. Polled daily.
 * - waiting: 429, 503. Polled when Retry-After is over, and not earlier than after an error.
 * - blocked: 403, a challenge, or a page instead of the feed. Polled daily.
 * - failing: no answer, another status, or a document that cannot be read. Polled after 15 minutes × 2ⁿ, up to a day.
 * - gone: 410, or 404 for 14 days. Polled when an operator asks for it.
 */
import type { Selectable } from 'kysely';
import type { Tables } from '../../core/store/tables.ts';
import { DAY, HOUR, rfc3339 } from '../../lib/time.ts';
import { type FeedRhythm, nextDailyPoll, nextPoll, nextRetry } from './next-poll.ts';

/** States in which no items of a feed reach the editors. */
export const WITHHOLDING_STATES = ['held', 'waiting', 'blocked', 'failing', 'gone'] as const;

/** What is known of a feed between polls. Instants are epoch milliseconds. */
export interface FeedCondition {
  state: Selectable<Tables['outlet_feeds']>['state'];
  since: number;
  /** A sentence; null while there is nothing to tell. */
  reason: string | null;
  /** The address that is polled; null until a feed was found. */
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

/** What a poll has found. */
export type PollSignal =
  | {
      kind: 'read';
      /** Where all redirects were permanent: where they led. */
      movedTo: string | null;
      /** Whether the document has an item that was known before the poll. Null for 304, which sends no document. */
      knowsOne: boolean | null;
      /** When the newest of its new items came; null without new ones. */
      newsAt: number | null;
      /** Items that wait for the operator. */
      held: number;
      rhythm: FeedRhythm;
    }
  /** 429 or 503. */
  | { kind: 'busy'; problem: string; retryAt: number | null }
  /** The outlet does not let daywire in. `problem` says what to ask it. */
  | { kind: 'blocked'; problem: string }
  /** 404. */
  | { kind: 'not-found'; problem: string }
  /** 410. */
  | { kind: 'gone'; problem: string }
  | { kind: 'failed'; problem: string };

export interface FeedTransition {
  condition: FeedCondition;
  /** When it is polled next; null for never. */
  nextAt: number | null;
}

const DORMANT_AFTER = 30 * DAY;
const GONE_AFTER = 14 * DAY;
const MOVED_AFTER = 48 * HOUR;
const MOVED_POLLS = 3;

/** @param jitter from -1 to 1 */
export function afterPoll(
  before: FeedCondition,
  signal: PollSignal,
  { now, jitter }: { now: number; jitter: number },
): FeedTransition {
  if (signal.kind === 'read') return afterRead(before, signal, { now, jitter });
  const { problem } = signal;
  const retryAt = nextRetry(now, before.failures, jitter);
  const failed: FeedCondition = { ...before, failures: before.failures + 1 };
  switch (signal.kind) {
    case 'busy':
      return { condition: enter(failed, 'waiting', problem, now), nextAt: Math.max(retryAt, signal.retryAt ?? 0) };
    case 'blocked':
      return { condition: enter(failed, 'blocked', problem, now), nextAt: nextDailyPoll(now, jitter) };
    case 'gone':
      return { condition: enter(failed, 'gone', `${problem}. It is no longer polled`, now), nextAt: null };
    case 'failed':
      return { condition: enter(failed, 'failing', problem, now), nextAt: retryAt };
    case 'not-found': {
      const notFoundSince = before.notFoundSince ?? now;
      const condition = { ...failed, notFoundSince };
      const since = `${problem} since ${rfc3339(notFoundSince)}`;
      if (now - notFoundSince >= GONE_AFTER) {
        return { condition: enter(condition, 'gone', `${since}. It is no longer polled`, now), nextAt: null };
      }
      return {
        condition: enter(condition, 'failing', `${since}; after 14 days it counts as gone`, now),
        nextAt: retryAt,
      };
    }
  }
}

const NOT_MOVED = { movedTo: null, movedSince: null, movedPolls: 0, movedKnown: false };

/** What a feed is before its first poll, and after an operator has asked for one that is gone. */
export function newCondition(now: number): FeedCondition {
  return {
    ...{ state: 'active', since: now, reason: null, endpoint: null, newsAt: null, failures: 0, notFoundSince: null },
    ...NOT_MOVED,
  };
}

function enter(
  condition: FeedCondition,
  state: FeedCondition['state'],
  reason: string | null,
  now: number,
): FeedCondition {
  return { ...condition, state, reason, since: condition.state === state ? condition.since : now };
}

type ReadSignal = Extract<PollSignal, { kind: 'read' }>;

function afterRead(
  before: FeedCondition,
  signal: ReadSignal,
  { now, jitter }: { now: number; jitter: number },
): FeedTransition {
  const newsAt = signal.newsAt ?? before.newsAt ?? now;
  const condition = {
    ...{ ...before, ...afterRedirects(before, signal, now) },
    ...{ newsAt, notFoundSince: null, failures: 0 },
  };
  const nextAt = nextPoll(now, signal.rhythm, jitter);
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

type Redirects = Pick<FeedCondition, 'endpoint' | keyof typeof NOT_MOVED>;

/**
 * A new address is polled once permanent redirects have led to it in three polls over 48 hours, and if its feed had an
 * item that was known before: a site that redirects all that is gone to its home page, or a new owner of the domain,
 * has none.
 */
function afterRedirects(before: FeedCondition, { movedTo, knowsOne }: ReadSignal, now: number): Redirects {
  const { endpoint } = before;
  const hasMoved = before.movedTo !== null && before.movedTo === endpoint;
  if (movedTo === null || movedTo === endpoint) return hasMoved ? before : { endpoint, ...NOT_MOVED };
  if (movedTo !== before.movedTo) {
    // 304: the validators of the known document hold there.
    return { endpoint, movedTo, movedSince: now, movedPolls: 1, movedKnown: knowsOne ?? true };
  }
  const { movedSince = now, movedKnown } = before;
  const movedPolls = before.movedPolls + 1;
  const isConfirmed = movedPolls >= MOVED_POLLS && now - (movedSince ?? now) >= MOVED_AFTER && movedKnown;
  return { endpoint: isConfirmed ? movedTo : endpoint, movedTo, movedSince, movedPolls, movedKnown };
}
