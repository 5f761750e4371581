/**
 * Hands claimed deliveries to several workers one by one, and claims more when they run out.
 */
import type { Store } from '../store/store.ts';
import { type Clock, MINUTE } from '../time.ts';
import { type ClaimedDelivery, claimPendingDeliveries, releaseClaims } from './outbox.ts';

// Few enough that a crash delays few readers, and done long before the lease lapses.
const CLAIMS_A_CONNECTION = 10;
const CLAIM_LEASE = 2 * MINUTE;

export interface ClaimedQueue {
  /** The next delivery, or null where nothing is due. */
  next(): Promise<ClaimedDelivery | null>;
  /** Puts back a delivery that nothing was done with. */
  putBack(delivery: ClaimedDelivery): void;
  /** Gives back what was not handed out, for other workers to claim at once. @returns how many */
  release(): Promise<number>;
}

/** @param workers how many will ask */
export function openClaimedQueue(store: Store, workers: number, clock: Clock, editionId?: number): ClaimedQueue {
  const held: ClaimedDelivery[] = [];
  let claiming: Promise<void> | null = null;

  const claimMore = async (): Promise<void> => {
    const limit = workers * CLAIMS_A_CONNECTION;
    held.push(...(await claimPendingDeliveries(store, { now: clock(), limit, leaseMs: CLAIM_LEASE, editionId })));
  };

  return {
    async next() {
      if (held.length === 0) {
        // One claim for all workers that wait.
        claiming ??= claimMore().finally(() => {
          claiming = null;
        });
        await claiming;
      }
      return held.shift() ?? null;
    },
    putBack: (delivery) => {
      held.unshift(delivery);
    },
    async release() {
      const left = held.splice(0);
      await releaseClaims(store.db, left);
      return left.length;
    },
  };
}
