/** The page of current deliveries, and of the obstacles to them. */
import { html } from 'hono/html';
import { DELIVERY_HELD, readMeta } from '../../../core/store/meta.ts';
import { fullEditionName, listEditions, listUnfinishedEditions } from '../../../editions/queries.ts';
import { count, formatCount } from '../../../lib/text/count.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondPage } from '../../../web/desk/page.ts';
import { postButton } from '../../../web/desk/parts/form.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import { type BackOff, readBackOff } from '../../control/back-off.ts';
import { type HoldStatus, readHolds } from '../../holds/control-holds.ts';
import { providerTitle } from '../../holds/provider-holds.ts';
import { countSubmissions } from '../../limits/daily-limit.ts';
import { listProgress } from '../../progress.ts';
import { deliveryStateMark, editionDeskPath, mailedName, outcomeText } from '../editions/edition-names.ts';
import { deliveryPath, deliveryState, type EditionDelivery, readDeliveriesOf } from './delivery-parts.ts';

/** GET `/deliveries`. */
export async function serveQueuePage(request: SignedInRequest): Promise<Response> {
  const { desk, at } = request;
  const { db } = desk.app.store;
  const editions = await listUnfinishedEditions(db);
  const deliveries = await readDeliveriesOf(db, editions, at);
  const body = html`<section id="queue" data-region aria-label="The queue">
${held(request, (await readMeta(db, DELIVERY_HELD)) ?? null)}
${backOffNotice(request, await readBackOff(db))}
${(await readHolds(desk.app.store)).map((one) => holdNotice(request, one))}
${await limits(request)}</section>
${
  deliveries.length === 0
    ? html`<section id="none" data-region aria-label="Deliveries"><p>Nothing is being delivered.
${await lastDelivery(request)} <a href="${desk.base}/editions">Past editions</a></p></section>`
    : deliveries.map((one) => editionSection(request, one))
}`;
  const topics = ['deliveries', ...editions.map(({ id }) => `edition:${id}`)];
  return respondPage(request, { title: 'Deliveries', section: 'deliveries', body, topics });
}

/** How the last delivery ended. */
async function lastDelivery(request: SignedInRequest): Promise<Html> {
  const { db } = request.desk.app.store;
  const last = (await listEditions(db, null, 1))[0];
  if (last === undefined) return html``;
  const [delivery] = (await readDeliveriesOf(db, [last], request.at)) as [EditionDelivery];
  const [progress] = await listProgress(db, last.id, 1);
  const ended = progress === undefined ? '' : html`, last message ${when(request, progress.at)}`;
  return html`The last was <a href="${request.desk.base}${deliveryPath(last.id)}" dir="auto">${mailedName(last)}</a>,
closed ${when(request, last.closedAt)}${ended}: ${deliveryStateMark(delivery.state)}, ${outcomeText(delivery.counts)}.`;
}

function held(request: SignedInRequest, reason: string | null): Html {
  if (reason === null) return html``;
  const isAllowed = request.may('deliveries.control');
  return html`<div class="notice problem"><p><strong>Nothing is submitted:</strong> the queue is held, ${reason}. Check
that no other daywire delivers from another copy of this store, and release it then.</p>
${
  isAllowed ? postButton(request, '/deliveries/release', 'Release the queue', { id: 'release', primary: true }) : ''
}</div>`;
}

function backOffNotice(request: SignedInRequest, backOff: BackOff | null): Html {
  if (backOff === null) return html``;
  const { reason, since, retry_at } = backOff;
  return html`<div class="notice problem"><p><strong>The mail server accepts nothing for now, so nothing is
submitted.</strong> Its words: <q dir="auto">${reason}</q></p><p>Since ${when(request, since)}. It is asked again ${
    retry_at > request.at ? fromNow(request, retry_at) : 'as soon as a message is due'
  }, with one message.</p></div>`;
}

/** What waits for a mailbox provider, and the acts: the numbers are what each would do. */
function holdNotice(request: SignedInRequest, hold: HoldStatus): Html {
  const { provider, reason, opened_at: since, waiting, bounced } = hold;
  const act = (name: string, label: string): Html =>
    postButton(request, '/deliveries/providers', label, { fields: { provider, act: name }, id: `${name}-${provider}` });
  return html`<div class="notice problem"><p><strong>Messages to ${providerTitle(provider)} wait for you:</strong>
<bdi>${reason}</bdi>.</p><p>Since ${when(request, since)}.
Waiting: ${count(waiting, 'message')}; subscribers with a hard bounce, who are mailed nothing: ${formatCount(bounced)}.
After seven days one message is tried.</p>
${
  request.may('deliveries.control')
    ? html`<div class="buttons">${act('try', 'Try one message')}${act('release', 'Release')}
${bounced === 0 ? '' : act('suppress', `Suppress the ${formatCount(bounced)} and release the rest`)}</div>`
    : ''
}</div>`;
}

async function limits({ desk, at }: SignedInRequest): Promise<Html> {
  const { perSecond, perDay, warmUp } = desk.app.config.delivery;
  const lines = [
    ...(perSecond === undefined ? [] : [html`<li>At most ${perSecond} messages a second.</li>`]),
    ...(perDay === undefined
      ? []
      : [
          html`<li>At most ${formatCount(perDay)} messages in 24 hours:
${formatCount(await countSubmissions(desk.app.store.db, at))} count now.</li>`,
        ]),
    ...(warmUp === undefined ? [] : [html`<li>A warm-up limits the messages of each day.</li>`]),
  ];
  return lines.length === 0 ? html`` : html`<h2>Limits</h2><ul>${lines}</ul>`;
}

function editionSection(request: SignedInRequest, delivery: EditionDelivery): Html {
  const { edition } = delivery;
  const { base, app } = request.desk;
  const isConfigured = app.config.newsletters.some(({ id }) => id === edition.newsletter);
  return html`<section id="edition-${edition.id}" data-region aria-labelledby="edition-${edition.id}-heading">
<h2 id="edition-${edition.id}-heading"><a href="${base}${deliveryPath(edition.id)}" dir="auto">${mailedName(
    edition,
  )}</a></h2>
<p class="meaning">${fullEditionName(edition)}, closed ${when(request, edition.closedAt)} ·
<a href="${base}${editionDeskPath(edition)}">the edition</a></p>
${
  isConfigured
    ? ''
    : html`<p class="notice problem">Its newsletter is no longer configured, so nothing of it is submitted. Configure
it again under the same id, or cancel the edition.</p>`
}
${deliveryState(request, delivery)}</section>`;
}
