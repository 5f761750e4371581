/** Text output about subscribers. */
import { section } from '../../core/cli/text.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { datelineTime } from '../../lib/time.ts';
import type { SubscriberImportResult } from '../csv/import.ts';
import { findListFormat } from '../csv/list-formats.ts';
import { IMPORT_STATUSES, type ImportStatus } from '../csv/statuses.ts';
import { choiceWords, copyWords } from '../desk/subscriber-of.ts';
import type { SubscriberHistory } from '../history.ts';
import type { Subscriber } from '../subscriptions.ts';

/** Problems, one a line, and a summary. */
export function formatSubscriberImport(
  report: SubscriberImportResult,
  file: string,
): { problems: string[]; summary: string } {
  const problems = report.rejects.map(({ line, reason }) => `${file}:${line}: ${reason}`);
  if (report.rejected > report.rejects.length) problems.push(`and ${report.rejected - report.rejects.length} more`);
  problems.push(...report.skipped.map(({ line, reason }) => `${file}:${line}: skipped: ${reason}`));
  const skipped = report.suppressed + report.left + report.notImported;
  if (skipped > report.skipped.length) problems.push(`and ${skipped - report.skipped.length} more skipped`);
  if (report.rejectsFile !== null) problems.push(`the rejected rows are in ${report.rejectsFile}`);
  if (report.ignoredColumns.length > 0) problems.push(`ignored columns: ${report.ignoredColumns.join(', ')}`);
  const unused = report.unusedChoices?.map(([value, count]) => `"${value}" (${count})`).join(', ') ?? '';
  if (unused !== '') problems.push(`values that choose nothing: ${unused}: say what they choose with --choice`);
  const { rows, added, changed, unchanged } = report;
  const parts = [`${rows} rows`, `${added} added`, `${changed} changed`, `${unchanged} unchanged`];
  if (report.keptUnsubscribed > 0) {
    parts.push(`${report.keptUnsubscribed} subscriptions not renewed: the subscriber had unsubscribed`);
  }
  if (report.suppressed > 0) parts.push(`${report.suppressed} suppressed addresses skipped`);
  if (report.left > 0) parts.push(`${report.left} rows skipped: the subscriber had left every newsletter`);
  if (report.notImported > 0) parts.push(`${report.notImported} rows skipped: not confirmed, or no longer mailed`);
  if (report.rejected > 0) parts.push(`${report.rejected} rejected`);
  const lines = [...formatStatuses(report), parts.join(', ')];
  if (report.dryRun) lines.unshift('dry run: nothing was stored; this is what an import would do');
  return { problems, summary: lines.join('\n') };
}

/** What became of the rows of each status. */
const DONE: Record<ImportStatus, string> = {
  subscribed: 'imported',
  inactive: 'not imported',
  unconfirmed: 'not imported',
  unsubscribed: 'recorded as unsubscribed',
  bounced: 'suppressed',
  blocked: 'suppressed and unsubscribed',
  complained: 'suppressed and unsubscribed',
};

/** The recognised format, and its statuses one a line. Nothing for a file that says no status. */
function formatStatuses({ format, statuses }: SubscriberImportResult): string[] {
  const found = IMPORT_STATUSES.flatMap((status) => {
    const counts = statuses[status];
    if (counts === undefined) return [];
    const isDone = status !== 'inactive' && status !== 'unconfirmed';
    const done = isDone ? `${counts.effective} ${DONE[status]}` : DONE[status];
    return [`  ${status}: ${counts.rows} rows, ${done}`];
  });
  const isPlain = format === 'plain';
  if (isPlain && Object.keys(statuses).every((status) => status === 'subscribed')) return [];
  return [isPlain ? 'by status:' : `export of ${findListFormat(format)?.title}, by status:`, ...found];
}

