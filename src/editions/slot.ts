/** The slot of an edition: the scheduled instant, and the label that is a permanent part of the edition's URL. */
import { localDate, wallClock } from '../lib/time.ts';

export interface EditionSlot {
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  label: string;
  /** Epoch milliseconds. */
  slotAt: number;
}

/**
 * Labels a slot by the publication's wall clock.
 * @param zone the publication's IANA zone, even where the schedule has another: subscribers see one calendar
 * @param severalPerDay whether the newsletter's schedule has more than one slot on that local date
 */
export function editionSlot(slotAt: number, zone: string, severalPerDay: boolean): EditionSlot {
  const date = localDate(slotAt, zone);
  if (!severalPerDay) return { label: date, slotAt };
  const wall = wallClock(slotAt, zone);
  const time = `${wall.hour}`.padStart(2, '0') + `${wall.minute}`.padStart(2, '0');
  // When clocks go back, two instants share a wall-clock time: the later one gets a suffix.
  const first = wall.toPlainDateTime().toZonedDateTime(zone, { disambiguation: 'earlier' });
  const suffix = first.epochMilliseconds === wall.epochMilliseconds ? '' : '-again';
  return { label: `${date}-${time}${suffix}`, slotAt };
}

const PREFIX = 'newsletter:';

/** The id of a newsletter's job in the schedule. */
export function newsletterJobId(newsletter: string): string {
  return PREFIX + newsletter;
}

/** The newsletter that a job of the schedule is of, or null. */
export function newsletterOfJob(job: string): string | null {
  return job.startsWith(PREFIX) ? job.slice(PREFIX.length) : null;
}
