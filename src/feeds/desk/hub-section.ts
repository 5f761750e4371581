/** What an operator sees of the hub: who is told of changes, and what could not be told. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { figures } from '../../web/desk/parts/figure.ts';
import { operatorText } from '../../web/desk/parts/operator-text.ts';
import { rowTable } from '../../web/desk/parts/row-table.ts';
import { fromNow, when } from '../../web/desk/parts/when.ts';
import { readHubStatus } from '../hub/status.ts';

/** Failing subscriptions that are listed. */
const SHOWN = 20;

/** @param url of the hub, which feeds name */
export async function hubSection(request: SignedInRequest, url: string): Promise<Html> {
  const { config, store } = request.desk.app;
  const isOwn = config.hub === 'self';
  const status = await readHubStatus(store.reports, { now: request.at, limit: SHOWN });
  const total = status.subscriptions.reduce((sum, { count }) => sum + count, 0);
  const failing = status.subscriptions.reduce((sum, one) => sum + one.failing, 0);
  const own = [
    { label: 'Subscriptions', value: total, meaning: 'Feed readers that the hub tells of each change.' },
    { label: 'Failing', value: failing, meaning: 'The last notification did not arrive. It is tried again.' },
    {
      ...{ label: 'Not verified', value: status.unverified },
      meaning: 'Requests to subscribe or unsubscribe that their callback has not confirmed yet.',
    },
  ];
  return html`<section id="hub" data-region aria-labelledby="hub-title">
<h2 id="hub-title">Hub</h2>
<p>${isOwn ? 'daywire is the hub' : 'Changes are reported to the hub'} <code>${url}</code></p>
${isOwn ? figures(own) : ''}
${topicsTable(status.subscriptions)}
${failingTable(request, status.failing, failing)}
</section>`;
}

type ShownHub = Awaited<ReturnType<typeof readHubStatus>>;

function topicsTable(topics: ShownHub['subscriptions']): Html {
  if (topics.length === 0) return html``;
  const rows = topics.map(({ topic, count, failing }) => ({ cells: [topic, count, failing] }));
  const columns = [{ label: 'Feed' }, { label: 'Subscriptions', isNumber: true }, { label: 'Failing', isNumber: true }];
  return html`<h3 id="hub-topics">Subscriptions by feed</h3>
${rowTable({ titleId: 'hub-topics' }, columns, rows)}`;
}

function failingTable(request: SignedInRequest, failing: ShownHub['failing'], total: number): Html {
  if (failing.length === 0) return html``;
  const rows = failing.map(({ topic, host, failingSince, reason, dueAt }) => ({
    cells: [
      ...[host, topic, when(request, failingSince), operatorText(request, reason)],
      dueAt === null ? 'with the next change' : fromNow(request, dueAt),
    ],
  }));
  const columns = [
    ...[{ label: 'Server' }, { label: 'Feed' }, { label: 'Since' }],
    ...[{ label: 'Reason' }, { label: 'Tried again' }],
  ];
  return html`<h3 id="hub-failing">Failing, the longest first</h3>
${rowTable({ titleId: 'hub-failing' }, columns, rows)}
${total > failing.length ? html`<p class="meaning">and ${total - failing.length} more.</p>` : ''}`;
}
