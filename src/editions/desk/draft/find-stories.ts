/** The search on the page of an edition: in its own stories, and in all articles, each with what brings it in. */
import { html } from 'hono/html';
import { findByReference } from '../../../articles/search/find-by-reference.ts';
import { listArticles } from '../../../articles/search/list-articles.ts';
import { searchedText } from '../../../articles/search/search-index.ts';
import { parseWordQuery } from '../../../articles/search/search-terms.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { hiddenFields, submitButton } from '../../../web/desk/parts/form.ts';
import type { ArrangedDraft } from '../../draft/arranged-draft.ts';
import { draftPath } from '../../draft/draft-target.ts';
import { explainLeftOut } from '../../selection/left-out.ts';
import { choiceQuery, readPreviewChoice } from '../preview/preview-choice.ts';
import { actPath, type DraftPageView, type FoundStories, rowId } from './draft-view.ts';
import { ACTS, reasonText, rowForm } from './left-out-tray.ts';
import { HANDLE, headlineLink, storyFacts, submitTo } from './story-blocks.ts';

/** Articles that a search lists at most. */
const MAX_FOUND = 20;

/** Looks for stories of the edition, which the script does at once, and for all articles. */
export function findForm({ request, draft, find }: DraftPageView): Html | '' {
  if (draft.newsletter.kind === 'alert') return '';
  const { view, scheme, copy } = readPreviewChoice(request);
  const page = request.desk.base + draftPath(draft);
  return html`<form id="find" class="buttons" role="search" method="get" action="${page}">
${hiddenFields({ view, scheme, copy })}
<input type="search" id="find-words" name="q" value="${find.words}" maxlength="300"
aria-label="Find stories" placeholder="Find stories" dir="auto" data-key="/" data-key-name="Find stories">
${submitButton('Search all articles', { id: 'find-all' })}</form>`;
}

/** What a search in all articles found, each with what brings it in, or why nothing does. */
export function foundRegion(view: DraftPageView): Html {
  const { words, articles } = view.find;
  if (words === '') return html`<section id="found" data-region></section>`;
  const all =
    view.request.desk.base + draftPath(view.draft) + choiceQuery({ ...readPreviewChoice(view.request), q: '' });
  return html`<section id="found" data-region aria-labelledby="found-title">
<div class="titled"><h2 id="found-title">Found in all articles <span class="soft">${articles.length}${
    articles.length === MAX_FOUND ? ', the newest' : ''
  }</span></h2><a id="find-clear" href="${all}">Show all stories</a></div>
${
  articles.length === 0
    ? html`<p class="empty">No article has these words, or this id, slug or address.</p>`
    : html`<ul class="rows">${articles.map((found) => foundRow(view, found))}</ul>`
}</section>`;
}

function foundRow(view: DraftPageView, { id, article, reason }: FoundStories['articles'][number]): Html {
  const { request, draft, mayEdit } = view;
  const shown = draft.stories.some((story) => story.id === id);
  const acts = reason === null ? (['pin'] as const) : ACTS[reason.kind];
  const act = shown || !mayEdit ? undefined : acts.find((one) => one !== 'drop');
  const why = shown
    ? html`<a href="#${rowId(id)}">in the edition</a>`
    : reason === null
      ? 'not in the edition'
      : reasonText(request, reason);
  const action = request.desk.base + actPath(draft, act ?? '');
  const name = `Add to the edition: ${article.headline}`;
  return html`<li data-row class="acts"${act === 'pin' ? html` data-drag-item="${id}"` : ''}>${
    act === 'pin' ? HANDLE : ''
  }<div class="story">${headlineLink(view, { id, article }, `found-${id}`)}</div>
<div class="hint facts">${why} · ${storyFacts(request, article)}</div>
${
  act === undefined
    ? ''
    : rowForm(view, id, action, [submitTo(action, 'Add to the edition', { key: 'p', id: `add-${id}`, name })])
}</li>`;
}

/** Finds articles by their words, or by what identifies one. @param words empty: none */
export async function findStories(request: SignedInRequest, draft: ArrangedDraft): Promise<FoundStories> {
  const { desk, at } = request;
  const { db, reports } = desk.app.store;
  const words = readPreviewChoice(request).q;
  if (words === '' || draft.newsletter.kind === 'alert') return { words: '', matches: () => true, articles: [] };
  const wanted = parseWordQuery(words);
  const listed =
    wanted === null
      ? []
      : (await listArticles(reports, { words: wanted }, { now: at, limit: MAX_FOUND, after: null })).articles;
  const named = await findByReference(db, words);
  // Pages of editions are no stories.
  const all = [...(named === null ? [] : [named]), ...listed.filter(({ id }) => id !== named?.id)].filter(
    ({ page }) => page === null,
  );
  const found = all.slice(0, MAX_FOUND);
  const ids = found.map(({ id }) => id);
  const leftOut = await explainLeftOut(db, draft.newsletter, draft.contents, ids);
  const reasons = new Map(leftOut.map(({ id, reason }) => [id, reason]));
  return {
    words,
    matches: (article) => wanted?.matches(searchedText(article)) === true || article.id === named?.id,
    articles: found.map((article) => ({ id: article.id, article, reason: reasons.get(article.id) ?? null })),
  };
}
