/**
 * How the schedule speaks of instants and errors in reasons and alerts.
 */
import { HOUR, MINUTE, SECOND, wallClock } from '../lib/time.ts';

const LONGEST_REASON = 1_000;

/** `2026-11-24 07:30` on the zone's wall clock. */
export function slotName(slotAt: number, zone: string): string {
  return wallClock(slotAt, zone).toPlainDateTime().toString({ smallestUnit: 'minute' }).replace('T', ' ');
}

/** `26 h 5 min`, `12 min`, `40 s`; rounded down. */
export function duration(milliseconds: number): string {
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
  const hours = Math.floor(milliseconds / HOUR);
  const minutes = Math.floor((milliseconds % HOUR) / MINUTE);
  return [hours > 0 ? `${hours} h` : '', minutes > 0 ? `${minutes} min` : ''].filter(Boolean).join(' ');
}

/** What was thrown, as one line that both databases can hold. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  // PostgreSQL refuses U+0000 and lone surrogates.
  const line = message
    .toWellFormed()
    .replace(/[\u0000-\u0020\u007f]+/g, ' ')
    .trim();
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON).toWellFormed()}…` : line || 'no reason given';
}
