/** Text output about the delivery queue. */
import { withCommands } from '../../core/actions.ts';
import { count } from '../../core/cli/text.ts';
import { RELEASE_QUEUE } from '../alerts.ts';
import type { QueueStatus } from './queue-status.ts';

/** @param at when the status was read */
export function queueLines(queue: QueueStatus, at: string): string[] {
  const { held, backOff, nextDue, uncertainDeliveries, uncertainCount } = queue;
  const lines = limitLines(queue);
  if (held !== null) lines.push(withCommands(`HELD, no message is submitted: ${held}`, [RELEASE_QUEUE]));
  if (backOff !== null) {
    const { reason, since, nextProbe } = backOff;
    lines.push(`delivery waits since ${since}, the server is tried again at ${nextProbe}: ${reason}`);
  }
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
