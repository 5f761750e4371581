/** Test copies from the desk: to the account's own address, or to another one. */
import { html } from 'hono/html';
import { acquirePermit } from '../../../core/store/rate-limits.ts';
import { sendTestCopy } from '../../../delivery/message/test-copy.ts';
import { maskLocalPart, parseAddress } from '../../../lib/address.ts';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { MINUTE, SECOND } from '../../../lib/time.ts';
import { withTimeout } from '../../../lib/with-timeout.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondAfter, respondPage } from '../../../web/desk/page.ts';
import { submitButton, textField } from '../../../web/desk/parts/form.ts';
import { type DraftTarget, draftPath, targetName } from '../../draft/draft-target.ts';
import { actPath } from '../draft/draft-view.ts';
import { renderForDesk } from '../preview/compose-for-desk.ts';

/** Test copies per account: without a limit, an account could mail strangers. */
const LIMIT = { everyMs: 2 * MINUTE, burst: 10 };
/** How long a request waits for the mail server. A server that answers later may still take the copy. */
const TIME_LIMIT = 20 * SECOND;

/** Mails a copy, and says what the mail server answered. */
export async function mailTestCopy(request: SignedInRequest, target: DraftTarget): Promise<Response> {
  const { desk, account, form, at } = request;
  const { app } = desk;
  const isOwn = form.get('own') === '1';
  const typed = isOwn ? account.email : (form.get('to') ?? '').trim();
  const refuse = (error: string): Promise<Response> => respondTestPage(request, target, { typed, error });
  const parsed = parseAddress(typed);
  if (parsed.kind === 'invalid') return refuse(`This is no address: ${parsed.reason}.`);
  const permit = await acquirePermit(app.store.db, `desk test copy ${account.id}`, LIMIT, at);
  if (permit.kind === 'refused') {
    return refuse(`You have sent ${LIMIT.burst} copies: the next one can be sent ${waitText(permit.retryAt - at)}.`);
  }
  const to = isOwn ? 'own address' : maskLocalPart(parsed.email);
  const onSubmit = request.audit('edition.test', targetName(target), { to });
  const options = { to: parsed.email, render: renderForDesk, onSubmit };
  try {
    const late = `no answer within ${TIME_LIMIT / SECOND} s: the copy may arrive all the same`;
    const outcome = await withTimeout(sendTestCopy(app, target, options), TIME_LIMIT, late);
    if (outcome.kind === 'empty') return await refuse(`There is nothing to mail: ${outcome.reason}.`);
    const text = `A test copy to ${parsed.email} was submitted. The mail server answered: ${outcome.reply}`;
    return respondAfter(request, draftPath(target), { kind: 'done', text });
  } catch (error) {
    return refuse(`The copy was not submitted: ${errorLine(error)}.`);
  }
}

/** Asks for the address. @param attempt what was typed, and what is wrong with it: the status is 422 then */
export function respondTestPage(
  request: SignedInRequest,
  target: DraftTarget,
  attempt?: { typed: string; error: string },
): Promise<Response> {
  const { desk, account } = request;
  const { newsletter, slot } = target;
  return respondPage(request, {
    title: `Test copy of ${newsletter.title}, ${slot.label}`,
    section: 'edition',
    status: attempt === undefined ? 200 : 422,
    body: html`<section id="test-copy" data-region aria-label="Where to">
<form method="post" action="${desk.base}${actPath(target, 'test')}">
${textField({
  ...{ name: 'to', label: 'Address', type: 'email', required: true, autocomplete: 'email' },
  ...{ value: attempt?.typed ?? account.email, error: attempt?.error },
  hint: 'The copy is marked [Test], and its personal links change nothing.',
})}
<div class="buttons">${submitButton('Send a test copy', { id: 'test', primary: true })}<a class="button" id="back"
href="${desk.base}${draftPath(target)}">Back to the edition</a></div></form></section>`,
  });
}

function waitText(milliseconds: number): string {
  return `in ${Math.max(1, Math.ceil(milliseconds / MINUTE))} min`;
}
