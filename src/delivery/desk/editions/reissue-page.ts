/** Reissues a closed edition: the note of its draft, what would change, and the act. */
import { html } from 'hono/html';
import { DraftCommandError } from '../../../editions/draft/commands.ts';
import type { Draft } from '../../../editions/draft/decisions.ts';
import { readDraft } from '../../../editions/draft/draft-store.ts';
import { DraftConflictError, editDraft } from '../../../editions/draft/edit-draft.ts';
import { type Edition, fullEditionName } from '../../../editions/queries.ts';
import { StaleComposition } from '../../../editions/record.ts';
import { publish } from '../../../feeds/publish/publish.ts';
import { count } from '../../../lib/text/count.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondAfter, respondMissing, respondPage } from '../../../web/desk/page.ts';
import { errorSummary, hiddenFields, refusalRegion, submitButton, textField } from '../../../web/desk/parts/form.ts';
import { sentence } from '../../../web/desk/parts/operator-text.ts';
import { type Reissue, reissueEdition } from '../../closing/reissue.ts';
import { DeliveryControlError } from '../../control/edition-control.ts';
import { tooFewWords } from '../../status/format-editions.ts';
import { editionDeskPath, mailedName, requestedEdition } from './edition-names.ts';

const MISSING = 'There is no such edition.';

interface NoteProblem {
  message: string;
  /** Text that the editor typed. */
  typed: string;
}

interface ReissueState {
  problem?: string;
  note?: NoteProblem;
  /** The result of a dry run, and whether it was of a correction. */
  checked?: { reissue: Reissue; asCorrection: boolean };
}

/** GET `/editions/:newsletter/:slot/reissue`. */
export async function serveReissuePage(request: SignedInRequest): Promise<Response> {
  const edition = await requestedEdition(request);
  return edition === null ? respondMissing(request, MISSING) : respondReissue(request, edition, {});
}

/** POST `/editions/:newsletter/:slot/reissue/note`: the note that the revision will have. */
export async function handleReissueNote(request: SignedInRequest): Promise<Response> {
  const { desk, form, account } = request;
  const edition = await requestedEdition(request);
  if (edition === null) return respondMissing(request, MISSING);
  const newsletter = desk.app.config.newsletters.find(({ id }) => id === edition.newsletter);
  if (newsletter === undefined) {
    return respondReissue(request, edition, { problem: `The newsletter ${edition.newsletter} is not configured.` });
  }
  const typed = form.get('note') ?? '';
  const target = { newsletter, slot: { label: edition.slot, slotAt: edition.slotAt }, edition };
  const note = typed.trim() === '' ? null : typed;
  const onCommit = request.audit('edition.note', fullEditionName(edition));
  const seen = { revision: Number(form.get('seen')) || 0 };
  try {
    const { entry } = await editDraft(desk.app, target, account.name, { kind: 'note', text: note }, { seen, onCommit });
    const text =
      entry === null ? 'The note has not changed.' : 'The note is saved. It is mailed with the next revision.';
    return respondAfter(request, `${editionDeskPath(edition)}/reissue`, { kind: 'done', text });
  } catch (error) {
    if (error instanceof DraftConflictError) {
      const [conflict] = error.conflicts;
      const current = conflict?.current === null ? 'no note' : `“${String(conflict?.current)}”`;
      const message =
        `${error.by} has changed the note since you opened this page, to ${current}. ` +
        'Save yours again to replace it.';
      return respondReissue(request, edition, { note: { message, typed } });
    }
    if (!(error instanceof DraftCommandError)) throw error;
    return respondReissue(request, edition, { note: { message: sentence(error), typed } });
  }
}

/** POST `/editions/:newsletter/:slot/reissue/check`: what would change. Nothing is written. */
export async function handleReissueCheck(request: SignedInRequest): Promise<Response> {
  const edition = await requestedEdition(request);
  if (edition === null) return respondMissing(request, MISSING);
  const asCorrection = request.form.get('correction') === 'yes';
  try {
    const reissue = await reissueEdition(request.desk.app, edition, { asCorrection, isDryRun: true });
    return respondReissue(request, edition, { checked: { reissue, asCorrection } });
  } catch (error) {
    return respondReissue(request, edition, { problem: problemOf(error) });
  }
}

/** POST `/editions/:newsletter/:slot/reissue`. */
export async function handleReissue(request: SignedInRequest): Promise<Response> {
  const { desk, form } = request;
  const edition = await requestedEdition(request);
  if (edition === null) return respondMissing(request, MISSING);
  const asCorrection = form.get('correction') === 'yes';
  const onCommit = request.audit('edition.reissue', fullEditionName(edition), { asCorrection });
  let reissue: Reissue;
  try {
    reissue = await reissueEdition(desk.app, edition, { asCorrection, isDryRun: false, onCommit });
  } catch (error) {
    return respondReissue(request, edition, { problem: problemOf(error) });
  }
  await publish(desk.app);
  const text = `Reissued as revision ${reissue.edition.revision}: ${count(reissue.queued, 'message')} queued.`;
  return respondAfter(request, editionDeskPath(reissue.edition), { kind: 'done', text });
}

