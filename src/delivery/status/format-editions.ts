/** Text output about editions and deliveries. */
import { counts, indent, record, section, table } from '../../core/cli/text.ts';
import type { Config } from '../../core/config/config.ts';
import { TOO_FEW } from '../../editions/copies/copy.ts';
import { count } from '../../lib/text/count.ts';
import { datelineTime, rfc3339 } from '../../lib/time.ts';
import type { CloseOutcome } from '../closing/close.ts';
import type { NamedRunResult } from '../deliver-due.ts';
import type { RunDetails } from '../monitor/run-details.ts';
import type { FailureGroup } from '../queue/failure-groups.ts';
import { formatPercent } from '../rates/judge-rates.ts';
import type { EditionReports, ProviderReports, RateLevelReached } from './edition-reports.ts';
import type { EditionDetails, EditionStatus } from './edition-status.ts';

/** One line for an edition that was closed, now or before. */
export function formatClosedEdition(outcome: Extract<CloseOutcome, { kind: 'closed' }>, config: Config): string {
  const { edition, queued, tooFew, isNew } = outcome;
  const url = `${config.publication.url}/editions/${edition.newsletter}/${edition.slot}`;
  const how = isNew
    ? `closed, ${count(queued, 'delivery', 'deliveries')} queued${tooFewWords(tooFew)}`
    : `was closed on ${datelineTime(edition.closedAt, config.publication.zone)}`;
  return `${edition.newsletter} ${edition.slot}, number ${edition.number}, ${how}: ${url}`;
}

/** What was not queued: `, 3 suppressed for too few chosen stories`; empty if all was. */
export function tooFewWords(tooFew: number): string {
  return tooFew === 0 ? '' : `, ${tooFew} suppressed for ${TOO_FEW}`;
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
    ...indent(formatFailures(failures)),
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
  return [
    `${newsletter}/${slot}, number ${numberOf(edition)}: ${headline}`,
    ...record([
      ['subject', subject],
      ['closed', closed],
      ['page', url],
      ['delivery', stateAndReason(edition)],
      ['deliveries', counts(deliveries) || 'none'],
      ['reported', reported || null],
    ]),
    ...section(
      'revisions',
      revisions.length === 1
        ? []
        : revisions.map((one) => {
            const { revision, closed: at } = one;
            return `${revision}, closed ${at}: ${counts(one.deliveries) || 'no deliveries'}; ${stateAndReason(one)}`;
          }),
    ),
    ...section('articles', record(articles.map(({ block, id }) => [block, id]))),
    ...section('complaint and bounce rates', formatLevels(edition.rateLevels)),
    ...section('mailbox providers', formatProviderReports(edition.mailboxProviders)),
    ...section('aged out', passedOver.agedOut),
    ...section('did not fit', passedOver.didNotFit),
    ...section('dropped', passedOver.dropped),
    ...section('failures', formatFailures(edition.failures)),
    ...section(
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

/** `2990 delivered, 9 complaints (0.3 %), 24 bounces (5 %; 20 rejected at once)`; empty if nothing was reported. */
export function formatReports(reports: EditionReports): string {
  const { delivered, softBounces } = reports;
  return [
    ...(delivered === null ? [] : [`${delivered} delivered`]),
    ...formatRates(reports),
    ...(softBounces === 0 ? [] : [count(softBounces, 'soft bounce')]),
  ].join(', ');
}

/** Numbers of complaints and of bounces with their rates; those that are 0 are left out. */
export function formatRates({
  complaints,
  complaintPercent,
  bounces,
  bouncePercent,
  rejected,
}: EditionReports): string[] {
  const ofBounces = rejected === 0 ? '' : `; ${rejected} rejected at once`;
  return [
    ...(complaints === 0 ? [] : [`${count(complaints, 'complaint')} (${formatPercent(complaintPercent)} %)`]),
    ...(bounces === 0 ? [] : [`${count(bounces, 'bounce')} (${formatPercent(bouncePercent)} %${ofBounces})`]),
  ];
}

/** A line for each mailbox provider. */
export function formatProviderReports(reports: readonly ProviderReports[]): string[] {
  return reports.map(({ mailboxProvider, submitted, complaints, bounces, softBounces, senderBounces, waiting }) =>
    [
      `${mailboxProvider}: ${submitted} submitted`,
      ...(complaints === 0 ? [] : [count(complaints, 'complaint')]),
      ...(bounces === 0 ? [] : [count(bounces, 'bounce')]),
      ...(softBounces === 0 ? [] : [count(softBounces, 'soft bounce')]),
      ...(senderBounces === 0 ? [] : [`${count(senderBounces, 'bounce')} because of the sender`]),
      ...(waiting === 0 ? [] : [`${count(waiting, 'subscriber waits', 'subscribers wait')} with a hard bounce`]),
    ].join(', '),
  );
}

/** `2026-11-24T08:00:00Z: complaints, 0.3 % of 3000 messages: pause`. */
export function formatLevels(levels: readonly RateLevelReached[]): string[] {
  return levels.map(({ kind, mailboxProvider, level, percent, messages, noticed }) => {
    const where = mailboxProvider === null ? '' : ` at ${mailboxProvider}`;
    return `${noticed}: ${kind}s${where}, ${formatPercent(percent)} % of ${count(messages, 'message')}: ${level}`;
  });
}
