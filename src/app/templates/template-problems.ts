/**
 * Renders every template that is used with sample data, so that a broken one is found before its slot or its visitor:
 * editions, service messages, pages, and the page of feeds. Nothing of it reaches the newsroom's store.
 */
import { importText } from '../../articles/import/import.ts';
import type { Config } from '../../config/config.ts';
import type { SigningSecrets } from '../../config/signing-secrets.ts';
import { siteView } from '../../config/site-view.ts';
import { prepareServiceMessage, type ServiceMessage } from '../../delivery/message/service-message.ts';
import { renderInThread } from '../../editions/rendering/render-in-thread.ts';
import { sharedDocuments } from '../../feeds/index-page/index-page.ts';
import { createApp } from '../../http/server/app.ts';
import type { Templates } from '../../lib/templates.ts';
import { HOUR, localDate, MINUTE, rfc3339 } from '../../lib/time.ts';
import { migrate } from '../../store/schema.ts';
import { openStore, type Store } from '../../store/store.ts';
import { requestLink } from '../../subscribers/account-links.ts';
import { requestSubscription } from '../../subscribers/consent/opt-in.ts';
import { addSubscriber } from '../../subscribers/subscriptions.ts';
import { actToken, confirmToken, preferencesToken, unsubscribeToken } from '../../subscribers/tokens.ts';
import { sampleEdition } from './sample-edition.ts';

/** Signs the links of the sample pages. */
const SECRETS: SigningSecrets = ['of the sample pages, which nobody sees'];
const NONCE = 'checkchecknonce0';
const MESSAGE_KINDS = ['confirm', 'already', 'preferences', 'export', 'erase'] as const;

/** @returns a sentence for each problem. After templates that cannot be parsed nothing is rendered. */
export async function templateProblems(config: Config, templates: Templates, now: number): Promise<string[]> {
  const unparsed = templates.problems();
  if (unparsed.length > 0) return unparsed.map((text) => `templates: ${text}`);
  return [
    ...(await editionProblems(config, templates, now)),
    ...(await messageProblems(config, templates, now)),
    ...(await pageProblems(config, templates, now)),
  ];
}

/** In a thread: a cold MJML takes a second. */
async function editionProblems(config: Config, templates: Templates, now: number): Promise<string[]> {
  const problems: string[] = [];
  for (const { id, template } of config.newsletters) {
    const view = sampleEdition(config, id, now);
    const problem = await problemOf(() =>
      renderInThread(view, siteView(config), templates, { template, nonce: NONCE }),
    );
    if (problem !== null) problems.push(`newsletters ${id}: template ${template}: ${problem}`);
  }
  return problems;
}

async function messageProblems(config: Config, templates: Templates, now: number): Promise<string[]> {
  const [first] = config.newsletters;
  if (first === undefined) return [];
  const message: Omit<ServiceMessage, 'kind'> = {
    id: 1,
    subscriberId: 1,
    email: 'ada@example.com',
    tokenVersion: 1,
    newsletters: [first.id],
    createdAt: now,
    expiresAt: now + HOUR,
  };
  const context = { config, templates, secrets: SECRETS, signers: [] };
  const problems: string[] = [];
  for (const kind of MESSAGE_KINDS) {
    const problem = await problemOf(() => prepareServiceMessage({ ...message, kind }, context));
    if (problem !== null) problems.push(`templates: mail/${kind}: ${problem}`);
  }
  return problems;
}

