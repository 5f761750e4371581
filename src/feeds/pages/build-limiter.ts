/** Limits the documents that are built on request, since strangers cause the work. */
import { BoundedQueue } from '../../lib/concurrency/bounded-queue.ts';
import { type Clock, SECOND } from '../../lib/time.ts';

/** Why a feed is not built now. */
export class BuildRefused extends Error {
  override name = 'BuildRefused';
  /** Too Many Requests (RFC 6585 §4) for this client, or Service Unavailable for all. */
  readonly status: 429 | 503;
  /** Seconds. */
  readonly retryAfter: number;
  constructor(status: 429 | 503, message: string, retryAfter: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** How many documents are built for one client: so many at once, and then one in each interval. */
interface ClientLimit {
  everyMs: number;
  burst: number;
}

/** An aggregator requests the feeds of all its users from one address, again with each change. */
const FEEDS_OF_CLIENT: ClientLimit = { everyMs: SECOND / 5, burst: 300 };
const MAX_CONCURRENT = 2;
const MAX_WAITING = 100;
const MAX_CLIENTS = 10_000;

/** Limits builds in this process, which take tens of milliseconds of CPU each: per client (GCRA), and concurrently. */
export class BuildLimiter {
  readonly #clock: Clock;
  readonly #perClient: ClientLimit;
  /** For each client, when its next build would be due at the steady rate. */
  readonly #nextAt = new Map<string, number>();
  readonly #queue = new BoundedQueue({ running: MAX_CONCURRENT, admitted: MAX_CONCURRENT + MAX_WAITING, size: 0 });

  constructor(clock: Clock, perClient: ClientLimit = FEEDS_OF_CLIENT) {
    this.#clock = clock;
    this.#perClient = perClient;
  }

  /**
   * Runs a build for that client when its turn comes.
   * @throws BuildRefused if the client asked for too many, or too many builds wait
   */
  async build<T>(client: string, run: () => Promise<T>): Promise<T> {
    this.#admit(client);
    const building = this.#queue.run(0, run);
    if (building === null) throw new BuildRefused(503, 'Too many feeds are being built at the moment.', 5);
    return building;
  }

  #admit(client: string): void {
    const now = this.#clock();
    const { everyMs, burst } = this.#perClient;
    const last = this.#nextAt.get(client) ?? now;
    // An instant further ahead than the limit allows is from a clock that has been set back since.
    const next = last > now + everyMs * burst ? now : Math.max(last, now);
    const wait = next - now - everyMs * (burst - 1);
    if (wait > 0) {
      throw new BuildRefused(429, 'Too many feeds were built for your network.', Math.ceil(wait / SECOND));
    }
    if (this.#nextAt.size >= MAX_CLIENTS) {
      for (const [other, at] of this.#nextAt) if (at <= now) this.#nextAt.delete(other);
    }
    // Still full: new clients are then limited only by the number of concurrent builds.
    if (this.#nextAt.size < MAX_CLIENTS || this.#nextAt.has(client)) this.#nextAt.set(client, next + everyMs);
  }
}
