/**
 * A publication in Greek letters whose messages are all between ⟦ and ⟧: every Latin word that a subscriber or visitor
 * gets outside of them is one that no language file can translate.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Parser } from 'htmlparser2';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../src/app/routes/app.ts';
import type { Article } from '../../../src/articles/article.ts';
import { requestLink } from '../../../src/audience/account-links.ts';
import { messageToken, unsubscribeToken } from '../../../src/audience/tokens.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { siteView } from '../../../src/core/config/site-view.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { composeNow } from '../../../src/delivery/closing/close.ts';
import { prepareServiceMessage } from '../../../src/delivery/message/service-message.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { builtInFile } from '../../../src/lib/locale/message-file.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { facetSlug } from '../../../src/lib/text/facet-slug.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { addConfirmed, requestNewsletters } from '../../audience/fixtures.ts';
import { picture, saveAsPublished } from '../../support/articles.ts';
import { openMigrated } from '../../support/databases.ts';
import { SECRETS, sampleStories } from '../../support/sample.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';
import { NOW, preferencesPath } from '../test-site.ts';

const GREEK = 'αβγδεζηθικλμνξοπρστυφχψωϊϋ';
const greek = (text: string): string =>
  text
    .replace(/[a-zà-ÿ]/gi, (letter) => GREEK[(letter.toLowerCase().codePointAt(0) as number) % 26] as string)
    // The number of an entity and the name of a tag stay.
    .normalize();
const orNull = (text: string | null): string | null => (text === null ? null : greek(text));
const greekHtml = (html: string): string =>
  html.replace(/(<[^>]*>|&[a-z]+;)|[^<&]+/g, (all, markup) => markup ?? greek(all));

const messages = Object.fromEntries(
  Object.entries(builtInFile('en')?.messages ?? {}).map(([name, text]) => [name, `⟦${text}⟧`]),
);

function greekConfig(config: Config): Config {
  const titled = <T extends { title: string }>(one: T): T => ({ ...one, title: greek(one.title) });
  const { publication, newsletters } = config;
  const daily = newsletters[0] as (typeof newsletters)[number];
  const alert = { ...daily, id: 'alert', template: 'breaking-alert' };
  return {
    ...config,
    ownMessages: { el: messages },
    publication: {
      ...publication,
      language: 'el',
      zone: 'Europe/Athens',
      name: greek(publication.name),
      about: greek(publication.about),
      contact: { ...publication.contact, name: greek(publication.contact.name) },
      postalAddress: greek(publication.postalAddress),
      copyright: greek(publication.copyright ?? ''),
      pages: { about: titled(publication.pages.about as { title: string; file: string }) },
    },
    sections: config.sections.map(titled),
    leadKickers: config.leadKickers.map(greek),
    feeds: config.feeds.map((feed) => ({ ...titled(feed), description: greek(feed.description ?? '') })),
    newsletters: [...newsletters, alert].map((one) => ({
      ...titled(one),
      ...(one.id === 'weekly-roundup' ? { weeklyOf: 'daily-roundup' } : {}),
      ...(one === alert ? {} : { choices: { sections: true, tags: [greek('chips')], reporters: true } }),
      schedule: daily.schedule,
      kicker: greek(one.kicker),
      description: greek(one.description),
      from: { ...one.from, name: greek(one.from.name ?? '') },
      show: { contents: true, readingTime: true, thumbnails: true },
    })),
  };
}

function greekArticle(article: Article): Article {
  const link = <T extends { title: string }>(one: T): T => ({ ...one, title: greek(one.title) });
  const { status, image, outlet } = article;
  return {
    ...article,
    kicker: orNull(article.kicker),
    topic: orNull(article.topic),
    headline: greek(article.headline),
    shortHeadline: orNull(article.shortHeadline),
    dek: orNull(article.dek),
    bodyHtml: greekHtml(article.bodyHtml),
    tags: article.tags.map(greek),
    bylines: article.bylines.map((byline) => ({ ...byline, name: greek(byline.name) })),
    fullStory: article.fullStory && link(article.fullStory),
    related: article.related.map(link),
    outlet: outlet && { ...outlet, name: greek(outlet.name) },
    also: article.also.map((one) => ({ ...one, name: greek(one.name) })),
    image: image && { ...image, alt: greek(image.alt), credit: orNull(image.credit) },
    enclosures: article.enclosures.map((one) => ({ ...one, title: orNull(one.title) })),
    language: 'el',
    status: 'note' in status ? { ...status, note: greek(status.note) } : status,
  } as Article;
}

/** Names that are the same in every language. */
const NAMES =
  /\b(?:RSS|Atom|JSON(?: Feed)?|RSSAtomJSON|OPML|QR|UTC|Feedly|Inoreader|NewsBlur|Feedbin|The Old Reader|BazQux|LinkedIn|WhatsApp|Bluesky|application\/pdf)\b/g;

