/** The acts that let an edition go, or keep it. */
import { cancelSending, SendError, startSending } from '../../../delivery/closing/countdown.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../../web/desk/desk-route.ts';
import { respondAfter, respondMissing } from '../../../web/desk/page.ts';
import { sentence } from '../../../web/desk/parts/operator-text.ts';
import { whenText } from '../../../web/desk/parts/when.ts';
import { type DraftTarget, draftPath, targetName } from '../../draft/draft-target.ts';
import { type DraftRequest, editDraft } from '../../draft/edit-draft.ts';
import { findEdition } from '../../queries.ts';
import { respondRefused, seenRevision } from '../draft/draft-acts.ts';
import { findTarget, isMissing } from '../draft/draft-view.ts';
import { renderForDesk } from '../preview/compose-for-desk.ts';
import { composeToSend, findSendingObstacle, respondSendPage } from './send-page.ts';
import { countConfirmedSubscriptions, slotSentence } from './sending-sentence.ts';
import { mailTestCopy, respondTestPage } from './test-copy.ts';

const DRAFT = '/editions/:newsletter/:slot/draft';

export const sendingRoutes: DeskRoute[] = [
  post('hold', (request, target) => {
    const reason = request.form.get('reason')?.trim() || null;
    return edit(request, target, 'hold', { kind: 'hold', reason });
  }),
  post('release', (request, target) => edit(request, target, 'release', { kind: 'unhold' })),
  post('approve', (request, target) => edit(request, target, 'approve', { kind: 'approve' })),
  get('test', (request, target) => respondTestPage(request, target)),
  post('test', mailTestCopy),
  get('send', (request, target) => respondSendPage(request, target)),
  post('send', send),
  post('cancel-send', cancelSend),
];

type TargetHandler = (request: SignedInRequest, target: DraftTarget) => Promise<Response>;

function get(act: string, handle: TargetHandler): DeskRoute {
  return { method: 'GET', path: `${DRAFT}/${act}`, needs: 'drafts.edit', handle: withTarget(handle) };
}

function post(act: string, handle: TargetHandler): DeskRoute {
  return { method: 'POST', path: `${DRAFT}/${act}`, needs: 'drafts.edit', handle: withTarget(handle) };
}

function withTarget(handle: TargetHandler): (request: SignedInRequest) => Promise<Response> {
  return async (request) => {
    const target = await findTarget(request);
    return isMissing(target) ? respondMissing(request, target.message) : handle(request, target);
  };
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
  { newsletter, slot }: DraftTarget,
  name: 'hold' | 'release' | 'approve',
): Promise<string> {
  if (name === 'hold') return 'Held: it is not sent until somebody releases it.';
  if (name === 'release') return 'Released: it closes when it is ready.';
  if (newsletter.kind === 'alert') return 'Approved: it can be sent now.';
  const count = await countConfirmedSubscriptions(desk.app.store.db, newsletter);
  const terms = { count, zone: desk.app.config.publication.zone, deliverAt: newsletter.deliverAt };
  return `Approved: it goes ${slotSentence(terms, slot.slotAt, at)}.`;
}

/** Starts the countdown, if the edition is still the one that the confirming page showed. */
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
    const text = `It closes ${whenText(closeAt, at, zone)}, after its countdown. Until then it can be cancelled.`;
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
