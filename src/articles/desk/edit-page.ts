/** The page of an edit, its preview, and the page of a conflict. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter, respondMissing, respondPage, respondProblem } from '../../web/desk/page.ts';
import { hiddenFields, submitButton, textField } from '../../web/desk/parts/form.ts';
import { when } from '../../web/desk/parts/when.ts';
import { fullHeadline } from '../article.ts';
import { articleDeskPath } from '../article-link.ts';
import { type EditOutcome, editArticle, plainLineEnds } from '../edits/edit-article.ts';
import { type FormerFields, type LoggedEdit, listEdits } from '../edits/edit-log.ts';
import { ArticleConflictError, ArticleEditError, type ArticleProblem, readWritten } from '../edits/read-written.ts';
import { readStoredArticle, type StoredArticle, whyNotEditable } from '../edits/stored-article.ts';
import { originName } from '../import/origin.ts';
import { articleStateMark, differences, releaseText, stateText } from './article-parts.ts';
import { type ReadersText, respondText, textFrame } from './body-frame.ts';
import {
  COMPARED_FIELDS,
  type EditFields,
  editForm,
  fieldsOf,
  general,
  type MergedField,
  type MergedFields,
  mergeFields,
  PREVIEW_FRAME,
  readEditFields,
  sectionField,
  shownDigest,
  stateKey,
  toEdit,
} from './edit-form.ts';

/** Calls `respond` with the article of the path, if there is one. */
export async function withArticle(
  request: SignedInRequest,
  respond: (stored: StoredArticle) => Promise<Response> | Response,
): Promise<Response> {
  const id = request.c.req.param('id') ?? '';
  const stored = id.includes('\u0000') ? null : await readStoredArticle(request.desk.app.store.db, id);
  return stored === null ? respondMissing(request, 'There is no article with this id.') : respond(stored);
}

/** GET `/articles/:id/edit`. */
export function serveEditPage(request: SignedInRequest): Promise<Response> {
  return withArticle(request, (stored) => {
    const reason = whyNotEditable(stored);
    if (reason !== null) return respondProblem(request, 409, 'Not changed here', reason);
    if (stored.article.status.state === 'retracted') return respondAfter(request, articleDeskPath(stored.article.id));
    return respondEdit(request, stored, fieldsOf(request.desk, stored.article), stored.digest);
  });
}

/** Shows an edit that has not been saved, because its editor had to sign in again. */
export function showEditAgain(request: SignedInRequest): Promise<Response> {
  return withArticle(request, (stored) => {
    const { form } = request;
    if (whyNotEditable(stored) !== null) return serveEditPage(request);
    return respondEdit(request, stored, readEditFields(form), form.get('seen') ?? '');
  });
}

/** POST `/articles/:id/edit`. What others have changed meanwhile in other fields is merged. */
export function saveEdit(request: SignedInRequest): Promise<Response> {
  return withArticle(request, (stored) => {
    const seen = request.form.get('seen') ?? '';
    return save(request, stored, { fields: readEditFields(request.form), seen, others: [] });
  });
}

interface TriedEdit {
  fields: EditFields;
  /** Digest of the article that the fields belong to. */
  seen: string;
  /** Fields that somebody else has changed since the form was shown. */
  others: MergedField[];
}

const MAX_MERGES = 3;

async function save(request: SignedInRequest, stored: StoredArticle, edit: TriedEdit, merges = 0): Promise<Response> {
  const { desk, account } = request;
  const { id } = stored.article;
  const { fields, seen } = edit;
  try {
    const actor = { seen, author: account.name, onCommit: request.audit('article.edit', id) };
    const outcome = await editArticle(desk.app, id, toEdit(fields), actor);
    return respondAfter(request, articleDeskPath(id), noticeOf(request, outcome, edit.others));
  } catch (error) {
    if (error instanceof ArticleEditError) return respondEdit(request, stored, fields, seen, error.problems);
    if (!(error instanceof ArticleConflictError)) throw error;
    const current = { ...stored, article: error.current, digest: error.digest };
    const merged = mergeFields(fields, fieldsOf(desk, current.article));
    if (merged.conflicts.length > 0 || merges === MAX_MERGES) return respondConflict(request, current, fields, merged);
    const others = [...new Set([...edit.others, ...merged.others])];
    return save(request, current, { fields: merged.fields, seen: current.digest, others }, merges + 1);
  }
}

