/**
 * Text output about editions and deliveries.
 */
import { count, counts, table } from '../../core/cli/text.ts';
import type { Config } from '../../core/config/config.ts';
import { datelineTime, rfc3339 } from '../../lib/time.ts';
import type { CloseOutcome } from '../closing/close.ts';
import type { NamedRunResult } from '../deliver-due.ts';
import type { RunDetails } from '../monitor/run-details.ts';
import type { FailureGroup } from '../queue/failure-groups.ts';
import type { EditionDetails, EditionStatus } from './edition-status.ts';
import { formatLevels, formatProviderReports, formatRates, formatReports } from './format-reports.ts';

/** One line for an edition that was closed, now or before. */
export function formatClosedEdition(outcome: Extract<CloseOutcome, { kind: 'closed' }>, config: Config): string {
  const { edition, queued, isNew } = outcome;
  const url = `${config.publication.url}/editions/${edition.newsletter}/${edition.slot}`;
  const how = isNew
    ? `closed, ${count(queued, 'delivery', 'deliveries')} queued`
    : `was closed on ${datelineTime(edition.closedAt, config.publication.zone)}`;
  return `${edition.newsletter} ${edition.slot}, number ${edition.number}, ${how}: ${url}`;
}

/** Counts of a delivery run. */
export function formatDelivery(report: NamedRunResult): string {
  const { submitted, deferred, failed, suppressed, service, stopped, retryAt, paused } = report;
  const others = counts({ deferred, failed, suppressed });
  const serviceCounts = counts({ ...service });
  return [
    `${submitted} submitted${others === '' ? '' : `, ${others}`}`,
    ...(serviceCounts === '' ? [] : [`service messages: ${serviceCounts}`]),
    ...paused.map(({ edition, reason }) => `${edition} is paused: ${reason}`),
    ...(stopped === null ? [] : [`stopped: ${stopped}`]),
    ...(retryAt === undefined ? [] : [`the server is tried again at ${rfc3339(retryAt)}`]),
  ].join('; ');
}

/** Why deliveries failed, and what waits for other processes or the operator. */
export function formatRunDetails({ failures, leased, uncertain, waiting, unconfigured }: RunDetails): string[] {
  return [
    ...(leased === null
      ? []
      : [`${count(leased.count, 'delivery is', 'deliveries are')} leased to another process until ${leased.until}`]),
    ...(uncertain === 0
      ? []
      : [`${count(uncertain, 'delivery is', 'deliveries are')} uncertain: see "daywire queue show"`]),
    ...unconfigured,
    ...waiting.map(({ edition, pending }) => {
      const what = `${count(pending, 'delivery', 'deliveries')} of ${edition}`;
      return `${what} ${pending === 1 ? 'waits' : 'wait'}: continue with "daywire editions resume ${edition}"`;
    }),
    ...formatFailures(failures).map((line) => `  ${line}`),
  ];
}

export function formatEditions(editions: EditionStatus[]): string {
  if (editions.length === 0) return 'no editions yet';
  return table([
    ['edition', 'number', 'delivery', 'deliveries', 'headline'],
    ...editions.map((one) => [
      `${one.newsletter}/${one.slot}`,
      numberOf(one),
      one.deliveryState,
      counts(one.deliveries) || 'none',
      one.headline,
    ]),
  ]).join('\n');
}

/** One line of the status. */
export function formatEdition(edition: EditionStatus): string {
  const { newsletter, slot, headline, deliveries } = edition;
  const isStopped = edition.deliveryState === 'paused' || edition.deliveryState === 'cancelled';
  const state = isStopped ? `; ${stateAndReason(edition)}` : '';
  const rates = formatRates(edition.reports);
  const name = `${newsletter}/${slot}, number ${numberOf(edition)}: ${headline}`;
  const numbers = [counts(deliveries) || 'no deliveries', ...rates].join('; ');
  return `${name} (${numbers})${state}`;
}

export function formatEditionDetails(edition: EditionDetails): string {
  const { newsletter, slot, headline, subject, closed, url, deliveries, passedOver, articles, revisions } = edition;
  const reported = formatReports(edition.reports);
  const list = (title: string, lines: string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  return [
    `${newsletter}/${slot}, number ${numberOf(edition)}: ${headline}`,
    `subject: ${subject}`,
    `closed: ${closed}`,
    `page: ${url}`,
    `delivery: ${stateAndReason(edition)}`,
    `deliveries: ${counts(deliveries) || 'none'}`,
    ...(reported === '' ? [] : [`reported: ${reported}`]),
    ...list(
      'revisions',
      revisions.length === 1
        ? []
        : revisions.map((one) => {
            const { revision, closed: at } = one;
            return `${revision}, closed ${at}: ${counts(one.deliveries) || 'no deliveries'}; ${stateAndReason(one)}`;
          }),
    ),
    ...list(
      'articles',
      articles.map(({ block, id }) => `${block.padEnd(8)} ${id}`),
    ),
    ...list('complaint and bounce rates', formatLevels(edition.rateLevels)),
    ...list('mailbox providers', formatProviderReports(edition.mailboxProviders)),
    ...list('aged out', passedOver.agedOut),
    ...list('did not fit', passedOver.didNotFit),
    ...list('dropped', passedOver.dropped),
    ...list('failures', formatFailures(edition.failures)),
    ...list(
      'failed deliveries (the newest)',
      edition.failedDeliveries.map(
        (one) => `${one.email}: ${one.reason}${one.reply === null ? '' : ` (${one.reply})`}`,
      ),
    ),
  ].join('\n');
}

/** `12 × expired: 451 4.7.1 try again later`. */
export function formatFailures(groups: FailureGroup[]): string[] {
  return groups.map(({ kind, words, count: number }) => `${number} × ${kind}: ${words}`);
}

/** `12`, or `12, revision 2`. */
function numberOf({ number, revision }: Pick<EditionStatus, 'number' | 'revision'>): string {
  return revision === 1 ? String(number) : `${number}, revision ${revision}`;
}

function stateAndReason({ deliveryState, reason }: Pick<EditionStatus, 'deliveryState' | 'reason'>): string {
  return reason === null ? deliveryState : `${deliveryState}: ${reason}`;
}
