/**
 * The time zone that a subscriber named: newsletters may come at a local time.
 */
import type { Db } from '../store/store.ts';
import { isZone } from '../time.ts';
import { noteConsent, type Origin } from './consent-ledger.ts';

/** What is wrong with a zone that somebody typed, or null. */
export function zoneProblem(zone: string | null): string | null {
  // Intl knows offsets too, which have no summer time.
  if (zone === null || (isZone(zone) && !/^[+-]/.test(zone))) return null;
  return `${zone}: it must be an IANA time zone such as Asia/Shanghai`;
}

/**
 * Sets a locked subscriber's zone, and notes it where it is another one.
 * @param zone null stands for the publication's
 * @returns whether it is another one
 */
export async function changeZone(
  trx: Db,
  subscriber: { id: number; zone: string | null },
  zone: string | null,
  origin: Origin,
  now: number,
): Promise<boolean> {
  if (subscriber.zone === zone) return false;
  await trx.updateTable('subscribers').set({ zone }).where('id', '=', subscriber.id).execute();
  await noteConsent(trx, subscriber.id, [{ change: 'zone', detail: zone }], origin, now);
  return true;
}