/** The Latin words of a text that are in no message, without addresses. */
function unwrapped(text: string): string[] {
  let rest = text;
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replace(/⟦[^⟦⟧]*⟧/g, ' ');
  }
  const words = rest
    .replace(/(?:https?:|mailto:)[^\s"<>]*|[\w.+*-]*@[\w.*-]+|\b[\w-]+\.(?:com|example|org)\b/g, ' ')
    .replace(NAMES, ' ');
  return [...new Set(words.match(/.{0,20}\p{Script=Latin}{2,}.{0,20}/gu) ?? [])];
}

const SHOWN = ['alt', 'title', 'aria-label', 'placeholder', 'label'];
const METAS = /^(?:description|og:title|og:description|og:site_name|og:image:alt)$/;

function unwrappedInHtml(html: string): string[] {
  const found: string[] = [];
  let text = '';
  let skipped = 0;
  const isSkipped = (name: string): boolean => ['style', 'code', 'option', 'script'].includes(name);
  new Parser({
    onopentag(name, attributes) {
      if (isSkipped(name)) skipped++;
      for (const one of SHOWN) found.push(...unwrapped(attributes[one] ?? ''));
      if (METAS.test(attributes.name ?? attributes.property ?? '')) found.push(...unwrapped(attributes.content ?? ''));
      if (name === 'input' && attributes.type === 'submit') found.push(...unwrapped(attributes.value ?? ''));
      if (/^(?:p|h\d|li|td|div|title|label|button|dt|dd|legend)$/.test(name)) text += ' ';
    },
    ontext(part) {
      if (skipped === 0) text += part;
    },
    onclosetag(name) {
      if (isSkipped(name)) skipped--;
    },
  }).end(html);
  return [...found, ...unwrapped(text)];
}

let store: Store;
let app: TestApp;
let request: (path: string, form?: string) => Promise<{ status: number; body: string }>;
const ids = { confirm: 0 };

beforeAll(async () => {
  store = await openMigrated();
  const folder = mkdtempSync(join(tmpdir(), 'daywire-test-'));
  const opened = openTestApp(store, { folder });
  const config = greekConfig(opened.config);
  const templates = openTemplates(config.paths.templates, config.publication.zone, config.ownMessages);
  app = Object.assign(opened, { config, templates, now: NOW });
  const stories = (await sampleStories(NOW)).map(greekArticle);
  // A cover story with all that a page, a feed and an email can show of one.
  const [first] = stories.filter(({ kind, status }) => kind === 'analysis' && status.state === 'published') as [
    Article,
  ];
  const full: Article = {
    ...first,
    id: 'full',
    slug: 'full',
    tagUri: 'tag:example.com,2026:articles/full',
    kicker: greek('Cover Story'),
    publishedAt: NOW - HOUR,
    updatedAt: NOW,
    bylines: [
      { role: 'reporter', name: greek('Ann Lee'), email: 'ann@example.com' },
      { role: 'reporter', name: greek('Bo Wu'), email: 'bo@example.com' },
      { role: 'editor', name: greek('Cy Ma'), email: 'cy@example.com' },
    ],
    fullStory: { title: greek('The long version'), url: 'https://example.com/long' },
    related: [{ title: greek('Earlier'), url: 'https://example.com/earlier' }],
    image: picture('https://example.com/a.jpg', {
      alt: greek('A chip'),
      credit: greek('VCG'),
      width: 800,
      height: 600,
    }),
    enclosures: [
      { url: 'https://example.com/a.pdf', type: 'application/pdf', length: 2_000_000, title: greek('Report') },
    ],
    status: { state: 'corrected', note: greek('A figure was wrong.'), at: NOW - 1_000 },
  };
  const report: Article = {
    ...full,
    id: 'report',
    slug: 'report',
    tagUri: 'tag:example.com,2026:articles/report',
    kicker: null,
    outlet: { name: greek('Yicai'), url: 'https://example.com/yicai', publishedAt: NOW - 30 * HOUR },
    also: [
      { name: greek('Caijing'), url: 'https://example.com/caijing' },
      { name: greek('LatePost'), url: null },
    ],
  };
  await saveAsPublished(store, [...stories, full, report]);
  await addConfirmed(store, 'ada@example.com', ['daily-roundup'], NOW);
  await requestNewsletters(store, ['daily-roundup'], { email: 'grace@example.com', now: NOW });
  ids.confirm = 1;
  for (const act of ['export', 'erase'] as const) await requestLink(store.db, SECRETS, 1, act, NOW);
  for (const newsletter of config.newsletters) {
    const { kind } = await composeNow(app, newsletter, '2026-11-24');
    expect([newsletter.id, kind]).toEqual([newsletter.id, 'closed']);
  }
  await publishFeeds(store, config, templates, { now: NOW });
  const site = createApp({ store, config, templates, secrets: SECRETS, clock: app.clock, log: app.log });
  request = async (path, form) => {
    const init = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
    const response = await site.request(path, init, { incoming: { socket: { remoteAddress: '192.0.2.7' } } });
    return { status: response.status, body: await response.text() };
  };
});
afterAll(async () => {
  await store.close();
  rmSync(app.folder, { recursive: true, force: true });
});

const token = (purpose: 'confirm' | 'export' | 'erase', messageId: number, subscriberId: number): string =>
  messageToken(SECRETS, purpose, { messageId, subscriberId });
const UNSUBSCRIBE = `/unsubscribe/${unsubscribeToken(SECRETS, { subscriberId: 1, newsletter: 'daily-roundup' })}`;
const CONFIRM = `/confirm/${token('confirm', 1, 2)}`;
const PREFERENCES = preferencesPath(1);
const PAGES: [path: string, form?: string][] = [
  ['/'],
  ['/?page=2'],
  ['/articles/full'],
  ['/articles/report'],
  ['/sections/business-tech'],
  ['/sections/trending'],
  [`/reporters/${encodeURIComponent(facetSlug(greek('Ann Lee')) as string)}`],
  ['/archive'],
  ['/archive/2026-11'],
  ['/editions'],
  ['/editions/daily-roundup'],
  ['/editions/daily-roundup/2026-11-24'],
  ['/editions/weekly-roundup/2026-11-24'],
  ['/editions/alert/2026-11-24'],
  ['/newsletters'],
  ['/no-such-page'],
  ['/feeds/'],
  [UNSUBSCRIBE],
  [UNSUBSCRIBE, ''],
  [UNSUBSCRIBE, 'preferences=mail'],
  [UNSUBSCRIBE, 'pause=yes'],
  [CONFIRM],
  [`/confirm/${token('confirm', 9, 2)}`],
  [PREFERENCES],
  [preferencesPath(1, { version: 9 })],
  [preferencesPath(9)],
  [`/account/export/${token('export', 2, 1)}`],
  [`/account/export/${token('export', 9, 1)}`],
  [`/account/erase/${token('erase', 3, 1)}`],
  ['/subscribe', 'email=new@example.com&newsletter=daily-roundup'],
  ['/subscribe', 'email=no "address"&zone=Mars/Olympus'],
  ['/subscribe', ''],
  [CONFIRM, ''],
  [PREFERENCES, 'newsletter=daily-roundup&zone=&paused=2026-12-24'],
  [PREFERENCES, 'zone=Mars/Olympus&paused=tomorrow&atLeast:daily-roundup=0'],
  [`${PREFERENCES}/link`, ''],
  [`${PREFERENCES}/export`, ''],
  [`${PREFERENCES}/erase`, ''],
  [`${PREFERENCES}/revoke`, ''],
  [`/account/erase/${token('erase', 3, 1)}`, ''],
  [UNSUBSCRIBE, 'weekly=yes'],
  [UNSUBSCRIBE, 'unsubscribe=yes'],
];

describe('with a language whose words are marked', () => {
  it.each(PAGES)('%s %s shows no other word (%#)', async (path, form) => {
    const { body } = await request(path, form);
    expect(body).toContain('⟦');
    expect(unwrappedInHtml(body)).toEqual([]);
  });

  it('a withdrawn article shows no other word', async () => {
    const rows = await store.db.selectFrom('articles').select(['slug']).where('state', '=', 'retracted').execute();
    expect(rows.length).toBeGreaterThan(0);
    for (const { slug } of rows) expect(unwrappedInHtml((await request(`/articles/${slug}`)).body)).toEqual([]);
  });

  it.each(['latest', 'roundups'])('the feed %s shows no other word, in any format', async (id) => {
    for (const format of ['rss', 'atom', 'json']) {
      const { status, body } = await request(`/feeds/${id}.${format}`);
      expect(status).toBe(200);
      const texts =
        format === 'json'
          ? (JSON.parse(body).items as Record<string, string>[]).flatMap((one) => [
              one.title,
              one.summary,
              one.content_html,
            ])
          : [...body.matchAll(/<(title|description|summary|content|content:encoded)\b[^>]*>([\s\S]*?)<\/\1>/g)].map(
              ([, , text]) => text,
            );
      expect(texts.length).toBeGreaterThan(5);
      for (const text of texts) {
        const html = (text ?? '')
          .replace(/<!\[CDATA\[|\]\]>/g, '')
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"');
        expect(unwrappedInHtml(html.replaceAll('&amp;', '&'))).toEqual([]);
      }
    }
  });

  it('lists and style sheets of feeds show no other word', async () => {
    const opml = (await request('/feeds/feeds.opml')).body;
    for (const [, text] of opml.matchAll(/(?:<title>|text="|title=")([^<"]*)/g))
      expect(unwrapped(text ?? '')).toEqual([]);
    const css = (await request('/feeds/feed.css')).body;
    for (const [, text] of css.matchAll(/content: ["']([^"']*)/g)) expect(unwrapped(text ?? '')).toEqual([]);
  });

  it('the emails of every newsletter show no other word', async () => {
    const editions = await store.db
      .selectFrom('editions')
      .select(['newsletter', 'subject', 'preheader', 'html', 'text'])
      .execute();
    expect(editions).toHaveLength(3);
    for (const { newsletter, subject, preheader, html, text } of editions) {
      expect([newsletter, unwrapped(subject), unwrapped(preheader)]).toEqual([newsletter, [], []]);
      expect([newsletter, unwrapped(text.replace(/%%\w+:\w+%%/g, ''))]).toEqual([newsletter, []]);
      expect([newsletter, unwrappedInHtml(html)]).toEqual([newsletter, []]);
    }
  });

  it.each(['confirm', 'already', 'preferences', 'export', 'erase'] as const)(
    'the message %s shows no other word',
    async (kind) => {
      const { config, templates } = app;
      const message = await prepareServiceMessage(
        {
          ...{
            id: 3,
            kind,
            subscriberId: 1,
            email: 'ada@example.com',
            tokenVersion: 1,
            newsletters: ['daily-roundup'],
          },
          ...{ createdAt: NOW, expiresAt: NOW + 72 * HOUR, consent: null },
        },
        { config, templates, secrets: SECRETS, signers: [] },
      );
      const { subject = '', text = '', html } = await simpleParser(Buffer.concat(message.chunks));
      expect(text).toContain('⟦');
      expect([subject, text].flatMap(unwrapped)).toEqual([]);
      expect(unwrappedInHtml(html || '')).toEqual([]);
      expect(siteView(config).language).toBe('el');
    },
  );
});
