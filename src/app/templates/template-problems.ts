/**
 * Renders every template that is used with sample data, so that a broken one is found before its slot or its visitor:
 * editions, service messages, pages, and the page of feeds. Nothing of it reaches the newsroom's store.
 */

import { importText } from '../../articles/import/import.ts';
import { requestLink } from '../../audience/account-links.ts';
import { consentTextOf } from '../../audience/consent/consent-text.ts';
import { requestSubscription } from '../../audience/consent/opt-in.ts';
import { signupOptions } from '../../audience/consent/signup-limits.ts';
import { addSubscriber } from '../../audience/subscriptions.ts';
import { actToken, confirmToken, preferencesToken, unsubscribeToken } from '../../audience/tokens.ts';
import type { Config } from '../../core/config/config.ts';
import { legalPages } from '../../core/config/legal-pages.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { newsletterSite, type SiteView, siteView } from '../../core/config/site-view.ts';
import { type Finding, firstLine, ok, problem } from '../../core/finding.ts';
import { migrate } from '../../core/store/schema.ts';
import { openStore, type Store } from '../../core/store/store.ts';
import { SERVICE_MESSAGE_KINDS } from '../../core/store/tables.ts';
import { prepareServiceMessage, type ServiceMessage } from '../../delivery/message/service-message.ts';
import { renderInThread } from '../../editions/rendering/render-in-thread.ts';
import { sharedDocuments } from '../../feeds/index-page/index-page.ts';
import type { Templates } from '../../lib/templates.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import { HOUR, localDate, MINUTE, rfc3339 } from '../../lib/time.ts';
import { createApp } from '../routes/app.ts';
import { formProblems, withoutToken } from './form-problems.ts';
import { sampleEdition } from './sample-edition.ts';

/** Signs the links of the sample pages. */
const SECRETS: SigningSecrets = ['of the sample pages, which nobody sees'];
const NONCE = 'checkchecknonce0';

/** Renders all templates that are used, with sample data. */
export async function checkTemplates(config: Config, templates: Templates, now: number): Promise<Finding[]> {
  const problems = await templateProblems(config, templates, now);
  return problems.length > 0 ? problems.map(problem) : [ok('templates: all parse, and all that are used render')];
}

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
  for (const newsletter of config.newsletters) {
    const { id, template } = newsletter;
    const view = sampleEdition(config, id, now);
    const site = newsletterSite(config, newsletter);
    const problem = await problemOf(async () => {
      const { html, text } = await renderInThread(view, site, templates, { template, nonce: NONCE });
      requireImprint(site, `${template}.mjml`, html);
      requireImprint(site, `${template}.txt`, text);
    });
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
    consent: consentTextOf(config).text,
  };
  const problems: string[] = [];
  for (const kind of SERVICE_MESSAGE_KINDS) {
    const context = { config, templates: requireLinks(templates, kind), secrets: SECRETS, signers: [] };
    const problem = await problemOf(() => prepareServiceMessage({ ...message, kind }, context));
    if (problem !== null) problems.push(`templates: mail/${kind}: ${problem}`);
  }
  return problems;
}

/**
 * Templates that throw where a message lacks its link, or that to the imprint. Only the note that a subscription exists
 * needs no link of its own.
 */
function requireLinks(templates: Templates, kind: (typeof SERVICE_MESSAGE_KINDS)[number]): Templates {
  const withLinks = async (name: string, data: object, rendering: Promise<string>): Promise<string> => {
    const rendered = await rendering;
    if (kind !== 'already' && 'link' in data && !rendered.includes(String(data.link))) {
      throw new Error(`${name} has no link: add {{ link }}`);
    }
    if ('site' in data) requireImprint(data.site as SiteView, name, rendered);
    return rendered;
  };
  return {
    ...templates,
    html: (name, data) => withLinks(name, data, templates.html(name, data)),
    text: (name, data) => withLinks(name, data, templates.text(name, data)),
  };
}

