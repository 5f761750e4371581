/**
 * Months of the publication's calendar, by which archives are cut.
 */
import { wallClock } from '../../lib/time.ts';

export interface ArchiveMonth {
  /** `2026-10` */
  id: string;
  /** When the next one begins, epoch milliseconds. */
  until: number;
}

/** The month of an instant in `zone`. */
export function monthAt(instant: number, zone: string): ArchiveMonth {
  const month = wallClock(instant, zone).toPlainDate().toPlainYearMonth();
  const next = month.add({ months: 1 }).toPlainDate({ day: 1 });
  return { id: month.toString(), until: next.toZonedDateTime(zone).epochMilliseconds };
}
