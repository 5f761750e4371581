/** The audience: search, totals, growth. */
import { html } from 'hono/html';
import { SUBSCRIPTION_STATES } from '../../core/store/tables/subscriber-tables.ts';
import { formatCount } from '../../lib/text/count.ts';
import { barChart } from '../../web/desk/chart.ts';
import type { DeskRequest, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { Html } from '../../web/desk/html.ts';
import { respondPage } from '../../web/desk/page.ts';
import { explainedHeading } from '../../web/desk/parts/figure.ts';
import { errorSummary, hiddenFields, submitButton, textField } from '../../web/desk/parts/form.ts';
import { sentence } from '../../web/desk/parts/operator-text.ts';
import { rowTable, type TableRow } from '../../web/desk/parts/row-table.ts';
import { statusMark } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import { growthPeriods, type PeriodGrowth, readGrowth } from '../growth.ts';
import { renderOwnSiteForm } from '../own-site-form.ts';
import { parseSearch, searchSubscribers } from '../search/search.ts';
import { countSubscriptions, type Subscriber } from '../subscriptions.ts';
import { addressHtml, newsletterName, REASONS, STATE_MARKS } from './subscriber-of.ts';

const DAYS = 30;
const WEEKS = 26;

export async function respondOverview(request: SignedInRequest): Promise<Response> {
  const body = html`${searchForm(request)}
${audienceLinks(request)}
${await totalsRegion(request)}
${await growthRegion(request)}
${await ownSiteForm(request)}`;
  return respondPage(request, { title: 'Subscribers', section: 'audience', body });
}

/** The search. It is posted: an address in the address of a page would be kept by logs and browsers. */
function searchForm(request: DeskRequest, typed = '', error?: string): Html {
  const isWhole = !request.may('audience.addresses');
  return html`<section id="search"><form class="filters" method="post" action="${request.desk.base}/audience"
novalidate>${errorSummary({ address: error })}
${textField({
  ...{ name: 'address', label: isWhole ? 'Whole address' : 'Address, or its beginning', type: 'search' },
  ...{ value: typed, error, required: true, maxLength: 254, autocomplete: 'off' },
  hint: isWhole ? 'You see masked addresses: a search needs the whole address.' : undefined,
})}
${submitButton('Search', { primary: true, id: 'search-button' })}</form></section>`;
}

function audienceLinks(request: DeskRequest): Html {
  const { base } = request.desk;
  const link = (path: string, label: string) => html`<a class="button" href="${base}/audience${path}">${label}</a>`;
  if (!request.may('audience.change')) return html``;
  return html`<p class="buttons">${link('/import', 'Import')} ${link('/export', 'Export')}</p>`;
}

async function ownSiteForm({ desk: { app } }: DeskRequest): Promise<Html | ''> {
  const { newsletters, signup } = app.config;
  if (!signup.enabled || newsletters.length === 0) return '';
  const value = await renderOwnSiteForm(app);
  return html`<section id="own-site-form"><details><summary>A form for your own site</summary>
<p>Copy it into a page. It works on the sites that the configuration lists in <code>signup.origins</code>:
${signup.origins.join(', ') || 'none yet'}. Copy it again after a change of newsletters or of the consent wording.</p>
${textField({ name: 'own-site-form-html', label: 'HTML', rows: 12, readOnly: true, value })}</details></section>`;
}

async function totalsRegion(request: DeskRequest): Promise<Html> {
  const { app } = request.desk;
  const counts = await countSubscriptions(app.store.db);
  const ids = new Set([...app.config.newsletters.map(({ id }) => id), ...counts.map(({ newsletter }) => newsletter)]);
  const countOf = (id: string, state: string): number =>
    counts.find((one) => one.newsletter === id && one.state === state)?.count ?? 0;
  const rows = [...ids].map((id) => ({
    cells: [newsletterName(request, id), ...SUBSCRIPTION_STATES.map((state) => formatCount(countOf(id, state)))],
  }));
  const columns = ['Newsletter', ...SUBSCRIPTION_STATES.map((state) => ({ label: state, isNumber: true }))];
  const meaning = `Only confirmed subscriptions are mailed. Paused and suppressed subscribers count as what they are;
they get nothing. A person counts once for each newsletter.`;
  return html`<section id="totals" data-region>${explainedHeading('Subscriptions', meaning)}
${rowTable('Subscriptions by newsletter', columns, rows)}</section>`;
}

async function growthRegion(request: DeskRequest): Promise<Html> {
  const { app, base } = request.desk;
  const by = request.c.req.query('by') === 'week' ? 'week' : 'day';
  const count = by === 'day' ? DAYS : WEEKS;
  const periods = growthPeriods(by, count, request.at, app.config.publication.zone);
  const growth = await readGrowth(app.store.db, periods);
  const ids = new Set([...app.config.newsletters.map(({ id }) => id), ...growth.keys()]);
  const none = periods.map((period) => ({ ...period, joined: 0, left: 0 }));
  const other =
    by === 'day'
      ? html`<a href="${base}/audience?by=week#growth">By week</a>`
      : html`<a href="${base}/audience#growth">By day</a>`;
  const meaning = `New: confirmed by the subscriber, by an operator or by an import. Left: unsubscribed, complained, or
had their data deleted. The last ${by} is not over. Requests that were never confirmed are in neither.`;
  return html`<section id="growth" data-region>${explainedHeading(`Growth, by ${by}`, meaning)}
<p>${other}</p>
${[...ids].map((id, index) => growthChart(request, { id, index, by, growth: growth.get(id) ?? none }))}</section>`;
}

function growthChart(
  request: DeskRequest,
  { id, index, by, growth }: { id: string; index: number; by: 'day' | 'week'; growth: readonly PeriodGrowth[] },
): Html {
  const name = newsletterName(request, id);
  const [joined, left] = [sum(growth, 'joined'), sum(growth, 'left')];
  const net = joined - left;
  const total = `${formatCount(joined)} new, ${formatCount(left)} left, net ${net > 0 ? '+' : ''}${formatCount(net)}`;
  return html`<h3>${name}</h3><p>${total}</p>${
    joined + left === 0
      ? ''
      : barChart({
          id: `growth-${index}`,
          title: `New and left, ${by === 'day' ? 'by day' : 'by week'}`,
          description: `${name}: in the last ${growth.length} ${by}s: ${total}.`,
          axis: by === 'day' ? 'Day' : 'Week from',
          labels: growth.map(({ date }) => date),
          series: [
            { name: 'New', values: growth.map((one) => one.joined) },
            { name: 'Left', values: growth.map((one) => -one.left) },
            { name: 'Net', values: growth.map((one) => one.joined - one.left) },
          ],
        })
  }`;
}

function sum(growth: readonly PeriodGrowth[], what: 'joined' | 'left'): number {
  return growth.reduce((total, one) => total + one[what], 0);
}

/** The next page of a search: the address stays in the body. */
function nextPageForm(request: DeskRequest, typed: string, after: number): Html {
  return html`<form class="pager" method="post" action="${request.desk.base}/audience">${hiddenFields({
    address: typed,
    after,
  })}${submitButton('Next page', { id: 'next-page' })}</form>`;
}

const PAGE = 50;

export async function respondSearch(request: SignedInRequest): Promise<Response> {
  const typed = (request.form.get('address') ?? '').slice(0, 1_000);
  const search = parseSearch(typed, request.may('audience.addresses'));
  if (search.kind === 'invalid') {
    const body = searchForm(request, typed, sentence(search.reason));
    return respondPage(request, { title: 'Subscribers', section: 'audience', body, status: 422 });
  }
  const given = Number(request.form.get('after') ?? Number.NaN);
  const after = Number.isSafeInteger(given) ? given : null;
  const { subscribers, next } = await searchSubscribers(request.desk.app.store.db, search, { after, limit: PAGE });
  const isEmpty = subscribers.length === 0;
  const found = isEmpty
    ? html`<p class="empty">${emptyText(request, search.kind, after)}</p>`
    : results(request, subscribers);
  const body = html`${searchForm(request, typed)}
${found}
${next === null ? '' : nextPageForm(request, typed, next)}`;
  return respondPage(request, {
    title: isEmpty ? 'No subscriber found' : 'Found subscribers',
    section: 'audience',
    body,
  });
}

function emptyText(request: SignedInRequest, kind: 'address' | 'prefix', after: number | null): Html {
  if (after !== null) return html`There are no more.`;
  const who = kind === 'address' ? 'No subscriber has this address.' : 'No address of a subscriber begins with this.';
  return html`${who} An address that was deleted may be on the
<a href="${request.desk.base}/audience/suppressions">list of suppressions</a>.`;
}

function results(request: DeskRequest, subscribers: readonly Subscriber[]): Html {
  const columns = ['Address', 'Newsletters', 'Mail', 'Stored since'];
  const rows = subscribers.map((subscriber) => row(request, subscriber));
  return html`<section id="found">${rowTable('Found subscribers', columns, rows)}</section>`;
}

function row(request: DeskRequest, subscriber: Subscriber): TableRow {
  const { id, email, subscriptions, createdAt } = subscriber;
  const states = subscriptions.map(
    ({ newsletter, state }) =>
      html`<div>${newsletterName(request, newsletter)} ${statusMark(STATE_MARKS[state], state)}</div>`,
  );
  const link = html`<a href="${request.desk.base}/audience/${id}">${addressHtml(request, email)}</a>`;
  const newsletters = states.length === 0 ? 'none' : html`${states}`;
  return { cells: [link, newsletters, mailState(request, subscriber), when(request, createdAt)] };
}

/** Why a subscriber gets no mail, with any subscriptions. */
export function mailState(request: DeskRequest, subscriber: Subscriber): Html {
  const { suppressedReason, pausedUntil, subscriptions } = subscriber;
  if (suppressedReason !== null) return html`${statusMark('bad', 'suppressed')}: ${REASONS[suppressedReason]}`;
  if (pausedUntil !== null && pausedUntil > request.at) {
    return html`${statusMark('waiting', 'paused')} until ${when(request, pausedUntil)}`;
  }
  const isMailed = subscriptions.some(({ state }) => state === 'confirmed');
  return isMailed ? statusMark('good', 'mailed') : statusMark('off', 'no confirmed subscription');
}
