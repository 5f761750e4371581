/** The times of the sample, which are relative to the moment when it is loaded: `{{ -1d3h20m }}`. */
import { DAY, HOUR, MINUTE, rfc3339 } from '../../lib/time.ts';

/** Next to src/ in a checkout, and next to dist/ in the published package. */
export const SAMPLE = new URL('../../../sample/', import.meta.url);

const TIME = /\{\{ ([+-])(?=\d)(?:(\d{1,3})d)?(?:(\d{1,3})h)?(?:(\d{1,3})m)? \}\}/g;

/**
 * Replaces each `{{ -1d3h20m }}` of a text by an instant. Elapsed time: a zone's clock change shifts nothing.
 * @param now epoch milliseconds
 * @param format of an instant, epoch milliseconds; default: RFC 3339
 */
export function resolveTimes(text: string, now: number, format: (instant: number) => string = rfc3339): string {
  const minute = Math.floor(now / MINUTE) * MINUTE;
  return text.replace(TIME, (_, sign: string, days = 0, hours = 0, minutes = 0) => {
    const distance = Number(days) * DAY + Number(hours) * HOUR + Number(minutes) * MINUTE;
    return format(sign === '+' ? minute + distance : minute - distance);
  });
}
