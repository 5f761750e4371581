/**
 * The slot of an edition: the instant its schedule names, and the label that stands in its address for good.
 */
import { localDate, wallClock } from '../lib/time.ts';

export interface EditionSlot {
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  label: string;
  /** Epoch milliseconds. */
  slotAt: number;
}

/**
 * Names the slot by the wall clock of the publication.
 * @param zone the publication's IANA zone, whatever the zone of the schedule: readers know one calendar
 * @param severalADay whether the newsletter's schedule has more than one slot on that local date
 */
export function editionSlot(slotAt: number, zone: string, severalADay: boolean): EditionSlot {
  const date = localDate(slotAt, zone);
  if (!severalADay) return { label: date, slotAt };
  const wall = wallClock(slotAt, zone);
  const time = `${wall.hour}`.padStart(2, '0') + `${wall.minute}`.padStart(2, '0');
  // The hour that the clock repeats in autumn has two instants of one name: the later one is told apart.
  const first = wall.toPlainDateTime().toZonedDateTime(zone, { disambiguation: 'earlier' });
  const again = first.epochMilliseconds === wall.epochMilliseconds ? '' : '-again';
  return { label: `${date}-${time}${again}`, slotAt };
}
