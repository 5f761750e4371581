/**
 * Hands claimed messages to several workers one by one, and claims more before they run out: service messages first,
 * since somebody waits for them, then deliveries.
 */
import type { Store } from '../../core/store/store.ts';
import { type Clock, MINUTE, SECOND } from '../../lib/time.ts';
import { type ClaimOptions, type ClaimResult, claimDeliveries } from './claim.ts';
import { type ClaimedDelivery, releaseClaims } from './outbox.ts';
import { type ClaimedServiceMessage, claimServiceMessages, releaseServiceMessages } from './service-outbox.ts';

// Deliveries per worker and claim. After a crash, claimed deliveries wait until their lease expires, so there are few
// for a slow server and more for a fast one. At most what it accepts in about a second: a larger buffer costs memory
// and gains nothing.
const FIRST_CLAIM = 10;
const LARGEST_CLAIM = 25;
const CLAIM_LEASE = 2 * MINUTE;
/** Used up faster than this, the next claim is larger; slower than that, smaller. */
const FAST = 2 * SECOND;
const SLOW = 20 * SECOND;
const SERVICE_CLAIM = 10;
// Nobody who waits for a confirmation notices half a second; a query before each delivery would slow editions down.
const SERVICE_INTERVAL = 500;

export type ClaimedMessage =
  | { kind: 'edition'; claim: ClaimedDelivery }
  | { kind: 'service'; claim: ClaimedServiceMessage };

type BufferOptions = Pick<ClaimOptions, 'uncertain' | 'dailyLimit' | 'editionId' | 'newsletters'> & {
  workers: number;
  clock: Clock;
  /** Whether anything may be claimed now. */
  mayClaim: () => Promise<boolean>;
  /** Called with the result of each claim of deliveries. */
  onClaimed(result: ClaimResult): void;
  /** Called with the number of service messages that have expired. */
  onServiceExpired(count: number): void;
};

export class ClaimBuffer {
  readonly #store: Store;
  readonly #options: BufferOptions;
  #deliveries: ClaimedDelivery[] = [];
  #serviceMessages: ClaimedServiceMessage[] = [];
  /** When the places of what is buffered were taken: the last two claims. */
  #takenAt: number[] = [];
  #claimSize = FIRST_CLAIM;
  #claimedAt = Number.NEGATIVE_INFINITY;
  #claiming: Promise<void> | null = null;
  /** Number of claims that have begun. */
  #claimsBegun = 0;
  /** Whether the last claim returned less than it asked for. */
  #isExhausted = false;
  /** By `performance.now()`. */
  #nextServiceAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store, options: BufferOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** The next message; null if nothing is due. @throws if the store fails */
  async next(): Promise<ClaimedMessage | null> {
    const isService = this.#options.editionId === undefined && performance.now() >= this.#nextServiceAt;
    if (isService && this.#serviceMessages.length === 0) await this.#claimServiceMessages();
    const message = this.#serviceMessages.shift();
    if (message !== undefined) return { kind: 'service', claim: message };
    if (this.#deliveries.length > 0 && !this.#isExhausted && this.#deliveries.length < this.#limit() / 2) {
      // Ahead of need. If it fails, the call that finds the buffer empty tries again, and throws.
      this.#claim().catch(() => {});
    }
    // A claim that had begun before may have looked before the delivery was due again for which the worker calls.
    const begunBefore = this.#claimsBegun;
    while (this.#deliveries.length === 0) {
      await this.#claim();
      if (this.#deliveries.length === 0 && this.#claimsBegun > begunBefore) return null;
    }
    return { kind: 'edition', claim: this.#deliveries.shift() as ClaimedDelivery };
  }

  /** Puts back a message that was not used. */
  putBack(message: ClaimedMessage): void {
    if (message.kind === 'edition') this.#deliveries.unshift(message.claim);
    else this.#serviceMessages.unshift(message.claim);
  }

  /** Releases what was not handed out, so that other processes can claim it at once. */
  async release(): Promise<void> {
    await this.#claiming?.catch(() => {});
    const deliveries = this.#deliveries.splice(0);
    await releaseClaims(this.#store.db, deliveries);
    await releaseServiceMessages(this.#store.db, this.#serviceMessages.splice(0));
    const { dailyLimit, clock } = this.#options;
    // In the quarter of their claim, or an earlier one: else the limit would be exceeded when that ends.
    if (deliveries.length > 0) await dailyLimit?.add(this.#store.db, -deliveries.length, this.#takenAt[0] ?? clock());
  }

  #limit(): number {
    return this.#claimSize * this.#options.workers;
  }

  /** Claims once for all that wait. */
  #claim(): Promise<void> {
    if (this.#claiming === null) {
      this.#claimsBegun += 1;
      this.#claiming = this.#claimDeliveries().finally(() => {
        this.#claiming = null;
      });
    }
    return this.#claiming;
  }

  async #claimDeliveries(): Promise<void> {
    const { workers: _, mayClaim, clock, onClaimed, onServiceExpired: __, ...conditions } = this.#options;
    if (!(await mayClaim())) return;
    this.#adaptClaimSize(performance.now());
    const limit = this.#limit();
    for (;;) {
      const now = clock();
      const result = await claimDeliveries(this.#store, { ...conditions, now, limit, leaseMs: CLAIM_LEASE });
      onClaimed(result);
      if (result.deliveries.length > 0) this.#takenAt = [...this.#takenAt.slice(-1), now];
      this.#deliveries.push(...result.deliveries);
      this.#isExhausted = result.deliveries.length < limit;
      // Deliveries that expired or wait may precede others.
      if (result.deliveries.length > 0 || result.expired + result.putOff === 0) return;
    }
  }

  async #claimServiceMessages(): Promise<void> {
    const { clock, mayClaim, onServiceExpired } = this.#options;
    this.#nextServiceAt = performance.now() + SERVICE_INTERVAL;
    if (!(await mayClaim())) return;
    const options = { now: clock(), limit: SERVICE_CLAIM, leaseMs: CLAIM_LEASE };
    const { messages, expired } = await claimServiceMessages(this.#store, options);
    this.#serviceMessages.push(...messages);
    // There may be more.
    if (messages.length > 0) this.#nextServiceAt = Number.NEGATIVE_INFINITY;
    if (expired > 0) onServiceExpired(expired);
  }

  #adaptClaimSize(now: number): void {
    const elapsed = now - this.#claimedAt;
    this.#claimedAt = now;
    if (elapsed > SLOW) this.#claimSize = Math.max(1, Math.floor(this.#claimSize / 2));
    else if (elapsed < FAST && !this.#isExhausted) this.#claimSize = Math.min(LARGEST_CLAIM, this.#claimSize * 2);
  }
}
