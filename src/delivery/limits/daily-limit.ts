/**
 * The limits of messages in 24 hours (`delivery.perDay`), and of editions per day while the sender warms up. Messages
 * are counted by quarters of an hour. As mail providers count, any 24 hours matter, and a quarter counts until its
 * last message is 24 hours old: so the limit is never exceeded. A day of the warm-up begins with a quarter in each
 * time zone.
 */
import { sql } from 'kysely';
import { Temporal } from 'temporal-polyfill';
import type { Config } from '../../core/config/config.ts';
import type { Db, Tx } from '../../core/store/store.ts';
import { DAY, localDate, MINUTE } from '../../lib/time.ts';

const QUARTER = 15 * MINUTE;
const LOCK = 'delivery per day';

export type LimitConfig = { delivery: Pick<Config['delivery'], 'perDay' | 'warmUp'>; publication: { zone: string } };

export class DailyLimit {
  readonly #config: LimitConfig;

  private constructor(config: LimitConfig) {
    this.#config = config;
  }

  /** @returns null if nothing is limited */
  static open(config: LimitConfig): DailyLimit | null {
    const { perDay, warmUp } = config.delivery;
    return perDay === undefined && warmUp === undefined ? null : new DailyLimit(config);
  }

  /** How many messages of editions may still be submitted now. */
  async left(db: Db, now: number): Promise<number> {
    const { delivery, publication } = this.#config;
    const { perDay, warmUp } = delivery;
    const today = localDate(now, publication.zone);
    const allowed = warmUp === undefined ? null : warmUpLimit(warmUp, today);
    const ofDay = perDay === undefined ? Number.POSITIVE_INFINITY : editionsPerDay(perDay);
    const left = ofDay - (await countSubmissions(db, now));
    if (allowed === null) return Math.max(0, left);
    return Math.max(
      0,
      Math.min(left, allowed - (await countEditionsSince(db, midnightOf(today, publication.zone), now))),
    );
  }

  /** Takes places for messages that are about to be submitted. @returns how many, at most `wanted` */
  async take(tx: Tx, wanted: number, now: number): Promise<number> {
    // Waits for other processes that do the same.
    await sql`insert into rate_limits (key, next_at, counted_at) values (${LOCK}, 0, 0)
      on conflict (key) do update set next_at = 0`.execute(tx);
    const taken = Math.min(wanted, await this.left(tx, now));
    if (taken > 0) await this.add(tx, taken, now);
    return taken;
  }

  /** Counts messages; a negative number for those that were not submitted after all. */
  async add(db: Db, count: number, now: number): Promise<void> {
    const row = { quarter: Math.floor(now / QUARTER) * QUARTER, count };
    await db
      .insertInto('submission_counts')
      .values(row)
      .onConflict((conflict) =>
        conflict.column('quarter').doUpdateSet((e) => ({ count: e('submission_counts.count', '+', count) })),
      )
      .execute();
    // Those of a day after now were counted before the clock was set back.
    await db
      .deleteFrom('submission_counts')
      .where((e) => e.or([e('quarter', '<=', now - QUARTER - DAY), e('quarter', '>', now + DAY)]))
      .execute();
  }
}

/** Number of messages that count towards the limit in 24 hours. */
export function countSubmissions(db: Db, now: number): Promise<number> {
  return countSince(db, now - QUARTER - DAY + 1, now);
}

/**
 * How many messages of editions are allowed in 24 hours. The rest, 2 %, is for service messages: someone who confirms a
 * subscription does not wait for an edition that used up the limit.
 */
export function editionsPerDay(perDay: number): number {
  return Math.max(1, Math.floor(perDay * 0.98));
}

async function countSince(db: Db, from: number, now: number): Promise<number> {
  const { count } = await db
    .selectFrom('submission_counts')
    .select(sql<number>`cast(coalesce(sum(count), 0) as bigint)`.as('count'))
    .where('quarter', '>=', from)
    .where('quarter', '<=', now + DAY)
    .executeTakeFirstOrThrow();
  return count;
}

/** Number of messages of editions since a midnight: service messages do not count towards the warm-up. */
export async function countEditionsSince(db: Db, midnight: number, now: number): Promise<number> {
  const { service } = await db
    .selectFrom('service_messages')
    .select((e) => e.fn.countAll<number>().as('service'))
    .where('state', '=', 'submitted')
    .where('changed_at', '>=', midnight)
    .executeTakeFirstOrThrow();
  return Math.max(0, (await countSince(db, midnight, now)) - service);
}

/** @param day such as 2026-11-24 */
export function midnightOf(day: string, zone: string): number {
  return Temporal.PlainDate.from(day).toZonedDateTime(zone).epochMilliseconds;
}

/** @returns null on a day without a limit */
export function warmUpLimit({ from, perDay }: NonNullable<Config['delivery']['warmUp']>, day: string): number | null {
  const n = Temporal.PlainDate.from(from).until(day, { largestUnit: 'day' }).days;
  return n < 0 ? null : (perDay[n] ?? null);
}
