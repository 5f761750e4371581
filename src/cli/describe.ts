/**
 * What the command line says of what was done: plain lines for people.
 */
import { join, relative } from 'node:path';
import type { AppContext } from '../app/app-context.ts';
import type { Finding } from '../app/check.ts';
import type { Published } from '../app/jobs.ts';
import type { FirstRound } from '../app/start.ts';
import type { Status } from '../app/status.ts';
import type { ImportReport } from '../articles/import/report.ts';
import { type Config, scheduleZone } from '../config/config.ts';
import type { ClosedOrSkipped } from '../delivery/close.ts';
import type { DeliveryReport } from '../delivery/deliver.ts';
import { datelineTime } from '../lib/time.ts';
import { nextSlot } from '../schedule/slots.ts';
import { readerLines } from './describe-readers.ts';

/** The ten lines or so that `start` prints. */
export function describeFirstRound(
  { config, store }: AppContext,
  round: FirstRound,
  context: { version: string; url: string | null; now: number },
): string {
  const { sample, imported, published, edition, runs, delivered } = round;
  const lines: [string, string][] = [['store', place(store.location)]];
  if (sample !== null) {
    lines.push([
      'sample',
      `the store was empty: ${sample.articles} sample stories and ${sample.subscribers} subscribers put in${asideNote(sample.rejected)}`,
    ]);
  }
  if (imported !== null) {
    const { added, updated, rejected } = imported;
    lines.push(['import', `${added} added, ${updated} updated${asideNote(rejected)}`]);
  }
  if (published !== null)
    lines.push([
      'feeds',
      `${count(config.feeds.length, 'feed')} in three formats, ${published.changed} of ${count(published.documents, 'document')} changed; ` +
        `open ${join(place(config.paths.feeds), 'index.html')}${published.rejected > 0 ? `; ${published.rejected} articles rejected` : ''}`,
    ]);
  if (edition !== null) {
    lines.push(['edition', edition.kind === 'skipped' ? `none: ${edition.reason}` : describeEdition(edition, config)]);
  }
  // After a long downtime there may be hundreds, of which the newest of each kind says enough.
  for (const alike of Map.groupBy(runs, (run) => `${run.schedule} ${run.state}`).values()) {
    const newest = alike.at(-1);
    if (newest === undefined || (newest.state === 'done' && edition !== null)) continue;
    const others = alike.length === 1 ? '' : `, and ${count(alike.length - 1, 'slot')} before it`;
    lines.push(['run', describeRun(newest, config) + others]);
  }
  if (delivered !== null)
    lines.push([
      'delivery',
      describeDelivery(delivered) +
        (config.delivery.transport === 'file' ? ` in ${join(place(config.paths.data), 'mail')}` : ''),
    ]);
  for (const newsletter of config.newsletters) {
    const next = nextSlot(newsletter.schedule.cron, scheduleZone(newsletter.schedule, config.publication), context.now);
    if (next !== null)
      lines.push([
        'next',
        `${newsletter.id} on ${datelineTime(next, config.publication.zone)} (${config.publication.zone})`,
      ]);
  }
  if (context.url !== null) lines.push(['pages', `${context.url} (Ctrl-C stops)`]);
  return [
    `daywire ${context.version}: ${config.publication.name}`,
    ...lines.map(([what, text]) => `  ${what.padEnd(9)} ${text}`),
  ].join('\n');
}

/** One line for an edition that was closed, now or before. */
export function describeEdition(outcome: Extract<ClosedOrSkipped, { kind: 'closed' }>, config: Config): string {
  const { edition, queued, fresh } = outcome;
  const address = `${config.publication.url}/editions/${edition.newsletter}/${edition.slot}`;
  const how = fresh
    ? `closed, ${count(queued, 'delivery', 'deliveries')} queued`
    : `was closed on ${datelineTime(edition.closedAt, config.publication.zone)}`;
  return `${edition.newsletter} ${edition.slot}, number ${edition.number}, ${how}: ${address}`;
}

/** Counts of what a delivery run did. */
export function describeDelivery(report: DeliveryReport): string {
  const { submitted, deferred, failed, suppressed, service, stopped, paused } = report;
  const others = counts({ deferred, failed, suppressed });
  const notes = [
    `${submitted} submitted${others === '' ? '' : `, ${others}`}`,
    ...named('service mail', { ...service }),
    ...paused.map(({ reason }) => `an edition is paused: ${reason}`),
    ...(stopped === null ? [] : [`stopped: ${stopped}`]),
  ];
  return notes.join('; ');
}

