/**
 * Hands claimed deliveries to several connections one by one, and claims more before they run out.
 */

import { type Clock, MINUTE, SECOND } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { type ClaimOptions, type ClaimResult, claimDeliveries } from './claim.ts';
import { type ClaimedDelivery, releaseClaims } from './outbox.ts';

// A crash delays the readers whose deliveries were claimed until the lease lapses: few for a slow server, more for a fast one. Not more than
// it mails in a second or so: what waits for longer costs memory, and gains nothing.
const FIRST_CLAIM = 10;
const LARGEST_CLAIM = 25;
const CLAIM_LEASE = 2 * MINUTE;
const TOO_FAST = 2 * SECOND;
const TOO_SLOW = 20 * SECOND;
// What is over the limits is put off by a write a row: not a whole edition at once.
const POSTPONED_AT_MOST = 2_500;

export interface ClaimBuffer {
  /** The next delivery, or null where nothing is due, and nothing that was handed out can come back. */
  next(): Promise<ClaimedDelivery | null>;
  /** Says that a delivery which was handed out will not be put back. */
  keep(delivery: ClaimedDelivery): void;
  /** Puts back a delivery that nothing was done with. */
  putBack(delivery: ClaimedDelivery): void;
  /** Gives back what was not handed out, for other workers to claim at once. @returns how many */
  release(): Promise<number>;
}

type QueueOptions = Pick<ClaimOptions, 'uncertain' | 'throttle' | 'editionId'> & {
  /** How many will ask. */
  connections: number;
  clock: Clock;
  /** Called with what each claim came to. */
  onClaimed(claimed: ClaimResult): void;
};

export function openClaimBuffer(store: Store, options: QueueOptions): ClaimBuffer {
  const { connections, clock, onClaimed, ...conditions } = options;
  let held: ClaimedDelivery[] = [];
  let size = FIRST_CLAIM;
  let claimedAt = Number.NEGATIVE_INFINITY;
  let claiming: Promise<void> | null = null;
  // Whether the last claim brought less than it asked for.
  let dry = false;

  const claimMore = async (): Promise<void> => {
    const now = clock();
    if (now - claimedAt > TOO_SLOW) size = Math.max(1, Math.floor(size / 2));
    else if (now - claimedAt < TOO_FAST && !dry) size = Math.min(LARGEST_CLAIM, size * 2);
    claimedAt = now;
    const limit = size * connections;
    for (let postponed = 0; ; ) {
      const claimed = await claimDeliveries(store, { ...conditions, now: clock(), limit, leaseMs: CLAIM_LEASE });
      onClaimed(claimed);
      held = [...held, ...claimed.deliveries].sort((a, b) => a.notBefore - b.notBefore);
      dry = claimed.deliveries.length < limit;
      if (claimed.deliveries.length > 0) return;
      // Stale and postponed ones may have stood before others that can go.
      postponed += claimed.postponed;
      if (claimed.expired === 0 && (claimed.postponed === 0 || postponed >= POSTPONED_AT_MOST)) return;
    }
  };
  // One claim at a time, for all that wait.
  const refill = (): Promise<void> => {
    claiming ??= claimMore().finally(() => {
      claiming = null;
    });
    return claiming;
  };

  // Handed out, and not yet begun: a connection that the server does not grant puts back what it was to carry.
  const inHand = new Set<ClaimedDelivery>();
  let changed = Promise.withResolvers<void>();
  const settle = (delivery: ClaimedDelivery): void => {
    if (!inHand.delete(delivery)) return;
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };

  return {
    async next() {
      if (held.length === 0) await refill();
      // Ahead of need; where that fails, whoever finds nothing left tries again and is told why.
      else if (!dry && held.length < (size * connections) / 2) refill().catch(() => {});
      while (held.length === 0 && inHand.size > 0) await changed.promise;
      const delivery = held.shift() ?? null;
      if (delivery !== null) inHand.add(delivery);
      return delivery;
    },
    keep: settle,
    putBack: (delivery) => {
      held.unshift(delivery);
      settle(delivery);
    },
    async release() {
      await claiming?.catch(() => {});
      const left = held;
      held = [];
      await releaseClaims(store.db, left);
      return left.length;
    },
  };
}
