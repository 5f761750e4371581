/** Parts of the pages of deliveries: the state of an edition with its acts. */
import { html } from 'hono/html';
import type { Db } from '../../../core/store/store.ts';
import type { EditionDeliveryState } from '../../../core/store/tables/edition-tables.ts';
import type { EditionSummary } from '../../../editions/queries.ts';
import { formatCount } from '../../../lib/text/count.ts';
import { formatDuration } from '../../../lib/time.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { Html } from '../../../web/desk/html.ts';
import { type Figure, figures } from '../../../web/desk/parts/figure.ts';
import { errorSummary, hiddenFields, postButton, submitButton, textField } from '../../../web/desk/parts/form.ts';
import type { ExpiredDeliveriesError } from '../../control/operator-control.ts';
import { canRetry as canRetryAny } from '../../monitor/finish.ts';
import { listProgress } from '../../progress.ts';
import {
  countAllDeliveries,
  countUncertain,
  type DeliveryStateCounts,
  NO_DELIVERIES,
  percentOver,
  queuedOf,
  readDeliveryStates,
} from '../../queue/queries.ts';
import { formatRate, type SubmissionRate, submissionRate } from '../../submission-rate.ts';
import { deliveryFigures } from '../editions/edition-figures.ts';
import { deliveryStateMark } from '../editions/edition-names.ts';

/** The path of the page of an edition's deliveries, below the desk's path. */
export function deliveryPath(editionId: number): string {
  return `/deliveries/${editionId}`;
}

/** The state of an edition's deliveries, with its figures and acts. */
export function deliveryState(request: SignedInRequest, delivery: EditionDelivery): Html {
  return html`${stateLine(delivery)}
${controlForms(request, delivery)}
${progressBar(delivery)}
${liveFigures(delivery)}
${cancelLink(request, delivery)}`;
}

/** The state in words, with the reason. */
function stateLine({ state, reason, uncertain }: EditionDelivery): Html {
  return html`<p>${deliveryStateMark(state)}${reason === null ? '' : html` <bdi class="meaning">${reason}</bdi>`}</p>
${
  uncertain === 0
    ? ''
    : html`<p class="notice problem">${uncertain === 1 ? '1 message is' : `${uncertain} messages are`} uncertain: their
submission was interrupted, and they may have arrived.</p>`
}`;
}

/** The counts by state; of one under delivery, the rate and the time left, too. */
export function liveFigures({ edition, state, counts, rate }: EditionDelivery): Html {
  const rates: Figure[] = state !== 'delivering' ? [] : rateFigures(edition.id, rate);
  return figures([...rates, ...deliveryFigures(edition.id, counts)]);
}

function rateFigures(id: number, { perSecond, left }: SubmissionRate): Figure[] {
  return [
    {
      ...{ label: 'Messages a second', value: perSecond === null ? null : formatRate(perSecond) },
      meaning: 'Accepted by the mail server: in the last 10 s while the page is open, otherwise in the last minutes.',
      live: `edition:${id}:rate`,
    },
    {
      ...{ label: 'Time left', value: left === null ? null : formatDuration(left) },
      ...{ meaning: 'At this rate. Messages that are tried again later take longer.', live: `edition:${id}:left` },
    },
  ];
}

/** What an operator may do with an edition in its state. */
function controlForms(request: SignedInRequest, { edition, state, counts, canRetry }: EditionDelivery): Html {
  if (!request.may('deliveries.control') || edition.supersededBy !== null) return html``;
  const { base } = request.desk;
  const path = deliveryPath(edition.id);
  const pause = html`<form class="filters" method="post" action="${base}${path}/pause" data-keep>
${submitButton('Pause', { id: `pause-${edition.id}` })}
${textField({ id: `reason-${edition.id}`, name: 'reason', label: 'Why (optional)', maxLength: 200 })}</form>`;
  const resume = `resume-${edition.id}`;
  return html`<div class="buttons">${state === 'delivering' ? pause : ''}
${state !== 'paused' ? '' : postButton(request, `${path}/resume`, 'Resume', { id: resume, primary: true })}
${
  canRetry && state !== 'cancelled'
    ? postButton(request, `${path}/retry`, 'Retry failed', { id: `retry-${edition.id}`, fields: { kinds: 'failed' } })
    : ''
}
${
  state === 'cancelled' && counts.suppressed > 0
    ? postButton(request, `${path}/retry`, 'Deliver it after all', {
        ...{ id: `retry-cancelled-${edition.id}`, fields: { kinds: 'cancelled' } },
      })
    : ''
}
</div>`;
}

