/** The list of articles. */
import { html } from 'hono/html';
import { KINDS, sectionTitle } from '../../core/config/config.ts';
import { findEditionsOf, type UsedEdition } from '../../editions/used-in.ts';
import type { DeskContext, Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondPage } from '../../web/desk/page.ts';
import { selectField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { pager, queryText } from '../../web/desk/parts/pager.ts';
import { rowTable, type TableRow } from '../../web/desk/parts/row-table.ts';
import { badge } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import { type Article, fullHeadline, type Kind } from '../article.ts';
import { articleDeskPath } from '../article-link.ts';
import { findByReference } from '../search/find-by-reference.ts';
import {
  type ArticlePage,
  isSelected,
  LISTED_STATES,
  type ListedState,
  listArticles,
  parsePlace,
  placeText,
} from '../search/list-articles.ts';
import { unindexedBefore } from '../search/search-index.ts';
import { parseWordQuery } from '../search/search-terms.ts';
import { articleStateMark } from './article-parts.ts';

const PER_PAGE = 50;

interface ListQuery {
  words: string;
  state: ListedState | undefined;
  kind: Kind | undefined;
  section: string | undefined;
}

/** GET `/articles`. */
export async function serveArticleList(request: SignedInRequest): Promise<Response> {
  const { c, desk, at } = request;
  const { db, reports } = desk.app.store;
  const query = readQuery(request);
  const after = parsePlace(c.req.query('after'));
  const { words, ...filter } = query;
  const wanted = words === '' ? undefined : parseWordQuery(words);
  const options = { now: at, limit: PER_PAGE, after };
  const nothing: ArticlePage = { articles: [], next: null, lookedBackTo: null };
  const page = wanted === null ? nothing : await listArticles(reports, { ...filter, words: wanted }, options);
  const referred = words === '' || after !== null ? null : await findByReference(db, words);
  const named = referred !== null && isSelected(referred, filter, at) ? referred : null;
  const articles = named === null ? page.articles : [named, ...page.articles.filter(({ id }) => id !== named.id)];
  const unindexed = words === '' ? null : await unindexedBefore(db, at);
  const links = {
    path: '/articles',
    query: { q: words, state: filter.state, kind: filter.kind, section: filter.section },
    older: page.next === null || page.lookedBackTo !== null ? null : placeText(page.next),
    isFirst: after === null,
  };
  const body = html`<div class="buttons">${
    request.may('drafts.edit') ? html`<a class="button primary" href="${desk.base}/briefs/new">New brief</a>` : ''
  }</div>
${searchForm(request, query)}
<section id="articles" data-region aria-label="Articles">
${await table(request, articles)}
${
  unindexed === null
    ? ''
    : html`<p>The index of words is being built: articles before ${when(request, unindexed)} may be missing.</p>`
}
${lookFurther(request, page, links.query)}
${pager(request, links)}
</section>`;
  return respondPage(request, { title: 'Articles', section: 'articles', body, topics: ['articles'] });
}

function readQuery({ c }: SignedInRequest): ListQuery {
  const given = (name: string): string => (c.req.query(name) ?? '').trim().slice(0, 300);
  const oneOf = <T extends string>(values: readonly T[], value: string): T | undefined =>
    values.find((one) => one === value);
  return {
    words: given('q'),
    state: oneOf(LISTED_STATES, given('state')),
    kind: oneOf(KINDS, given('kind')),
    // PostgreSQL refuses U+0000.
    section: given('section').replaceAll('\u0000', '') || undefined,
  };
}

function searchForm({ desk }: SignedInRequest, { words, state, kind, section }: ListQuery): Html {
  const all = (label: string) => ({ value: '', label });
  const plain = (values: readonly string[]) => values.map((value) => ({ value, label: value }));
  const sections = desk.app.config.sections.map(({ id, title }) => ({ value: id, label: title }));
  return html`<form class="filters" method="get" action="${desk.base}/articles" role="search">
${textField({ name: 'q', label: 'Words, id, slug or address', type: 'search', value: words, maxLength: 300 })}
${selectField({ name: 'state', label: 'State', value: state ?? '', options: [all('all'), ...plain(LISTED_STATES)] })}
${selectField({ name: 'kind', label: 'Kind', value: kind ?? '', options: [all('all'), ...plain(KINDS)] })}
${selectField({ name: 'section', label: 'Section', value: section ?? '', options: [all('all'), ...sections] })}
${submitButton('Search')}</form>`;
}

async function table(request: SignedInRequest, articles: Article[]): Promise<Html> {
  if (articles.length === 0) {
    return html`<p class="empty">No article matches. Words are found by their beginnings; all of them must match.</p>`;
  }
  const { desk } = request;
  const ids = articles.map(({ id }) => id);
  const used = await findEditionsOf(desk.app.store.db, ids);
  const whole = (text: Html | string): Html => html`<span class="nowrap">${text}</span>`;
  const pinned = html` ${badge('pinned', 'new')}`;
  const row = (article: Article): TableRow => ({
    id: `article-${article.id}`,
    isFocusable: true,
    cells: [
      html`<span class="break">${headlineLink(desk, article)}${article.pinned ? pinned : ''}</span>`,
      whole(articleStateMark(request, article)),
      whole(article.kind),
      sectionTitle(desk.app.config, article.section) ?? article.section ?? '',
      whole(when(request, article.publishedAt)),
      editionNames(used.get(article.id) ?? []),
    ],
  });
  const columns = ['Headline', 'State', 'Kind', 'Section', 'Published', 'Editions'];
  return rowTable('Articles found', columns, articles.map(row));
}

function headlineLink({ base }: DeskContext, article: Article): Html {
  const address = base + articleDeskPath(article.id);
  return html`<a href="${address}" lang="${article.language}" dir="auto">${fullHeadline(article)}</a>`;
}

/** `daily-roundup/2026-11-24`, as commands name editions. */
function editionNames(editions: UsedEdition[]): Html | string {
  const names = editions.map(({ newsletter, slot }) => `${newsletter}/${slot}`).join(', ');
  return names === '' ? '' : html`<span class="nowrap">${names}</span>`;
}

function lookFurther(
  request: SignedInRequest,
  { lookedBackTo, next }: ArticlePage,
  query: Record<string, string | undefined>,
): Html {
  if (lookedBackTo === null || next === null) return html``;
  const address = `${request.desk.base}/articles${queryText({ ...query, after: placeText(next) })}`;
  return html`<p>Looked back to ${when(request, lookedBackTo)}: these words are common, and few articles have them
together. <a href="${address}">Look further back</a></p>`;
}