/** What an import did: its problems, one a line, and a line that counts. */
export function describeImport(report: ImportReport): { problems: string[]; summary: string } {
  const { added, updated, unchanged, rejected, rejectedCount, warnings, warningCount } = report;
  const problems = [...rejected, ...warnings].flatMap((entry) => entry.problems);
  const unlisted = rejectedCount + warningCount - rejected.length - warnings.length;
  if (unlisted > 0) problems.push(`and ${unlisted} more: "daywire status" lists what was rejected`);
  const aside = rejectedCount === 0 ? '' : `, ${rejectedCount} rejected`;
  return { problems, summary: `${added} added, ${updated} updated, ${unchanged} unchanged${aside}` };
}

/** What a publish did. */
export function describePublish({ documents, archives }: Published, config: Config): string {
  const changed = documents.filter((document) => document.changed);
  const which =
    changed.length === 0 || changed.length > 6 ? '' : `: ${changed.map((document) => document.path).join(', ')}`;
  return `${changed.length} of ${count(documents.length, 'document')} changed in ${place(config.paths.feeds)}${which}${archivesNote(archives)}`;
}

function archivesNote({ closed, more }: Published['archives']): string {
  const parts = closed === 0 ? '' : `; ${count(closed, 'part')} of archives closed`;
  return more ? `${parts}; more is to be archived: "daywire publish" or a running daywire goes on` : parts;
}

