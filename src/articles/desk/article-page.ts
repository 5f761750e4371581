/** An article: what readers see of it, where it is, who changed it, and what can be done. */
import { html } from 'hono/html';
import { sectionTitle } from '../../core/config/config.ts';
import { findEditionsOf } from '../../editions/used-in.ts';
import { readChangedArticles } from '../../feeds/changed-articles.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondPage } from '../../web/desk/page.ts';
import {
  errorSummary,
  hiddenFields,
  postButton,
  refusalRegion,
  submitButton,
  textField,
} from '../../web/desk/parts/form.ts';
import { badge } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import { articlePageUrl, fullHeadline, isPublic } from '../article.ts';
import { articleDeskPath } from '../article-link.ts';
import { type LoggedEdit, listEdits } from '../edits/edit-log.ts';
import { type StoredArticle, whyNotEditable } from '../edits/stored-article.ts';
import { articleStateMark, formerTexts, originText } from './article-parts.ts';
import { textFrame } from './body-frame.ts';

const MAX_EDITS = 20;

/** What was typed into a form that was refused. */
export interface RefusedNote {
  form: 'retract' | 'restore';
  note: string;
  error: string;
  /** 409: somebody has changed the article since. */
  status: 409 | 422;
}

export async function respondArticle(
  request: SignedInRequest,
  stored: StoredArticle,
  refused?: RefusedNote,
): Promise<Response> {
  const { article } = stored;
  const path = articleDeskPath(article.id);
  const edits = await listEdits(request.desk.app.store.db, article.id, MAX_EDITS);
  const body = html`<div class="split"><div>
<section id="facts" data-region aria-label="Facts">${await facts(request, stored)}</section>
${acts(request, stored, refused)}
<section id="log" data-region aria-labelledby="log-heading"><h2 id="log-heading">Changes at the desk</h2>
${log(request, stored, edits)}</section>
</div><div class="side"><h2>As readers see it</h2>
${textFrame(request, `Text of ${article.headline}`, { src: `${path}/text` })}</div></div>`;
  return respondPage(request, {
    ...{ title: fullHeadline(article), section: 'articles', body, topics: ['articles'] },
    heading: html`<h1 lang="${article.language}" dir="auto">${fullHeadline(article)}</h1>`,
    status: refused?.status ?? 200,
  });
}

async function facts(request: SignedInRequest, { article, origin }: StoredArticle): Promise<Html> {
  const { desk, at } = request;
  const { db } = desk.app.store;
  const { config } = desk.app;
  const editions = (await findEditionsOf(db, [article.id])).get(article.id) ?? [];
  const [stored] = isPublic(article, at) ? await readChangedArticles(db, config.feeds, [article.id]) : [];
  const feeds = config.feeds.filter(({ id }) => stored?.selectedBy.has(id));
  const address = articlePageUrl(article, config.publication.url);
  const { status, outlet } = article;
  const pair = (name: string, value: Html | string): Html => html`<dt>${name}</dt><dd dir="auto">${value}</dd>`;
  const noted =
    'note' in status ? html`<bdi>${status.note}</bdi> <span class="soft">${when(request, status.at)}</span>` : '';
  return html`<dl class="pairs">
${pair('State', html`${articleStateMark(request, article)}${article.pinned ? html` ${badge('pinned', 'new')}` : ''}`)}
${noted === '' ? '' : pair('Note', noted)}
${pair('Kind', article.kind)}
${pair('Section', sectionTitle(config, article.section) ?? article.section ?? 'none')}
${pair('Published', when(request, article.publishedAt))}
${article.updatedAt === article.publishedAt ? '' : pair('Updated', when(request, article.updatedAt))}
${outlet === null ? '' : pair('Reported by', outlet.url === null ? outlet.name : link(outlet.url, outlet.name))}
${article.bylines.length === 0 ? '' : pair('By', article.bylines.map(({ name }) => name).join(', '))}
${pair('Address', isPublic(article, at) || status.state === 'retracted' ? link(address, address) : address)}
${pair('Id', html`<code>${article.id}</code>`)}
${pair('Feeds', feeds.length === 0 ? 'in none' : feeds.map(({ title }) => title).join(', '))}
${pair(
  'Editions',
  editions.length === 0
    ? 'in none'
    : html`${editions.map(
        ({ newsletter, slot, headline }) =>
          html`<a href="${desk.base}/editions/${newsletter}/${slot}">${newsletter}/${slot}</a> ${headline}<br>`,
      )}`,
)}
${pair('Origin', originText(article.id, origin))}
</dl>`;
}

