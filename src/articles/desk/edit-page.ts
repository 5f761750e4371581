/** The page of an edit, its preview, and the page of a conflict. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter, respondMissing, respondPage, respondProblem } from '../../web/desk/page.ts';
import { bothVersions } from '../../web/desk/parts/differences.ts';
import { hiddenFields, refusalRegion, submitButton, textField } from '../../web/desk/parts/form.ts';
import { when } from '../../web/desk/parts/when.ts';
import { fullHeadline } from '../article.ts';
import { articleDeskPath } from '../article-link.ts';
import { type EditOutcome, editArticle, plainLineEnds } from '../edits/edit-article.ts';
import { type FormerFields, type LoggedEdit, listEdits } from '../edits/edit-log.ts';
import { ArticleConflictError, ArticleEditError, type ArticleProblem, readWritten } from '../edits/read-written.ts';
import { readStoredArticle, type StoredArticle, whyNotEditable } from '../edits/stored-article.ts';
import { originName } from '../import/origin.ts';
import { articleStateMark, releaseText, stateText } from './article-parts.ts';
import { type ReadersText, respondText, textFrame } from './body-frame.ts';
import {
  COMPARED_FIELDS,
  type EditFields,
  editForm,
  fieldsOf,
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
  const { form } = request;
  return withArticle(request, (stored) => save(request, stored, readEditFields(form), form.get('seen') ?? ''));
}

/**
 * @param seen digest of the article that the fields belong to
 * @param before fields that somebody else has changed since the form was shown
 */
async function save(
  request: SignedInRequest,
  stored: StoredArticle,
  fields: EditFields,
  seen: string,
  before: MergedField[] = [],
): Promise<Response> {
  const { desk, account } = request;
  const { id } = stored.article;
  try {
    const actor = { seen, author: account.name, onCommit: request.audit('article.edit', id) };
    const outcome = await editArticle(desk.app, id, toEdit(fields), actor);
    return respondAfter(request, articleDeskPath(id), noticeOf(request, outcome, before));
  } catch (error) {
    if (error instanceof ArticleEditError) return respondEdit(request, stored, fields, seen, error.problems);
    if (!(error instanceof ArticleConflictError)) throw error;
    const current = { ...stored, article: error.current, digest: error.digest };
    const merged = mergeFields(fields, fieldsOf(desk, current.article));
    if (merged.conflicts.length > 0) return respondConflict(request, current, fields, merged);
    return save(request, current, merged.fields, current.digest, [...new Set([...before, ...merged.others])]);
  }
}

function noticeOf(request: SignedInRequest, outcome: EditOutcome, others: readonly MergedField[]) {
  const { article, warnings } = outcome;
  const { app } = request.desk;
  const path = `${articleDeskPath(article.id)}/undo`;
  const merged =
    others.length === 0 ? '' : ` Somebody else has changed ${others.join(', ')} since you opened it: both are kept.`;
  if (outcome.kind === 'unchanged') return { kind: 'done' as const, text: `Nothing was changed.${merged}` };
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
    heading: html`<h1>Edit: <bdi lang="${stored.article.language}">${headline}</bdi></h1>`,
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
    const nothing: ReadersText = {
      headline: error.message.replaceAll('\n', ' '),
      kicker: null,
      dek: null,
      bodyHtml: '',
      language: 'en',
    };
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
  stored: StoredArticle,
  posted: EditFields,
  { fields, conflicts }: MergedFields,
): Promise<Response> {
  const { desk } = request;
  const { article, digest, origin } = stored;
  const edits = await listEdits(desk.app.store.db, article.id, MAX_EDITS);
  const theirs = fieldsOf(desk, article);
  const path = `${desk.base}${articleDeskPath(article.id)}`;
  const shown = posted.shown.split(' ');
  const release = { now: 'publish now', at: `publish at ${posted.embargo}` }[posted.release] ?? 'keep it as a draft';
  const state = posted.notice === 'correction' ? `corrected: ${posted.note}` : release;
  const sections = conflicts.map((name) => {
    const changer = changerOf(edits, name, shown[[...COMPARED_FIELDS, 'state'].indexOf(name)] ?? '');
    const who = changer?.author ?? (origin === null ? 'somebody else' : originName(origin));
    const [theirText, ownText] =
      name === 'state' ? [stateText(article.status), state] : [theirs[name], plainLineEnds(fields[name])];
    const by = html`<bdi>${who}</bdi>${changer ? html`, ${when(request, changer.at)}` : ''}`;
    const versions = bothVersions(by, theirText, ownText, article.language);
    return html`<h2>${LABELS[name]}</h2>${versions}${mergedInput(request, name, fields, article.language)}`;
  });
  const inputs = conflicts.map((name) => (name === 'state' ? 'note' : name)) as string[];
  const hidden = Object.fromEntries(Object.entries(fields).filter(([name]) => !inputs.includes(name)));
  const message = 'Somebody else has changed the same since you opened it. Nothing was saved yet.';
  const body = html`${refusalRegion(message)}
<p>Its state is now ${articleStateMark(request, article)}. Changes of other fields are merged. Below each pair of
texts is the one that will be saved: yours, until you change it.</p>
<form method="post" action="${path}/edit" data-plain data-keep>${hiddenFields({ ...hidden, seen: digest })}${sections}
<div class="buttons">${submitButton('Save', { primary: true, id: 'keep-mine' })}
<a class="button" id="take-theirs" href="${path}/edit">Take theirs</a></div></form>`;
  return respondPage(request, {
    ...{ title: `Both changed: ${fullHeadline(article)}`, section: 'articles', body, status: 409 },
  });
}

function mergedInput(request: SignedInRequest, field: MergedField, fields: EditFields, language: string): Html {
  if (field === 'section') return sectionField(request.desk, fields.section, undefined);
  // Two editors who have both changed a choice have chosen the same.
  if (field === 'pinned' || (field === 'state' && fields.notice !== 'correction')) return html``;
  const name = field === 'state' ? 'note' : field;
  const rows = name === 'body' ? 20 : name === 'headline' || name === 'kicker' ? undefined : 2;
  return textField({ name, label: `${LABELS[field]} to be saved`, value: fields[name], language, rows });
}

const MAX_EDITS = 50;

/** The newest change of a field since the form was shown. @param shown digest of the field's text in the form */
function changerOf(edits: readonly LoggedEdit[], name: MergedField, shown: string): LoggedEdit | undefined {
  const texts = edits.map(({ before }) => formerText(before, name));
  const first = texts.findIndex((text) => text !== undefined && shownDigest(text) === shown);
  return edits.find((_, index) => index <= first && texts[index] !== undefined);
}

function formerText({ status, publishedAt = 0, body, pinned, ...texts }: FormerFields, name: MergedField) {
  if (name === 'state') return status && stateKey({ status, publishedAt });
  if (name === 'body') return body?.source;
  if (name === 'pinned') return pinned === undefined ? undefined : pinned ? 'yes' : '';
  return name in texts ? (texts[name] ?? '') : undefined;
}