/** For an address without a subscriber. @param suppression its entry on the suppression list */
export function formatUnknownAddress(
  suppression: { reason: SuppressionReason; at: number } | null,
  zone: string,
): string {
  if (suppression === null) return 'there is no such subscriber';
  const { at, reason } = suppression;
  const since = `${datelineTime(at, zone)} (${zone})`;
  return `there is no such subscriber; the address has been on the suppression list since ${since}: ${reason}`;
}

/** One tab-separated line. */
export function formatSubscriberLine({ email, subscriptions, zone, suppressedReason }: Subscriber): string {
  const states = subscriptions.map((one) => `${one.newsletter} ${one.state}`).join(', ');
  const suppressed = suppressedReason === null ? '' : `suppressed: ${suppressedReason}`;
  return [email, states, zone ?? '', suppressed].join('\t').trimEnd();
}

/** Each wording that was agreed to, once. */
function wordingsOf(consent: SubscriberHistory['consent']): string[] {
  const wordings = consent.flatMap(({ consentVersion, consentText }) =>
    consentVersion === null || consentText === null ? [] : [`${consentVersion}: ${cleanLine(consentText)}`],
  );
  return [...new Set(wordings)];
}

/**
 * A subscriber and its history, newest first.
 * @param limit of each list in `history`
 * @param zone in which instants are shown
 */
export function formatSubscriber(
  subscriber: Subscriber,
  history: SubscriberHistory,
  limit: number,
  zone: string,
): string {
  const at = (instant: number): string => datelineTime(instant, zone);
  const list = (title: string, entries: string[]): string[] =>
    section(title, entries.length === limit ? [...entries, '--json shows older ones'] : entries);
  const { email, zone: ownZone, createdAt, suppressedReason, pausedUntil, subscriptions } = subscriber;
  return [
    `${email}${ownZone === null ? '' : ` (${ownZone})`}, stored since ${at(createdAt)} (${zone})`,
    ...(suppressedReason === null ? [] : [`suppressed: ${suppressedReason}`]),
    ...(pausedUntil === null ? [] : [`paused until ${at(pausedUntil)}`]),
    ...list(
      'subscriptions',
      subscriptions.map((one) => {
        const choice = one.choice === null ? '' : `, ${choiceWords(one.choice)}`;
        const feed = one.feedSince === null ? '' : `, private feed since ${at(one.feedSince)}`;
        return `${one.newsletter} ${one.state} since ${at(one.changedAt)}${choice}${feed}`;
      }),
    ),
    ...list(
      'consent',
      history.consent.map((one) => {
        const moved = one.change === 'moved' ? `from ${one.detail}` : one.detail;
        const detail = one.change === 'choice' ? choiceWords(one.detail) : moved;
        const change = [one.newsletter, one.change, detail].filter((part) => part !== null).join(' ');
        const version = one.consentVersion === null ? '' : `, wording ${one.consentVersion}`;
        const source = one.source === null ? '' : ` from ${one.source}`;
        return `${at(one.at)}  ${change}, by ${one.channel}${source}${version}`;
      }),
    ),
    ...list('wordings', wordingsOf(history.consent)),
    ...list(
      'deliveries',
      history.deliveries.map((one) => {
        const detail = one.reply ?? one.reason;
        const got = one.copy === null ? '' : `, ${copyWords(one.copy)}`;
        const outcome = `${detail === null ? one.state : `${one.state}: ${detail}`}${got}`;
        const revision = one.revision === 1 ? '' : ` revision ${one.revision}`;
        return `${at(one.changedAt)}  ${one.newsletter} ${one.slot}${revision} ${outcome}`;
      }),
    ),
    ...list(
      'service messages',
      history.serviceMessages.map(
        (one) => `${at(one.changedAt)}  ${one.kind} ${one.state}${one.reply === null ? '' : `: ${one.reply}`}`,
      ),
    ),
    ...list(
      'bounces',
      history.bounces.map((one) => `${at(one.at)}  ${one.kind} ${one.status ?? ''} ${one.detail ?? ''}`.trimEnd()),
    ),
  ].join('\n');
}
