/** The figures of an edition, from counters where there are any. */
import { countLeft } from '../../../audience/consent/left.ts';
import { TOO_FEW } from '../../../editions/copies/copy.ts';
import { closedUntilNext, type EditionSummary } from '../../../editions/queries.ts';
import { type EditionVisits, readVisits } from '../../../editions/visits/visit-rows.ts';
import { type AgedResult, agedCachePerDesk } from '../../../web/desk/aged-cache.ts';
import type { DeskContext, Html } from '../../../web/desk/desk-request.ts';
import { type Figure, figures } from '../../../web/desk/parts/figure.ts';
import type { FailureGroup } from '../../queue/failure-groups.ts';
import {
  countAllDeliveries,
  type DeliveryStateCounts,
  groupFailures,
  NO_DELIVERIES,
  queuedOf,
} from '../../queue/queries.ts';
import { type EditionReports, readEditionReports, readProviderReports } from '../../status/edition-reports.ts';

/** Figures that take long with many failures. */
export interface FailureFigures {
  groups: FailureGroup[];
  reports: EditionReports;
}

/** The failures and reports of an edition. */
export const failureFigures = agedCachePerDesk(async ({ app }, id: number): Promise<FailureFigures> => {
  const { reports } = app.store;
  return {
    groups: await groupFailures(reports, id),
    reports: (await readEditionReports(reports, [id])).get(id) as EditionReports,
  };
});

/** The reports of an edition by mailbox provider, which take longer: the messages to each are counted. */
export const providerReports = agedCachePerDesk(({ app }, id: number) => readProviderReports(app.store.reports, id));

export interface EditionFigures {
  id: number;
  deliveries: DeliveryStateCounts;
  /** Null while they are being counted. */
  failures: AgedResult<FailureFigures> | null;
  left: number;
  visits: EditionVisits;
}

export async function readEditionFigures(desk: DeskContext, edition: EditionSummary): Promise<EditionFigures> {
  const { db } = desk.app.store;
  const { id, newsletter, slot } = edition;
  const { from, until } = await closedUntilNext(db, edition);
  const [deliveries, failures, left, visits] = await Promise.all([
    countAllDeliveries(db, [id]),
    failureFigures(desk).read(id),
    countLeft(db, newsletter, from, until),
    readVisits(db, newsletter, slot),
  ]);
  const counts = deliveries.get(id) ?? NO_DELIVERIES;
  return { id, deliveries: counts, failures, left, visits };
}

/** Each figure with what it means. Those of deliveries under way are live. */
export function editionFigureList(
  { app: { config } }: DeskContext,
  { id, deliveries, failures, left, visits }: EditionFigures,
): Html {
  const reports = failures?.value.reports ?? null;
  const delivered = reports?.delivered ?? null;
  const notReported = config.delivery.provider === 'none' ? MEANINGS.undelivered : MEANINGS.unreported;
  const list: Figure[] = [
    { label: 'Queued', value: queuedOf(deliveries), meaning: MEANINGS.queued },
    ...deliveryFigures(id, deliveries),
    { label: 'Delivered', value: delivered, meaning: delivered === null ? notReported : MEANINGS.delivered },
    { label: 'Hard bounces', value: reports?.bounces ?? null, meaning: MEANINGS.hardBounces },
    { label: 'Soft bounces', value: reports?.softBounces ?? null, meaning: MEANINGS.softBounces },
    { label: 'Complaints', value: reports?.complaints ?? null, meaning: MEANINGS.complaints },
    { label: 'Left the newsletter', value: left, meaning: MEANINGS.left },
    { label: 'Visits of its page', value: visits.total, meaning: MEANINGS.visits },
  ];
  return figures(list);
}

/** The figures of deliveries by state, which are live. */
export function deliveryFigures(id: number, counts: DeliveryStateCounts): Figure[] {
  const live = (name: string): string => `edition:${id}:${name}`;
  const { pending, submitting, submitted, failed, suppressed, [TOO_FEW]: few } = counts;
  return [
    { label: 'Submitted', value: submitted, meaning: MEANINGS.submitted, live: live('submitted') },
    ...(pending + submitting === 0
      ? []
      : [
          { label: 'Waiting', value: pending, meaning: MEANINGS.pending, live: live('pending') },
          { label: 'Being submitted', value: submitting, meaning: MEANINGS.submitting, live: live('submitting') },
        ]),
    { label: 'Failed', value: failed, meaning: MEANINGS.failed, live: live('failed') },
    { label: 'Not sent', value: suppressed, meaning: MEANINGS.suppressed, live: live('suppressed') },
    ...(few ? [{ label: 'Too few stories', value: few, meaning: MEANINGS.tooFew }] : []),
  ];
}

/**
 * A line for each figure, shown beside it. None says more than is known: a message that a server accepted is submitted,
 * and not delivered, and nobody knows who has read it.
 */
const MEANINGS = {
  queued: 'Subscribers for whom a message was queued when this revision closed.',
  pending: 'Messages that wait to be submitted, also those that the server has put off, which are tried again.',
  submitting: 'Messages that are being submitted, or whose submission was interrupted.',
  submitted: 'Messages that your mail server accepted. Whether they reached an inbox is not known.',
  delivered: 'Messages that a mailbox accepted, as your mail provider reports.',
  undelivered: 'Nobody reports whether messages reach mailboxes: no mail provider is set in delivery.provider.',
  unreported: 'Your mail provider has not reported any message as delivered yet.',
  failed: 'Messages that the server refused, or that could not be submitted in time.',
  suppressed: 'Messages that were not sent after all: the subscriber had left or paused, or the edition was cancelled.',
  tooFew: 'Subscribers whose choice has fewer stories in this edition than they asked for. This is no fault.',
  hardBounces: 'Addresses that do not exist or refuse mail for good, each counted once.',
  softBounces: 'Recipients whose mailbox could not take the message, for example because it was full.',
  complaints: 'Recipients who marked the message as spam, as far as mailbox providers report it.',
  left:
    'People who left the newsletter after this edition closed and before the next one did. ' +
    'Links in mails do not tell which edition made them leave.',
  visits:
    'How often a browser opened the page of this edition. Scanners of mail that pretend to be browsers count, ' +
    'too. No cookie and no address is kept.',
} as const;
