/**
 * Derived feeds: built on request, cached until the feeds change, and limited, since strangers cause the work.
 */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { hasChangesSince } from '../../articles/pending-changes.ts';
import type { Config } from '../../config/config.ts';
import { compress } from '../../feeds/compress.ts';
import { deriveFeed } from '../../feeds/derived/derived.ts';
import { type DerivedAddress, parseDerivedAddress } from '../../feeds/derived/derived-address.ts';
import { openVersionReader, readFeedVersion } from '../../feeds/feed-version.ts';
import { topicAddress } from '../../feeds/topics.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import type { Db, Store } from '../../store/store.ts';
import { FeedCache, type LoadedDocument } from './feed-cache.ts';

/** Less than published documents have: strangers choose what is cached here. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** A publish follows a change sooner. If it does not, a feed newer than the published ones is better than none. */
const PUBLISH_WAIT = { forMs: 1_500, everyMs: 50 };

/**
 * Feeds by the canonical path of their address. `find` throws BuildRefused if the feed is not cached and the client, or
 * all clients together, asked for too many.
 */
export function openDerivedFeeds(store: Store, config: Config, clock: Clock): FeedCache {
  const { db } = store;
  const limiter = new BuildLimiter(clock);
  const load = async (path: string, client = 'unknown'): Promise<LoadedDocument | null> => {
    const [file = '', query] = path.split('?');
    const parsed = parseDerivedAddress(file, new URLSearchParams(query), config);
    if (parsed?.kind !== 'derived') return null;
    await waitForPublish(db, clock);
    return limiter.build(client, () => buildFeed(db, config, parsed.address, clock));
  };
  return new FeedCache({ version: openVersionReader(db), load }, CACHE_BYTES);
}

/** Waits for the publish of changed articles, so that all processes build a feed from the same articles. */
async function waitForPublish(db: Db, clock: Clock): Promise<void> {
  for (let waited = 0; waited < PUBLISH_WAIT.forMs; waited += PUBLISH_WAIT.everyMs) {
    const { modifiedAt } = await readFeedVersion(db);
    if (!(await hasChangesSince(db, modifiedAt, clock()))) return;
    await setTimeout(PUBLISH_WAIT.everyMs);
  }
}

async function buildFeed(
  db: Db,
  config: Config,
  address: DerivedAddress,
  clock: Clock,
): Promise<LoadedDocument | null> {
  const { modifiedAt } = await readFeedVersion(db);
  // As of the last publish, in every process. Articles that become public later in that second cause another one.
  const now = Math.min(clock(), modifiedAt + SECOND - 1);
  const draft = await deriveFeed(db, config, address, now);
  if (draft === null) return null;
  const { path, mediaType, body } = draft;
  const hash = createHash('sha256').update(body).digest('hex');
  const codings = await compress(Buffer.from(body));
  const link = `<${topicAddress(config, path)}>; rel="self"`;
  return { document: { path, mediaType, hash, modifiedAt, body, codings }, link };
}

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

/** An aggregator requests the feeds of all its users from one address, again with each change. */
const PER_CLIENT = { everyMs: SECOND / 5, burst: 300 };
const MAX_CONCURRENT = 2;
const MAX_WAITING = 100;
const MAX_CLIENTS = 10_000;

/** Limits builds in this process, which take tens of milliseconds of CPU each: per client (GCRA), and concurrently. */
export class BuildLimiter {
  readonly #clock: Clock;
  /** For each client, when its next build would be due at the steady rate. */
  readonly #nextAt = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Runs a build for that client when its turn comes.
   * @throws BuildRefused if the client asked for too many, or too many builds wait
   */
  async build<T>(client: string, run: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_CONCURRENT && this.#waiting.length >= MAX_WAITING) {
      throw new BuildRefused(503, 'Too many feeds are being built at the moment.', 5);
    }
    this.#admit(client);
    if (this.#running >= MAX_CONCURRENT) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await run();
    } finally {
      // In the order of the requests.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #admit(client: string): void {
    const now = this.#clock();
    const { everyMs, burst } = PER_CLIENT;
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
