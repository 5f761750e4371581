/** Sources: how each is polled, what waits for a decision, and input that was rejected. */
import { html } from 'hono/html';
import { countRejections, readRejectionPage } from '../../articles/rejections.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondPage } from '../../web/desk/page.ts';
import { formatCount } from '../../web/desk/parts/figure.ts';
import { pager } from '../../web/desk/parts/pager.ts';
import { statusMark } from '../../web/desk/parts/status-mark.ts';
import { needsSomebody, readSourceStatus, type SourceStatus } from '../source-status.ts';
import { addressForm, type TriedAddress, triedResult } from './address-form.ts';
import { parsePlaceKey, placeKey, rejectionsList } from './rejections-list.ts';
import { COUNTED_ITEMS, sourcesTable } from './source-rows.ts';

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
  const [sites, outlets] = (['articles', 'roundup'] as const).map((use) => sources.filter((one) => one.use === use));
  const { rejections } = await readRejectionPage(store.db, { limit: NEWEST, after: null });
  const rejected = await countRejections(store.db);
  const needy = sources.filter(needsSomebody).length;
  const body = html`
<section id="sources-glance" data-region aria-label="At a glance">
${glance(sources.length, needy)}
</section>
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

function tableOf(request: SignedInRequest, titleId: string, label: string, sources: SourceStatus[] = []): Html {
  if (sources.length === 0) return html`<p class="soft">None is configured.</p>`;
  return sourcesTable(request, titleId, label, sources);
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
