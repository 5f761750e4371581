/**
 * When readers get an edition that is delivered at a time of their own day.
 */
import { Temporal } from 'temporal-polyfill';
import { wallClock } from '../../lib/time.ts';

/**
 * The first instant, from `closedAt` on, at which a clock on the wall of `zone` shows that time. A time that the clock skips is moved
 * on by the gap; of one that it shows twice, the first counts, even where it is over and the second is yet to come (RFC 5545
 * §3.3.5, as Temporal's `compatible`).
 * @param deliverAt a time of day, such as `07:00`
 * @param zone IANA time zone
 * @param closedAt epoch milliseconds
 * @returns epoch milliseconds
 */
export function firstDeliveryTime(deliverAt: string, zone: string, closedAt: number): number {
  const plainTime = Temporal.PlainTime.from(deliverAt);
  const today = wallClock(closedAt, zone).toPlainDate();
  // From yesterday on: a skipped time may be moved across midnight. Until the day after tomorrow: tomorrow's may be moved too, and
  // Samoa has left out a whole day.
  const instants = [-1, 0, 1, 2].map(
    (days) => today.add({ days }).toZonedDateTime({ timeZone: zone, plainTime }).epochMilliseconds,
  );
  return Math.min(...instants.filter((instant) => instant >= closedAt));
}
