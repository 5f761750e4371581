/**
 * Hands claimed deliveries to several workers one by one, and claims more before they run out.
 */
import { type Clock, MINUTE, SECOND } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { type ClaimOptions, type ClaimResult, claimDeliveries } from './claim.ts';
import { type ClaimedDelivery, releaseClaims } from './outbox.ts';

// Deliveries per worker and claim. After a crash, claimed deliveries wait until their lease expires, so there are few
// for a slow server and more for a fast one. At most what it accepts in about a second: a larger buffer costs memory
// and gains nothing.
const FIRST_CLAIM = 10;
const LARGEST_CLAIM = 25;
const CLAIM_LEASE = 2 * MINUTE;
/** Used up faster than this, the next claim is larger; slower than that, smaller. */
const FAST = 2 * SECOND;
const SLOW = 20 * SECOND;
// Postponing writes each row, so it must not go through a whole edition at once.
const MAX_POSTPONED = 2_500;

type BufferOptions = Pick<ClaimOptions, 'uncertain' | 'rateLimiter' | 'editionId'> & {
  workers: number;
  clock: Clock;
  /** Called with the result of each claim. */
  onClaimed(result: ClaimResult): void;
};

export class ClaimBuffer {
  readonly #store: Store;
  readonly #options: BufferOptions;
  /** By the instant from which they may be submitted. */
  #deliveries: ClaimedDelivery[] = [];
  #claimSize = FIRST_CLAIM;
  #claimedAt = Number.NEGATIVE_INFINITY;
  #claiming: Promise<void> | null = null;
  /** Whether the last claim returned less than it asked for. */
  #isExhausted = false;
  /** Handed out, and neither kept nor put back: a worker without a connection puts its delivery back. */
  readonly #undecided = new Set<ClaimedDelivery>();
  #nextDecision = Promise.withResolvers<void>();

  constructor(store: Store, options: BufferOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** The next delivery; null if nothing is due and nothing can be put back. @throws if the store fails */
  async next(): Promise<ClaimedDelivery | null> {
    if (this.#deliveries.length === 0) await this.#refill();
    else if (!this.#isExhausted && this.#deliveries.length < this.#limit() / 2) {
      // Ahead of need. If it fails, the call that finds the buffer empty tries again, and throws.
      this.#refill().catch(() => {});
    }
    while (this.#deliveries.length === 0 && this.#undecided.size > 0) await this.#nextDecision.promise;
    const delivery = this.#deliveries.shift() ?? null;
    if (delivery !== null) this.#undecided.add(delivery);
    return delivery;
  }

  /** Declares that a delivery will not be put back. */
  keep(delivery: ClaimedDelivery): void {
    if (!this.#undecided.delete(delivery)) return;
    this.#nextDecision.resolve();
    this.#nextDecision = Promise.withResolvers<void>();
  }

  /** Puts back a delivery that was not used. */
  putBack(delivery: ClaimedDelivery): void {
    this.#deliveries.unshift(delivery);
    this.keep(delivery);
  }

  /** Releases what was not handed out, so that other processes can claim it at once. @returns number of deliveries */
  async release(): Promise<number> {
    await this.#claiming?.catch(() => {});
    const unused = this.#deliveries;
    this.#deliveries = [];
    await releaseClaims(this.#store.db, unused);
    return unused.length;
  }

  #limit(): number {
    return this.#claimSize * this.#options.workers;
  }

  /** Claims once for all that wait. */
  #refill(): Promise<void> {
    this.#claiming ??= this.#claim().finally(() => {
      this.#claiming = null;
    });
    return this.#claiming;
  }

  async #claim(): Promise<void> {
    const { workers: _, clock, onClaimed, ...conditions } = this.#options;
    this.#adaptClaimSize(clock());
    const limit = this.#limit();
    for (let postponed = 0; ; ) {
      const options = { ...conditions, now: clock(), limit, leaseMs: CLAIM_LEASE };
      const result = await claimDeliveries(this.#store, options);
      onClaimed(result);
      this.#deliveries = [...this.#deliveries, ...result.deliveries].sort((a, b) => a.notBefore - b.notBefore);
      this.#isExhausted = result.deliveries.length < limit;
      if (result.deliveries.length > 0) return;
      // Expired and postponed deliveries may precede others that can be submitted.
      postponed += result.postponed;
      if (result.expired === 0 && (result.postponed === 0 || postponed >= MAX_POSTPONED)) return;
    }
  }

  #adaptClaimSize(now: number): void {
    const elapsed = now - this.#claimedAt;
    this.#claimedAt = now;
    if (elapsed > SLOW) this.#claimSize = Math.max(1, Math.floor(this.#claimSize / 2));
    else if (elapsed < FAST && !this.#isExhausted) this.#claimSize = Math.min(LARGEST_CLAIM, this.#claimSize * 2);
  }
}
