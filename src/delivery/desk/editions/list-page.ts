/** The list of all editions. */
import { html } from 'hono/html';
import { EDITION_DELIVERY_STATES, type EditionDeliveryState } from '../../../core/store/tables/edition-tables.ts';
import {
  countEditions,
  type EditionPosition,
  type EditionSearch,
  type EditionSummary,
  listEditionsAfter,
} from '../../../editions/queries.ts';
import { formatCount } from '../../../lib/text/count.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { Html } from '../../../web/desk/html.ts';
import { respondPage } from '../../../web/desk/page.ts';
import { selectField, submitButton, textField } from '../../../web/desk/parts/form.ts';
import { pager } from '../../../web/desk/parts/pager.ts';
import { rowTable, type TableRow } from '../../../web/desk/parts/row-table.ts';
import { when } from '../../../web/desk/parts/when.ts';
import { countAllDeliveries, NO_DELIVERIES, queuedOf } from '../../queue/queries.ts';
import { deliveryStateMark, editionDeskPath, mailedName, newsletterTitle } from './edition-names.ts';

const PER_PAGE = 25;

const COLUMNS = [
  ...['Edition', 'Delivery'],
  ...['Submitted', 'Failed'].map((label) => ({ label, isNumber: true })),
  ...['Slot', 'Newsletter'],
  ...['Number', 'Revision'].map((label) => ({ label, isNumber: true })),
];

/** GET `/editions`. */
export async function serveEditionList(request: SignedInRequest): Promise<Response> {
  const { c, desk } = request;
  const { db } = desk.app.store;
  const search = parseSearch(new URL(c.req.url).searchParams);
  const isNarrow = Object.values(search).some((value) => value !== '');
  const after = parsePosition(c.req.query('after'));
  const found = await listEditionsAfter(db, search, after, PER_PAGE + 1);
  const shown = found.slice(0, PER_PAGE);
  const last = found.length > PER_PAGE ? shown.at(-1) : undefined;
  const ids = shown.map(({ id }) => id);
  const counts = await countAllDeliveries(db, ids);
  const figure = (id: number, name: string, count: number): Html =>
    html`<span data-figure="edition:${id}:${name}">${formatCount(count)}</span>`;
  const row = (edition: EditionSummary & { deliveryState: EditionDeliveryState }): TableRow => {
    const counted = counts.get(edition.id) ?? NO_DELIVERIES;
    const all = queuedOf(counted);
    const { submitted, failed } = counted;
    return {
      cells: [
        html`<a href="${desk.base}${editionDeskPath(edition)}" dir="auto">${mailedName(edition)}</a>`,
        deliveryStateMark(edition.deliveryState),
        html`${figure(edition.id, 'submitted', submitted)} of ${formatCount(all)}`,
        figure(edition.id, 'failed', failed),
        html`<span class="nowrap">${when(request, edition.slotAt)}</span>`,
        newsletterTitle(desk, edition.newsletter),
        ...[edition.number, edition.revision],
      ],
    };
  };
  const matching = isNarrow
    ? html`<p class="hint" role="status">${formatCount(await countEditions(db, search))} of ${formatCount(
        await countEditions(db, EVERY),
      )} editions. <a href="${desk.base}/editions">Show all</a></p>`
    : '';
  const list =
    shown.length === 0
      ? html`<p class="empty">${
          isNarrow
            ? 'No edition matches. Choose other days, or any state.'
            : 'There are no editions here yet. An edition is listed once it has closed.'
        }</p>`
      : html`${rowTable('Past editions', COLUMNS, shown.map(row))}
<p class="hint">Submitted messages were accepted by your mail server. Failed ones were refused, or not sent in
time.</p>`;
  const older = last === undefined ? null : `${last.slotAt}-${last.id}`;
  const body = html`${filter(request, search)}
<section id="editions" data-region aria-label="Editions">${matching}${list}</section>
${pager(request, { path: '/editions', query: { ...search }, older, isFirst: after === null })}`;
  const unfinished = shown.filter(({ deliveryState }) => deliveryState === 'delivering' || deliveryState === 'paused');
  const topics = ['deliveries', ...unfinished.map(({ id }) => `edition:${id}`)];
  return respondPage(request, { title: 'Past editions', section: 'editions', body, topics });
}

const EVERY: EditionSearch = { newsletter: '', state: '', from: '', until: '' };

/** Text that is no value of a parameter counts as not given. */
function parseSearch(query: URLSearchParams): EditionSearch {
  const day = (name: string): string => /^\d{4}-\d\d-\d\d$/.exec(query.get(name) ?? '')?.[0] ?? '';
  return {
    // PostgreSQL refuses U+0000.
    newsletter: (query.get('newsletter') ?? '').replaceAll('\u0000', '?'),
    state: EDITION_DELIVERY_STATES.find((state) => state === query.get('state')) ?? '',
    ...{ from: day('from'), until: day('until') },
  };
}

function filter({ desk }: SignedInRequest, { newsletter, state, from, until }: EditionSearch): Html {
  const newsletters = desk.app.config.newsletters.map(({ id, title }) => ({ value: id, label: title }));
  const states = EDITION_DELIVERY_STATES.map((value) => ({ value, label: value }));
  const any = { value: '', label: 'any' };
  return html`<form class="filters" method="get" action="${desk.base}/editions">
${selectField({ name: 'newsletter', label: 'Newsletter', value: newsletter, options: [any, ...newsletters] })}
${selectField({ name: 'state', label: 'Delivery', value: state, options: [any, ...states] })}
${textField({ name: 'from', label: 'From', type: 'date', value: from })}
${textField({ name: 'until', label: 'Until', type: 'date', value: until })}
${submitButton('Filter')}</form>`;
}

/** `SLOT_AT-ID`; null for the first page, and for anything else. */
function parsePosition(after: string | undefined): EditionPosition | null {
  const [, slotAt, id] = /^(\d{1,15})-(\d{1,15})$/.exec(after ?? '') ?? [];
  return slotAt === undefined ? null : { slotAt: Number(slotAt), id: Number(id) };
}
