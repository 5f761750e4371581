/** The time zone of a subscriber, for newsletters that are delivered at local time. */
import { Temporal } from 'temporal-polyfill';
import type { Tx } from '../core/store/store.ts';
import { isZone } from '../lib/time.ts';
import { type ConsentChannel, recordConsent } from './consent/changes.ts';

/** Describes why a zone is invalid, or returns null. */
export function zoneProblem(zone: string | null): string | null {
  if (zone === null || validZones.has(zone)) return null;
  // Intl also accepts offsets, which have no daylight saving time.
  if (/^[+-]/.test(zone) || !isZone(zone)) return `${zone}: it must be an IANA time zone such as Asia/Shanghai`;
  if (validZones.size < MAX_CACHED_ZONES) validZones.add(zone);
  return null;
}

// Intl takes 0.1 ms, and memory outside the heap that is released late: for an import of a million rows with zones,
// half of the time and 200 MB.
const validZones = new Set<string>();
// Intl ignores case, so there are more spellings than zones.
const MAX_CACHED_ZONES = 1_000;

/**
 * Sets the zone of a locked subscriber, and records the change.
 * @param zone null for the publication's zone
 * @returns whether the zone changed
 */
export async function changeZone(
  tx: Tx,
  subscriber: { id: number; zone: string | null },
  zone: string | null,
  via: ConsentChannel,
  now: number,
): Promise<boolean> {
  if (subscriber.zone === zone) return false;
  await tx.updateTable('subscribers').set({ zone }).where('id', '=', subscriber.id).execute();
  await recordConsent(tx, subscriber.id, [{ change: 'zone', detail: zone }], via, now);
  return true;
}

/** The first instant of a day such as `2026-12-01` in a zone; null for another text. */
export function firstInstantOfDay(day: string, zone: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) return null;
  try {
    return Temporal.PlainDate.from(day, { overflow: 'reject' }).toZonedDateTime({ timeZone: zone }).epochMilliseconds;
  } catch {
    return null;
  }
}