/** One line a finding. */
export function describeCheck(findings: Finding[]): string {
  const mark = { good: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' };
  return findings.map(({ kind, what }) => `${mark[kind]} ${what}`).join('\n');
}

/** The status on one screen: of what grows by the day, a few lines. */
export function describeStatus(status: Status): string {
  const blocks: [string, string[]][] = [
    [
      'articles',
      [
        counts(status.articles) || 'none',
        ...(status.pendingChanges > 0 ? [`${count(status.pendingChanges, 'change')} not yet published`] : []),
      ],
    ],
    ['feeds', [...feedLines(status), ...readerLines(status.readers)]],
    [
      'subscribers',
      [
        ...[...Map.groupBy(status.subscribers, (one) => one.newsletter)].map(
          ([newsletter, all]) => `${newsletter}: ${all.map((one) => `${one.count} ${one.state}`).join(', ')}`,
        ),
        ...named('suppressed', status.suppressed),
        ...named('bounces on record', status.bounces),
        ...named('service mail', status.serviceMail),
      ],
    ],
    ['hub', hubLines(status)],
    [
      'schedule',
      status.schedules.map(
        (one) =>
          `${one.id.padEnd(28)} ${one.cron} (${one.zone}), next ${one.next ?? 'never'}${one.last === null ? '' : `; the last of ${one.last.slot}: ${one.last.state}`}`,
      ),
    ],
    [
      'editions',
      few(
        status.editions.map(
          (one) =>
            `${one.newsletter} ${one.slot} no. ${one.number}: ${one.headline} (${counts(one.deliveries) || 'no deliveries'})${standing(one)}`,
        ),
      ),
    ],
    ['passed over', few(status.editions.flatMap(passedOver))],
    ['delivery', deliveryLines(status)],
    [
      'runs',
      few(
        status.runs.map(
          (run) =>
            `${run.schedule.padEnd(28)} ${run.slot}  ${run.state}${run.covers > 1 ? ` (${run.covers} slots)` : ''}${run.reason === null ? '' : `: ${run.reason}`}${run.triedAgain === null ? '' : `; tried again at ${run.triedAgain}`}`,
        ),
      ),
    ],
    [
      'failed deliveries',
      few(status.failedDeliveries.map((one) => `${one.newsletter} ${one.slot} ${one.email}: ${one.reason}`)),
    ],
    [
      'rejected',
      few(
        status.rejected.first.map((entry) => `${entry.stage}: ${entry.problems.join('; ')}`),
        status.rejected.count,
      ),
    ],
    [
      'alerts',
      status.alerts.map(
        (alert) => `${alert.key} (${count(alert.count, 'time')} since ${alert.first}): ${alert.message}`,
      ),
    ],
  ];
  const shown = blocks.filter(([, lines]) => lines.length > 0);
  return [
    `${status.publication}, ${status.at}, ${place(status.store)}`,
    ...shown.map(([title, lines]) => `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`),
  ].join('\n');
}

const LINES_SHOWN = 6;

/** The first lines, and how many more there are. @param all how many there are in all */
function few(lines: string[], all = lines.length): string[] {
  const shown = lines.slice(0, LINES_SHOWN);
  return all === shown.length ? shown : [...shown, `and ${all - shown.length} more: "daywire status --json"`];
}

function feedLines({ feeds, archives }: Status): string[] {
  if (feeds.length === 0) return [];
  const bytes = feeds.reduce((sum, feed) => sum + feed.bytes, 0);
  const times = feeds.map((feed) => feed.modified).sort();
  const parts = archives.reduce((sum, one) => sum + one.parts, 0);
  const waiting = archives.reduce((sum, one) => sum + one.waiting, 0);
  const growing = archives.filter((one) => !one.complete).length;
  return [
    `${count(feeds.length, 'document')}, ${bytes} bytes, changed from ${times[0]} to ${times.at(-1)}`,
    ...(archives.length === 0
      ? []
      : [
          `${count(archives.length, 'archive')} of ${count(parts, 'part')}; ${count(waiting, 'item')} in no part yet` +
            (growing === 0 ? '' : `; ${growing} still taking in older articles`),
        ]),
  ];
}

function hubLines({ hub }: Status): string[] {
  if (hub === null) return [];
  const { url, subscriptions, failing, unverified, pings } = hub;
  const all = subscriptions.reduce((sum, topic) => sum + topic.count, 0);
  const bad = subscriptions.reduce((sum, topic) => sum + topic.failing, 0);
  const subscribers = `${url}: ${count(all, 'subscription')}${bad > 0 ? `, ${bad} failing` : ''}`;
  return [
    ...(all === 0 ? [] : [subscribers]),
    ...(unverified === 0 ? [] : [`${count(unverified, 'request')} not yet verified`]),
    ...few(subscriptions.map((topic) => `${topic.topic}: ${topic.count}`)),
    ...few(
      failing.map(
        (one) =>
          `failing since ${one.since}: ${one.topic} at ${one.host}: ${one.reason}; ${one.triedAgain === null ? 'given up until the next change' : `tried again at ${one.triedAgain}`}`,
      ),
      bad,
    ),
    ...few(
      pings.map(
        (ping) =>
          `not yet told of ${ping.topic}, published ${ping.published}${ping.reason === null ? '' : `: ${ping.reason}; tried again at ${ping.due}`}`,
      ),
    ),
  ];
}

function deliveryLines(status: Status): string[] {
  const { held, nextDue, at, uncertainDeliveries } = status;
  const lines: string[] = [];
  if (held !== null) lines.push(`HELD, nothing is mailed: ${held}`);
  if (nextDue !== null) lines.push(nextDue <= at ? `due since ${nextDue}` : `next due at ${nextDue}`);
  for (const { newsletter, slot, email, since } of uncertainDeliveries) {
    lines.push(`uncertain since ${since}: ${newsletter}/${slot} for ${email ?? 'a subscriber who is gone'}`);
  }
  if (uncertainDeliveries.length > 0) {
    lines.push('settle with "daywire deliver --settle EDITION --address ADDRESS --as submitted", or --as again');
  }
  return lines;
}

function standing({ deliveryState, reason }: Status['editions'][number]): string {
  if (deliveryState !== 'paused' && deliveryState !== 'cancelled') return '';
  return `; ${deliveryState}${reason === null ? '' : `: ${reason}`}`;
}

function passedOver({ newsletter, slot, passedOver: { agedOut, didNotFit } }: Status['editions'][number]): string[] {
  const parts = [
    ...(agedOut.length > 0 ? [`${agedOut.length} aged out`] : []),
    ...(didNotFit.length > 0 ? [`${didNotFit.length} did not fit`] : []),
  ];
  return parts.length === 0 ? [] : [`${newsletter} ${slot}: ${parts.join(', ')}`];
}

/** One line, or none where there is nothing to count. */
function named(name: string, record: Record<string, number>): string[] {
  const words = counts(record);
  return words === '' ? [] : [`${name}: ${words}`];
}

function describeRun(
  run: { schedule: string; slotAt: number; state: string; reason: string | null },
  config: Config,
): string {
  return `${run.schedule} of ${datelineTime(run.slotAt, config.publication.zone)}: ${run.state}${run.reason === null ? '' : ` (${run.reason})`}`;
}

function asideNote(rejected: number): string {
  return rejected === 0 ? '' : `, ${rejected} rejected: see "daywire status"`;
}

function counts(record: Record<string, number>): string {
  return Object.entries(record)
    .filter(([, number]) => number > 0)
    .map(([state, number]) => `${number} ${state}`)
    .join(', ');
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A path as a person in this folder would write it. */
function place(path: string): string {
  const short = relative('', path);
  return short === '' || short.startsWith('..') || path.includes('://') ? path : short;
}