/** @throws Error where an email lacks the link to the imprint that the configuration has */
function requireImprint({ imprint }: SiteView, name: string, rendered: string): void {
  if (imprint === null || rendered.includes(imprint.url) || rendered.includes(escapeHtml(imprint.url))) return;
  throw new Error(`${name} has no link to the imprint: add {{ site.imprint.url }}`);
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
    const url = config.publication.url.replace(/\/+$/, '');
    const base = new URL(`${url}/`).pathname.slice(0, -1);
    const request = async (path: string, init: RequestInit): Promise<void> => {
      const response = await app.request(base + path, init);
      const page = { path, html: await response.text(), isForm: init.method === 'GET' && response.status === 200 };
      problems.push(...formProblems(page, url).map((what) => `templates: page ${withoutToken(path)}: ${what}`));
    };
    for (const path of samplePaths(config, now)) await request(path, { method: 'GET' });
    const headers = { 'Sec-Fetch-Site': 'same-origin', Origin: new URL(url).origin };
    for (const [path, fields] of samplePosts(config, now)) {
      await request(path, { method: 'POST', headers, body: new URLSearchParams(fields) });
    }
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
    // So that the front page has a second page.
    ...Array.from({ length: 10 }, (_, index) => ({ ...article, id: `earlier-${index}`, headline: 'Earlier' })),
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
    signupOptions(config.signup),
    now,
  );
}

/** The paths of pages, below the path of `publication.url`. */
function samplePaths(config: Config, now: number): string[] {
  const month = localDate(now - HOUR, config.publication.zone).slice(0, 7);
  return [
    ...[
      '/',
      '/?page=2',
      '/articles/sample',
      '/articles/gone',
      '/archive',
      `/archive/${month}`,
      '/editions',
      '/newsletters',
    ],
    ...config.sections.slice(0, 1).map(({ id }) => `/sections/${id}`),
    ...legalPages(config).map(({ path }) => path),
    ...Object.values(accountPaths(config, now) ?? {}),
    '/no-such-page',
  ];
}

/** The pages of one subscriber. Null without newsletters: then nobody is subscribed. */
function accountPaths({ newsletters: [first] }: Config, now: number) {
  if (first === undefined) return null;
  const preferences = (subscriberId: number, expiresAt: number): string =>
    `/preferences/${preferencesToken(SECRETS, { subscriberId, version: 1, expiresAt })}`;
  return {
    unsubscribe: `/unsubscribe/${unsubscribeToken(SECRETS, { subscriberId: 1, newsletter: first.id })}`,
    preferences: preferences(1, now + MINUTE),
    expired: preferences(1, now - MINUTE),
    erased: preferences(3, now + MINUTE),
    export: `/account/export/${actToken(SECRETS, 'export', { messageId: 1, subscriberId: 1 })}`,
    erase: `/account/erase/${actToken(SECRETS, 'erase', { messageId: 2, subscriberId: 1 })}`,
    confirm: `/confirm/${confirmToken(SECRETS, { messageId: 3, subscriberId: 2 })}`,
  };
}

/** What visitors post, in an order in which no post makes the page of a later one another. */
function samplePosts(config: Config, now: number): [path: string, fields: Record<string, string>][] {
  const paths = accountPaths(config, now);
  const newsletter = config.newsletters[0]?.id ?? '';
  if (paths === null) return [];
  const { preferences, confirm, erase, unsubscribe } = paths;
  return [
    ['/subscribe', { email: 'grace@example.com', newsletter }],
    [confirm, {}],
    [preferences, { zone: '', paused: '', newsletter }],
    [`${preferences}/export`, {}],
    [`${preferences}/erase`, {}],
    [`${preferences}/link`, {}],
    // Ends the link for the erasure as well: its page says so.
    [`${preferences}/revoke`, {}],
    [erase, {}],
    [unsubscribe, { unsubscribe: 'yes' }],
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