async function pageProblems(config: Config, templates: Templates, now: number): Promise<string[]> {
  const store = await openStore({ path: ':memory:' });
  try {
    await migrate(store);
    await fillStore(store, config, now);
    const problems: string[] = [];
    const log = {
      debug() {},
      info() {},
      warn() {},
      error(details: { route?: unknown; error?: unknown }) {
        problems.push(`templates: page ${String(details.route)}: ${firstLine(details.error)}`);
      },
    };
    const app = createApp({ store, config, templates, secrets: SECRETS, clock: () => now, log });
    const base = new URL(config.publication.url).pathname.replace(/\/+$/, '');
    for (const path of samplePaths(config, now)) await app.request(base + path);
    await app.request(`${base}/subscribe`, {
      method: 'POST',
      headers: { 'Sec-Fetch-Site': 'same-origin', Origin: new URL(config.publication.url).origin },
      body: new URLSearchParams({ email: 'grace@example.com', newsletter: config.newsletters[0]?.id ?? '' }),
    });
    const shared = await problemOf(() => sharedDocuments(store.db, config, templates, now));
    if (shared !== null) problems.push(`templates: feeds/index: ${shared}`);
    const notice = await problemOf(() => templates.html('pages/edition-notice.liquid', noticeData(config, now)));
    if (notice !== null) problems.push(`templates: pages/edition-notice: ${notice}`);
    // A broken layout is found on each page.
    return [...new Map(problems.map((text) => [text.replace(/^templates: page \S+ /, ''), text])).values()];
  } finally {
    await store.close();
  }
}

/** Articles of each kind of page, a subscriber, and one who has not confirmed. */
async function fillStore(store: Store, config: Config, now: number): Promise<void> {
  const section = config.sections[0]?.id;
  const article = { section, kicker: 'Sample', dek: 'A dek.', body: 'A paragraph.', tags: ['sample'] };
  const bylines = [{ role: 'reporter', name: 'A Reporter' }];
  const articles = [
    { ...article, id: 'sample', headline: 'A sample', slug: 'sample', bylines, published: rfc3339(now - HOUR) },
    { ...article, id: 'corrected', headline: 'Corrected', state: 'corrected', note: 'A note.' },
    { ...article, id: 'gone', headline: 'Gone', slug: 'gone', state: 'retracted', note: 'A note.' },
  ].map((one) => JSON.stringify({ published: rfc3339(now - HOUR), ...one }));
  await importText(
    store,
    config,
    { source: 'sample.jsonl', text: articles.join('\n'), format: 'jsonl' },
    { clock: () => now },
  );
  const newsletters = config.newsletters.slice(0, 1).map(({ id }) => id);
  if (newsletters.length === 0) return;
  const via = { channel: 'operator', source: null } as const;
  await addSubscriber(store.db, null, { email: 'ada@example.com', newsletters }, via, now);
  for (const act of ['export', 'erase'] as const) await requestLink(store.db, SECRETS, 1, act, now);
  await requestSubscription(
    store.db,
    SECRETS,
    { email: 'eve@example.com', newsletters },
    { channel: 'form', source: null },
    { ...config.signup, confirmMs: HOUR },
    now,
  );
}

/** The paths of pages, below the path of `publication.url`. */
function samplePaths(config: Config, now: number): string[] {
  const month = localDate(now - HOUR, config.publication.zone).slice(0, 7);
  const newsletter = config.newsletters[0]?.id;
  const account =
    newsletter === undefined
      ? []
      : [
          `/unsubscribe/${unsubscribeToken(SECRETS, { subscriberId: 1, newsletter })}`,
          `/preferences/${preferencesToken(SECRETS, { subscriberId: 1, version: 1, expiresAt: now + MINUTE })}`,
          `/account/export/${actToken(SECRETS, 'export', { messageId: 1, subscriberId: 1 })}`,
          `/account/erase/${actToken(SECRETS, 'erase', { messageId: 2, subscriberId: 1 })}`,
          `/confirm/${confirmToken(SECRETS, { messageId: 3, subscriberId: 2 })}`,
        ];
  return [
    ...['/', '/articles/sample', '/articles/gone', '/archive', `/archive/${month}`, '/editions', '/newsletters'],
    ...config.sections.slice(0, 1).map(({ id }) => `/sections/${id}`),
    ...account,
    '/no-such-page',
  ];
}

function noticeData(config: Config, now: number): object {
  const entry = { note: 'A note.', at: now, headline: 'A sample', path: '/articles/sample', language: 'en' };
  return { site: siteView(config), retracted: [entry], corrected: [entry] };
}

async function problemOf(render: () => Promise<unknown>): Promise<string | null> {
  try {
    await render();
    return null;
  } catch (error) {
    return firstLine(error);
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
