/** The page of a closed edition. */
import { html } from 'hono/html';
import { fullHeadline } from '../../../articles/article.ts';
import { articleDeskPath } from '../../../articles/article-link.ts';
import { findArticles } from '../../../articles/queries.ts';
import type { EditionDeliveryState } from '../../../core/store/tables/edition-tables.ts';
import { describeInParts } from '../../../editions/draft/describe.ts';
import { readDraftLog } from '../../../editions/draft/draft-store.ts';
import { logPath } from '../../../editions/draft/draft-target.ts';
import { approverWithdrawn, type LogEntry, storiesOf, undoneNumbers } from '../../../editions/draft/history.ts';
import { type Edition, type EditionSummary, listEditionArticles, listRevisions } from '../../../editions/queries.ts';
import { findHeadlines } from '../../../editions/selection/candidates.ts';
import { formatCount } from '../../../lib/text/count.ts';
import { barChart } from '../../../web/desk/chart.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { Html } from '../../../web/desk/html.ts';
import { respondMissing, respondPage } from '../../../web/desk/page.ts';
import { rowTable, type TableRow } from '../../../web/desk/parts/row-table.ts';
import { when, whenText } from '../../../web/desk/parts/when.ts';
import { framePolicy } from '../../../web/server/headers.ts';
import {
  countAllDeliveries,
  type DeliveryStateCounts,
  NO_DELIVERIES,
  readDeliveryStates,
} from '../../queue/queries.ts';
import { formatPercent } from '../../rates/judge-rates.ts';
import { type RateLevelReached, readLevels } from '../../status/edition-reports.ts';
import { editionFigureList, readEditionFigures } from './edition-figures.ts';
import { deliveryStateMark, editionDeskPath, mailedName, newsletterTitle, requestedEdition } from './edition-names.ts';

/** The newest entries of the log; its own page has all. */
const LOG_SHOWN = 30;

/** GET `/editions/:newsletter/:slot`. */
export async function serveEditionPage(request: SignedInRequest): Promise<Response> {
  const { desk } = request;
  const edition = await requestedEdition(request);
  if (edition === null) return respondMissing(request, 'There is no such edition. It may not have closed yet.');
  const { db } = desk.app.store;
  const revisions = await readRevisions(request, edition);
  const current = revisions.find(({ summary }) => summary.id === edition.id) as RevisionLine;
  const figures = await readEditionFigures(desk, edition);
  const body = html`${summary(request, edition, current)}
<section id="figures" data-region aria-labelledby="figures-heading"><h2 id="figures-heading">Figures</h2>
${editionFigureList(desk, figures)}
${figures.failures === null ? countingNote : ''}
${visitsChart(figures.visits.days)}</section>
<section id="rates" data-region aria-labelledby="rates-heading"><h2 id="rates-heading">Complaint and bounce rates</h2>
${rateNotices(await readLevels(db, edition.id))}</section>
<section aria-labelledby="page-heading"><h2 id="page-heading">Its page</h2>
<p><a href="${publicUrl(request, edition)}">The public page</a> shows the newest revision, with notices of corrections.
Below is this revision as it was frozen.</p>
<iframe class="frame" sandbox title="The frozen page of this edition"
 src="${desk.base}${frozenPath(edition)}"></iframe></section>
<section aria-labelledby="stories-heading"><h2 id="stories-heading">Stories</h2>
${await stories(request, edition)}</section>
<section id="revisions" data-region aria-labelledby="revisions-heading"><h2 id="revisions-heading">Revisions</h2>
${revisionTable(request, revisions, edition)}</section>
<section id="log" data-region aria-labelledby="log-heading"><h2 id="log-heading">Log of its draft</h2>
${await draftLog(request, edition)}</section>`;
  return respondPage(request, {
    ...{ title: mailedName(edition), section: 'editions', body },
    topics: [`edition:${edition.id}`, `draft:${edition.newsletter}/${edition.slot}`],
  });
}

