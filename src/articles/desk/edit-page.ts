/** The page of an edit, its preview, and the page of a conflict. */
import { html } from 'hono/html';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter, respondMissing, respondPage, respondProblem } from '../../web/desk/page.ts';
import { hiddenFields, refusalRegion, submitButton } from '../../web/desk/parts/form.ts';
import { fullHeadline, isPublic } from '../article.ts';
import { articleDeskPath } from '../article-link.ts';
import { type EditOutcome, editArticle, plainLineEnds } from '../edits/edit-article.ts';
import { ArticleConflictError, ArticleEditError, type ArticleProblem, readWritten } from '../edits/read-written.ts';
import { readStoredArticle, type StoredArticle, whyNotEditable } from '../edits/stored-article.ts';
import { articleStateMark, bothTexts } from './article-parts.ts';
import { type ReadersText, respondText, textFrame } from './body-frame.ts';
import {
  COMPARED_FIELDS,
  type EditFields,
  editForm,
  fieldsOf,
  mergeFields,
  PREVIEW_FRAME,
  readEditFields,
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

/** POST `/articles/:id/edit`. */
export function saveEdit(request: SignedInRequest): Promise<Response> {
  return withArticle(request, async (stored) => {
    const { form, desk, account } = request;
    const { id } = stored.article;
    const fields = readEditFields(form);
    const seen = form.get('seen') ?? '';
    const onCommit = request.audit('article.edit', id);
    try {
      const outcome = await editArticle(desk.app, id, toEdit(fields), { seen, author: account.name, onCommit });
      return respondAfter(request, articleDeskPath(id), noticeOf(outcome, request.at));
    } catch (error) {
      if (error instanceof ArticleConflictError) return respondConflict(request, stored, fields);
      if (error instanceof ArticleEditError) return respondEdit(request, stored, fields, seen, error.problems);
      throw error;
    }
  });
}

function noticeOf(outcome: EditOutcome, now: number) {
  const { article, warnings } = outcome;
  const path = `${articleDeskPath(article.id)}/undo`;
  if (outcome.kind === 'unchanged') return { kind: 'done' as const, text: 'Nothing was changed.' };
  const readers = isPublic(article, now) ? ' Readers see it within seconds.' : '';
  const removed = warnings.length === 0 ? '' : ` Note: ${warnings.join('; ')}.`;
  return {
    kind: 'done' as const,
    text: `Changed: ${outcome.fields.join(', ')}.${readers}${removed}`,
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

const LABELS: Record<(typeof COMPARED_FIELDS)[number], string> = {
  ...{ headline: 'Headline', kicker: 'Kicker', dek: 'Dek', section: 'Section', body: 'Body', pinned: 'Pinned' },
};

/** Both texts of each field that the editor has changed, and a button for either. */
function respondConflict(request: SignedInRequest, stored: StoredArticle, posted: EditFields): Promise<Response> {
  const { desk } = request;
  const { article, digest } = stored;
  const theirs = fieldsOf(desk, article);
  const mine = mergeFields(posted, theirs);
  const path = `${desk.base}${articleDeskPath(article.id)}`;
  const compared = COMPARED_FIELDS.filter((field) => plainLineEnds(mine[field]) !== theirs[field]).map((field) => ({
    label: LABELS[field],
    texts: [theirs[field], plainLineEnds(mine[field])] as const,
  }));
  const state = articleStateMark(request, article);
  const body = html`${refusalRegion('The article has been changed since you opened it. Nothing was saved yet.')}
<p>Its state is now ${state}. Fields that you left as they were stay as they are stored now.</p>
${bothTexts(['Theirs, now stored', 'Yours'], compared)}
<form method="post" action="${path}/edit" data-plain>${hiddenFields({ ...mine, seen: digest })}
<div class="buttons">${submitButton('Keep mine', { primary: true, id: 'keep-mine' })}
<a class="button" id="take-theirs" href="${path}/edit">Take theirs</a></div></form>`;
  return respondPage(request, {
    ...{ title: `Both changed: ${fullHeadline(article)}`, section: 'articles', body, status: 409 },
  });
}
