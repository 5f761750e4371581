/** Sources: how each is polled, what waits for a decision, and input that was rejected. */
import { html } from 'hono/html';
import { outletKey } from '../../articles/outlets.ts';
import {
  countRejections,
  type RejectionExcerpt,
  type RejectionPlace,
  readRejectionPage,
} from '../../articles/rejections.ts';
import { parseWordQuery } from '../../articles/search/search-terms.ts';
import { roundupSources } from '../../core/config/sources.ts';
import { formatCount } from '../../lib/text/count.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondPage } from '../../web/desk/page.ts';
import { errorSummary, selectField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { localInstants } from '../../web/desk/parts/operator-text.ts';
import { pager, queryText } from '../../web/desk/parts/pager.ts';
import { rowTable } from '../../web/desk/parts/row-table.ts';
import { badge, statusMark } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import type { SourceTest } from '../polling/source-kind.ts';
import { needsSomebody, readSourceStatus, type SourceStatus } from '../source-status.ts';
import { COUNTED_ITEMS, SOURCE_MARKS, sourcesTable } from './source-rows.ts';

/** Rejections on the page of sources; all are on a page of their own. */
const NEWEST = 5;
const ROWS = 30;

export function showSources(request: SignedInRequest): Promise<Response> {
  return respondSources(request, null);
}

/** @param tried what was found at an address, or why nothing was; null before */
export async function respondSources(request: SignedInRequest, tried: TriedAddress | null): Promise<Response> {
  const { store, config } = request.desk.app;
  const sources = await readSourceStatus(store.db, config, request.at, COUNTED_ITEMS);
  const search = parseSearch(new URL(request.c.req.url).searchParams);
  const found = sources.filter((one) => matches(one, search));
  const [sites = [], outlets = []] = KINDS.map((use) => found.filter((one) => one.use === use));
  const { rejections } = await readRejectionPage(store.db, { limit: NEWEST, after: null });
  const rejected = await countRejections(store.db);
  const needy = sources.filter(needsSomebody).length;
  const body = html`
<section id="sources-glance" data-region aria-label="At a glance">
${glance(sources.length, needy)}
</section>
${sources.length === 0 ? '' : filterForm(request, search, { sources, found })}
<section id="sites" data-region aria-labelledby="sites-title">
<h2 id="sites-title">Your own sites</h2>
${tableOf(request, 'sites-title', 'Site', sites)}
</section>
<section id="outlets" data-region aria-labelledby="outlets-title">
<h2 id="outlets-title">Other outlets</h2>
${tableOf(request, 'outlets-title', 'Outlet', outlets)}
</section>
${request.may('deliveries.control') ? addressForm(request, tried) : ''}${triedResult(request, tried)}
<section id="rejections" data-region aria-labelledby="rejections-title">
<h2 id="rejections-title">Rejected inputs</h2>
${
  rejected === 0
    ? html`<p class="soft">Every input was used.</p>`
    : html`<p>${formatCount(rejected)} in all; the newest:</p>${rejectionsList(request, rejections)}
<p><a href="${request.desk.base}/sources/rejected">All rejected inputs</a></p>`
}
</section>`;
  const status = typeof tried?.outcome === 'string' ? 422 : 200;
  return respondPage(request, { title: 'Sources', section: 'sources', body, topics: ['alerts'], status });
}

function tableOf(request: SignedInRequest, titleId: string, label: string, sources: SourceStatus[]): Html {
  if (sources.length === 0) {
    const isNarrowed = new URL(request.c.req.url).search !== '';
    return html`<p class="empty">${
      isNarrowed ? 'None matches the filter.' : 'None is configured: add it to “sources” in the configuration.'
    }</p>`;
  }
  return sourcesTable(request, titleId, label, sources);
}

const KINDS = ['articles', 'roundup'] as const;

/** Which sources the page lists. An empty text narrows nothing. */
interface SourceSearch {
  q: string;
  /** A state, or `needy`. */
  state: string;
  kind: string;
}

function parseSearch(query: URLSearchParams): SourceSearch {
  const text = (name: string): string => (query.get(name) ?? '').slice(0, 100).toWellFormed();
  return { q: text('q'), state: text('state'), kind: text('kind') };
}

/** The list that an act leads back to: that of the page with its form, whose address is the referrer. */
export function sourcesPath({ c }: SignedInRequest): string {
  const referrer = c.req.header('Referer') ?? '';
  const query = URL.canParse(referrer) ? new URL(referrer).searchParams : new URLSearchParams();
  return `/sources${queryText({ ...parseSearch(query) })}`;
}

function matches(source: SourceStatus, { q, state, kind }: SourceSearch): boolean {
  const isOfState = state === '' || (state === 'needy' ? needsSomebody(source) : source.state === state);
  const texts = [source.id, source.outlet, source.url, source.endpoint].join(' | ');
  return isOfState && (kind === '' || source.use === kind) && (parseWordQuery(q)?.matches(texts) ?? true);
}

function filterForm(
  { desk }: SignedInRequest,
  { q, state, kind }: SourceSearch,
  { sources, found }: Record<'sources' | 'found', SourceStatus[]>,
): Html {
  const any = { value: '', label: 'any' };
  const states = [...Map.groupBy(sources, (one) => one.state)].map(([value, { length }]) => {
    return { value, label: `${SOURCE_MARKS[value][1]} (${length})` };
  });
  return html`<form class="filters" method="get" action="${desk.base}/sources" role="search">
${textField({ name: 'q', label: 'Words', type: 'search', value: q, maxLength: 100, key: '/', keyName: 'Search' })}
${selectField({
  ...{ name: 'state', label: 'State', value: state },
  options: [any, { value: 'needy', label: 'needs you' }, ...states],
})}
${selectField({
  ...{ name: 'kind', label: 'Kind', id: 'kind', value: kind },
  options: [any, { value: 'articles', label: 'your own sites' }, { value: 'roundup', label: 'other outlets' }],
})}
${submitButton('Filter', { id: 'apply-filter' })}</form>${
    q + state + kind === ''
      ? ''
      : html`<p class="hint" role="status">${found.length} of ${sources.length} sources.
<a href="${desk.base}/sources">Show all</a></p>`
  }`;
}

function glance(total: number, needy: number): Html {
  if (total === 0) {
    return html`<p>No source is configured. Sources are sites and feeds that daywire polls: see "sources" in the
configuration.</p>`;
  }
  if (needy === 0) return html`<p>${statusMark('good', 'No source needs you.')}</p>`;
  return html`<p>${statusMark('waiting', needy === 1 ? '1 source needs you.' : `${needy} sources need you.`)}</p>`;
}

export async function showRejections(request: SignedInRequest): Promise<Response> {
  const { store } = request.desk.app;
  const after = parsePlaceKey(request.c.req.query('after'));
  const { rejections, older } = await readRejectionPage(store.db, { limit: ROWS, after });
  const body = html`
<p><a href="${request.desk.base}/sources">Sources</a></p>
<p class="meaning">Input that daywire could not use, whole, with the reasons. An entry goes away when its place is read
again and is in order.</p>
<section id="rejections" data-region aria-label="Rejected inputs">
${rejections.length === 0 ? html`<p class="soft">No input is rejected.</p>` : rejectionsList(request, rejections)}
${pager(request, { path: '/sources/rejected', older: placeKey(older), isFirst: after === null })}
</section>`;
  return respondPage(request, { title: 'Rejected inputs', section: 'sources', body });
}

/** Problems of one input that are listed. */
const PROBLEMS_SHOWN = 20;

const STAGES: Record<RejectionExcerpt['stage'], string> = {
  import: 'not imported',
  feed: 'left out of a feed',
  edition: 'left out of an edition',
};

function rejectionsList(request: SignedInRequest, rejections: readonly RejectionExcerpt[]): Html {
  return html`<ul class="rows">${rejections.map((one) => html`<li>${rejection(request, one)}</li>`)}</ul>`;
}

function rejection(request: SignedInRequest, one: RejectionExcerpt): Html {
  const { stage, source, line, articleId, problems, raw, length, rejectedAt } = one;
  const [inLine, ofArticle] = [
    line === null ? '' : `, line ${line}`,
    articleId === null ? '' : `, article ${articleId}`,
  ];
  const place = source + inLine + ofArticle;
  const more = problems.length - PROBLEMS_SHOWN;
  const rest = length - [...raw].length;
  return html`<p>${badge(STAGES[stage], 'warn')} <strong dir="auto">${place}</strong> ${when(request, rejectedAt)}</p>
<ul>${problems.slice(0, PROBLEMS_SHOWN).map((problem) => html`<li dir="auto">${problem}</li>`)}${
    more > 0 ? html`<li>and ${formatCount(more)} more</li>` : ''
  }</ul>
<details><summary>The input</summary>
<pre dir="auto" tabindex="0">${raw}</pre>${
    rest > 0
      ? html`<p class="meaning">and ${formatCount(rest)} more characters: daywire rejected show ${one.key}</p>`
      : ''
  }</details>`;
}

/** The key of a place in pagers. */
function placeKey(place: RejectionPlace | null): string | null {
  return place === null ? null : `${place.rejectedAt}.${place.key}`;
}

/** @returns null for any text that `placeKey` does not make, which shows the first page */
function parsePlaceKey(text: string | undefined): RejectionPlace | null {
  const [, rejectedAt, key] = /^(\d{1,15})\.([\s\S]{1,4000})$/.exec(text ?? '') ?? [];
  return rejectedAt === undefined || key === undefined ? null : { rejectedAt: Number(rejectedAt), key };
}

export const TRIED_USES = ['roundup', 'articles'] as const;

export interface TriedAddress {
  url: string;
  use: (typeof TRIED_USES)[number];
  /** A string says why nothing was found. */
  outcome: SourceTest | string;
}

function addressForm(request: SignedInRequest, tried: TriedAddress | null): Html {
  const error = typeof tried?.outcome === 'string' ? `${tried.outcome}.`.replace(/\.\.$/, '.') : undefined;
  return html`<section aria-labelledby="try-title">
<h2 id="try-title">Try an address</h2>
<form method="post" action="${request.desk.base}/sources/try" novalidate>
${errorSummary({ url: error })}
${textField({
  ...{ name: 'url', label: 'Address of a site or feed', type: 'url', value: tried?.url, error, required: true },
  ...{
    maxLength: 2_000,
    autocomplete: 'off',
    hint: 'daywire asks it once and shows what it would read. Nothing is stored.',
  },
})}
${selectField({
  ...{ name: 'use', label: 'As', value: tried?.use ?? 'roundup' },
  options: [
    { value: 'roundup', label: 'the feed of another outlet' },
    { value: 'articles', label: 'a site of your own' },
  ],
})}
${submitButton('Try it', { id: 'try' })}
</form>
</section>`;
}

function triedResult(request: SignedInRequest, tried: TriedAddress | null): Html {
  if (tried === null || typeof tried.outcome === 'string') return html``;
  const { what, endpoint, title, items, notes } = tried.outcome;
  // The feed of a video channel often has the name of the outlet.
  const outlets = roundupSources(request.desk.app.config).filter(
    ({ url }) => tried.use === 'roundup' && url !== endpoint,
  );
  const same = outlets.find(({ outlet }) => outletKey(outlet) === outletKey(title ?? ''));
  return html`<section id="tried" data-region aria-labelledby="tried-title">
<h2 id="tried-title">What was found</h2>
<p>Found ${what} at <code>${endpoint}</code>${title === null ? '' : html`: <span dir="auto">“${title}”</span>`}, with ${
    items === 1 ? '1 item' : `${items} items`
  }.</p>
${same === undefined ? '' : html`<p>${same.id} has this name, too: write “outlet: ${same.outlet}” for both.</p>`}
${foundTable(request, tried.outcome)}
${notes.length === 0 ? '' : html`<ul>${notes.slice(0, 20).map((note) => html`<li dir="auto">${note}</li>`)}</ul>`}
</section>`;
}

function foundTable({ desk, at }: SignedInRequest, { newest }: SourceTest): Html {
  const { zone } = desk.app.config.publication;
  if (newest.length === 0)
    return html`<p class="empty">It has nothing that can be used. Try the address of another feed of the site.</p>`;
  return rowTable(
    { titleId: 'tried-title' },
    [{ label: 'Headline' }, { label: 'Published' }, { label: 'Detail' }],
    newest.map(({ headline, published, detail }) => ({
      cells: [
        html`<span dir="auto">${headline}</span>`,
        published === null ? 'no date' : localInstants(published, at, zone),
        detail,
      ],
    })),
  );
}