/** @throws what is no refusal */
function problemOf(error: unknown): string {
  if (error instanceof DeliveryControlError) return sentence(error);
  if (error instanceof StaleComposition) return 'Its articles changed while it was composed. Try again.';
  throw error;
}

async function respondReissue(request: SignedInRequest, edition: Edition, state: ReissueState): Promise<Response> {
  const { desk } = request;
  const { newsletter, slot, slotAt } = edition;
  const draft = await readDraft(desk.app.store.db, newsletter, { label: slot, slotAt });
  const action = `${desk.base}${editionDeskPath(edition)}/reissue`;
  const { problem, checked } = state;
  const body = html`<p><a href="${desk.base}${editionDeskPath(edition)}" dir="auto">${mailedName(edition)}</a>, revision
${edition.revision}</p>
${refusalRegion(problem)}
<p>A reissue closes the edition once more, with its stories as they are now and with what was changed in
<a href="${desk.base}/editions/${newsletter}/${slot}/draft">its draft</a> since. Those who do not have it get the new
revision. The edition must be paused, cancelled or done.</p>
<section id="note-section" data-region aria-labelledby="note-heading"><h2 id="note-heading">The editor’s note</h2>
${noteForm(action, draft, state.note)}</section>
<section id="check" data-region aria-labelledby="check-heading"><h2 id="check-heading">What would change</h2>
${checked === undefined ? checkForm(action) : confirmation(action, checked)}</section>`;
  const isWrong = problem !== undefined || state.note !== undefined;
  return respondPage(request, { title: 'Reissue', section: 'editions', body, status: isWrong ? 422 : 200 });
}

function noteForm(action: string, draft: Draft, problem: NoteProblem | undefined): Html {
  return html`<form method="post" action="${action}/note" id="note-form" data-keep>
${errorSummary({ note: problem?.message })}${hiddenFields({ seen: draft.revision })}
${textField({
  ...{ name: 'note', label: 'Note', rows: 4, value: problem?.typed ?? draft.decisions.note ?? '' },
  ...{ error: problem?.message, hint: 'Above the stories. A correction must say here what was wrong.' },
})}
${submitButton('Save the note', { id: 'save-note' })}</form>`;
}

function checkForm(action: string): Html {
  return html`<form method="post" action="${action}/check">
<label class="choice"><input type="checkbox" name="correction" value="yes">
<span>Mail it as a correction, also to those who have the edition</span></label>
${submitButton('Show what would change', { id: 'check-reissue', primary: true })}</form>`;
}

function confirmation(action: string, { reissue, asCorrection }: NonNullable<ReissueState['checked']>): Html {
  const { edition, subject, added, removed } = reissue;
  return html`<dl class="pairs"><dt>Subject</dt><dd dir="auto">${subject}</dd>
<dt>New in it</dt><dd>${added.length === 0 ? 'no story' : added.join(', ')}</dd>
<dt>No longer in it</dt><dd>${removed.length === 0 ? 'no story' : removed.join(', ')}</dd></dl>
<p><strong>${confirmingSentence(reissue, asCorrection)}</strong> A mail that was submitted cannot be taken back.</p>
<form method="post" action="${action}">${hiddenFields(asCorrection ? { correction: 'yes' } : {})}
${submitButton(`Reissue as revision ${edition.revision}`, { id: 'reissue', primary: true })}
<a href="${action}">Do not reissue</a></form>`;
}

/** Says what a reissue does, with its figures. Pure. */
export function confirmingSentence(
  { edition, queued, tooFew, suppressed, submitted, uncertain }: Omit<Reissue, 'previewPath'>,
  asCorrection: boolean,
): string {
  const parts = [
    `${count(queued, 'message')} of revision ${edition.revision} will be queued at once${tooFewWords(tooFew)}`,
    ...(suppressed === 0 ? [] : [`${count(suppressed, 'message')} of the revision before will no longer be sent`]),
    ...(submitted === 0
      ? []
      : [
          asCorrection
            ? `${count(submitted, 'subscriber')} who may have it already get it as a correction`
            : `${count(submitted, 'subscriber')} who may have it already get no second mail`,
        ]),
    ...(uncertain === 0
      ? []
      : [`${count(uncertain, 'subscriber')} may have got an earlier revision, and get no second mail either`]),
  ];
  return `${parts.join('; ')}.`;
}
