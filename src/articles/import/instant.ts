/**
 * Instants as a newsroom writes them: with an offset (RFC 3339), or as the wall clock of its own zone shows them.
 */
import { Temporal } from 'temporal-polyfill';

const WRITTEN = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?([Zz]|[+-]\d\d:?\d\d)?$/;
// Feeds and emails write years in four digits (RFC 822 dates, RFC 3339).
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(9999, 11, 31);

/**
 * Reads `2026-11-24T07:30:00+08:00`, or `2026-11-24 07:30` in `zone`. A local time that the clock skips is taken as much later
 * as the clock skips; of one that it repeats, the first is meant.
 * @returns epoch milliseconds, or null where it is neither, or not between the years 1900 and 9999
 */
export function parseInstant(text: string, zone: string): number | null {
  const [, date, time, offset] = WRITTEN.exec(text) ?? [];
  if (date === undefined || time === undefined) return null;
  const written = `${date}T${time}`;
  try {
    const instant =
      offset === undefined
        ? Temporal.PlainDateTime.from(written).toZonedDateTime(zone).epochMilliseconds
        : Temporal.Instant.from(written + offset.toUpperCase()).epochMilliseconds;
    return instant >= EARLIEST && instant <= LATEST ? instant : null;
  } catch {
    return null;
  }
}
