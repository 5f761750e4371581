/**
 * What the command line says of subscribers.
 */

import { datelineTime } from '../lib/time.ts';
import type { SuppressionReason } from '../store/tables.ts';
import type { ImportReport } from '../subscribers/csv/import-csv.ts';
import type { SubscriberHistory } from '../subscribers/history.ts';
import type { Subscriber } from '../subscribers/subscriptions.ts';

/** What an import did: its problems, one a line, and a line that counts. */
export function describeSubscriberReport(report: ImportReport, file: string): { problems: string[]; summary: string } {
  const problems = report.rejects.map(({ line, reason }) => `${file}:${line}: ${reason}`);
  if (report.rejected > report.rejects.length) problems.push(`and ${report.rejected - report.rejects.length} more`);
  if (report.rejectsFile !== null) problems.push(`the rejected rows are kept in ${report.rejectsFile}`);
  if (report.ignoredColumns.length > 0) {
    problems.push(`these columns say nothing to daywire: ${report.ignoredColumns.join(', ')}`);
  }
  const parts = [
    `${report.rows} rows`,
    `${report.added} added`,
    `${report.changed} changed`,
    `${report.unchanged} unchanged`,
  ];
  if (report.keptUnsubscribed > 0)
    parts.push(`${report.keptUnsubscribed} subscriptions not renewed: the reader had left`);
  if (report.suppressed > 0) parts.push(`${report.suppressed} suppressed addresses left out`);
  if (report.rejected > 0) parts.push(`${report.rejected} rejected`);
  return { problems, summary: parts.join(', ') };
}

/** Of an address that is no subscriber's. @param listed what the suppression list has of it */
export function describeNobody(listed: { reason: SuppressionReason; at: number } | null, zone: string): string {
  if (listed === null) return 'there is no such subscriber';
  return `there is no such subscriber; the address has been on the suppression list since ${datelineTime(listed.at, zone)} (${zone}): ${listed.reason}`;
}

/**
 * What is known of one subscriber, newest first.
 * @param shown how many of each list `history` holds at most
 * @param zone in which instants are shown
 */
export function describeSubscriber(
  subscriber: Subscriber,
  history: SubscriberHistory,
  shown: number,
  zone: string,
): string {
  const at = (instant: number): string => datelineTime(instant, zone);
  const lines = [
    `${subscriber.email}${subscriber.zone === null ? '' : ` (${subscriber.zone})`}, known since ${at(subscriber.createdAt)} (${zone})`,
  ];
  if (subscriber.suppressedReason !== null) lines.push(`suppressed: ${subscriber.suppressedReason}`);
  if (subscriber.pausedUntil !== null) lines.push(`paused until ${at(subscriber.pausedUntil)}`);
  const block = (title: string, entries: string[]): void => {
    if (entries.length > 0) lines.push('', title, ...entries.map((entry) => `  ${entry}`));
    if (entries.length === shown) lines.push('  older ones, if any: by --json');
  };
  block(
    'subscriptions',
    subscriber.subscriptions.map((one) => `${one.newsletter} ${one.state} since ${at(one.changedAt)}`),
  );
  block(
    'consent',
    history.consent.map((one) => {
      const what = [one.newsletter, one.change, one.detail].filter((part) => part !== null).join(' ');
      return `${at(one.at)}  ${what}, by ${one.channel}${one.source === null ? '' : ` from ${one.source}`}`;
    }),
  );
  block(
    'deliveries',
    history.deliveries.map((one) => {
      const why = one.reply ?? one.reason;
      return `${at(one.changedAt)}  ${one.newsletter} ${one.slot} ${one.state}${why === null ? '' : `: ${why}`}`;
    }),
  );
  block(
    'service mail',
    history.serviceMessages.map(
      (one) => `${at(one.changedAt)}  ${one.kind} ${one.state}${one.reply === null ? '' : `: ${one.reply}`}`,
    ),
  );
  block(
    'bounces',
    history.bounces.map((one) => `${at(one.at)}  ${one.kind} ${one.status ?? ''} ${one.detail ?? ''}`.trimEnd()),
  );
  return lines.join('\n');
}
