/**
 * Hands the service's own mail to the connections, one by one, ahead of editions.
 */

import { type Clock, MINUTE } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { type ClaimedServiceMessage, claimServiceMessages, releaseServiceMessages } from './service-outbox.ts';

const CLAIMED_AT_ONCE = 10;
const CLAIM_LEASE = 2 * MINUTE;
// A reader who waits for a confirmation does not notice half a second; an edition's messages would notice a query each.
const LOOK_EVERY = 500;

export interface ServiceQueue {
  /** The next message, or null where none is known of: it looks for new ones now and then, and for all connections at once. */
  next(): Promise<ClaimedServiceMessage | null>;
  /** Puts back a message that nothing was done with. */
  putBack(message: ClaimedServiceMessage): void;
  /** Gives back what was not handed out. @returns how many */
  release(): Promise<number>;
}

/** @param options.onExpired called with how many had expired */
export function openServiceQueue(
  store: Store,
  { clock, onExpired }: { clock: Clock; onExpired(count: number): void },
): ServiceQueue {
  const waiting: ClaimedServiceMessage[] = [];
  let lookAt = Number.NEGATIVE_INFINITY;
  return {
    async next() {
      const now = clock();
      if (waiting.length === 0 && now >= lookAt) {
        lookAt = now + LOOK_EVERY;
        const { messages, expired } = await claimServiceMessages(store, {
          now,
          limit: CLAIMED_AT_ONCE,
          leaseMs: CLAIM_LEASE,
        });
        waiting.push(...messages);
        // There may be more.
        if (messages.length > 0) lookAt = Number.NEGATIVE_INFINITY;
        if (expired > 0) onExpired(expired);
      }
      return waiting.shift() ?? null;
    },
    putBack: (message) => {
      waiting.unshift(message);
    },
    async release() {
      const left = waiting.splice(0);
      await releaseServiceMessages(store.db, left);
      return left.length;
    },
  };
}
