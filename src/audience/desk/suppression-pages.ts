/** The suppression list: what it holds, and the look-up of one address. */
import { html } from 'hono/html';
import { readStateCounts } from '../../core/store/counts.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import { parseAddress } from '../../lib/address.ts';
import type { DeskRequest, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { Html } from '../../web/desk/html.ts';
import { respondAfter, respondPage } from '../../web/desk/page.ts';
import { explainedHeading, type Figure, figures } from '../../web/desk/parts/figure.ts';
import { errorSummary, formStatus, hiddenFields, submitButton, textField } from '../../web/desk/parts/form.ts';
import { pager } from '../../web/desk/parts/pager.ts';
import { rowTable } from '../../web/desk/parts/row-table.ts';
import { statusMark } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import { type ListedSuppression, listSuppressions } from '../search/suppression-list.ts';
import { findSubscriberByAddress } from '../subscriptions.ts';
import {
  findSuppression,
  hashAddress,
  isLiftedByOptIn,
  subscriberSubject,
  suppressByOperator,
  suppressionSubject,
  unsuppressByOperator,
} from '../suppression.ts';
import { addressHtml, REASONS, readReason, reasonField, reasonWords, sourceOf } from './subscriber-of.ts';

const PAGE = 50;
const PATH = '/audience/suppressions';

/** What a look-up found, above the list. */
interface LookUp {
  typed: string;
  error?: string;
  found?: Html;
  /** Error of the reason in `found`. */
  reasonError?: string | undefined;
}

export async function respondSuppressions(request: SignedInRequest, lookUp?: LookUp): Promise<Response> {
  const { store, keys } = request.desk.app;
  const after = request.c.req.query('after') ?? null;
  const { entries, next } = await listSuppressions(store.db, await keys.signingSecrets(), { after, limit: PAGE });
  const body = html`${lookUpForm(request, lookUp)}
${await totalsRegion(request)}
<section id="list" data-region>${explainedHeading(
    'The list, newest first',
    html`The list has no addresses, only keyed hashes, so that it can outlive what was deleted. Where nobody with the
address is stored any longer, nobody can say whose an entry is: look an address up to see whether it is listed.`,
  )}
${
  entries.length === 0
    ? html`<p class="empty">No address is suppressed. Bounces and complaints add
some; “Look up” above, too.</p>`
    : table(request, entries)
}
${pager(request, { path: PATH, older: next, isFirst: after === null })}</section>`;
  const status = formStatus({ address: lookUp?.error, reason: lookUp?.reasonError });
  return respondPage(request, { title: 'Suppressions', section: 'suppressions', body, status });
}

/** The result of a look-up is rendered at once, as that of a search. */
export async function respondLookUp(request: SignedInRequest): Promise<Response> {
  const typed = (request.form.get('address') ?? '').slice(0, 1_000);
  return respondFound(request, typed);
}

const ACTS = {
  suppress: {
    ...{ change: suppressByOperator, audit: 'suppression.add' },
    done: 'The address is on the list: nothing is mailed to it, even if it is requested.',
    already: 'The address was on the list before.',
  },
  lift: {
    ...{ change: unsuppressByOperator, audit: 'suppression.lift' },
    done: 'The address is off the list. It is mailed only what it has confirmed, or confirms from now on.',
    already: 'The address was not on the list.',
  },
} as const;

export function handleAddressAct(act: keyof typeof ACTS): (request: SignedInRequest) => Promise<Response> {
  const { change, audit, done, already } = ACTS[act];
  return async (request) => {
    const typed = (request.form.get('address') ?? '').slice(0, 1_000);
    const reason = readReason(request);
    const subject = await auditSubject(request, typed);
    if (reason.kind === 'missing') return respondFound(request, typed, reason.error);
    if (subject === null) return respondFound(request, typed);
    const { store, keys } = request.desk.app;
    const onCommit = request.audit(audit, subject, { reason: reason.text });
    const options = { source: sourceOf(request), onCommit };
    const { kind } = await change(store.db, await keys.signingSecrets(), typed, request.at, options);
    const isDone = kind === 'suppressed' || kind === 'lifted';
    return respondAfter(request, PATH, { kind: isDone ? 'done' : 'problem', text: isDone ? done : already });
  };
}

/** The subscriber's number, or the beginning of the keyed hash that is on the list. Null for no address. */
async function auditSubject(request: SignedInRequest, typed: string): Promise<string | null> {
  const { store, keys } = request.desk.app;
  const address = parseAddress(typed);
  if (address.kind === 'invalid') return null;
  const subscriber = await findSubscriberByAddress(store.db, typed);
  if (subscriber !== null) return subscriberSubject(subscriber.id);
  const [secret] = await keys.signingSecrets();
  return suppressionSubject(hashAddress(secret, address.key));
}

async function respondFound(request: SignedInRequest, typed: string, error?: string): Promise<Response> {
  const { store, keys } = request.desk.app;
  const address = parseAddress(typed);
  if (address.kind === 'invalid') {
    const error = `Enter a whole address, such as name@example.com: ${address.reason}.`;
    return respondSuppressions(request, { typed, error });
  }
  const secrets = await keys.signingSecrets();
  const suppression = await findSuppression(store.db, secrets, address.key);
  const subscriber = await findSubscriberByAddress(store.db, typed);
  const link =
    subscriber === null
      ? 'No subscriber has this address.'
      : html`<a href="${request.desk.base}/audience/${subscriber.id}">The subscriber's ledger</a>`;
  const state =
    suppression === null
      ? html`${statusMark('good', 'not suppressed')}`
      : html`${statusMark('bad', 'suppressed')} since ${when(request, suppression.at)}: ${REASONS[suppression.reason]}`;
  const found = html`<div role="status"><p>${addressHtml(request, address.email)}: ${state}. ${link}</p>
${request.may('audience.change') ? actForm(request, address.email, suppression?.reason ?? null, error) : ''}</div>`;
  return respondSuppressions(request, { typed, found, reasonError: error });
}

function actForm(
  request: DeskRequest,
  address: string,
  suppressed: SuppressionReason | null,
  error: string | undefined,
): Html {
  const act = suppressed === null ? 'suppress' : 'lift';
  const label = suppressed === null ? 'Suppress this address' : 'Lift the suppression';
  return html`<form class="narrow" id="${act}-form" method="post" action="${request.desk.base}${PATH}/${act}"
novalidate>${errorSummary({ reason: error })}
${hiddenFields({ address })}${reasonField(request, error)}${submitButton(label, { id: act })}</form>`;
}

function lookUpForm(request: DeskRequest, lookUp: LookUp | undefined): Html {
  return html`<section id="look-up"><h2>Look an address up</h2>
<form class="filters" method="post" action="${request.desk.base}${PATH}"
novalidate>${errorSummary({ address: lookUp?.error })}
${textField({
  ...{ name: 'address', label: 'Whole address', type: 'search', required: true, maxLength: 254, autocomplete: 'off' },
  ...{ value: lookUp?.typed ?? '', error: lookUp?.error },
})}${submitButton('Look up', { primary: true, id: 'look-up-button' })}</form>${lookUp?.found ?? ''}</section>`;
}

async function totalsRegion(request: DeskRequest): Promise<Html> {
  const counts = await readStateCounts(request.desk.app.store.db, 'suppressions');
  const shown = counts.filter(({ count }) => count > 0);
  const list = shown.map(
    ({ state, count }): Figure => ({ label: reasonWords(state), value: count, meaning: meaningOf(state) }),
  );
  return html`<section id="totals" data-region>${list.length === 0 ? '' : figures(list)}</section>`;
}

function meaningOf(reason: string): string {
  const isLifted = isLiftedByOptIn(reason as SuppressionReason);
  return isLifted ? 'The person can subscribe again, which lifts it.' : 'Only an operator lifts it.';
}

function table(request: DeskRequest, entries: readonly ListedSuppression[]): Html {
  const rows = entries.map(({ hash, reason, at, subscriber }) => {
    const who =
      subscriber === null
        ? html`<span class="soft">not stored; hash ${hash}…</span>`
        : html`<a href="${request.desk.base}/audience/${subscriber.id}">${addressHtml(request, subscriber.email)}</a>`;
    return { cells: [who, REASONS[reason], html`<span class="nowrap">${when(request, at)}</span>`] };
  });
  return rowTable('Suppressions', ['Address', 'Reason', 'Since'], rows);
}
