/** What operators do with deliveries. Each act is the operation of the command line, with a row in the audit log. */
import { html } from 'hono/html';
import { type Edition, fullEditionName } from '../../../editions/queries.ts';
import { boundedLine } from '../../../lib/text/clean-text.ts';
import { count, formatCount } from '../../../lib/text/count.ts';
import { HOUR } from '../../../lib/time.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondAfter, respondMissing, respondPage } from '../../../web/desk/page.ts';
import { passwordField, submitButton, textField } from '../../../web/desk/parts/form.ts';
import { sentence } from '../../../web/desk/parts/operator-text.ts';
import { DeliveryControlError, pauseEdition } from '../../control/edition-control.ts';
import { cancel, ExpiredDeliveriesError, release, resume, retry, settle } from '../../control/operator-control.ts';
import type { ReopenableKind } from '../../control/reopen.ts';
import { closeHold, NOBODY_TO_TRY, tryHold } from '../../holds/control-holds.ts';
import { providerTitle } from '../../holds/provider-holds.ts';
import { countAllDeliveries, NO_DELIVERIES } from '../../queue/queries.ts';
import { failureFigures, providerReports } from '../editions/edition-figures.ts';
import { mailedName } from '../editions/edition-names.ts';
import { type DeliveryProblem, deliveredEdition, respondDelivery } from './delivery-page.ts';
import { deliveryPath } from './delivery-parts.ts';

/** The text of the outcome, and the act that takes it back. */
type ActOutcome = { text: string; undo?: { action: string; fields: Record<string, string> } };

/** Carries out an act on the edition that the path names, and leads back to its page; a refusal is shown on it. */
async function onEdition(request: SignedInRequest, act: (edition: Edition) => Promise<ActOutcome>): Promise<Response> {
  const edition = await deliveredEdition(request);
  if (edition === null) return respondMissing(request, 'There is no such edition.');
  try {
    const { text, undo } = await act(edition);
    failureFigures(request.desk).forget(edition.id);
    providerReports(request.desk).forget(edition.id);
    return respondAfter(request, deliveryPath(edition.id), { kind: 'done', text, undo });
  } catch (error) {
    if (error instanceof ExpiredDeliveriesError) return respondDelivery(request, edition, { expired: error });
    if (!(error instanceof DeliveryControlError)) throw error;
    return respondDelivery(request, edition, problemOf(request, sentence(error)));
  }
}

/** Hours that cannot be used are asked for again, with the number of messages that the form showed. */
function problemOf({ form }: SignedInRequest, message: string): DeliveryProblem {
  const expired = Number(/^\d{1,9}$/.exec(form.get('expired') ?? '')?.[0] ?? 0);
  if (expired === 0) return { message };
  return { expired: { expired, suggestedHours: (form.get('hours') ?? '').slice(0, 20), error: message } };
}

const MAX_REASON = 200;

/** Reason that the operator gave, if any, with the name of the account. */
function reasonOf({ form, account }: SignedInRequest): string {
  const reason = boundedLine(form.get('reason') ?? '', MAX_REASON);
  return reason === '' ? `by ${account.name}` : `${reason} (${account.name})`;
}

/** POST `/deliveries/:id/pause`. */
export function handlePauseEdition(request: SignedInRequest): Promise<Response> {
  return onEdition(request, async (edition) => {
    const onCommit = request.audit('delivery.pause', fullEditionName(edition));
    const isNew = await pauseEdition(request.desk.app.store.db, edition.id, reasonOf(request), onCommit);
    if (!isNew) return { text: 'It was paused already.' };
    const undo = { action: `${deliveryPath(edition.id)}/resume`, fields: {} };
    return { text: 'Paused. Submissions in progress finish; no others begin.', undo };
  });
}

/** POST `/deliveries/:id/resume`. */
export function handleResumeEdition(request: SignedInRequest): Promise<Response> {
  return onEdition(request, async (edition) => {
    const { form, desk } = request;
    const hours = form.get('hours');
    const extendBy = hours === null ? undefined : parseHours(hours) * HOUR;
    const onCommit = request.audit('delivery.resume', fullEditionName(edition));
    const { wasPaused } = await resume(desk.app, edition, { extendBy, expire: form.get('expire') === 'yes', onCommit });
    if (!wasPaused) return { text: 'It was not paused.' };
    const undo = { action: `${deliveryPath(edition.id)}/pause`, label: 'Pause again', fields: {} };
    return { text: 'The edition is resumed.', undo };
  });
}

/** @throws DeliveryControlError unless it is a number of hours */
function parseHours(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new DeliveryControlError('More time must be a whole number of hours, such as 12.');
}

const KINDS: Record<string, ReopenableKind[]> = {
  ...{ failed: ['failed', 'expired'], cancelled: ['cancelled'], bounced: ['failed', 'expired', 'bounced'] },
};

/** POST `/deliveries/:id/retry`. */
export function handleRetry(request: SignedInRequest): Promise<Response> {
  return onEdition(request, async (edition) => {
    const named = request.form.get('kinds') ?? '';
    const kinds = Object.hasOwn(KINDS, named) ? (KINDS[named] as ReopenableKind[]) : KINDS.failed;
    const provider = boundedLine(request.form.get('provider') ?? '', 253) || undefined;
    const detail = { kinds: named, ...(provider === undefined ? {} : { provider }) };
    const onCommit = request.audit('delivery.retry', fullEditionName(edition), detail);
    const options = { kinds: kinds as ReopenableKind[], provider, isDryRun: false, onCommit };
    const { reopened, ineligible } = await retry(request.desk.app, edition, options);
    const rest =
      ineligible === 0
        ? ''
        : ` ${count(ineligible, 'message')} to people who have left, paused or are suppressed stay as they are.`;
    return { text: `${count(reopened, 'message')} will be submitted again.${rest}` };
  });
}

