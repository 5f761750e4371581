/**
 * Rate limits of submissions: in total, per recipient domain, in 24 hours, and per day while the sender warms up. They
 * are stored in the database, so that all processes share them and a restart does not reset them.
 */
import { domainToASCII } from 'node:url';
import { Temporal } from 'temporal-polyfill';
import type { Config } from '../../core/config/config.ts';
import type { Tx } from '../../core/store/store.ts';
import { localDate, SECOND } from '../../lib/time.ts';
import { editionsPerDay } from './daily-limit.ts';
import { lockState, saveState } from './limiter-state.ts';
import { RESERVED_AHEAD, reserveInstant, type SubmissionLimits } from './reserve-instant.ts';

export interface DeliveryRateLimiter {
  /**
   * Reserves an instant for each row, in order. The spacing is never shorter than the limit: there are no bursts.
   * Unused reservations are lost.
   * @param tx other processes wait for its end, so it should be short
   * @param rows with the recipient's domain, in any spelling
   * @param now epoch milliseconds
   * @returns for each row an instant: reserved if it is at most `now + RESERVED_AHEAD`, otherwise when to ask again
   */
  reserve(tx: Tx, rows: readonly { domain: string }[], now: number): Promise<number[]>;
  /** Whether a domain, in any spelling, has a limit of its own. */
  hasOwnLimit(domain: string): boolean;
}

type RateLimiterConfig = Pick<Config, 'delivery' | 'publication'>;

/** @returns null if nothing is limited */
export function openRateLimiter(config: RateLimiterConfig): DeliveryRateLimiter | null {
  const { perSecond, perDay, domains, warmUp } = config.delivery;
  const isLimited = [perSecond, perDay, warmUp].some((one) => one !== undefined) || Object.keys(domains).length > 0;
  if (!isLimited) return null;
  const spacings = new Map(Object.entries(domains).map(([domain, limit]) => [domain, SECOND / limit.perSecond]));
  const limits: SubmissionLimits = {
    spacing: perSecond === undefined ? null : SECOND / perSecond,
    spacings,
    perDay: perDay === undefined ? null : editionsPerDay(perDay),
    allowanceOf: (day) => (warmUp === undefined ? null : allowance(warmUp, day)),
    zone: config.publication.zone,
  };
  return {
    async reserve(tx, rows, now) {
      const requested = rows.map(({ domain }) => domainToASCII(domain));
      const limited = [...new Set(requested)].filter((domain) => spacings.has(domain));
      const days = [now, now + RESERVED_AHEAD].map((at) => localDate(at, limits.zone));
      const limitedDays = [...new Set(days)].filter((day) => limits.allowanceOf(day) !== null);
      const isLimitedNow = limits.spacing !== null || limits.perDay !== null;
      if (!isLimitedNow && limited.length === 0 && limitedDays.length === 0) return rows.map(() => now);
      const state = await lockState(tx, limited, limitedDays, limits.perDay !== null, now);
      const before = structuredClone(state);
      const instants = requested.map((domain) => Math.ceil(reserveInstant(state, limits, domain, now)));
      await saveState(tx, before, state, now);
      return instants;
    },
    hasOwnLimit: (domain) => spacings.has(domainToASCII(domain)),
  };
}

function allowance({ from, perDay }: NonNullable<Config['delivery']['warmUp']>, day: string): number | null {
  const n = Temporal.PlainDate.from(from).until(day, { largestUnit: 'day' }).days;
  return n < 0 ? null : (perDay[n] ?? null);
}
