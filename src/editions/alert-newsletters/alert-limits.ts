/** What an alert newsletter may send, and until when. */
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import { findRun, isOpenRun } from '../../core/schedule/run-ledger.ts';
import type { Db } from '../../core/store/store.ts';
import { formatDuration, localDay, MINUTE } from '../../lib/time.ts';
import { newsletterJobId } from '../slot.ts';

/** Why an edition must not close yet. */
export interface ClosingObstacle {
  /** The command that would remove it; null where none would. */
  remedy: 'unhold' | 'approve' | null;
  /** In one line, such as `held by Ada`. */
  reason: string;
}

/** Number of alerts that closed on the day of an instant, in the publication's zone. */
export async function countAlertEditionsOn(db: Db, newsletter: string, at: number, zone: string): Promise<number> {
  const { from, until } = localDay(at, zone);
  const { count } = await db
    .selectFrom('editions')
    .select((e) => e.fn.countAll<number | string>().as('count'))
    .where('newsletter', '=', newsletter)
    .where('revision', '=', 1)
    .where('closed_at', '>=', from)
    .where('closed_at', '<', until)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** An alert that was not approved in this time is no longer sent: news that has waited for longer is none. */
export const ALERT_LAPSE = 60 * MINUTE;
/** One that was sent may close a little later than it should, as when daywire is started again. */
const CLOSING_DELAY = 5 * MINUTE;

/**
 * Until when an alert may close: news that waited for longer is none. One that was sent in time may close.
 * @param closeAt when it closes, or null
 * @returns epoch milliseconds
 */
export function alertEditionDeadline(slotAt: number, closeAt: number | null): number {
  return Math.max(slotAt + ALERT_LAPSE, closeAt === null ? slotAt : closeAt + CLOSING_DELAY);
}

/**
 * Why an alert must not close at `now`; null if it may. Two processes cannot exceed the limit together: one of them
 * composes again, because the other one's edition is newer than the last one that it knew.
 */
export async function findAlertEditionObstacle(
  db: Db,
  { publication }: Pick<Config, 'publication'>,
  { id, maxPerDay }: NewsletterConfig,
  { slotAt, closeAt, now }: { slotAt: number; closeAt: number | null; now: number },
): Promise<ClosingObstacle | null> {
  const lapsed = `not sent within ${formatDuration(ALERT_LAPSE)}`;
  const run = await findRun(db, newsletterJobId(id), slotAt);
  const hasEnded = run !== null && !isOpenRun(run);
  if (hasEnded || now >= alertEditionDeadline(slotAt, closeAt)) return { remedy: null, reason: lapsed };
  const count = await countAlertEditionsOn(db, id, now, publication.zone);
  if (count < maxPerDay) return null;
  return { remedy: null, reason: `${id} has sent ${count} today, the maximum being ${maxPerDay} (maxPerDay)` };
}
