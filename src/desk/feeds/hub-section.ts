/** What an operator sees of the hub: who is told of changes, and what could not be told. */
import { html } from 'hono/html';
import { readHubStatus } from '../../websub/status.ts';
import type { Html, SignedInRequest } from '../desk-request.ts';
import { figures } from '../parts/figure.ts';
import { operatorText } from '../parts/operator-text.ts';
import { fromNow, when } from '../parts/when.ts';

/** Failing subscriptions, and pings, that are listed. */
const SHOWN = 20;

/** @param url of the hub, which feeds name */
export async function hubSection(request: SignedInRequest, url: string): Promise<Html> {
  const { config, store } = request.desk.app;
  const isOwn = config.hub?.url === 'self';
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
  const other = [
    { label: 'Pings to send', value: status.pendingPings, meaning: 'Changes that the hub has not been told of yet.' },
  ];
  return html`<section id="hub" data-region aria-labelledby="hub-title">
<h2 id="hub-title">Hub</h2>
<p>${isOwn ? 'daywire is the hub' : 'Changes are reported to the hub'} <code>${url}</code></p>
${figures(isOwn ? own : other)}
${topicsTable(status.subscriptions)}
${failingTable(request, status.failing, failing)}
${pingsTable(request, status.pings)}
</section>`;
}

type ShownHub = Awaited<ReturnType<typeof readHubStatus>>;

function topicsTable(topics: ShownHub['subscriptions']): Html {
  if (topics.length === 0) return html``;
  return html`<h3 id="hub-topics">Subscriptions by feed</h3>
<div class="scroll" tabindex="0" role="region" aria-labelledby="hub-topics">
<table><thead><tr><th scope="col">Feed</th><th scope="col" class="num">Subscriptions</th>
<th scope="col" class="num">Failing</th></tr></thead>
<tbody>${topics.map(
    ({ topic, count, failing }) => html`<tr><th scope="row">${topic}</th><td class="num">${count}</td>
<td class="num">${failing}</td></tr>`,
  )}</tbody></table></div>`;
}

function failingTable(request: SignedInRequest, failing: ShownHub['failing'], total: number): Html {
  if (failing.length === 0) return html``;
  const rows = failing.map(
    ({ topic, host, failingSince, reason, dueAt }) => html`<tr><th scope="row">${host}</th><td>${topic}</td>
<td>${when(request, failingSince)}</td><td>${operatorText(request, reason)}</td>
<td>${dueAt === null ? 'with the next change' : fromNow(request, dueAt)}</td></tr>`,
  );
  return html`<h3 id="hub-failing">Failing, the longest first</h3>
<div class="scroll" tabindex="0" role="region" aria-labelledby="hub-failing">
<table><thead><tr><th scope="col">Server</th><th scope="col">Feed</th><th scope="col">Since</th>
<th scope="col">Reason</th><th scope="col">Tried again</th></tr></thead><tbody>${rows}</tbody></table></div>
${total > failing.length ? html`<p class="meaning">and ${total - failing.length} more.</p>` : ''}`;
}

function pingsTable(request: SignedInRequest, pings: ShownHub['pings']): Html {
  if (pings.length === 0) return html``;
  const rows = pings.map(
    ({ topic, publishedAt, attempts, reason, dueAt }) => html`<tr><th scope="row">${topic}</th>
<td>${when(request, publishedAt)}</td><td class="num">${attempts}</td>
<td>${reason === null ? '' : operatorText(request, reason)}</td><td>${fromNow(request, dueAt)}</td></tr>`,
  );
  return html`<h3 id="hub-pings">Pings to send</h3>
<div class="scroll" tabindex="0" role="region" aria-labelledby="hub-pings">
<table><thead><tr><th scope="col">Feed</th><th scope="col">Changed</th><th scope="col" class="num">Attempts</th>
<th scope="col">Reason</th><th scope="col">Due</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