/** POST `/deliveries/:id/settle`. */
export function handleSettle(request: SignedInRequest): Promise<Response> {
  return onEdition(request, async (edition) => {
    const subscriber = request.form.get('subscriber') ?? '';
    const subscriberId = /^\d{1,15}$/.test(subscriber) ? Number(subscriber) : 0;
    const as = outcomeOf(request);
    const onCommit = request.audit('delivery.settle', fullEditionName(edition), { subscriber: subscriberId, as });
    await settle(request.desk.app, { editionId: edition.id, subscriberId }, as, onCommit);
    return { text: as === 'submitted' ? 'Recorded as submitted.' : 'It will be submitted again.' };
  });
}

/** POST `/deliveries/:id/settle-all`. */
export function handleSettleAll(request: SignedInRequest): Promise<Response> {
  return onEdition(request, async (edition) => {
    const as = outcomeOf(request);
    const onCommit = request.audit('delivery.settle-all', fullEditionName(edition), { as });
    const { settled, inProgress } = await settle(request.desk.app, { editionId: edition.id }, as, onCommit);
    const what = as === 'submitted' ? 'recorded as submitted' : 'will be submitted again';
    const rest =
      inProgress === 0 ? '' : ` ${count(inProgress, 'message')} may still be in progress: settle them later.`;
    return { text: `${count(settled, 'message')} ${what}.${rest}` };
  });
}

/** @throws DeliveryControlError if the form does not say it */
function outcomeOf({ form }: SignedInRequest): 'submitted' | 'retry' {
  const as = form.get('as');
  if (as === 'submitted' || as === 'retry') return as;
  throw new DeliveryControlError('Say whether it was submitted or is to be submitted again.');
}

/** GET `/deliveries/:id/cancel`: what a cancellation would do. */
export async function serveCancelPage(request: SignedInRequest): Promise<Response> {
  const edition = await deliveredEdition(request);
  if (edition === null) return respondMissing(request, 'There is no such edition.');
  const { base, app } = request.desk;
  const counts = (await countAllDeliveries(app.store.db, [edition.id])).get(edition.id) ?? NO_DELIVERIES;
  const path = deliveryPath(edition.id);
  const body: Html = html`<p><strong>${formatCount(counts.pending)} messages of “${mailedName(edition)}” will never be
submitted; ${formatCount(counts.submitted)} have been submitted and cannot be taken back.</strong></p>
<form method="post" action="${base}${path}/cancel" novalidate>
${textField({ name: 'reason', label: 'Why (optional)', maxLength: MAX_REASON })}
${passwordField()}
${submitButton('Cancel the edition', { id: 'cancel', danger: true })}
<a href="${base}${path}">Do not cancel</a></form>`;
  return respondPage(request, { title: 'Cancel an edition', section: 'deliveries', body });
}

/** POST `/deliveries/:id/cancel`. */
export function handleCancel(request: SignedInRequest): Promise<Response> {
  return onEdition(request, async (edition) => {
    const onCommit = request.audit('delivery.cancel', fullEditionName(edition));
    const cancelled = await cancel(request.desk.app, edition.id, reasonOf(request), onCommit);
    return { text: `Cancelled: ${count(cancelled, 'message')} will not be submitted.` };
  });
}

/** POST `/deliveries/release`, of a queue that is held. */
export async function handleRelease(request: SignedInRequest): Promise<Response> {
  const released = await release(request.desk.app, request.audit('delivery.release', 'queue'));
  const text = released ? 'The queue is released.' : 'The queue was not held.';
  return respondAfter(request, '/deliveries', { kind: 'done', text });
}

/** POST `/deliveries/providers`: tries one message to a held mailbox provider, or submits all that waits. */
export async function handleHold(request: SignedInRequest): Promise<Response> {
  const { form, desk } = request;
  const provider = form.get('provider') ?? '';
  const title = providerTitle(provider);
  const act = (['try', 'release', 'suppress'] as const).find((one) => one === form.get('act'));
  if (act === undefined) return respondMissing(request, 'There is no such act.');
  const change = { provider, onCommit: request.audit(`delivery.${act}-provider`, 'queue', { provider }) };
  try {
    if (act === 'try') {
      const text =
        (await tryHold(desk.app, change)) === null ? NOBODY_TO_TRY : `One message to ${title} is submitted now.`;
      return respondAfter(request, '/deliveries', { kind: 'done', text });
    }
    const { waiting, bounced } = await closeHold(desk.app, act, change);
    const people =
      bounced === 0
        ? ''
        : ` ${formatCount(bounced)} people who waited are ${act === 'suppress' ? 'suppressed' : 'mailed again'}.`;
    return respondAfter(request, '/deliveries', {
      kind: 'done',
      text: `${count(waiting, 'message')} to ${title} will be submitted.${people}`,
    });
  } catch (error) {
    if (!(error instanceof DeliveryControlError)) throw error;
    return respondAfter(request, '/deliveries', { kind: 'problem', text: sentence(error) });
  }
}
