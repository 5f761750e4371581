/**
 * Keeps `delivery.perSecond` over all processes: each reserves the next instants in the database, for half a second at
 * a time, and hands them out one by one. Instants that passed while nothing could be submitted are lost, so that no
 * burst follows a stall.
 */
import { sql } from 'kysely';
import type { Store } from '../../core/store/store.ts';
import { Mutex } from '../../lib/concurrency/bounded-queue.ts';
import { type Clock, MINUTE, SECOND } from '../../lib/time.ts';

const KEY = 'delivery';
/** Reserved at a time, in milliseconds. */
const AHEAD = SECOND / 2;

export class Pacer {
  readonly #store: Pick<Store, 'db'>;
  readonly #clock: Clock;
  /** Milliseconds from one message to the next. */
  readonly #spacing: number;
  /** Reserved instants, by `performance.now()`: a wait does not become longer when the clock is set back. */
  #reserved: number[] = [];
  /** The earliest instant of the next message of this process. */
  #next = Number.NEGATIVE_INFINITY;
  readonly #taking = new Mutex();

  constructor(store: Pick<Store, 'db'>, perSecond: number, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#spacing = SECOND / perSecond;
  }

  /** The instant from which the next message may be submitted, by `performance.now()`. @throws if the store fails */
  async next(): Promise<number> {
    const release = await this.#taking.acquire();
    try {
      return await this.#take();
    } finally {
      release();
    }
  }

  async #take(): Promise<number> {
    while ((this.#reserved[0] ?? Number.POSITIVE_INFINITY) < performance.now() - AHEAD) this.#reserved.shift();
    if (this.#reserved.length === 0) await this.#reserve();
    const at = Math.max(this.#reserved.shift() as number, this.#next);
    this.#next = Math.max(at, performance.now()) + this.#spacing;
    return at;
  }

  async #reserve(): Promise<void> {
    const count = Math.max(1, Math.floor(AHEAD / this.#spacing));
    const now = this.#clock();
    const elapsed = performance.now() - now;
    const length = count * this.#spacing;
    // Later instants were reserved before the clock was set back.
    const latest = now + MINUTE + 10 * this.#spacing;
    const { rows } = await sql<{ next: number }>`
      insert into rate_limits (key, next_at, counted_at) values (${KEY}, ${double(now + length)}, 0)
      on conflict (key) do update set next_at = ${double(length)} + case
        when rate_limits.next_at between ${double(now)} and ${double(latest)} then rate_limits.next_at
        else ${double(now)} end
      returning next_at as next`.execute(this.#store.db);
    const from = (rows[0]?.next as number) - length + elapsed;
    this.#reserved = Array.from({ length: count }, (_, n) => from + n * this.#spacing);
  }
}

function double(value: number) {
  return sql<number>`cast(${value} as double precision)`;
}