function link(url: string, text: string): Html {
  return html`<a href="${url}" rel="noreferrer">${text}</a>`;
}

function acts(request: SignedInRequest, stored: StoredArticle, refused: RefusedNote | undefined): Html {
  if (!request.may('drafts.edit')) return html``;
  const { status } = stored.article;
  const shown = status.state === 'retracted' ? 'restore' : isPublic(stored.article, request.at) ? 'retract' : null;
  // Error of a refused act whose form the page does not have, because the article has changed.
  const lost = refused === undefined || refused.form === shown ? null : refused.error;
  return html`${refusalRegion(lost)}${actForms(request, stored, refused)}`;
}

function actForms(request: SignedInRequest, stored: StoredArticle, refused: RefusedNote | undefined): Html {
  const { article, digest: seen } = stored;
  const reason = whyNotEditable(stored);
  if (reason !== null) return html`<p class="hint">${reason}</p>`;
  const { base } = request.desk;
  const path = `${base}${articleDeskPath(article.id)}`;
  if (article.status.state === 'retracted') {
    return html`<h2>Take the retraction back</h2>
<form method="post" action="${path}/restore" id="restore-form" data-keep novalidate>${hiddenFields({ seen })}
${noteField('restore', 'Correction note, if readers should know why (optional)', refused)}
${submitButton('Publish again', { primary: true, id: 'restore' })}</form>`;
  }
  const retract = isPublic(article, request.at)
    ? html`<details id="retract"${refused === undefined ? '' : html` open`}><summary class="danger">Retract</summary>
<form method="post" action="${path}/retract" id="retract-form" data-keep novalidate>${hiddenFields({ seen })}
<p class="hint">It leaves the feeds within seconds, its page shows the note instead of the text, and deliveries that
carry it pause.</p>
${noteField('retract', 'Note to readers: why it is retracted', refused)}
${submitButton('Retract the article', { danger: true, id: 'retract-button' })}</form></details>`
    : '';
  return html`<div class="buttons"><a class="button primary" href="${path}/edit">Edit</a></div>${retract}`;
}

function noteField(form: RefusedNote['form'], label: string, refused: RefusedNote | undefined): Html {
  const typed = refused?.form === form ? refused : undefined;
  const id = `${form}-note`;
  return html`${errorSummary({ [id]: typed?.error })}
${textField({ name: 'note', id, label, rows: 3, value: typed?.note, error: typed?.error })}`;
}

const ACTS: Record<LoggedEdit['act'], string> = {
  create: 'wrote the article',
  edit: 'changed',
  retract: 'retracted it:',
  restore: 'took the retraction back:',
  undo: 'took a change back:',
  import: 'brought a newer text, which replaced what the desk had written:',
};

function log(request: SignedInRequest, { article, digest }: StoredArticle, edits: LoggedEdit[]): Html {
  if (edits.length === 0) return html`<p class="empty">Nobody has changed this article at the desk. “Edit” does.</p>`;
  const [last] = edits;
  const row = (edit: LoggedEdit): Html => {
    const fields = Object.keys(edit.before).filter((name) => name !== 'bodyHtml' && name !== 'publishedAt');
    const mayUndo = edit === last && edit.digest === digest && edit.act !== 'create' && request.may('drafts.edit');
    const button = postButton(request, `${articleDeskPath(article.id)}/undo`, 'Undo', {
      ...{ fields: { number: edit.number }, id: 'undo-last', name: 'Undo the last change', quiet: true },
    });
    return html`<li>${when(request, edit.at)} <strong>${edit.author}</strong> ${ACTS[edit.act]} ${fields.join(', ')}
${mayUndo ? button : ''}${
  fields.length === 0
    ? ''
    : html`<details id="edit-${edit.number}"><summary>What it was before</summary>${former(edit)}</details>`
}</li>`;
  };
  return html`<ul class="rows">${edits.map(row)}</ul>`;
}

/** The fields of before, as text. */
function former({ before }: LoggedEdit): Html {
  return html`${formerTexts(before).map(
    ({ label, text }) => html`<p>${label}</p><pre dir="auto">${text || 'none'}</pre>`,
  )}`;
}
