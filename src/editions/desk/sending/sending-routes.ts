/** The acts that let an edition go, or keep it. */
import { html } from 'hono/html';
import { acquirePermit } from '../../../core/store/rate-limits.ts';
import { cancelSending, SendError, startSending } from '../../../delivery/closing/send-now.ts';
import { sendTestCopy } from '../../../delivery/message/test-copy.ts';
import { maskLocalPart, parseAddress } from '../../../lib/address.ts';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { MINUTE, SECOND } from '../../../lib/time.ts';
import { withTimeout } from '../../../lib/with-timeout.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../../web/desk/desk-route.ts';
import { respondAfter, respondMissing, respondPage } from '../../../web/desk/page.ts';
import { errorSummary, submitButton, textField } from '../../../web/desk/parts/form.ts';
import { sentence } from '../../../web/desk/parts/operator-text.ts';
import { whenText } from '../../../web/desk/parts/when.ts';
import { type DraftTarget, draftPath, targetName } from '../../draft/draft-target.ts';
import { type DraftRequest, editDraft } from '../../draft/edit-draft.ts';
import { findEdition } from '../../queries.ts';
import { respondRefused, seenRevision } from '../draft/draft-acts.ts';
import { actPath, findTarget, isMissing } from '../draft/draft-view.ts';
import { composeForPage, renderForDesk } from '../preview/compose-for-desk.ts';
import { readCopyReach } from './copy-reach.ts';
import { composeToSend, findSendingObstacle, respondSendPage } from './send-page.ts';
import { slotSentence } from './sending-sentence.ts';

const DRAFT = '/editions/:newsletter/:slot/draft';

export const sendingRoutes: DeskRoute[] = [
  route('POST', 'hold', (request, target) => {
    const reason = request.form.get('reason')?.trim() || null;
    return edit(request, target, 'hold', { kind: 'hold', reason });
  }),
  route('POST', 'release', (request, target) => edit(request, target, 'release', { kind: 'unhold' })),
  route('POST', 'approve', (request, target) => edit(request, target, 'approve', { kind: 'approve' })),
  route('GET', 'test', (request, target) => respondTestPage(request, target)),
  route('POST', 'test', mailTestCopy),
  route('GET', 'send', (request, target) => respondSendPage(request, target)),
  route('POST', 'send', send),
  route('POST', 'cancel-send', cancelSend),
];

function route(
  method: DeskRoute['method'],
  act: string,
  respond: (request: SignedInRequest, target: DraftTarget) => Promise<Response>,
): DeskRoute {
  const handle = async (request: SignedInRequest): Promise<Response> => {
    const target = await findTarget(request);
    return isMissing(target) ? respondMissing(request, target.message) : respond(request, target);
  };
  return { method, path: `${DRAFT}/${act}`, needs: 'drafts.edit', handle };
}

/** Holds, releases or approves an edition. An approval covers the edition whose hash the page showed. */
async function edit(
  request: SignedInRequest,
  target: DraftTarget,
  name: 'hold' | 'release' | 'approve',
  command: DraftRequest,
): Promise<Response> {
  const { desk, account, form } = request;
  const seen = { revision: seenRevision(form), ...(name === 'approve' ? { hash: form.get('hash') ?? '' } : {}) };
  try {
    const { entry, notices } = await editDraft(desk.app, target, account.name, command, {
      seen,
      render: renderForDesk,
      onCommit: request.audit(`edition.${name}`, targetName(target)),
    });
    const text = [await outcomeText(request, target, name), ...notices.map(sentence)].join(' ');
    const path = draftPath(target);
    const undo = entry === null ? undefined : { action: `${path}/undo`, fields: { entry: String(entry.number) } };
    return respondAfter(request, path, { kind: 'done', text, undo });
  } catch (error) {
    return respondRefused(request, target, error, { act: name, command });
  }
}

