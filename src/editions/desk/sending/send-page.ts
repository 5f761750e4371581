/** The page that confirms sending an edition at once: one sentence, with the figures. */
import { html } from 'hono/html';
import { articleDeskPath } from '../../../articles/article-link.ts';
import { isClosing, requireSendable, SendError } from '../../../delivery/closing/send-now.ts';
import { count } from '../../../lib/text/count.ts';
import { SECOND } from '../../../lib/time.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondPage } from '../../../web/desk/page.ts';
import { postButton, refusalRegion } from '../../../web/desk/parts/form.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import {
  arrangeDraft,
  composeDraft,
  type DraftArrangement,
  type DraftComposition,
  type EmptyComposition,
} from '../../draft/compose-draft.ts';
import { type DraftTarget, draftPath } from '../../draft/draft-target.ts';
import { countStories } from '../../selection/selection.ts';
import { actPath } from '../draft/draft-view.ts';
import { renderForDesk } from '../preview/compose-for-desk.ts';
import { readCopyReach } from './copy-reach.ts';
import { RECIPIENTS_MEANING, sendingSentence } from './sending-sentence.ts';

/** The edition as it would close if it were sent now. */
export async function composeToSend(
  { desk, at }: SignedInRequest,
  target: DraftTarget,
): Promise<DraftComposition | EmptyComposition> {
  const arrangement = await arrangeDraft(desk.app, target, at + target.newsletter.undoSeconds * SECOND);
  return composeDraft(desk.app, target, { arrangement, render: renderForDesk });
}

const NO_SCHEDULE =
  'Nothing would close the edition: no running daywire has the role schedule. Start one, then send it.';

/** Why an edition cannot be sent by the desk; null if it can. The process that runs the schedule closes it. */
export async function findSendingObstacle(
  { desk: { app }, at }: SignedInRequest,
  target: DraftTarget,
): Promise<string | null> {
  try {
    await requireSendable(app, target, at);
  } catch (error) {
    if (error instanceof SendError) return `${error.problem}.`;
    throw error;
  }
  return (await isClosing(app)) ? null : NO_SCHEDULE;
}

/** @param problem of an attempt to send it, in one line: the status is 422 then */
export async function respondSendPage(
  request: SignedInRequest,
  target: DraftTarget,
  problem: string | null = null,
): Promise<Response> {
  const { newsletter, slot } = target;
  // At once: on PostgreSQL each waits for a dozen answers of the server.
  const [composition, obstacle, atSlot] = await Promise.all([
    composeToSend(request, target),
    findSendingObstacle(request, target),
    arrangeDraft(request.desk.app, target),
  ]);
  const content = await whatIsSent(request, target, { composition, obstacle, atSlot });
  const shown = problem ?? (composition.kind === 'empty' ? null : obstacle);
  const label = problem === null ? 'Not possible' : 'Not done';
  return respondPage(request, {
    title: `Send ${newsletter.title}, ${slot.label}, now?`,
    section: 'edition',
    status: problem === null ? 200 : 422,
    body: html`${refusalRegion(shown, label)}
<section id="send-now" data-region aria-label="What is sent">${content}</section>`,
  });
}

interface Sending {
  composition: DraftComposition | EmptyComposition;
  /** Why it cannot be sent. */
  obstacle: string | null;
  /** As the page of the edition shows it. */
  atSlot: DraftArrangement;
}

async function whatIsSent(
  request: SignedInRequest,
  target: DraftTarget,
  { composition, obstacle, atSlot }: Sending,
): Promise<Html> {
  const { desk } = request;
  const { newsletter } = target;
  const back = html`<a class="button" id="back" href="${desk.base}${draftPath(target)}">Back to the edition</a>`;
  if (composition.kind === 'empty') {
    return html`<p>There is nothing to send: ${composition.reason}.</p><div class="buttons">${back}</div>`;
  }
  const { closeAt } = composition.draft;
  // The browser's back button leads here, too.
  if (closeAt !== null) {
    return html`<p class="sentence">It is being sent already: it closes ${when(request, closeAt)},
${fromNow(request, closeAt)}.</p><div class="buttons">${back}</div>`;
  }
  const reach = await readCopyReach(desk, newsletter, composition);
  const terms = { reach, zone: desk.app.config.publication.zone, deliverAt: newsletter.deliverAt };
  const sentence = sendingSentence(terms, newsletter.undoSeconds * SECOND);
  return html`<p class="sentence">“<bdi>${composition.composed.subject}</bdi>”, with ${count(
    composition.stories,
    'story',
    'stories',
  )}, goes ${sentence}.</p>
${reach.words === '' ? '' : html`<p>${reach.words}</p>`}
${whatIsMissing(request, target, composition, atSlot)}
<p class="meaning">${RECIPIENTS_MEANING} Until it closes that can be cancelled; after
that, a pause stops only what is not submitted yet.</p>
<div class="buttons">${postButton(request, actPath(target, 'send'), 'Send now', {
    ...{ fields: { hash: composition.hash }, id: 'send', danger: true, disabled: obstacle !== null },
  })}${back}</div>`;
}

/** Stories of the edition's page that are not public when it closes, and an approval that is void then. */
function whatIsMissing(
  request: SignedInRequest,
  target: DraftTarget,
  { composed }: DraftComposition,
  { arranged }: DraftArrangement,
): Html {
  const closeAt = request.at + target.newsletter.undoSeconds * SECOND;
  const { placed, plan } = arranged.loaded;
  const late = placed.filter(({ article }) => article.publishedAt >= closeAt).map(({ article }) => article);
  const voided = composed.approval?.voided ?? null;
  const items = late.map(
    ({ id, headline, language, publishedAt }) =>
      html`<li><a href="${request.desk.base}${articleDeskPath(id)}" lang="${language}" dir="auto">${
        headline
      }</a>, public from ${when(request, publishedAt)}</li>`,
  );
  return html`${
    late.length === 0
      ? ''
      : html`<p class="error">${late.length} of ${count(countStories(plan), 'story', 'stories')} ${
          late.length === 1 ? 'is' : 'are'
        } not public when it closes, and will not be in it:</p><ul class="problems">${items}</ul>`
  }${voided === null ? '' : html`<p class="error">The approval does not count then: ${voided}.</p>`}`;
}
