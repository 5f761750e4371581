/** What an operator sees of the delivery queue. */
import type { AppContext } from '../../core/app-context.ts';
import { DELIVERY_HELD, readMeta } from '../../core/store/meta.ts';
import { rfc3339 } from '../../lib/time.ts';
import { readBackOff } from '../control/back-off.ts';
import { countSubmissions } from '../limits/daily-limit.ts';
import { countUncertain, findNextDue, listUncertain } from '../queue/queries.ts';

/** Instants in RFC 3339, UTC. */
export interface QueueStatus {
  /** Limits of messages, and how many of the last 24 hours count; null without any. */
  limits: { perSecond: number | null; perDay: number | null; lastDay: number } | null;
  /** Why nothing is submitted, or null. */
  held: string | null;
  /** The words of a server that accepts nothing; `nextProbe` may be past while nothing is due. */
  backOff: { reason: string; since: string; nextProbe: string } | null;
  /** When the next delivery is due; in the past where it waits for a process to deliver it. */
  nextDue: string | null;
  /** Deliveries whose process or connection broke while they were submitting. */
  uncertainDeliveries: { newsletter: string; slot: string; email: string | null; since: string }[];
  /** Number of all of them; the list has the oldest. */
  uncertainCount: number;
}

/** Entries of each list. */
const SHOWN = 20;

export async function readQueueStatus({ store, config }: AppContext, now: number): Promise<QueueStatus> {
  const nextDue = await findNextDue(store.reports);
  const backOff = await readBackOff(store.db);
  const { perSecond = null, perDay = null } = config.delivery;
  const isLimited = perSecond !== null || perDay !== null;
  return {
    limits: isLimited ? { perSecond, perDay, lastDay: await countSubmissions(store.db, now) } : null,
    held: (await readMeta(store.db, DELIVERY_HELD)) ?? null,
    backOff: backOff && {
      reason: backOff.reason,
      since: rfc3339(backOff.since),
      nextProbe: rfc3339(backOff.retry_at),
    },
    nextDue: nextDue === null ? null : rfc3339(nextDue),
    uncertainDeliveries: (await listUncertain(store.reports, { now, limit: SHOWN })).map(
      ({ newsletter, slot, email, since }) => ({ newsletter, slot, email, since: rfc3339(since) }),
    ),
    uncertainCount: await countUncertain(store.reports, now),
  };
}