async function outcomeText(
  { desk, at }: SignedInRequest,
  target: DraftTarget,
  name: 'hold' | 'release' | 'approve',
): Promise<string> {
  const { newsletter, slot } = target;
  if (name === 'hold') return 'Held: it is not sent until somebody releases it.';
  if (name === 'release') return 'Released: it closes when it is ready.';
  if (newsletter.kind === 'alert') return 'Approved: it can be sent now.';
  const reach = await readCopyReach(desk, newsletter, await composeForPage(desk, target));
  const terms = { reach, zone: desk.app.config.publication.zone, deliverAt: newsletter.deliverAt };
  return `Approved: it goes ${slotSentence(terms, slot.slotAt, at)}.`;
}

/** Sends it, if the edition is still the one that the confirming page showed. */
async function send(request: SignedInRequest, target: DraftTarget): Promise<Response> {
  const { desk, account, form, at } = request;
  const obstacle = await findSendingObstacle(request, target);
  if (obstacle !== null) return respondSendPage(request, target, obstacle);
  const composition = await composeToSend(request, target);
  if (composition.kind === 'composed' && composition.hash !== form.get('hash')) {
    const problem = 'It has changed since you looked. Look at it again: this page shows it as it is now.';
    return respondSendPage(request, target, problem);
  }
  try {
    const closeAt = await startSending(
      desk.app,
      target,
      account.name,
      request.audit('edition.send', targetName(target)),
    );
    const { zone } = desk.app.config.publication;
    const text = `It closes ${whenText(closeAt, at, zone)}. Until then it can be cancelled.`;
    return respondAfter(request, draftPath(target), { kind: 'done', text });
  } catch (error) {
    if (error instanceof SendError) return respondSendPage(request, target, `${error.problem}.`);
    throw error;
  }
}

async function cancelSend(request: SignedInRequest, target: DraftTarget): Promise<Response> {
  const { desk, account } = request;
  try {
    await cancelSending(desk.app, target, account.name, request.audit('edition.cancel-send', targetName(target)));
    return respondAfter(request, draftPath(target), { kind: 'done', text: 'Cancelled: it was not sent.' });
  } catch (error) {
    if (error instanceof SendError) {
      const isClosed = (await findEdition(desk.app.store.db, target.newsletter.id, target.slot.label)) !== null;
      const help = isClosed ? ' On the page Deliveries, a pause stops what is not submitted yet.' : '';
      return respondAfter(request, draftPath(target), { kind: 'problem', text: `${error.problem}.${help}` });
    }
    throw error;
  }
}

/** Test copies per account: without a limit, an account could mail strangers. */
const LIMIT = { everyMs: 2 * MINUTE, burst: 10 };
/** How long a request waits for the mail server. A server that answers later may still take the copy. */
const TIME_LIMIT = 20 * SECOND;

/** Mails a copy, and says what the mail server answered. */
async function mailTestCopy(request: SignedInRequest, target: DraftTarget): Promise<Response> {
  const { desk, account, form, at } = request;
  const { app } = desk;
  const isOwn = form.get('own') === '1';
  const typed = isOwn ? account.email : (form.get('to') ?? '').trim();
  const refuse = (error: string): Promise<Response> => respondTestPage(request, target, { typed, error });
  const parsed = parseAddress(typed);
  if (parsed.kind === 'invalid') return refuse(`Enter an address, such as name@example.com: ${parsed.reason}.`);
  const permit = await acquirePermit(app.store.db, `desk test copy ${account.id}`, LIMIT, at);
  if (permit.kind === 'refused') {
    const minutes = Math.max(1, Math.ceil((permit.retryAt - at) / MINUTE));
    return refuse(`You have sent ${LIMIT.burst} copies: the next one can be sent in ${minutes} min.`);
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
function respondTestPage(
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
<form method="post" action="${desk.base}${actPath(target, 'test')}" novalidate>
${errorSummary({ to: attempt?.error })}
${textField({
  ...{ name: 'to', label: 'Address', type: 'email', required: true, autocomplete: 'email' },
  ...{ value: attempt?.typed ?? account.email, error: attempt?.error },
  hint: 'The copy is marked [Test], and its personal links change nothing.',
})}
<div class="buttons">${submitButton('Send a test copy', { id: 'test', primary: true })}<a class="button" id="back"
href="${desk.base}${draftPath(target)}">Back to the edition</a></div></form></section>`,
  });
}
