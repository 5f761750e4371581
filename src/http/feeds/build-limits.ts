/**
 * How much work strangers may cause by asking for feeds that are made on demand. A feed that lies on the shelf costs nothing and is
 * never refused; making one takes some tens of milliseconds of a processor. In memory, for it is this process's work that is limited.
 */
import { type Clock, SECOND } from '../../lib/time.ts';

/** Why a feed is not made now. */
export class BuildRefused extends Error {
  override name = 'BuildRefused';
  /** Of HTTP: Too Many Requests (RFC 6585 §4), or Service Unavailable. */
  readonly status: 429 | 503;
  /** Seconds. */
  readonly retryAfter: number;
  constructor(status: 429 | 503, message: string, retryAfter: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export interface BuildLimits {
  /**
   * Makes one for that client, as soon as there is a place.
   * @throws BuildRefused where the client has asked for too many, or too many wait
   */
  build<T>(client: string, make: () => Promise<T>): Promise<T>;
}

/** An aggregator asks for the feeds of all its readers from one address, again and again as they change. */
const PER_CLIENT = { everyMs: SECOND / 5, burst: 300 };
const AT_ONCE = 2;
const MOST_WAITING = 100;
const MOST_CLIENTS = 10_000;

export function openBuildLimits(clock: Clock): BuildLimits {
  /** When the next build of each client would come if they came evenly (GCRA). */
  const nextAt = new Map<string, number>();
  const waiting: (() => void)[] = [];
  let underWay = 0;

  const admit = (client: string): void => {
    const now = clock();
    const { everyMs, burst } = PER_CLIENT;
    const next = Math.max(nextAt.get(client) ?? now, now);
    const wait = next - now - everyMs * (burst - 1);
    if (wait > 0) {
      const message = 'Many feeds were put together for your network at once.';
      throw new BuildRefused(429, message, Math.ceil(wait / SECOND));
    }
    if (nextAt.size >= MOST_CLIENTS) for (const [one, at] of nextAt) if (at <= now) nextAt.delete(one);
    // Still full: strangers from everywhere. What each of them may do is then no longer what limits.
    if (nextAt.size < MOST_CLIENTS || nextAt.has(client)) nextAt.set(client, next + everyMs);
  };

  return {
    async build(client, make) {
      if (underWay >= AT_ONCE && waiting.length >= MOST_WAITING) {
        throw new BuildRefused(503, 'Many feeds are being put together at the moment.', 5);
      }
      admit(client);
      if (underWay >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
      else underWay++;
      try {
        return await make();
      } finally {
        // The place goes to who waits longest.
        const next = waiting.shift();
        if (next === undefined) underWay--;
        else next();
      }
    },
  };
}
