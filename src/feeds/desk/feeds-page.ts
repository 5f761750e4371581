/** Feeds: their documents, who reads them, and the hub that tells of their changes. */
import { html } from 'hono/html';
import { formatCount } from '../../lib/text/count.ts';
import { agedCachePerDesk } from '../../web/desk/aged-cache.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskSection } from '../../web/desk/desk-route.ts';
import { respondPage } from '../../web/desk/page.ts';
import { explainedHeading, figures } from '../../web/desk/parts/figure.ts';
import { operatorText } from '../../web/desk/parts/operator-text.ts';
import { rowTable } from '../../web/desk/parts/row-table.ts';
import { fromNow, when } from '../../web/desk/parts/when.ts';
import { type PublishedFeed, readFeedStates } from '../feed-states.ts';
import { readHubStatus } from '../hub/status.ts';
import {
  type ReaderStatistics,
  readReaderStatistics,
  totalOf,
  unchangedPercent,
} from '../readers/reader-statistics.ts';
import { hubAddress } from '../topics.ts';

const READERS_SHOWN = 30;

export const feedsSection: DeskSection = {
  navigation: { id: 'feeds', label: 'Feeds', path: '/feeds', needs: 'editions.read' },
  routes: [{ method: 'GET', path: '/feeds', needs: 'editions.read', handle: showFeeds }],
};

async function showFeeds(request: SignedInRequest): Promise<Response> {
  const { app } = request.desk;
  const [feeds, readers] = [await readFeedStates(app), await readersOf(request.desk).read('readers')];
  const url = hubAddress(app.config);
  const body = html`
<section id="feeds" data-region aria-labelledby="feeds-title">
${explainedHeading('Documents', DOCUMENTS_MEANING, 'feeds-title')}
${feedsTable(request, feeds)}
</section>
<section id="readers" data-region aria-labelledby="readers-title">
${explainedHeading('Feed readers', READERS_MEANING, 'readers-title')}
${readers === null ? beingCounted : readersSection(readers.value)}
</section>
${url === null ? noHub : await hubSection(request, url)}`;
  return respondPage(request, { title: 'Feeds', section: 'feeds', body });
}

const DOCUMENTS_MEANING = 'Each feed is published in three formats.';
const READERS_MEANING = `Readers that poll by themselves, such as newsboat and NetNewsWire, report no subscribers. No
addresses are kept, so the number of people behind them is unknown.`;

const beingCounted = html`<p class="soft" data-pending>Requests are being counted.</p>`;

const noHub = html`<section id="hub" data-region aria-labelledby="hub-title">
<h2 id="hub-title">Hub</h2>
<p class="soft">No hub is configured: feed readers find changes when they poll. “hub: self” in the configuration
tells them at once.</p>
</section>`;

function feedsTable(request: SignedInRequest, feeds: readonly PublishedFeed[]): Html {
  const rows = feeds.map(({ id, title, formats }) => {
    const changedAt = Math.max(...formats.map(({ modifiedAt }) => modifiedAt ?? 0));
    const documents = formats.map(({ name, url, bytes }) => {
      return html`<div><a href="${url}">${name}</a>${bytes === null ? '' : `, ${sizeText(bytes)}`}</div>`;
    });
    return {
      cells: [
        html`${title}<br><code>${id}</code>`,
        html`${documents}`,
        changedAt === 0 ? 'not published yet' : when(request, changedAt),
      ],
    };
  });
  return rowTable({ titleId: 'feeds-title' }, ['Feed', 'Documents', 'Changed'], rows);
}

/** `87.1 kB`. */
function sizeText(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} kB`;
}

/** Strangers who invent readers can make the statistics take seconds: a page shows the last ones. */
const readersOf = agedCachePerDesk(({ app: { store, config, clock } }, _: 'readers') =>
  readReaderStatistics(store.reports, { now: clock(), zone: config.publication.zone }),
);

const READER_FIGURES = ['Requests a day', 'Unchanged', 'Reported subscribers', 'Documents'];
const READER_COLUMNS = ['Reader', ...READER_FIGURES.map((label) => ({ label, isNumber: true }))];

function readersSection({ from, readers, days }: ReaderStatistics): Html {
  if (readers.length === 0) {
    return html`<p class="soft">No feed was requested since ${from}. Counts reach the store every 10 seconds.
The addresses of the feeds are above, for readers to follow.</p>`;
  }
  const { requests, unchanged, subscribers } = totalOf(readers);
  const rows = readers.slice(0, READERS_SHOWN).map((one) => ({
    cells: [
      one.reader,
      perDay(one.requests / days),
      `${unchangedPercent(one)} %`,
      one.subscribers === null ? '' : formatCount(one.subscribers),
      one.documents,
    ],
  }));
  const more = readers.length - READERS_SHOWN;
  return html`${figures([
    {
      label: 'Requests',
      value: requests,
      meaning: `Feed requests since ${from}. Cached copies elsewhere do not count.`,
    },
    {
      label: 'Unchanged',
      value: `${unchangedPercent({ requests, unchanged })} %`,
      meaning: 'Answered with 304: the reader had it already.',
    },
    {
      ...{ label: 'Reported subscribers', value: subscribers },
      meaning: 'What aggregators report, summed. Nobody can check it; who follows two feeds counts twice.',
    },
  ])}
${rowTable({ titleId: 'readers-title' }, READER_COLUMNS, rows)}
${more > 0 ? html`<p class="meaning">and ${formatCount(more)} more, with fewer requests.</p>` : ''}`;
}

function perDay(requests: number): string {
  return requests < 10 ? requests.toFixed(1) : formatCount(Math.round(requests));
}

/** Failing subscriptions that are listed. */
const SHOWN = 20;

/** @param url of the hub, which feeds name */
async function hubSection(request: SignedInRequest, url: string): Promise<Html> {
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
  const columns = ['Feed', ...['Subscriptions', 'Failing'].map((label) => ({ label, isNumber: true }))];
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
  const columns = ['Server', 'Feed', 'Since', 'Reason', 'Tried again'];
  return html`<h3 id="hub-failing">Failing, the longest first</h3>
${rowTable({ titleId: 'hub-failing' }, columns, rows)}
${total > failing.length ? html`<p class="meaning">and ${total - failing.length} more.</p>` : ''}`;
}
