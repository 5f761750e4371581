/**
 * Whether the link of a confirmation mail is still good. It stands for what its reader knew when it was asked for: whatever was
 * decided later, leaving or a suppression, is not undone by an old mail that somebody opens again.
 */
import type { SubscriptionState } from './consent-states.ts';

/** What happened after the request. */
export interface LaterEvent {
  change: string;
  newsletter: string | null;
}

export type RequestState =
  /** Pressing the button does something. */
  | { kind: 'open'; newsletters: string[] }
  /** All of it is confirmed: pressing it again changes nothing. */
  | { kind: 'done'; newsletters: string[] }
  /** Too late, or overtaken by a later decision: it must be asked for anew. */
  | { kind: 'expired'; newsletters: string[] };

/**
 * Judges a request.
 * @param request.newsletters what was asked for
 * @param request.later the subscriber's consent events since
 * @param request.states of the subscriber's subscriptions, by newsletter
 * @param request.suppressedReason of the address, now
 * @returns with the newsletters that it still stands for; for an expired one, all that were asked for
 */
export function judgeRequest(
  request: {
    newsletters: readonly string[];
    expiresAt: number;
    later: readonly LaterEvent[];
    states: ReadonlyMap<string, SubscriptionState>;
    suppressedReason: string | null;
  },
  now: number,
): RequestState {
  const { newsletters, expiresAt, later, states, suppressedReason } = request;
  const expired: RequestState = { kind: 'expired', newsletters: [...newsletters] };
  // What the operator suppressed, no reader's click lifts.
  if (suppressedReason === 'operator' || later.some((event) => event.change === 'suppressed')) return expired;
  const left = new Set(later.filter((event) => event.change === 'unsubscribed').map((event) => event.newsletter));
  const alive = newsletters.filter((newsletter) => !left.has(newsletter));
  if (alive.length === 0) return expired;
  const confirmed = alive.every((newsletter) => states.get(newsletter) === 'confirmed');
  if (confirmed && suppressedReason === null) return { kind: 'done', newsletters: alive };
  return now >= expiresAt ? expired : { kind: 'open', newsletters: alive };
}