function noticeOf(request: SignedInRequest, outcome: EditOutcome, others: readonly MergedField[]) {
  const { article, warnings } = outcome;
  const { app } = request.desk;
  const path = `${articleDeskPath(article.id)}/undo`;
  const merged =
    others.length === 0 ? '' : ` Somebody else has changed ${others.join(', ')} since you opened it: both are kept.`;
  if (outcome.kind === 'unchanged') return { kind: 'done' as const, text: `Nothing was changed.${merged}` };
  // The time of publication is later than that of the request.
  const readers = releaseText(article, app.clock(), app.config.publication.zone);
  const removed = warnings.length === 0 ? '' : ` Note: ${warnings.join('; ')}.`;
  return {
    kind: 'done' as const,
    text: `Changed: ${outcome.fields.join(', ')}.${merged} ${readers}${removed}`,
    undo: { action: path, fields: { number: String(outcome.number) } },
  };
}

function respondEdit(
  request: SignedInRequest,
  stored: StoredArticle,
  fields: EditFields,
  seen: string,
  problems: readonly ArticleProblem[] = [],
): Promise<Response> {
  const { id, headline } = stored.article;
  const body = html`<div class="split"><div>${editForm(request, stored, fields, seen, problems)}</div>
<div class="side"><h2>Preview</h2><p class="hint">"Preview" shows here what readers will see.</p>
${textFrame(request, 'Preview', { name: PREVIEW_FRAME, src: `${articleDeskPath(id)}/text` })}</div></div>`;
  return respondPage(request, {
    ...{ title: `Edit: ${headline}`, section: 'articles', body, status: problems.length === 0 ? 200 : 422 },
  });
}

/** POST `/articles/:id/preview`: the text as it would be, in the frame. */
export function previewEdit(request: SignedInRequest): Promise<Response> {
  return withArticle(request, async ({ article, origin }) => {
    const { headline, kicker, dek, body } = readEditFields(request.form);
    const record = { id: article.id, headline, kicker, dek, body, format: article.body.format };
    return respondPreview(request, record, origin, article.language);
  });
}

/** What a record would look like, or what is wrong with it. */
export async function respondPreview(
  request: SignedInRequest,
  record: Record<string, unknown>,
  origin: string | null,
  language: string,
): Promise<Response> {
  try {
    const { candidate } = await readWritten(request.desk.app.config, record, origin);
    return respondText(request, { ...candidate, language });
  } catch (error) {
    if (!(error instanceof ArticleEditError)) throw error;
    const nothing: ReadersText = { headline: error.message, kicker: null, dek: null, bodyHtml: '', language: 'en' };
    return respondText(request, nothing);
  }
}

const LABELS: Record<MergedField, string> = {
  ...{ headline: 'Headline', kicker: 'Kicker', dek: 'Dek', section: 'Section', body: 'Body', pinned: 'Pinned' },
  state: 'State',
};

