/** The command `status`. */
import type { Command } from 'commander';
import { type CliContext, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { counts, displayPath, section, table, withLocalTimes } from '../../core/cli/text.ts';
import { formatEdition } from '../../delivery/status/format-editions.ts';
import { queueLines } from '../../delivery/status/queue-status.ts';
import { unchangedPercent } from '../../feeds/readers/reader-statistics.ts';
import { count } from '../../lib/text/count.ts';
import { formatSource, sourceJson } from '../../sources/cli/format-sources.ts';
import { readStatus, type Status } from '../status.ts';

/** The exit code while an alert is open. */
const ALERT_OPEN = 3;

export function addStatusCommand(program: Command, cli: CliContext): void {
  jsonCommand(
    program,
    'status',
    'show alerts, processes, articles, feeds, editions, deliveries, runs, and what was rejected or failed',
  )
    .addHelpText('after', `\nThe exit code is ${ALERT_OPEN} while an alert is open.`)
    .action((options: JsonOption) =>
      cli.withApp(async (app) => {
        const status = await readStatus(app, app.clock());
        const value = { ...status, sources: status.sources.map(sourceJson) };
        printResult(cli, options, value, () => formatStatus(status));
        if (status.alerts.length > 0) cli.fail(ALERT_OPEN);
      }),
    );
}

const LINES_SHOWN = 6;

/** The status on one screen: alerts first, then a few lines of each list that grows by the day. */
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
    ['feeds', [...documentLines(status), ...readerLines(status.readers)]],
    ['subscribers', subscriberLines(status)],
    ['hub', hubLines(status)],
    ['schedule', table(status.schedules.map(scheduleCells))],
    ['editions', firstOf(status.editions.map(formatEdition))],
    ['delivery', queueLines(status.queue, status.at)],
    ['runs', firstOf(table(status.runs.map(runCells)))],
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
    ...blocks.flatMap(([title, lines]) => section(title, lines)),
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

/** The first lines, and how many more there are. @param total of all entries, listed or not */
function firstOf(lines: string[], total = lines.length, command = 'daywire status --json'): string[] {
  const shown = lines.slice(0, LINES_SHOWN);
  return total === shown.length ? shown : [...shown, `and ${total - shown.length} more: "${command}"`];
}

/** One line; none where no feed was requested. */
function readerLines({ since, count: readers, requests, unchanged, subscribers }: Status['readers']): string[] {
  if (requests === 0) return [];
  const percent = unchangedPercent({ requests, unchanged });
  return [
    `${count(requests, 'request')} since ${since} by ${count(readers, 'reader')}, ` +
      `${percent}% answered 304; ${subscribers} subscribers reported ("daywire feeds readers")`,
  ];
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
  if (hub === null || hub.subscriptions + hub.unverified === 0) return [];
  const { url, subscriptions, failing, unverified } = hub;
  const others = counts({ failing, unverified });
  return [`${url}: ${count(subscriptions, 'subscription')}${others === '' ? '' : `, ${others}`}`];
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

function scheduleCells({ id, cron, zone, next, last }: Status['schedules'][number]): string[] {
  const run = last === null ? '' : `; last run of ${last.slot}: ${last.state}`;
  return [id, `${cron === null ? 'by "daywire alert"' : `${cron} (${zone}), next ${next ?? 'never'}`}${run}`];
}

function runCells({ schedule, slot, state, covers, reason, triedAgain }: Status['runs'][number]): string[] {
  const slots = covers > 1 ? ` (${covers} slots)` : '';
  const retry = triedAgain === null ? '' : `; retry at ${triedAgain}`;
  return [schedule, slot, `${state}${slots}${reason === null ? '' : `: ${reason}`}${retry}`];
}
