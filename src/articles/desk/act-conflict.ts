/** A retraction, or what takes one back, of an article that somebody has changed since its page was loaded. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondPage } from '../../web/desk/page.ts';
import { hiddenFields, submitButton, textField } from '../../web/desk/parts/form.ts';
import { when } from '../../web/desk/parts/when.ts';
import { fullHeadline } from '../article.ts';
import { articleDeskPath } from '../article-link.ts';
import { DESK_FIELDS } from '../edits/desk-base.ts';
import { type FormerFields, formerFields, listEdits } from '../edits/edit-log.ts';
import type { StoredArticle } from '../edits/stored-article.ts';
import { articleStateMark, bothTexts, formerTexts } from './article-parts.ts';
import { textFrame } from './body-frame.ts';
import { general } from './edit-form.ts';

const LABELS = {
  retract: { note: 'Note to readers: why it is retracted', again: 'Retract it as it is now' },
  restore: { note: 'Correction note, if readers should know why (optional)', again: 'Publish it as it is now' },
};

/** What the other changed, the note as it was typed, and a button for either. */
export async function respondActConflict(
  request: SignedInRequest,
  stored: StoredArticle,
  act: keyof typeof LABELS,
): Promise<Response> {
  const { article, digest } = stored;
  const { base } = request.desk;
  const path = articleDeskPath(article.id);
  const message = 'The article has been changed since you opened it. Nothing was done yet.';
  const isPossible = (article.status.state === 'retracted') === (act === 'restore');
  const labels = LABELS[act];
  const again = html`<form method="post" action="${base}${path}/${act}">${hiddenFields({ seen: digest })}
${textField({
  ...{ name: 'note', id: `${act}-note`, label: labels.note, rows: 3, maxLength: 2_000 },
  value: request.form.get('note') ?? '',
})}
<div class="buttons">${submitButton(labels.again, { id: 'keep-mine', danger: act === 'retract' })}
<a class="button" id="take-theirs" href="${base}${path}">Leave it</a></div></form>`;
  const body = html`<div class="split"><div>${general([{ field: null, message }])}
<p>Its state is now ${articleStateMark(request, article)}.</p>
${await lastChange(request, stored)}
${isPossible ? again : html`<p><a class="button" id="take-theirs" href="${base}${path}">Leave it</a></p>`}</div>
<div class="side"><h2>As readers see it now</h2>
${textFrame(request, `Text of ${article.headline}`, { src: `${path}/text` })}</div></div>`;
  return respondPage(request, {
    ...{ title: `Changed since: ${fullHeadline(article)}`, section: 'articles', body, status: 409 },
  });
}

async function lastChange(request: SignedInRequest, { article, digest }: StoredArticle): Promise<Html> {
  const [last] = await listEdits(request.desk.app.store.db, article.id, 1);
  if (last === undefined || last.digest !== digest) return html`<p>An import brought another text.</p>`;
  const changed = DESK_FIELDS.filter((field) => field in last.before);
  const now = formerTexts(formerFields(article, changed) satisfies FormerFields);
  const fields = formerTexts(last.before).map(({ label, text }) => ({
    label,
    texts: [text, now.find((one) => one.label === label)?.text ?? ''] as const,
  }));
  return html`<p><bdi>${last.author}</bdi> changed it ${when(request, last.at)}:</p>
${bothTexts(['Before', 'Now'], fields)}`;
}
