/** The page on which editors work on an edition. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondPage } from '../../../web/desk/page.ts';
import { bothVersions } from '../../../web/desk/parts/differences.ts';
import { postButton, refusalRegion } from '../../../web/desk/parts/form.ts';
import { whenText } from '../../../web/desk/parts/when.ts';
import { readArrangedDraft } from '../../draft/arranged-draft.ts';
import { arrangeDraft } from '../../draft/compose-draft.ts';
import type { FieldValue } from '../../draft/decisions.ts';
import { describeField, describeLostApproval, describeValue } from '../../draft/describe.ts';
import {
  closedPath,
  type DraftTarget,
  draftPath,
  draftTopic,
  draftVersion,
  nextPath,
} from '../../draft/draft-target.ts';
import type { DraftConflictError } from '../../draft/edit-draft.ts';
import { storiesOf } from '../../draft/history.ts';
import { checkDraft } from '../../edition-checks/check-draft.ts';
import { findHeadlines } from '../../selection/candidates.ts';
import { composeForPage } from '../preview/compose-for-desk.ts';
import { previewRegion } from '../preview/preview-region.ts';
import { readCopyReach } from '../sending/copy-reach.ts';
import { sendingRegion } from '../sending/sending-region.ts';
import { draftLog } from './draft-log.ts';
import { describeState, draftStateText } from './draft-state.ts';
import { actPath, type DraftPageView, storyName } from './draft-view.ts';
import { findForm, findStories, foundRegion } from './find-stories.ts';
import { leftOutTray } from './left-out-tray.ts';
import { checksRegion } from './problem-list.ts';
import { storyBlockLists } from './story-blocks.ts';
import { type RefusedText, textForms } from './text-forms.ts';

/** What went wrong with the command that the page answers. */
export interface CommandRefusal {
  /** In one line: what was wrong, and what would be right. */
  problem?: string;
  text?: RefusedText;
  conflict?: RefusedCommand;
}

/** @param refusal of a command: the status is 409 for a conflict, else 422 */
export async function respondEdition(
  request: SignedInRequest,
  target: DraftTarget,
  refusal: CommandRefusal = {},
): Promise<Response> {
  const view = await readView(request, target);
  const { newsletter, slot, edition } = target;
  const { problem, text = null, conflict } = refusal;
  const { revision, state, closeAt } = view.draft.draft;
  const body = html`${stateLine(view)}
${conflict === undefined ? html`<section id="conflict" data-region></section>` : conflictNotice(view, conflict)}
${refusalRegion(problem)}
<div class="split"><div class="stories">
${textForms(view, text)}${findForm(view)}${foundRegion(view)}${storyBlockLists(view)}${leftOutTray(
  view,
)}${checksRegion(view)}${draftLog(view)}</div>
<div class="side">${sendingRegion(view)}<div id="preview-pane">${previewRegion(view)}</div></div></div>`;
  return respondPage(request, {
    title: `${newsletter.title}, ${slot.label}`,
    section: 'edition',
    topics: [draftTopic(target), 'articles', ...(edition === null ? [] : [`edition:${edition.id}`])],
    version: draftVersion(revision, state.kind, closeAt),
    hasPresence: true,
    status:
      conflict !== undefined || text?.theirs !== undefined ? 409 : problem !== undefined || text !== null ? 422 : 200,
    body: html`${otherNewsletters(request, target)}${JUMPS}${body}`,
  });
}

/** Stays in sight. */
const JUMPS = html`<nav class="jump" aria-label="On this page"><ul><li><a href="#texts">Texts</a></li>
<li><a href="#stories">Stories</a></li><li><a href="#tray">Not in it</a></li><li><a href="#checks">Checks</a></li>
<li><a href="#log">Log</a></li><li><a href="#sending">Send</a></li><li><a href="#preview">Preview</a></li></ul></nav>`;

