/**
 * Public pages, the same for everyone. A page is rendered once for all clients that want it at the same time, and is
 * kept for a second with its compressed forms.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ConcurrencyLimit } from '../../lib/concurrency/bounded-queue.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import type { Coding } from '../server/negotiate.ts';

const LIFETIME = SECOND;
/** Bytes of bodies without their compressed forms, all from one second; the least recently used go first. */
const CACHE_BYTES = 16 * 1024 * 1024;
/** Pages that are created at once. */
const MAX_CONCURRENT = 4;

/** A response without what depends on the client. */
export interface CreatedPage {
  status: number;
  headers: [name: string, value: string][];
  body: Buffer;
  /** Hash of the body, for its entity tags. */
  hash: string;
  codings: Partial<Record<Coding, Promise<Buffer>>>;
  createdAt: number;
}

/** A page that is being created, and the clients that wait for it. */
interface PageInProgress {
  page: Promise<CreatedPage | null>;
  clients: AbortSignal[];
}

/** The pages of one site by their address. */
export class PageCache {
  readonly #clock: Clock;
  readonly #pages = new LRUCache<string, CreatedPage>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ body }, key) => body.length + key.length + 1,
  });
  readonly #inProgress = new Map<string, PageInProgress>();
  readonly #limit = new ConcurrencyLimit(MAX_CONCURRENT);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Pages in memory. */
  get size(): number {
    return this.#pages.size;
  }

  /**
   * The page of that key.
   * @param client aborted when the client has left: nothing is created for clients that all have left
   * @returns null if all have left
   * @throws what `create` throws
   */
  find(key: string, client: AbortSignal, create: () => Promise<Response>): Promise<CreatedPage | null> {
    const cached = this.#pages.get(key);
    if (cached !== undefined && this.#isFresh(cached)) return Promise.resolve(cached);
    const current = this.#inProgress.get(key);
    if (current !== undefined) {
      current.clients.push(client);
      return current.page;
    }
    const clients = [client];
    const page = this.#limit
      .run(async () => (clients.every(({ aborted }) => aborted) ? null : this.#create(key, create)))
      .finally(() => this.#inProgress.delete(key));
    this.#inProgress.set(key, { page, clients });
    return page;
  }

  async #create(key: string, create: () => Promise<Response>): Promise<CreatedPage> {
    const createdAt = this.#clock();
    const response = await create();
    const body = Buffer.from(await response.arrayBuffer());
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    const page = { status: response.status, headers: [...response.headers], body, hash, codings: {}, createdAt };
    this.#deleteOld();
    // Strangers choose the addresses of pages that do not exist.
    if (response.status === 200) this.#pages.set(key, page);
    return page;
  }

  /** Otherwise pages that nobody gets any longer would fill the memory. */
  #deleteOld(): void {
    for (const [key, page] of this.#pages.entries()) if (!this.#isFresh(page)) this.#pages.delete(key);
  }

  /** Also where the clock has been set back. */
  #isFresh({ createdAt }: CreatedPage): boolean {
    const age = this.#clock() - createdAt;
    return age >= 0 && age < LIFETIME;
  }
}
