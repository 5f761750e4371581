/**
 * The status as text, on one screen: alerts first, then a few lines of each list that grows by the day.
 */

import { count, counts, displayPath, withLocalTimes } from '../../core/cli/text.ts';
import { formatEdition } from '../../delivery/cli/format-editions.ts';
import { formatReaderSummary } from '../../feeds/cli/format-feeds.ts';
import { formatSource } from '../../sources/cli/format-sources.ts';
import type { QueueStatus, Status } from '../status.ts';

const LINES_SHOWN = 6;

export function formatStatus(status: Status): string {
  const blocks: [title: string, lines: string[]][] = [
    [
      'alerts',
      status.alerts.map(
        (alert) => `${alert.key} (${count(alert.count, 'time')} since ${alert.first}): ${alert.message}`,
      ),
    ],
    ['processes', processLines(status)],
    ['articles', articleLines(status)],
    ['sources', status.sources.map(formatSource)],
    ['feeds', [...documentLines(status), ...archiveLines(status), ...formatReaderSummary(status.readers)]],
    ['subscribers', subscriberLines(status)],
    ['hub', hubLines(status)],
    ['schedule', status.schedules.map(scheduleLine)],
    ['editions', firstOf(status.editions.map(formatEdition))],
    ['passed over', firstOf(status.editions.flatMap(passedOverLine))],
    ['delivery', queueLines(status.queue, status.at)],
    ['runs', firstOf(status.runs.map(runLine))],
    [
      'failed deliveries',
      firstOf(status.failedDeliveries.map((one) => `${one.newsletter} ${one.slot} ${one.email}: ${one.reason}`)),
    ],
    ['pictures on other servers', pictureLines(status)],
    [
      'rejected',
      firstOf(
        status.rejected.first.map((entry) => `${entry.stage}: ${entry.problems.join('; ')}`),
        status.rejected.count,
        'daywire rejected list',
      ),
    ],
  ];
  const text = [
    `${status.publication}, ${status.at}, ${status.zone}, ${displayPath(status.store)}`,
    ...blocks
      .filter(([, lines]) => lines.length > 0)
      .map(([title, lines]) => `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`),
  ].join('\n');
  return withLocalTimes(text, status.zone);
}

function processLines({ processes }: Status): string[] {
  const lines = processes.map(({ host, pid, roles, version, started, seen, running }) => {
    const what = `${host}, process ${pid}: ${roles.join(', ')}, version ${version}`;
    return running ? `${what}, since ${started}` : `${what}: not seen since ${seen}`;
  });
  return processes.some(({ running }) => running) ? lines : ['no daywire is running', ...lines];
}

