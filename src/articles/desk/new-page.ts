/** The page of a new brief. */
import { html } from 'hono/html';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter, respondPage } from '../../web/desk/page.ts';
import {
  choiceField,
  errorSummary,
  formStatus,
  hiddenFields,
  submitButton,
  textField,
} from '../../web/desk/parts/form.ts';
import { articleDeskPath } from '../article-link.ts';
import { createArticle, newDeskArticleId, type WrittenBrief } from '../edits/create-article.ts';
import { ArticleEditError, type ArticleProblem } from '../edits/read-written.ts';
import { releaseText } from './article-parts.ts';
import { textFrame } from './body-frame.ts';
import { articleErrors, embargoField, PREVIEW_FRAME, sectionField } from './edit-form.ts';
import { respondPreview } from './edit-page.ts';

const FIELDS = [
  ...(['id', 'headline', 'kicker', 'section', 'body', 'linkUrl', 'linkTitle', 'outletName', 'outletUrl'] as const),
  ...(['release', 'embargo'] as const),
];
type BriefFields = Record<(typeof FIELDS)[number], string>;

/** GET `/briefs/new`. The id is chosen here, so that the form makes one article however often it is sent. */
export function serveNewBrief(request: SignedInRequest): Promise<Response> {
  const { publication } = request.desk.app.config;
  const nothing = Object.fromEntries(FIELDS.map((name) => [name, ''])) as BriefFields;
  return respondNew(request, { ...nothing, id: newDeskArticleId(request.at, publication.zone), release: 'now' });
}

/** POST `/briefs/new`. */
export async function saveNewBrief(request: SignedInRequest): Promise<Response> {
  const { desk, account } = request;
  const fields = readFields(request.form);
  const onCommit = request.audit('article.create', fields.id.slice(0, 128));
  try {
    const { article, isNew, warnings } = await createArticle(desk.app, toBrief(fields), {
      ...{ author: account.name, onCommit },
    });
    const state = releaseText(article, desk.app.clock(), desk.app.config.publication.zone);
    const stored = isNew ? 'The brief is stored.' : 'The brief was stored before, and was not changed.';
    const text = `${stored} ${state} ${warnings.join('; ')}`.trim();
    return respondAfter(request, articleDeskPath(article.id), { kind: 'done', text });
  } catch (error) {
    if (!(error instanceof ArticleEditError)) throw error;
    return respondNew(request, fields, error.problems);
  }
}

/** Shows a brief that has not been stored, because its editor had to sign in again. */
export function showBriefAgain(request: SignedInRequest): Promise<Response> {
  return respondNew(request, readFields(request.form));
}

/** POST `/briefs/new/preview`. */
export function previewNewBrief(request: SignedInRequest): Promise<Response> {
  const { id, headline, kicker, body } = readFields(request.form);
  return respondPreview(request, { id, headline, kicker, body }, null, request.desk.app.config.publication.language);
}

function readFields(form: URLSearchParams): BriefFields {
  return Object.fromEntries(FIELDS.map((name) => [name, form.get(name) ?? ''])) as BriefFields;
}

function toBrief({ release, embargo, ...fields }: BriefFields): WrittenBrief {
  const kind = release === 'now' || release === 'at' ? release : 'draft';
  return { ...fields, release: kind === 'at' ? { kind, time: embargo } : { kind } };
}

function respondNew(
  request: SignedInRequest,
  fields: BriefFields,
  problems: readonly ArticleProblem[] = [],
): Promise<Response> {
  const { desk } = request;
  // All others are fields that somebody sees.
  const [, ...shown] = FIELDS;
  const errors = articleErrors(problems, shown);
  const { language } = desk.app.config.publication;
  const path = `${desk.base}/briefs/new`;
  const options = [
    { value: 'now', label: 'Publish now' },
    { value: 'at', label: 'Publish at the time below' },
    { value: 'draft', label: 'Keep it as a draft' },
  ];
  const body = html`<div class="split"><div>
<form method="post" action="${path}" data-plain data-keep novalidate>${errorSummary(errors)}
${hiddenFields({ id: fields.id })}
${textField({
  ...{ name: 'headline', label: 'Headline', value: fields.headline, error: errors.headline, counter: 100 },
  ...{ language, required: true, hasFocus: true },
})}
${textField({
  ...{ name: 'kicker', label: 'Kicker', value: fields.kicker, error: errors.kicker, language },
})}
${sectionField(desk, fields.section, errors.section)}
${textField({
  ...{ name: 'body', label: 'Text (Markdown)', value: fields.body, error: errors.body, rows: 5, language },
  ...{ hint: 'One to three sentences.', required: true },
})}
<h2>Link</h2>
<p class="hint">Your own story, or another page. Optional.</p>
${textField({
  ...{ name: 'linkUrl', label: 'Address', value: fields.linkUrl, error: errors.linkUrl, type: 'url' },
})}
${textField({ name: 'linkTitle', label: 'Text of the link', value: fields.linkTitle, error: errors.linkTitle })}
<h2>Reported by another outlet</h2>
<p class="hint">Then the brief is an item of the roundup, which credits the outlet. Write it in your own words.</p>
${textField({ name: 'outletName', label: 'Outlet', value: fields.outletName, error: errors.outletName })}
${textField({
  ...{ name: 'outletUrl', label: 'Address of its report', value: fields.outletUrl, error: errors.outletUrl },
  type: 'url',
})}
<h2>Publication</h2>
${choiceField({
  ...{ type: 'radio', name: 'release', legend: 'When', options },
  ...{ chosen: [fields.release], error: errors.release },
})}
${embargoField(request, fields.embargo, errors.embargo)}
<div class="buttons">${submitButton('Store the brief', { primary: true, id: 'store' })}
<button type="submit" id="show-preview" formaction="${path}/preview" formtarget="${PREVIEW_FRAME}">Preview</button>
<a href="${desk.base}/articles">Leave without saving</a></div></form></div>
<div class="side"><h2>Preview</h2><p class="hint">"Preview" shows here what readers will see.</p>
${textFrame(request, 'Preview', { name: PREVIEW_FRAME })}</div></div>`;
  return respondPage(request, {
    ...{ title: 'New brief', section: 'articles', body, status: formStatus(errors) },
  });
}