function publicUrl({ desk }: SignedInRequest, { newsletter, slot }: Edition): string {
  return `${desk.app.config.publication.url}/editions/${newsletter}/${slot}`;
}

function frozenPath(edition: Edition): string {
  const [path = '', query] = editionDeskPath(edition).split('?');
  return `${path}/frozen${query === undefined ? '' : `?${query}`}`;
}

function summary(request: SignedInRequest, edition: Edition, { state, reason }: RevisionLine): Html {
  const { desk } = request;
  const isNewest = edition.supersededBy === null;
  return html`<section id="summary" data-region aria-label="Summary">
<p>${deliveryStateMark(state)}${reason === null ? '' : html` <bdi class="meaning">${reason}</bdi>`}</p>
<dl class="pairs">
<dt>Newsletter</dt><dd>${newsletterTitle(desk, edition.newsletter)}, number ${edition.number}</dd>
<dt>Closed</dt><dd>${when(request, edition.closedAt)}, for ${when(request, edition.slotAt)}, as revision
${edition.revision}</dd>
<dt>Subject</dt><dd dir="auto">${edition.subject}</dd>
<dt>Preheader</dt><dd dir="auto">${edition.preheader}</dd>
</dl>
<p class="buttons">${
    request.may('deliveries.read')
      ? html`<a class="button" href="${desk.base}/deliveries/${edition.id}">Deliveries and failures</a>`
      : ''
  }
${
  isNewest && request.may('drafts.edit')
    ? html`<a class="button" href="${desk.base}${editionDeskPath(edition)}/reissue">Reissue</a>`
    : ''
}</p>
${
  isNewest
    ? ''
    : html`<p class="notice">This revision was replaced:
<a href="${desk.base}${editionDeskPath({ ...edition, supersededBy: null })}">see the newest one</a>.</p>`
}</section>`;
}

/** Why some figures are not known yet. */
const countingNote = html`<p class="hint" data-pending>Some figures are being counted, and appear by themselves. Without
JavaScript, load the page again.</p>`;

function visitsChart(days: { day: string; visits: number }[]): Html {
  if (days.length === 0) return html``;
  return barChart({
    ...{ id: 'visits', title: 'Visits of its page by day', axis: 'Day' },
    description: 'How often a browser opened the public page of this edition, day by day.',
    labels: days.map(({ day }) => day),
    series: [{ name: 'Visits', values: days.map(({ visits }) => visits) }],
  });
}

function rateNotices(levels: RateLevelReached[]): Html {
  if (levels.length === 0) return html`<p class="empty">No rate of this revision has reached a limit.</p>`;
  return html`<ul>${levels.map(({ kind, mailboxProvider, level, percent, messages, noticed }) => {
    const where = mailboxProvider === null ? '' : ` at ${mailboxProvider}`;
    const what = level === 'pause' ? 'the limit that pauses' : 'the limit that alerts';
    return html`<li><time datetime="${noticed}">${noticed}</time>: ${kind}s${where} reached ${what},
${formatPercent(percent)} % of ${formatCount(messages)} messages</li>`;
  })}</ul>`;
}

function storyLink({ desk }: SignedInRequest, id: string, headlines: ReadonlyMap<string, string>): Html {
  return html`<a dir="auto" href="${desk.base}${articleDeskPath(id)}">${headlines.get(id) ?? id}</a>`;
}

async function stories(request: SignedInRequest, edition: Edition): Promise<Html> {
  const { db } = request.desk.app.store;
  const placed = await listEditionArticles(db, edition.id);
  if (placed.length === 0) return html`<p class="empty">Later revisions have its stories.</p>`;
  const ids = placed.map(({ id }) => id);
  const articles = await findArticles(db, ids);
  const headlines = new Map(articles.map((article) => [article.id, fullHeadline(article)]));
  const rows = placed.map(({ id, block }) => ({
    cells: [storyLink(request, id, headlines), block],
  }));
  return rowTable({ titleId: 'stories-heading' }, ['Story', 'Block'], rows);
}

