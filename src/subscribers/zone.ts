/**
 * The time zone that a subscriber named: newsletters may come at a local time.
 */

import { isZone } from '../lib/time.ts';
import type { Db } from '../store/store.ts';
import { noteConsent, type Origin } from './consent/consent-ledger.ts';

/** What is wrong with a zone that somebody typed, or null. */
export function zoneProblem(zone: string | null): string | null {
  if (zone === null || good.has(zone)) return null;
  // Intl knows offsets too, which have no summer time.
  if (/^[+-]/.test(zone) || !isZone(zone)) return `${zone}: it must be an IANA time zone such as Asia/Shanghai`;
  if (good.size < MOST_ZONES) good.add(zone);
  return null;
}

// Intl asks for 0.1 ms and for memory outside the heap that is long in coming back: an import of a million rows with zones took half
// of its time and 200 MB for it.
const good = new Set<string>();
// Intl takes them in whatever case, so there are more spellings than zones.
const MOST_ZONES = 1_000;

/**
 * Sets a locked subscriber's zone, and notes it where it is another one.
 * @param zone null stands for the publication's
 * @returns whether it is another one
 */
export async function changeZone(
  tx: Db,
  subscriber: { id: number; zone: string | null },
  zone: string | null,
  origin: Origin,
  now: number,
): Promise<boolean> {
  if (subscriber.zone === zone) return false;
  await tx.updateTable('subscribers').set({ zone }).where('id', '=', subscriber.id).execute();
  await noteConsent(tx, subscriber.id, [{ change: 'zone', detail: zone }], origin, now);
  return true;
}
