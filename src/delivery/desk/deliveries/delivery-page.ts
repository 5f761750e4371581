/** The deliveries of one edition: its failures by the server's words, and what is uncertain. */
import { html } from 'hono/html';
import { readTogether } from '../../../core/store/store.ts';
import { type Edition, findEditionById, fullEditionName } from '../../../editions/queries.ts';
import { maskLocalPart } from '../../../lib/address.ts';
import { formatCount } from '../../../lib/text/count.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondMissing, respondPage } from '../../../web/desk/page.ts';
import { postButton, refusalRegion } from '../../../web/desk/parts/form.ts';
import { pager } from '../../../web/desk/parts/pager.ts';
import { rowTable } from '../../../web/desk/parts/row-table.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import type { FailureGroup } from '../../queue/failure-groups.ts';
import {
  type FailedDeliveryOf,
  groupFailures,
  listFailedOf,
  listUncertain,
  type UncertainDelivery,
} from '../../queue/queries.ts';
import type { ProviderReports } from '../../status/edition-reports.ts';
import { redactAddresses } from '../../transport/redact-addresses.ts';
import { failureFigures, providerReports } from '../editions/edition-figures.ts';
import { editionDeskPath, mailedName } from '../editions/edition-names.ts';
import {
  deliveryPath,
  deliveryState,
  type EditionDelivery,
  type ExpiredQuestion,
  expiredForms,
  readDeliveriesOf,
} from './delivery-parts.ts';

const PER_PAGE = 50;
/** Failures that are grouped in the reading of the other figures: these take 50 ms. */
const GROUPED_AT_ONCE = 5_000;

/** Reason why an act was refused. */
export interface DeliveryProblem {
  message?: string;
  expired?: ExpiredQuestion;
}

/** The edition that the path of a request names by its id; null if there is none. */
export async function deliveredEdition({ c, desk }: SignedInRequest): Promise<Edition | null> {
  const id = c.req.param('id') ?? '';
  return /^\d{1,15}$/.test(id) ? findEditionById(desk.app.store.db, Number(id)) : null;
}

/** GET `/deliveries/:id`. */
export async function serveDeliveryPage(request: SignedInRequest): Promise<Response> {
  const edition = await deliveredEdition(request);
  return edition === null ? respondMissing(request, 'There is no such edition.') : respondDelivery(request, edition);
}

/** The page, with what an act has found out. */
export async function respondDelivery(
  request: SignedInRequest,
  edition: Edition,
  problem: DeliveryProblem = {},
): Promise<Response> {
  const { desk, at, c } = request;
  const { store } = desk.app;
  const { id } = edition;
  const after = Number(/^\d{1,15}$/.exec(c.req.query('after') ?? '')?.[0] ?? 0);
  // As of one moment, so that the figures agree.
  const { delivery, failed, uncertain, groups } = await readTogether(store, async (tx) => {
    const [one] = (await readDeliveriesOf(tx, [edition], at)) as [EditionDelivery];
    return {
      delivery: one,
      failed: await listFailedOf(tx, id, { after, limit: PER_PAGE + 1 }),
      uncertain: await listUncertain(tx, { now: at, limit: PER_PAGE, editionId: id }),
      groups: one.counts.failed > GROUPED_AT_ONCE ? null : await groupFailures(tx, id),
    };
  });
  const [counted, providers] = await Promise.all([
    groups === null ? failureFigures(desk).read(id) : { value: { groups }, at },
    providerReports(desk).read(id),
  ]);
  const body = html`<p><a href="${desk.base}${editionDeskPath(edition)}" dir="auto">${mailedName(edition)}</a>
<span class="meaning">${fullEditionName(edition)}, revision ${edition.revision}</span></p>
${refusalRegion(problem.message)}
${problem.expired === undefined ? '' : expiredForms(request, id, problem.expired)}
<section id="state" data-region aria-labelledby="state-heading"><h2 id="state-heading">Now</h2>
${deliveryState(request, delivery)}</section>
${uncertain.length === 0 ? '' : uncertainSection(request, edition, delivery, uncertain)}
<section id="failures" data-region aria-labelledby="failures-heading"><h2 id="failures-heading">Failures by cause</h2>
${
  counted === null
    ? countingNote
    : html`${failureTable(counted.value.groups)}
${countedNote(counted.value.groups, delivery)}${age(request, counted.at)}`
}</section>
<section id="failed" data-region aria-labelledby="failed-heading"><h2 id="failed-heading">Failed messages</h2>
${failedTable(request, failed.slice(0, PER_PAGE))}
${pager(request, {
  path: deliveryPath(id),
  older: failed.length > PER_PAGE ? String(failed[PER_PAGE - 1]?.subscriberId) : null,
  isFirst: after === 0,
})}</section>
<section id="providers" data-region aria-labelledby="providers-heading">
<h2 id="providers-heading">Reports by mailbox provider</h2>
${
  providers === null
    ? countingNote
    : html`${providerTable(request, edition, providers.value)}${age(request, providers.at)}`
}</section>`;
  const isWrong = problem.message !== undefined || problem.expired !== undefined;
  const topics = [`edition:${id}`];
  return respondPage(request, {
    ...{ title: 'Deliveries of an edition', section: 'deliveries', body, topics },
    status: isWrong ? 422 : 200,
  });
}

const countingNote = html`<p class="hint" data-pending>They are being counted, and appear by themselves. Without
JavaScript, load the page again.</p>`;