/** Apart from what can be taken back, and last. */
function cancelLink(request: SignedInRequest, { edition, state }: EditionDelivery): Html {
  const isOpen = state === 'delivering' || state === 'paused';
  if (!request.may('deliveries.control') || edition.supersededBy !== null || !isOpen) return html``;
  return html`<p class="buttons"><a class="button danger"
 href="${request.desk.base}${deliveryPath(edition.id)}/cancel">Cancel…</a></p>`;
}

/** How far a delivery under way is, from the counts of the figures. */
function progressBar({ edition, state, counts }: EditionDelivery): Html {
  if (state !== 'delivering' && state !== 'paused') return html``;
  const percent = percentOver(counts);
  const [name, live] = [`progress-${edition.id}`, `edition:${edition.id}:over`];
  return html`<p><progress aria-labelledby="${name}" max="100" value="${percent}" data-figure="${live}">${
    percent
  } %</progress>
<span id="${name}"><span data-figure="${live}">${percent} %</span> of ${formatCount(queuedOf(counts))} messages are
over</span></p>`;
}

export interface ExpiredQuestion extends Pick<ExpiredDeliveriesError, 'expired'> {
  suggestedHours: number | string;
  /** Error of the typed hours. */
  error?: string;
}

/** Asks what becomes of deliveries that have expired during a pause. */
export function expiredForms(
  request: SignedInRequest,
  editionId: number,
  { expired, suggestedHours, error }: ExpiredQuestion,
): Html {
  const action = `${request.desk.base}${deliveryPath(editionId)}/resume`;
  const what = expired === 1 ? '1 message has expired' : `${expired} messages have expired`;
  return html`<section id="expired" data-region aria-labelledby="expired-heading">
<h2 id="expired-heading">${what}</h2>
<p class="error" role="alert" tabindex="-1"${
    error === undefined ? html` autofocus` : ''
  }>${what} during the pause and would fail at once. Give them more time, or let them fail.</p>
<form method="post" action="${action}" novalidate>${errorSummary({ hours: error })}
${hiddenFields({ expired })}${textField({
  ...{ name: 'hours', label: 'More time, in hours', value: String(suggestedHours), required: true, error },
})}
${submitButton('Give them more time and resume', { id: 'resume-extended', primary: true })}</form>
<form method="post" action="${action}">${hiddenFields({ expire: 'yes' })}
${submitButton('Let them fail and resume', { id: 'resume-expired', danger: true })}</form></section>`;
}

export interface EditionDelivery {
  edition: EditionSummary;
  state: EditionDeliveryState;
  /** Reason of a pause or a cancellation. */
  reason: string | null;
  counts: DeliveryStateCounts;
  uncertain: number;
  /** Whether a retry would submit any of the failed ones. */
  canRetry: boolean;
  rate: SubmissionRate;
}

/** The deliveries of editions, in their order. */
export async function readDeliveriesOf(
  db: Db,
  editions: readonly EditionSummary[],
  now: number,
): Promise<EditionDelivery[]> {
  const ids = editions.map(({ id }) => id);
  if (ids.length === 0) return [];
  // Not at once: a connection in a transaction takes one query after the other.
  const [states, counts] = [await readDeliveryStates(db, ids), await countAllDeliveries(db, ids)];
  const read = async (edition: EditionSummary): Promise<EditionDelivery> => {
    const { id } = edition;
    const { state = 'delivering', reason = null } = states.find(({ editionId }) => editionId === id) ?? {};
    const ofEdition = counts.get(id) ?? NO_DELIVERIES;
    const uncertain = await countUncertain(db, now, id);
    const rate = state === 'delivering' ? await readRate(db, id, ofEdition, now) : NO_RATE;
    const retries = ofEdition.failed > 0 && (await canRetryAny(db, id));
    return { edition, state, reason, counts: ofEdition, uncertain, canRetry: retries, rate };
  };
  return Promise.all(editions.map(read));
}

const NO_RATE: SubmissionRate = { perSecond: null, left: null };

/** The last records of the progress, and now. */
async function readRate(
  db: Db,
  id: number,
  { submitted, pending, submitting }: DeliveryStateCounts,
  now: number,
): Promise<SubmissionRate> {
  const recorded = (await listProgress(db, id, 2)).toReversed();
  return submissionRate([...recorded, { at: now, submitted }], pending + submitting);
}