function stateLine(view: DraftPageView): Html {
  const { request, draft } = view;
  const { zone } = request.desk.app.config.publication;
  const lost = describeLostApproval(draft.draft, draft.log, {
    story: (id) => `“${storyName(view, id)}”`,
    instant: (at) => whenText(at, request.at, zone),
  });
  const closed =
    draft.edition === null
      ? ''
      : html` <a href="${request.desk.base}${closedPath(draft)}">The edition as it was sent</a>`;
  return html`<section id="state" data-region aria-label="State"><p class="lead">${draftStateText(
    request,
    describeState(draft, request.at, lost),
  )}${closed}</p></section>`;
}

/** Leads to the coming editions of the other newsletters. */
function otherNewsletters({ desk }: SignedInRequest, { newsletter }: DraftTarget): Html {
  const others = desk.app.config.newsletters.filter(({ id }) => id !== newsletter.id);
  if (others.length === 0) return html``;
  const links = others.map(({ id, title }) => html`<li><a href="${desk.base}${nextPath(id)}">${title}</a></li>`);
  return html`<nav aria-label="Other newsletters"><ul class="line">${links}</ul></nav>`;
}

/** Newest log entries whose stories are named by their headlines: those of the page, and those to undo. */
const NAMED_ENTRIES = 50;

async function readView(request: SignedInRequest, target: DraftTarget): Promise<DraftPageView> {
  const { app } = request.desk;
  const arrangement = await arrangeDraft(app, target);
  const composition = await composeForPage(request.desk, target, arrangement);
  const draft = await readArrangedDraft(app, target, arrangement);
  const problems =
    composition.kind === 'composed'
      ? await checkDraft(app, target.newsletter, composition.composed, { links: 'cached' })
      : [];
  const reach = await readCopyReach(request.desk, target.newsletter, composition);
  const find = await findStories(request, draft);
  const headlines = new Map<string, string>();
  for (const { id, article } of draft.leftOut) if (article) headlines.set(id, article.headline);
  for (const { id, article } of draft.stories) headlines.set(id, article.headline);
  const unknown = [...new Set(draft.log.slice(-NAMED_ENTRIES).flatMap(storiesOf))].filter((id) => !headlines.has(id));
  for (const [id, headline] of await findHeadlines(app.store.db, unknown)) headlines.set(id, headline);
  return { request, draft, composition, reach, problems, headlines, find, mayEdit: request.may('drafts.edit') };
}

interface RefusedCommand {
  error: DraftConflictError;
  /** The act that can be repeated, below the draft's path; null where it cannot, such as an undo. */
  repeat: { act: string; fields: Record<string, string> } | null;
}

function conflictNotice(view: DraftPageView, { error, repeat }: RefusedCommand): Html {
  const { request, draft } = view;
  const names = { story: (id: string) => `“${storyName(view, id)}”` };
  const theirs = request.desk.base + draftPath(draft);
  const keep =
    repeat === null
      ? ''
      : postButton(request, actPath(draft, repeat.act), 'Keep mine', {
          ...{ fields: { ...repeat.fields, seen: draft.draft.revision }, id: 'keep-mine' },
        });
  // A text as it is, which may have several lines; other values in words.
  const words = (one: FieldValue): string => (typeof one === 'string' ? one : describeValue(one, names));
  return html`<section id="conflict" data-region role="alert" class="conflict" aria-labelledby="conflict-title"
 tabindex="-1" autofocus>
<h2 id="conflict-title">Nothing was changed: <bdi>${error.by}</bdi> changed the same</h2>
${error.conflicts.map(
  ({ field, current, wanted }) =>
    html`<p><bdi>${error.by}</bdi> has changed ${describeField(field, names)}.</p>
${bothVersions(html`<bdi>${error.by}</bdi>`, words(current), words(wanted))}`,
)}
<div class="buttons">${keep}<a class="button" id="take-theirs" href="${theirs}">Take theirs</a></div></section>`;
}