function age(request: SignedInRequest, at: number): Html {
  return html`<p class="hint">Counted ${request.at - at < 1_000 ? 'just now' : fromNow(request, at)}.</p>`;
}

/** Where the causes are older than the figures, or the messages have been replaced by totals. */
function countedNote(groups: readonly FailureGroup[], { counts }: EditionDelivery): Html | '' {
  const sum = groups.reduce((total, { count }) => total + count, 0);
  if (sum === counts.failed) return '';
  return html`<p class="hint">These are ${formatCount(sum)} of the ${formatCount(counts.failed)} failed messages. The
others failed later, or are so old that only their number is kept.</p>`;
}

function failureTable(groups: readonly FailureGroup[]): Html {
  if (groups.length === 0) return html`<p class="empty">None.</p>`;
  const columns = ['The server’s words, or another cause', 'How it ended', { label: 'Messages', isNumber: true }];
  const rows = groups.map(({ kind, words, count }) => ({
    cells: [html`<bdi>${words}</bdi>`, kind, formatCount(count)],
  }));
  return rowTable({ titleId: 'failures-heading' }, columns, rows);
}

/** Leads those who may see addresses, masked for operators, to the person. Editors see the subscriber's number. */
function recipient(request: SignedInRequest, email: string | null, subscriberId: number): Html | string {
  const number = `subscriber ${subscriberId}`;
  if (email === null) return `${number}, erased`;
  if (!request.may('audience.read')) return number;
  const shown = request.may('audience.addresses') ? email : maskLocalPart(email);
  return html`<a href="${request.desk.base}/audience/${subscriberId}"><bdi>${shown}</bdi></a>`;
}

function failedTable(request: SignedInRequest, failed: readonly FailedDeliveryOf[]): Html {
  if (failed.length === 0) return html`<p class="empty">None.</p>`;
  const rows = failed.map(({ subscriberId, email, reason, at }) => ({
    cells: [
      recipient(request, email, subscriberId),
      html`<bdi>${redactAddresses(reason ?? 'no reason recorded')}</bdi>`,
      when(request, at),
    ],
  }));
  return rowTable({ titleId: 'failed-heading' }, ['To', 'Why', 'When'], rows);
}

function uncertainSection(
  request: SignedInRequest,
  edition: Edition,
  { uncertain }: EditionDelivery,
  shown: readonly Pick<UncertainDelivery, 'subscriberId' | 'email' | 'since'>[],
): Html {
  const path = deliveryPath(edition.id);
  const canSettle = request.may('deliveries.control');
  const retries = request.desk.app.config.delivery.uncertain === 'retry';
  const both = (action: string, fields: Record<string, string | number>, id: string): Html => html`
${postButton(request, action, 'It was submitted', { fields: { ...fields, as: 'submitted' }, id: `${id}-submitted` })}
${postButton(request, action, 'Submit it again', { fields: { ...fields, as: 'retry' }, id: `${id}-retry` })}`;
  return html`<section id="uncertain" data-region aria-labelledby="uncertain-heading">
<h2 id="uncertain-heading">Uncertain messages</h2>
<p>Their submission was interrupted: the server may have accepted them. ${
    retries
      ? 'daywire submits them again by itself, with the same Message-ID.'
      : 'Look them up in the log of your mail server, and say what happened.'
  }</p>
${
  canSettle && uncertain > 1
    ? html`<div class="buttons">
${postButton(request, `${path}/settle-all`, `All ${uncertain} were submitted`, {
  ...{ fields: { as: 'submitted' }, id: 'settle-all-submitted' },
})}
${postButton(request, `${path}/settle-all`, `Submit all ${uncertain} again`, {
  ...{ fields: { as: 'retry' }, id: 'settle-all-retry' },
})}</div>`
    : ''
}
${rowTable(
  { titleId: 'uncertain-heading' },
  ['To', 'Since', 'What happened'],
  shown.map(({ subscriberId, email, since }) => ({
    cells: [
      recipient(request, email, subscriberId),
      when(request, since),
      canSettle ? both(`${path}/settle`, { subscriber: subscriberId }, `settle-${subscriberId}`) : '',
    ],
  })),
)}
${uncertain > shown.length ? html`<p class="hint">The first ${shown.length} of ${uncertain}.</p>` : ''}</section>`;
}

function providerTable(request: SignedInRequest, edition: Edition, reports: readonly ProviderReports[]): Html {
  if (reports.length === 0) return html`<p class="empty">Nobody at a large mailbox provider complained or bounced.</p>`;
  const labels = ['Submitted', 'Complaints', 'Hard bounces', 'Soft bounces', 'Because of us', 'People who wait'];
  const canRetry = request.may('deliveries.control') && edition.supersededBy === null;
  const again = (provider: string): Html =>
    postButton(request, `${deliveryPath(edition.id)}/retry`, 'Send again', {
      ...{ fields: { kinds: 'bounced', provider }, id: `again-${provider}` },
    });
  const rows = reports.map(({ mailboxProvider, id, submitted, complaints, bounces, softBounces, ...rest }) => ({
    cells: [
      mailboxProvider,
      ...[submitted, complaints, bounces, softBounces, rest.senderBounces, rest.waiting].map(formatCount),
      canRetry && rest.senderBounces > 0 ? again(id) : '',
    ],
  }));
  const columns = ['Mailbox provider', ...labels.map((label) => ({ label, isNumber: true })), 'Their copies'];
  return rowTable({ titleId: 'providers-heading' }, columns, rows);
}
