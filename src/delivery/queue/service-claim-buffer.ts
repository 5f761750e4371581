/**
 * Hands claimed service messages to several workers one by one.
 */
import type { Store } from '../../core/store/store.ts';
import { type Clock, MINUTE } from '../../lib/time.ts';
import type { BackOffState } from '../control/back-off-state.ts';
import { type ClaimedServiceMessage, claimServiceMessages, releaseServiceMessages } from './service-outbox.ts';

const CLAIM_SIZE = 10;
const CLAIM_LEASE = 2 * MINUTE;
// Nobody who waits for a confirmation notices half a second; a query before each delivery would slow editions down.
const QUERY_INTERVAL = 500;

export class ServiceClaimBuffer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onExpired: (count: number) => void;
  readonly #messages: ClaimedServiceMessage[] = [];
  readonly #backOff: BackOffState;
  /** By `performance.now()`. */
  #nextQueryAt = Number.NEGATIVE_INFINITY;

  /**
   * @param options.onExpired called with the number of expired messages
   * @param options.backOff of service messages
   */
  constructor(
    store: Store,
    { clock, onExpired, backOff }: { clock: Clock; onExpired(count: number): void; backOff: BackOffState },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#onExpired = onExpired;
    this.#backOff = backOff;
  }

  /** The next message; null if none is known. Queries for new ones at intervals, for all workers together. */
  async next(): Promise<ClaimedServiceMessage | null> {
    const elapsed = performance.now();
    if (this.#messages.length === 0 && elapsed >= this.#nextQueryAt) {
      this.#nextQueryAt = elapsed + QUERY_INTERVAL;
      const { admission } = await this.#backOff.admit();
      if (admission === 'wait') return null;
      const limit = admission === 'probe' ? 1 : CLAIM_SIZE;
      const options = { now: this.#clock(), limit, leaseMs: CLAIM_LEASE };
      const { messages, expired } = await claimServiceMessages(this.#store, options);
      this.#messages.push(...messages);
      if (admission === 'probe' && messages.length > 0 && !(await this.#backOff.claimProbe())) await this.release();
      // There may be more.
      if (messages.length > 0) this.#nextQueryAt = Number.NEGATIVE_INFINITY;
      if (expired > 0) this.#onExpired(expired);
    }
    return this.#messages.shift() ?? null;
  }

  /** Puts back a message that was not used. */
  putBack(message: ClaimedServiceMessage): void {
    this.#messages.unshift(message);
  }

  /** Releases what was not handed out. @returns number of messages */
  async release(): Promise<number> {
    const unused = this.#messages.splice(0);
    await releaseServiceMessages(this.#store.db, unused);
    return unused.length;
  }
}
