/** What lets an edition go, on its page: hold, approve, test copies, and sending it now. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { hiddenFields, postButton, textField } from '../../../web/desk/parts/form.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import type { ArrangedDraft } from '../../draft/arranged-draft.ts';
import { draftPath } from '../../draft/draft-target.ts';
import { entryToUndoByNumber, fieldRevision } from '../../draft/history.ts';
import { actPath, type DraftPageView } from '../draft/draft-view.ts';
import type { CopyReach } from './copy-reach.ts';
import { RECIPIENTS_MEANING, slotSentence } from './sending-sentence.ts';

/** Region `sending`; nothing once the edition is closed. */
export function sendingRegion(view: DraftPageView): Html {
  const { edition, ended } = view.draft;
  const isOver = edition !== null || ended !== null;
  const content = isOver ? '' : controls(view);
  return html`<section id="sending" data-region${isOver ? html` hidden` : ''} aria-labelledby="sending-title">
<h2 id="sending-title">Send</h2>
${content}</section>`;
}

function controls({ request, draft: sent, composition, reach }: DraftPageView): Html {
  const { closeAt, state } = sent.draft;
  const mayAct = request.may('drafts.edit');
  if (closeAt !== null) return beingSent(request, sent, closeAt, mayAct);
  const shares = reach.words === '' ? '' : html`<p>${reach.words}</p>`;
  const sentence = html`<p class="sentence">${sentenceOf(request, sent, reach)}</p>${shares}`;
  const meaning = html`<p class="meaning">Approved, it has exactly the stories of this page, with their later
corrections; otherwise, those that are ready when it closes. ${RECIPIENTS_MEANING}</p>`;
  if (!mayAct) return html`${sentence}${meaning}`;
  if (composition.kind === 'empty') {
    return html`${sentence}<div class="buttons">${holdButton(request, sent)}${more(request, sent, '', meaning)}</div>`;
  }
  const seen = { seen: composition.draft.revision, hash: composition.hash };
  const isApproved = state.kind === 'approved' && !isVoid(sent);
  const approve =
    state.kind === 'held' || isApproved
      ? ''
      : postButton(request, actPath(sent, 'approve'), 'Approve', {
          ...{ fields: seen, id: 'approve', key: 'a', primary: true, disabled: composition.isSkipped },
        });
  const back = isApproved ? takeBack(request, sent) : '';
  const test = postButton(request, actPath(sent, 'test'), 'Send me a test copy', {
    ...{ fields: { own: '1' }, id: 'test-own', key: 'c' },
  });
  const other = html`<a class="button" id="test-other" href="${request.desk.base}${actPath(sent, 'test')}">Test copy to
another address</a>`;
  const now =
    sent.obstacle !== null || composition.isSkipped
      ? ''
      : html`<a class="button" id="send-now" href="${request.desk.base}${actPath(sent, 'send')}">Send now …</a>`;
  const covers =
    approve === '' || composition.composed.segments === null
      ? ''
      : html`<p>An approval covers all copies: each has some of these stories, in this order.</p>`;
  return html`${sentence}${covers}
<div class="buttons">${approve}${back}${holdButton(request, sent)}${test}${more(
    request,
    sent,
    html`${other}${now}`,
    meaning,
  )}</div>`;
}

/** What is rarely needed. */
function more(request: SignedInRequest, sent: ArrangedDraft, links: Html | '', meaning: Html): Html {
  const action = request.desk.base + actPath(sent, 'hold');
  const hold =
    sent.draft.state.kind === 'held'
      ? ''
      : html`<form id="hold-form" method="post" action="${action}" data-keep>
${hiddenFields({ seen: sent.draft.revision })}
${textField({ name: 'reason', id: 'hold-reason', label: 'Reason for a hold (optional)', maxLength: 200 })}</form>`;
  return html`<details class="menu" id="send-more"><summary>More</summary>
<div>${links}${hold}${meaning}</div></details>`;
}

/** An undo of one's own approval. Others can hold the edition. */
function takeBack(request: SignedInRequest, { draft, log, ...sent }: ArrangedDraft): Html | '' {
  const entry = entryToUndoByNumber(log, request.account.name, fieldRevision(draft, 'state'));
  if (entry === null) return '';
  return postButton(request, `${draftPath(sent)}/undo`, 'Take the approval back', {
    ...{ fields: { entry: entry.number }, id: 'take-back' },
  });
}

/** Whether it was approved, and that no longer counts. */
function isVoid({ approval }: ArrangedDraft): boolean {
  return approval !== null && approval.voided !== null;
}

function sentenceOf({ desk, at }: SignedInRequest, sent: ArrangedDraft, reach: CopyReach): string {
  const { newsletter, slot, draft, storyCount } = sent;
  const { minimumStories } = newsletter;
  if (storyCount === 0) return 'Without a story it goes to nobody.';
  if (storyCount < minimumStories) return `With fewer than ${minimumStories} stories it goes to nobody.`;
  const { zone } = desk.app.config.publication;
  const terms = { reach, zone, deliverAt: newsletter.deliverAt };
  if (newsletter.kind === 'alert') return `An alert goes out when it is sent, ${slotSentence(terms, at, at)}.`;
  const when = slotSentence(terms, slot.slotAt, at);
  switch (draft.state.kind) {
    case 'held':
      return newsletter.approval === 'required'
        ? `Held, it waits. Released and approved, it goes ${when}.`
        : `Held, it waits. Released, it goes ${when}.`;
    case 'approved':
      if (!isVoid(sent)) return `Approved, it goes ${when}.`;
      break;
  }
  return newsletter.approval === 'required'
    ? `Once it is approved, it goes ${when}.`
    : `It goes ${when}, approved or not.`;
}

/** A reason for a hold is typed in the form beneath "More". */
function holdButton(request: SignedInRequest, sent: ArrangedDraft): Html {
  if (sent.draft.state.kind === 'held') {
    return postButton(request, actPath(sent, 'release'), 'Release', {
      ...{ fields: { seen: sent.draft.revision }, id: 'release', key: 'h', primary: true },
    });
  }
  return html`<button form="hold-form" id="hold" data-key="h">Hold</button>`;
}

function beingSent(request: SignedInRequest, sent: ArrangedDraft, closeAt: number, mayAct: boolean): Html {
  const cancel = mayAct
    ? postButton(request, actPath(sent, 'cancel-send'), 'Cancel sending', { id: 'cancel-send', primary: true })
    : '';
  const end = html`${when(request, closeAt)}, ${fromNow(request, closeAt)}`;
  const sentence =
    sent.obstacle === null
      ? html`It is being sent: it closes ${end}.`
      : html`It would close ${end}. Nothing is sent then: ${sent.obstacle.reason}.`;
  return html`<p class="sentence">${sentence}</p>
<div class="buttons">${cancel}</div>`;
}
