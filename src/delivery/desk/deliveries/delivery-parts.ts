/**
 * Parts of the pages of deliveries: the state of an edition with its acts.
 */
import { html } from 'hono/html';
import { formatDuration } from '../../../lib/time.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { type Figure, figures, formatCount } from '../../../web/desk/parts/figure.ts';
import { hiddenFields, postButton, submitButton, textField } from '../../../web/desk/parts/form.ts';
import type { ExpiredDeliveriesError } from '../../control/operator-control.ts';
import { formatRate, type SubmissionRate } from '../../submission-rate.ts';
import { deliveryFigures, queuedOf } from '../editions/edition-figures.ts';
import { deliveryStateMark } from '../editions/edition-names.ts';
import type { EditionDelivery } from './delivery-reading.ts';

/** The path of the page of an edition's deliveries, below the desk's path. */
export function deliveryPath(editionId: number): string {
  return `/deliveries/${editionId}`;
}

/** The state in words, with the reason. */
export function stateLine({ state, reason, uncertain }: EditionDelivery): Html {
  return html`<p>${deliveryStateMark(state)}${reason === null ? '' : html` <span class="meaning">${reason}</span>`}</p>
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
export function controlForms(request: SignedInRequest, { edition, state, counts }: EditionDelivery): Html {
  if (!request.may('deliveries.control') || edition.supersededBy !== null) return html``;
  const { base } = request.desk;
  const path = deliveryPath(edition.id);
  const pause = html`<form class="filters" method="post" action="${base}${path}/pause">
${submitButton('Pause', { id: `pause-${edition.id}` })}
${textField({ id: `reason-${edition.id}`, name: 'reason', label: 'Why (optional)', maxLength: 200 })}</form>`;
  return html`<div class="buttons">${state === 'delivering' ? pause : ''}
${state === 'paused' ? postButton(request, `${path}/resume`, 'Resume', { id: `resume-${edition.id}`, primary: true }) : ''}
${
  counts.failed > 0 && state !== 'cancelled'
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
export function cancelLink(request: SignedInRequest, { edition, state }: EditionDelivery): Html {
  const isOpen = state === 'delivering' || state === 'paused';
  if (!request.may('deliveries.control') || edition.supersededBy !== null || !isOpen) return html``;
  return html`<p class="buttons"><a class="button danger"
 href="${request.desk.base}${deliveryPath(edition.id)}/cancel">Cancel…</a></p>`;
}

/** How far a delivery under way was when the page was made; the page is loaded again as it proceeds. */
export function progressBar({ edition, state, counts }: EditionDelivery): Html {
  if (state !== 'delivering' && state !== 'paused') return html``;
  const all = queuedOf(counts);
  const over = all - counts.pending - counts.submitting;
  const name = `progress-${edition.id}`;
  return html`<p><progress aria-labelledby="${name}" max="${Math.max(1, all)}" value="${over}"></progress>
<span id="${name}">${formatPercent(over, all)} of ${formatCount(all)} messages are over</span></p>`;
}

/** Rounded down, so that 100 % is all. */
function formatPercent(part: number, all: number): string {
  return `${all === 0 ? 100 : Math.floor((100 * part) / all)} %`;
}

/** Asks what becomes of deliveries that have expired during a pause. */
export function expiredForms(
  request: SignedInRequest,
  editionId: number,
  { expired, suggestedHours }: Pick<ExpiredDeliveriesError, 'expired' | 'suggestedHours'>,
): Html {
  const action = `${request.desk.base}${deliveryPath(editionId)}/resume`;
  const what = expired === 1 ? '1 message has expired' : `${expired} messages have expired`;
  return html`<section id="expired" data-region aria-labelledby="expired-heading">
<h2 id="expired-heading">${what}</h2>
<p class="error" role="alert">${what} during the pause and would fail at once. Give them more time, or let them
fail.</p>
<form method="post" action="${action}">
${textField({
  ...{ name: 'hours', label: 'More time, in hours', type: 'number', value: String(suggestedHours) },
  required: true,
})}
${submitButton('Give them more time and resume', { id: 'resume-extended', primary: true })}</form>
<form method="post" action="${action}">${hiddenFields({ expire: 'yes' })}
${submitButton('Let them fail and resume', { id: 'resume-expired', danger: true })}</form></section>`;
}