interface RevisionLine {
  summary: EditionSummary;
  state: EditionDeliveryState;
  reason: string | null;
  counts: DeliveryStateCounts;
}

/** The newest first. */
async function readRevisions({ desk }: SignedInRequest, { newsletter, slot }: Edition): Promise<RevisionLine[]> {
  const { db } = desk.app.store;
  const revisions = await listRevisions(db, newsletter, slot);
  const ids = revisions.map(({ id }) => id);
  const states = await readDeliveryStates(db, ids);
  const counts = await countAllDeliveries(db, ids);
  return revisions.map((one) => {
    const { state = 'delivering', reason = null } = states.find(({ editionId }) => editionId === one.id) ?? {};
    return { summary: one, state, reason, counts: counts.get(one.id) ?? NO_DELIVERIES };
  });
}

function revisionTable(request: SignedInRequest, revisions: RevisionLine[], shown: Edition): Html {
  const row = ({ summary: one, state, reason, counts }: RevisionLine): TableRow => ({
    cells: [
      html`<a href="${request.desk.base}${editionDeskPath(one)}"${
        one.id === shown.id ? html` aria-current="page"` : ''
      }>Revision ${one.revision}</a>`,
      when(request, one.closedAt),
      html`${deliveryStateMark(state)}${reason === null ? '' : html`<bdi class="meaning">${reason}</bdi>`}`,
      ...[counts.submitted, counts.failed, counts.suppressed].map(formatCount),
    ],
  });
  const counts = ['Submitted', 'Failed', 'Not sent'].map((label) => ({ label, isNumber: true }));
  const columns = ['Revision', 'Closed', 'Delivery', ...counts];
  return rowTable({ titleId: 'revisions-heading' }, columns, revisions.map(row));
}

async function draftLog(request: SignedInRequest, edition: Edition): Promise<Html> {
  const { db } = request.desk.app.store;
  const log = (await readDraftLog(db, edition.newsletter, edition.slot)).toReversed();
  if (log.length === 0) return html`<p class="empty">No editor has touched its draft: it went out by the rules.</p>`;
  const shown = log.slice(0, LOG_SHOWN);
  const headlines = await findHeadlines(request.desk.app.store.db, [...new Set(shown.flatMap(storiesOf))]);
  const undone = undoneNumbers(log);
  const { zone } = request.desk.app.config.publication;
  const words = (entry: LogEntry): (string | Html)[] =>
    describeInParts(entry, (at) => whenText(at, request.at, zone)).map((part) =>
      typeof part === 'string' ? part : html`“${storyLink(request, part.story, headlines)}”`,
    );
  const entries = shown.map((entry) => {
    const approver = approverWithdrawn(entry);
    return html`<li>${words(entry)}${undone.has(entry.number) ? ' (undone)' : ''}${
      approver === null ? '' : html`; this withdrew the approval of <bdi>${approver}</bdi>`
    } <span class="hint"><bdi>${entry.editor}</bdi>,
${when(request, entry.at)}</span></li>`;
  });
  const target = { newsletter: { id: edition.newsletter }, slot: { label: edition.slot } };
  return html`<ol class="rows">${entries}</ol>
<p><a href="${request.desk.base}${logPath(target)}">The whole log</a></p>`;
}

/**
 * GET `/editions/:newsletter/:slot/frozen`: the page as it was frozen, for a frame. It runs no script, and loads
 * nothing but pictures of this site.
 */
export async function serveFrozenPage(request: SignedInRequest): Promise<Response> {
  const edition = await requestedEdition(request);
  if (edition === null) return respondMissing(request, 'There is no such edition.');
  const policy = framePolicy(request.desk.app.config.publication.url);
  return request.c.html(edition.archiveHtml, 200, { 'Content-Security-Policy': policy });
}
