/**
 * Hands claimed deliveries to several workers one by one, and claims more before they run out. While deliveries to
 * other domains wait, no domain gets more workers than its share: if all in the buffer are for such domains, deliveries
 * to others are claimed. So the buffer has at most one claim for the queue, and one for each domain with a whole share.
 */
import { correctFutureInstants } from '../../core/store/future-instants.ts';
import type { Store } from '../../core/store/store.ts';
import { ClockWatch } from '../../lib/clock-watch.ts';
import { type Clock, MINUTE, SECOND } from '../../lib/time.ts';
import { type ClaimOptions, type ClaimResult, claimDeliveries, findClaimable, type QueuePosition } from './claim.ts';
import { DomainShares } from './domain-shares.ts';
import { type ClaimedDelivery, releaseClaims } from './outbox.ts';
import { recipientDomain } from './recipient-domain.ts';

// Deliveries per worker and claim. After a crash, claimed deliveries wait until their lease expires, so there are few
// for a slow server and more for a fast one. At most what it accepts in about a second: a larger buffer costs memory
// and gains nothing.
const FIRST_CLAIM = 10;
const LARGEST_CLAIM = 25;
const CLAIM_LEASE = 2 * MINUTE;
/** Used up faster than this, the next claim is larger; slower than that, smaller. */
const FAST = 2 * SECOND;
const SLOW = 20 * SECOND;
// Postponing writes each row, so it must not go through a whole edition before anything else is claimed.
const MAX_POSTPONED = 1_000;
// A search for deliveries to other domains reads the whole queue if there are none. Then it is repeated after a hundred
// times as long as it took, so it costs at most a hundredth of the time.
const SEARCH_PAUSE = 100;
const MIN_SEARCH_INTERVAL = SECOND;

type BufferOptions = Pick<ClaimOptions, 'uncertain' | 'rateLimiter' | 'editionId' | 'newsletters'> & {
  workers: number;
  clock: Clock;
  /** Whether deliveries may be claimed now. */
  mayClaim?: () => Promise<boolean>;
  /** Whether a single delivery is claimed at a time. */
  isProbing?: () => boolean;
  /** Chooses a delivery for a probe: from 0 up to but not including 1. Default: Math.random. */
  random?: () => number;
  /** Called with the result of each claim. */
  onClaimed(result: ClaimResult): void;
};

export interface BufferedDelivery extends ClaimedDelivery {
  domain: string;
  /** `notBefore` by `performance.now()`: a wait does not become longer when the clock is set back. */
  readyAt: number;
}

/** @typeParam Worker identifies a worker */
export class ClaimBuffer<Worker extends object = object> {
  readonly #store: Store;
  readonly #options: BufferOptions;
  /** By `readyAt`. */
  #deliveries: BufferedDelivery[] = [];
  #claimSize = FIRST_CLAIM;
  #claimedAt = Number.NEGATIVE_INFINITY;
  /** With the number of claimed deliveries. */
  #claiming: Promise<number> | null = null;
  /** Number of claims that have begun. */
  #claimsBegun = 0;
  /** For deliveries to other domains. */
  #searching: Promise<void> | null = null;
  /** Whether the last claim returned less than it asked for. */
  #isExhausted = false;
  /** Handed out, and neither kept nor put back: a worker without a connection puts its delivery back. */
  readonly #undecided = new Set<BufferedDelivery>();
  #nextDecision = Promise.withResolvers<void>();
  readonly #shares: DomainShares<Worker>;
  /** Handed out, and neither finished nor put back. */
  readonly #inProgress = new Map<BufferedDelivery, Worker>();
  readonly #clockWatch: ClockWatch;
  /** By `performance.now()`: before, no search for deliveries to other domains. */
  #nextSearchAt = Number.NEGATIVE_INFINITY;
  /** Where the last search found deliveries: those before are for domains that had to wait. */
  #foundAt: QueuePosition | null = null;