/** @param at when the status was read */
export function queueLines(queue: QueueStatus, at: string): string[] {
  const { held, backOffs, nextDue, uncertainDeliveries, uncertainCount } = queue;
  const lines = limitLines(queue);
  if (held !== null) lines.push(`HELD, no message is submitted: ${held}`);
  for (const { scope, reason, since, nextProbe } of backOffs) {
    const what = scope === 'server' ? 'delivery waits' : 'service messages wait';
    lines.push(`${what} since ${since}, the server is tried again at ${nextProbe}: ${reason}`);
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

/** The first lines, and how many more there are. @param total of all entries, listed or not */
function firstOf(lines: string[], total = lines.length, command = 'daywire status --json'): string[] {
  const shown = lines.slice(0, LINES_SHOWN);
  return total === shown.length ? shown : [...shown, `and ${total - shown.length} more: "${command}"`];
}

/** One line, or none where all counts are zero. */
function countsLine(name: string, record: Record<string, number>): string[] {
  const text = counts(record);
  return text === '' ? [] : [`${name}: ${text}`];
}

function articleLines({ articles, pendingChanges }: Status): string[] {
  const pending = pendingChanges > 0 ? [`${count(pendingChanges, 'change')} not yet published`] : [];
  return [counts(articles) || 'none', ...pending];
}

function documentLines({ feeds }: Status): string[] {
  if (feeds.length === 0) return [];
  const bytes = feeds.reduce((sum, feed) => sum + feed.bytes, 0);
  const times = feeds.map((feed) => feed.modified).sort();
  return [`${count(feeds.length, 'document')}, ${bytes} bytes, changed from ${times[0]} to ${times.at(-1)}`];
}

function archiveLines({ archives }: Status): string[] {
  if (archives.length === 0) return [];
  const pages = archives.reduce((sum, one) => sum + one.pages, 0);
  const unarchived = archives.reduce((sum, one) => sum + one.unarchived, 0);
  const incomplete = archives.filter((one) => !one.complete).length;
  return [
    `${count(archives.length, 'archive')} with ${count(pages, 'page')}; ${count(unarchived, 'item')} on no page yet` +
      (incomplete === 0 ? '' : `; older articles still being added to ${incomplete}`),
  ];
}

function subscriberLines({ subscribers, suppressed, bounces, serviceMessages, mailProvider }: Status): string[] {
  const newsletters = Map.groupBy(subscribers, (one) => one.newsletter);
  return [
    ...[...newsletters].map(([id, states]) => `${id}: ${states.map((one) => `${one.count} ${one.state}`).join(', ')}`),
    ...countsLine('suppressed', suppressed),
    ...countsLine('bounces on record', bounces),
    ...(mailProvider === null ? [] : [`${mailProvider.name}: last report ${mailProvider.lastReport ?? 'never'}`]),
    ...countsLine('service messages', serviceMessages),
  ];
}

function hubLines({ hub }: Status): string[] {
  if (hub === null) return [];
  const { url, subscriptions, failing, unverified, pings } = hub;
  const total = subscriptions.reduce((sum, topic) => sum + topic.count, 0);
  const failed = subscriptions.reduce((sum, topic) => sum + topic.failing, 0);
  return [
    ...(total === 0 ? [] : [`${url}: ${count(total, 'subscription')}${failed > 0 ? `, ${failed} failing` : ''}`]),
    ...(unverified === 0 ? [] : [`${count(unverified, 'request')} not yet verified`]),
    ...firstOf(subscriptions.map((topic) => `${topic.topic}: ${topic.count}`)),
    ...firstOf(
      failing.map(({ since, topic, host, reason, triedAgain }) => {
        const next = triedAgain === null ? 'no retry until the next change' : `retry at ${triedAgain}`;
        return `failing since ${since}: ${topic} at ${host}: ${reason}; ${next}`;
      }),
      failed,
    ),
    ...firstOf(
      pings.map(({ topic, published, reason, due }) => {
        const failure = reason === null ? '' : `: ${reason}; retry at ${due}`;
        return `ping pending for ${topic}, published ${published}${failure}`;
      }),
    ),
  ];
}

function pictureLines({ pictures }: Status): string[] {
  const { pending, failed, first } = pictures;
  return [
    ...(pending === 0 ? [] : [`${count(pending, 'picture')} not looked up yet`]),
    ...firstOf(
      first.map(({ url, reason }) => `not usable, ${url}: ${reason}`),
      failed,
    ),
  ];
}

function scheduleLine({ id, cron, zone, next, last }: Status['schedules'][number]): string {
  const run = last === null ? '' : `; last run of ${last.slot}: ${last.state}`;
  if (cron === null) return `${id.padEnd(28)} by "daywire alert"${run}`;
  return `${id.padEnd(28)} ${cron} (${zone}), next ${next ?? 'never'}${run}`;
}

function runLine({ schedule, slot, state, covers, reason, triedAgain }: Status['runs'][number]): string {
  const slots = covers > 1 ? ` (${covers} slots)` : '';
  const retry = triedAgain === null ? '' : `; retry at ${triedAgain}`;
  return `${schedule.padEnd(28)} ${slot}  ${state}${slots}${reason === null ? '' : `: ${reason}`}${retry}`;
}

function passedOverLine({ newsletter, slot, passedOver }: Status['editions'][number]): string[] {
  const { agedOut, didNotFit, dropped } = passedOver;
  const numbers = { 'aged out': agedOut.length, 'did not fit': didNotFit.length, dropped: dropped.length };
  return countsLine(`${newsletter} ${slot}`, numbers);
}
