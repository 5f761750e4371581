/** What an operator sees of the delivery queue, also as text. */
import { withCommands } from '../../core/actions.ts';
import type { AppContext } from '../../core/app-context.ts';
import { DELIVERY_HELD, readMeta } from '../../core/store/meta.ts';
import { count } from '../../lib/text/count.ts';
import { rfc3339 } from '../../lib/time.ts';
import { RELEASE_QUEUE } from '../alerts.ts';
import { readBackOff } from '../control/back-off.ts';
import { type HoldStatus, readHolds } from '../holds/control-holds.ts';
import { countSubmissions } from '../limits/daily-limit.ts';
import { type ExpiringEdition, expiringSentence, findExpiring } from '../monitor/expiring.ts';
import { countUncertain, findNextDue, listUncertain } from '../queue/queries.ts';

/** Instants in RFC 3339, UTC. */
export interface QueueStatus {
  /** Limits of messages, and how many of the last 24 hours count; null without any. */
  limits: { perSecond: number | null; perDay: number | null; lastDay: number } | null;
  /** Why nothing is submitted, or null. */
  held: string | null;
  /** The words of a server that accepts nothing; `nextProbe` may be past while nothing is due. */
  backOff: { reason: string; since: string; nextProbe: string } | null;
  /** Mailbox providers that wait for a decision. */
  providers: (HeldProvider & { since: string })[];
  /** When the next delivery is due; in the past where it waits for a process to deliver it. */
  nextDue: string | null;
  /** Editions with deliveries that `delivery.perDay` or `delivery.warmUp` lets expire. */
  expiring: ExpiringEdition[];
  /** Deliveries whose process or connection broke while they were submitting. */
  uncertainDeliveries: { newsletter: string; slot: string; email: string | null; since: string }[];
  /** Number of all of them; the list has the oldest. */
  uncertainCount: number;
}

type HeldProvider = Pick<HoldStatus, 'provider' | 'reason' | 'waiting' | 'bounced'>;

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
    providers: (await readHolds(store)).map(({ provider, reason, opened_at: since, waiting, bounced }) => {
      return { provider, reason, since: rfc3339(since), waiting, bounced };
    }),
    nextDue: nextDue === null ? null : rfc3339(nextDue),
    expiring: await findExpiring({ store, config }, now),
    uncertainDeliveries: (await listUncertain(store.reports, { now, limit: SHOWN })).map(
      ({ newsletter, slot, email, since }) => ({ newsletter, slot, email, since: rfc3339(since) }),
    ),
    uncertainCount: await countUncertain(store.reports, now),
  };
}

/** @param at when the status was read */
export function queueLines(queue: QueueStatus, at: string): string[] {
  const { held, backOff, providers, expiring, nextDue, uncertainDeliveries, uncertainCount } = queue;
  const lines = limitLines(queue);
  if (held !== null) lines.push(withCommands(`HELD, no message is submitted: ${held}`, [RELEASE_QUEUE]));
  if (backOff !== null) {
    const { reason, since, nextProbe } = backOff;
    lines.push(`delivery waits since ${since}, the server is tried again at ${nextProbe}: ${reason}`);
  }
  lines.push(...providers.map(formatHold), ...expiring.map(expiringSentence));
  if (nextDue !== null) lines.push(nextDue <= at ? `due since ${nextDue}` : `next due at ${nextDue}`);
  for (const { newsletter, slot, email, since } of uncertainDeliveries) {
    lines.push(`uncertain since ${since}: ${newsletter}/${slot} for ${email ?? 'a deleted subscriber'}`);
  }
  const more = uncertainCount - uncertainDeliveries.length;
  if (more > 0) lines.push(`and ${more} more that are uncertain`);
  if (uncertainDeliveries.length > 0) {
    lines.push(
      'settle one with "daywire editions settle EDITION ADDRESS --as submitted", or "--as retry"; all of an edition ' +
        'with --all instead of ADDRESS',
    );
  }
  return lines;
}

/** What waits for a mailbox provider, and why. */
function formatHold({ provider, reason, waiting, bounced }: HeldProvider): string {
  const people = bounced === 0 ? '' : `, and ${count(bounced, 'subscriber')} with a hard bounce`;
  const actions = ['try', 'release', 'suppress'].map((verb) => `"daywire queue ${verb} ${provider}"`).join(', ');
  return `${count(waiting, 'delivery', 'deliveries')} to ${provider} wait${people}: ${reason}; decide by ${actions}`;
}

function limitLines({ limits, nextDue }: QueueStatus): string[] {
  // Worth a line while something waits, or when the limit in 24 hours is near.
  if (limits === null) return [];
  const { perSecond, perDay, lastDay } = limits;
  if (nextDue === null && (perDay === null || lastDay < perDay / 2)) return [];
  const parts = [
    ...(perSecond === null ? [] : [`at most ${count(perSecond, 'message')} a second`]),
    ...(perDay === null ? [] : [`${lastDay} of ${perDay} in 24 hours`]),
  ];
  return [parts.join(', ')];
}