  constructor(store: Store, options: BufferOptions) {
    this.#store = store;
    this.#options = options;
    this.#shares = new DomainShares(options.workers);
    this.#clockWatch = new ClockWatch(options.clock);
  }

  /** The next delivery; null if nothing is due and nothing can be put back. @throws if the store fails */
  async next(worker: Worker): Promise<BufferedDelivery | null> {
    if (this.#deliveries.length > 0 && !this.#isExhausted && this.#deliveries.length < this.#limit() / 2) {
      // Ahead of need. If it fails, the call that finds the buffer empty tries again, and throws.
      this.#refill().catch(() => {});
    }
    const begunBefore = this.#claimsBegun;
    for (;;) {
      const next = this.#take(worker);
      if (next !== null) return this.#handOut(next, worker);
      if (this.#deliveries.length > 0) {
        // Nothing else waits: the domain may have more than its share.
        if (!(await this.#findOthers())) return this.#handOut(this.#deliveries.shift(), worker);
      } else if ((await this.#refill()) === 0 && this.#deliveries.length === 0) {
        // That claim may have looked before the delivery was due again for which the worker calls.
        if (this.#claimsBegun === begunBefore) continue;
        if (this.#undecided.size === 0) return null;
        await this.#nextDecision.promise;
      }
    }
  }

  #take(worker: Worker): BufferedDelivery | null {
    const index = this.#shares.choose(worker, this.#deliveries);
    return index < 0 ? null : (this.#deliveries.splice(index, 1)[0] ?? null);
  }

  #handOut(delivery: BufferedDelivery | undefined, worker: Worker): BufferedDelivery | null {
    if (delivery === undefined) return null;
    this.#undecided.add(delivery);
    this.#inProgress.set(delivery, worker);
    this.#shares.begin(worker, delivery.domain);
    return delivery;
  }

  /** Declares that a delivery will not be put back. Call `finish` when its submission has ended. */
  keep(delivery: BufferedDelivery): void {
    if (!this.#undecided.delete(delivery)) return;
    this.#nextDecision.resolve();
    this.#nextDecision = Promise.withResolvers<void>();
  }

  /** Declares that a worker is not busy with a delivery any more. */
  finish(delivery: BufferedDelivery): void {
    const worker = this.#inProgress.get(delivery);
    if (worker === undefined) return;
    this.#inProgress.delete(delivery);
    this.#shares.end(worker, delivery.domain);
  }

  /** Puts back a delivery that was not used. */
  putBack(delivery: BufferedDelivery): void {
    this.#deliveries.unshift(delivery);
    this.finish(delivery);
    this.keep(delivery);
  }

  /** Releases what was not handed out, so that other processes can claim it at once. @returns number of deliveries */
  async release(): Promise<number> {
    await Promise.allSettled([this.#claiming, this.#searching]);
    const unused = this.#deliveries;
    this.#deliveries = [];
    await releaseClaims(this.#store.db, unused);
    return unused.length;
  }

  #limit(): number {
    return this.#options.isProbing?.() ? 1 : this.#claimSize * this.#options.workers;
  }

  /** Claims once for all that wait, also during a search, which may take seconds. @returns number of deliveries */
  #refill(): Promise<number> {
    if (this.#claiming === null) {
      this.#claimsBegun += 1;
      this.#claiming = this.#claim().finally(() => {
        this.#claiming = null;
      });
    }
    return this.#claiming;
  }

  async #claim(): Promise<number> {
    if ((await this.#options.mayClaim?.()) === false) return 0;
    this.#adaptClaimSize(performance.now());
    const limit = this.#limit();
    const { length } = await this.#claimBatch({ limit });
    this.#isExhausted = length < limit;
    return length;
  }

  /**
   * Claims deliveries, if there are any. Those that wait for a paused domain or for a domain's limit do not hide others
   * behind them.
   */
  async #claimBatch(which: Pick<ClaimOptions, 'limit' | 'exceptDomains' | 'from'>): Promise<BufferedDelivery[]> {
    const {
      workers: _,
      mayClaim: __,
      isProbing: ___,
      random = Math.random,
      clock,
      onClaimed,
      ...conditions
    } = this.#options;
    if (this.#clockWatch.setBackBy() > 0) await correctFutureInstants(this.#store.db, clock(), 0);
    let current = which;
    const waitingDomains = new Set<string>();
    for (let postponed = 0; ; ) {
      const now = clock();
      const elapsed = performance.now() - now;
      const probeFrom = this.#options.isProbing?.() ? random() : undefined;
      const options = { ...conditions, ...current, now, leaseMs: CLAIM_LEASE, probeFrom };
      const result = await claimDeliveries(this.#store, options);
      onClaimed(result);
      const claimed = result.deliveries.map((delivery) => ({
        ...delivery,
        domain: recipientDomain(delivery.email),
        readyAt: delivery.notBefore + elapsed,
      }));
      this.#deliveries = [...this.#deliveries, ...claimed].sort((a, b) => a.readyAt - b.readyAt);
      if (claimed.length > 0) return claimed;
      // Expired and postponed deliveries may precede others that can be submitted.
      postponed += result.postponed;
      for (const domain of result.waitingDomains) waitingDomains.add(domain);
      if (result.expired > 0) continue;
      if (result.postponed === 0 || (result.isOverTotal && postponed >= MAX_POSTPONED)) return [];
      if (postponed < MAX_POSTPONED) continue;
      const exceptDomains = [...new Set([...(which.exceptDomains ?? []), ...waitingDomains])];
      const from = await this.#findBehind(exceptDomains);
      if (from === null) return [];
      current = { ...which, exceptDomains, from };
    }
  }

  /**
   * Claims deliveries to domains that do not have their whole share. To be called while the buffer has none.
   * @returns whether to look again into the buffer
   */
  async #findOthers(): Promise<boolean> {
    if (this.#claiming !== null) {
      await this.#claiming;
      return true;
    }
    if (this.#searching === null) {
      if (this.#options.isProbing?.() || performance.now() < this.#nextSearchAt) return false;
      this.#searching = this.#search().finally(() => {
        this.#searching = null;
      });
    }
    await this.#searching;
    return true;
  }

  async #search(): Promise<void> {
    const begin = performance.now();
    const exceptDomains = this.#shares.full();
    const from = await this.#findBehind(exceptDomains);
    const found = from === null ? [] : await this.#claimBatch({ limit: this.#limit(), exceptDomains, from });
    if (found.some(({ domain }) => !exceptDomains.includes(domain))) return;
    const end = performance.now();
    this.#nextSearchAt = end + Math.max(MIN_SEARCH_INTERVAL, (end - begin) * SEARCH_PAUSE);
  }

  /** Finds a delivery to other domains: the first, unless there is one behind that of the last search. */
  async #findBehind(exceptDomains: string[]): Promise<QueuePosition | null> {
    const from = this.#foundAt === null ? null : await this.#find(exceptDomains, this.#foundAt);
    this.#foundAt = from ?? (await this.#find(exceptDomains, null));
    return this.#foundAt;
  }

  /** Finds the first delivery to other domains. It only reads, so nobody waits for its end. */
  #find(exceptDomains: string[], from: QueuePosition | null): Promise<QueuePosition | null> {
    const { clock, editionId, newsletters, uncertain } = this.#options;
    return findClaimable(this.#store.reports, { now: clock(), editionId, newsletters, uncertain, exceptDomains, from });
  }

  #adaptClaimSize(now: number): void {
    const elapsed = now - this.#claimedAt;
    this.#claimedAt = now;
    if (elapsed > SLOW) this.#claimSize = Math.max(1, Math.floor(this.#claimSize / 2));
    else if (elapsed < FAST && !this.#isExhausted) this.#claimSize = Math.min(LARGEST_CLAIM, this.#claimSize * 2);
  }
}
