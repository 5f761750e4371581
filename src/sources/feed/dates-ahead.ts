/** Dates of a feed that are ahead of the clock: most often local times that are labelled as GMT. Pure. */
import { formatDuration, HOUR, MINUTE, wallClock } from '../../lib/time.ts';

/** Clocks differ by minutes. A date that is further ahead is wrong, most often by its zone. */
export const CLOCK_SKEW = 15 * MINUTE;

/** No zone is further east. */
const FURTHEST_EAST = 14 * HOUR;

/**
 * What an operator should know of dates that are ahead; null if none is.
 * @param zone where the feed is probably written, as an IANA zone; without it, the dates alone say how far east
 */
export function problemOfDatesAhead(dates: readonly number[], now: number, zone = 'UTC'): string | null {
  const ahead = dates.filter((at) => at > now + CLOCK_SKEW);
  if (ahead.length === 0) return null;
  const lead = ahead.reduce((most, at) => Math.max(most, at)) - now;
  const own = wallClock(now, zone).offsetNanoseconds / 1e6;
  // The newest item may be some hours old, and its date less ahead than the zone.
  const offset = lead <= own + CLOCK_SKEW ? own : Math.ceil((lead - CLOCK_SKEW) / HALF_HOUR) * HALF_HOUR;
  const [hours, minutes] = [Math.floor(offset / HOUR), (offset % HOUR) / MINUTE].map((n) => String(n).padStart(2, '0'));
  const why = offset > FURTHEST_EAST ? '' : `, probably local time of +${hours}${minutes} that is labelled as GMT`;
  const [items, they] = ahead.length === 1 ? ['1 item is', 'it counts'] : [`${ahead.length} items are`, 'they count'];
  return `${items} dated up to ${formatDuration(lead)} ahead${why}: ${they} as published when first seen`;
}

const HALF_HOUR = 30 * MINUTE;