/** Both texts of each field that both have changed, and a field for the text that is to be saved. */
async function respondConflict(
  request: SignedInRequest,
  { article, digest, origin }: StoredArticle,
  posted: EditFields,
  { fields, conflicts }: MergedFields,
): Promise<Response> {
  const { desk } = request;
  const edits = await listEdits(desk.app.store.db, article.id, MAX_EDITS);
  const theirs = fieldsOf(desk, article);
  const path = `${desk.base}${articleDeskPath(article.id)}`;
  const shown = posted.shown.split(' ');
  const sections = conflicts.map((name) => {
    const changer = changerOf(edits, name, shown[[...COMPARED_FIELDS, 'state'].indexOf(name)] ?? '');
    const who = changer?.author ?? (origin === null ? 'somebody else' : originName(origin));
    const texts = name === 'state' ? [stateText(article.status), statusWish(posted)] : [theirs[name], fields[name]];
    const [their, mine] = differences(texts[0] ?? '', plainLineEnds(texts[1] ?? ''));
    const text = (value: Html, isEmpty: boolean) =>
      html`<p class="text" dir="auto" lang="${article.language}">${isEmpty ? 'none' : value}</p>`;
    return html`<h2>${LABELS[name]}</h2>
<div class="versions"><div><h3>Theirs: <bdi>${who}</bdi>${changer ? html`, ${when(request, changer.at)}` : ''}</h3>
${text(their, texts[0] === '')}</div><div><h3>Yours</h3>${text(mine, texts[1] === '')}</div></div>
${mergedInput(request, name, fields, article.language)}`;
  });
  const shownFields = conflicts.map((name) => (name === 'state' ? 'note' : name));
  const hidden = Object.entries(fields).filter(([name]) => !(shownFields as string[]).includes(name));
  const message = 'Somebody else has changed the same since you opened it. Nothing was saved yet.';
  const body = html`${general([{ field: null, message }])}
<p>Its state is now ${articleStateMark(request, article)}. Changes of other fields are merged. Below each pair of
texts is the one that will be saved: yours, until you change it.</p>
<form method="post" action="${path}/edit" data-plain data-keep>${hiddenFields({
    ...Object.fromEntries(hidden),
    seen: digest,
  })}${sections}
<div class="buttons">${submitButton('Save', { primary: true, id: 'keep-mine' })}
<a class="button" id="take-theirs" href="${path}/edit">Take theirs</a></div></form>`;
  return respondPage(request, {
    ...{ title: `Both changed: ${fullHeadline(article)}`, section: 'articles', body, status: 409 },
  });
}

/** What the form wants of the state, in words. */
function statusWish({ release, embargo, notice, note }: EditFields): string {
  if (notice === 'correction') return `corrected: ${note}`;
  return release === 'at' ? `published at ${embargo.replace('T', ' ')}` : release === 'now' ? 'published' : release;
}

function mergedInput(request: SignedInRequest, name: MergedField, fields: EditFields, language: string): Html {
  if (name === 'section') return sectionField(request.desk, fields.section, undefined);
  if (name === 'pinned')
    return html`<label class="choice"><input type="checkbox" name="pinned" value="yes"${
      fields.pinned === 'yes' ? html` checked` : ''
    }> Pinned</label>`;
  if (name === 'state') {
    if (fields.notice !== 'correction') return html``;
    return textField({ name: 'note', label: 'Correction note to be saved', value: fields.note, rows: 2, language });
  }
  const rows = name === 'body' ? 20 : name === 'dek' ? 2 : undefined;
  const label = `${LABELS[name]} to be saved`;
  return textField({ name, label, value: fields[name], language, ...(rows === undefined ? {} : { rows }) });
}

const MAX_EDITS = 50;

/** The newest change of a field since the form was shown. @param shown digest of the field's text in the form */
function changerOf(edits: readonly LoggedEdit[], name: MergedField, shown: string): LoggedEdit | undefined {
  const first = edits.findIndex(({ before }) => {
    const text = formerText(before, name);
    return text !== undefined && shownDigest(text) === shown;
  });
  return edits.slice(0, first + 1).find(({ before }) => formerText(before, name) !== undefined);
}

function formerText({ status, publishedAt = 0, body, pinned, ...texts }: FormerFields, name: MergedField) {
  if (name === 'state') return status && stateKey({ status, publishedAt });
  if (name === 'body') return body?.source;
  if (name === 'pinned') return pinned === undefined ? undefined : pinned ? 'yes' : '';
  return name in texts ? (texts[name] ?? '') : undefined;
}
