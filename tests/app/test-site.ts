/**
 * A web app for tests, with the sample configuration, stories of every kind, and a fixed clock.
 */
import type { Hono } from 'hono';
import { createApp } from '../../src/app/routes/app.ts';
import type { Article } from '../../src/articles/article.ts';
import { PREFERENCES_LINK_LIFETIME } from '../../src/audience/account-links.ts';
import { type PreferencesKey, preferencesToken } from '../../src/audience/tokens.ts';
import type { Config } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import type { WebOptions } from '../../src/web/server/web-context.ts';
import { articleFactory, saveAsPublished } from '../support/articles.ts';
import { clockAt } from '../support/clock.ts';
import { storeEdition } from '../support/editions.ts';
import { SECRETS, sampleConfig } from '../support/sample.ts';

/** Tuesday, November 24, 2026, 08:43 PM in Shanghai. */
export const NOW = Date.UTC(2026, 10, 24, 12, 43);

/** The sample configuration while signup is closed. */
export function closedConfig(): Config {
  const config = sampleConfig();
  return { ...config, signup: { ...config.signup, enabled: false } };
}

/** The path of a subscriber's preferences behind a link that is new, or as changed. */
export function preferencesPath(subscriberId: number, changes: Partial<PreferencesKey> = {}): string {
  const key = { subscriberId, version: 1, expiresAt: NOW + PREFERENCES_LINK_LIFETIME, ...changes };
  return `/preferences/${preferencesToken(SECRETS, key)}`;
}

export interface TestSite {
  app: Hono;
  /** Sets the clock. */
  at(instant: number): void;
  /** Moves the clock by a second: pages rendered before are no longer kept. */
  later(): void;
  /** GET of a path. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** The text of a page. @throws Error unless its status is 200 */
  read(path: string): Promise<string>;
  /** Posts a form. @param options.from address of the client */
  post(
    path: string,
    fields?: [name: string, value: string][],
    options?: { headers?: Record<string, string>; from?: string },
  ): Promise<Response>;
  logged: object[];
}

/** Opens the app. @param more further options, or others */
export function openTestSite(store: Store, config: Config = sampleConfig(), more: Partial<WebOptions> = {}): TestSite {
  const time = clockAt(NOW);
  const logged: object[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (details: object) => {
      logged.push(details);
    },
  };
  const templates = openTemplates(config.paths.templates, config.publication.zone, config.ownMessages);
  const app = createApp({ store, config, templates, secrets: SECRETS, clock: time.clock, log, ...more });
  const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    app.request(path, { headers });
  return {
    app,
    at: (instant) => {
      time.now = instant;
    },
    later: () => {
      time.now += SECOND;
    },
    get,
    read: async (path) => {
      const response = await get(path);
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response.text();
    },
    post: async (path, fields = [], { headers = {}, from = '192.0.2.7' } = {}) => {
      const env = { incoming: { socket: { remoteAddress: from } } };
      return app.request(path, { method: 'POST', body: new URLSearchParams(fields), headers }, env);
    },
    logged,
  };
}

export const article = articleFactory({ publishedAt: NOW - HOUR, dek: null });

export const save = (store: Store, ...articles: Article[]): Promise<void> => saveAsPublished(store, articles);

/** A page without the version of the stylesheet, for a golden file. */
export function withoutVersion(html: string): string {
  return html.replace(/(\/style\.css\?v=)\w+/, '$1VERSION');
}

/** Saves a closed edition with its roundup article. @param edition.articles ids of its stories */
export async function saveEdition(
  store: Store,
  edition: { slot: string; slotAt: number; number: number; headline: string; html?: string; articles?: string[] },
): Promise<void> {
  const {
    slot,
    slotAt,
    number,
    headline,
    html = '<!doctype html><title>Edition</title><body><h1>Edition</h1></body>',
  } = edition;
  const id = `daily-roundup-${slot}`;
  await save(
    store,
    article(id, {
      kind: 'roundup',
      kicker: 'Tech Roundup',
      headline: headline.replace(/^Tech Roundup: /, ''),
      dek: 'Eleven stories of the day, and what six other newsrooms reported first.',
      section: null,
      publishedAt: slotAt,
      updatedAt: slotAt,
      page: `/editions/daily-roundup/${slot}`,
    }),
  );
  const editionId = await storeEdition(store, {
    ...{ newsletter: 'daily-roundup', slot, number, closed_at: slotAt, headline, subject: headline },
    ...{ preheader: 'p', nonce: 'n', archive_html: html, article_id: id },
  });
  for (const [position, articleId] of (edition.articles ?? []).entries()) {
    await store.db
      .insertInto('edition_articles')
      .values({ edition_id: editionId, newsletter: 'daily-roundup', article_id: articleId, block: 'news', position })
      .execute();
  }
}

/** Saves the stories of a full day. */
export async function saveDay(store: Store): Promise<void> {
  const ago = (hours: number, minutes = 0): { publishedAt: number; updatedAt: number } => {
    const at = NOW - hours * HOUR - minutes * MINUTE;
    return { publishedAt: at, updatedAt: at };
  };
  const mei = { role: 'reporter' as const, name: 'Mei Tan', email: 'mei.tan@example.com' };
  const jonas = { role: 'reporter' as const, name: 'Jonas Weld', email: 'jonas.weld@example.com' };
  const ruth = { role: 'editor' as const, name: 'Ruth Okafor', email: 'ruth.okafor@example.com' };
  const picture = drawing();
  await save(
    store,
    article('smartphones-march', {
      ...ago(0, 12),
      headline: 'China Smartphone Shipments Jump by Two-Thirds in March',
      dek: 'Makers shipped 35.3 million smartphones, and three of four handsets now run on 5G.',
      bylines: [mei, ruth],
      related: [
        { url: 'https://example.com/shipments', title: 'Phone Sales Fell for the Year Even as New Models Multiplied' },
      ],
      image: {
        url: picture,
        alt: 'Phones on a test bench',
        credit: 'Lin Hao',
        type: 'image/svg+xml',
        length: 900,
        width: 1200,
        height: 720,
      },
      bodyHtml: `<p>Phone makers shipped 35.3 million smartphones in China in March, two-thirds more than in the same \
month of last year, when much of the country stayed at home.</p>
<p>The figures come from <a href="https://example.com/caict">CAICT</a>, a research body under the industry ministry, \
which also counted 33 new models, up 26.9%.</p>
<p>Of all handsets, 76.2% were made for 5G. Analysts warn that the shortage of chips may yet hold the recovery back, \
since the cheapest models are the first that makers drop.</p>`,
    }),
    article('state-cloud', {
      ...ago(1, 5),
      kind: 'analysis',
      kicker: 'Analysis',
      headline: 'What a State Cloud Changes, and for Whom',
      dek: 'Two days without server chips were enough to make the case for doing it at home.',
      bylines: [jonas],
      fullStory: {
        url: 'https://example.com/state-cloud',
        title: 'Inside the Race to Build a Cloud on Domestic Silicon',
      },
      bodyHtml: `<p>When a server maker lost its chips for two days, state-owned customers drew a simple lesson: \
whoever owns the supply owns the cloud.</p>
<p>China Electronics has now opened one that runs on domestic processors from top to bottom. It is slower for the \
money, and that is not the point.</p>
<h2>Who moves first</h2>
<p>The market stood at $4.3 billion in the second quarter, up 70%, with the top four holding 78.7% of it, by the count \
of Canalys. Ministries and state banks buy perhaps a tenth.</p>
<blockquote><p>“Nobody is asked whether it is cheaper. They are asked whether it still runs on a bad \
day.”</p></blockquote>
<p>For the private leaders the threat is less the lost sale than the precedent.</p>`,
    }),
    article('solar-third', {
      ...ago(2, 31),
      section: 'finance-economy',
      headline: 'Solar Passes Wind as China’s Third-Largest Source of Power',
      dek: 'Capacity reached about 240 gigawatts, and 70 to 90 more may follow each year.',
      bylines: [mei, jonas],
      bodyHtml: `<p>Solar panels able to produce about 240 gigawatts were on the grid at the end of the year, 16.2% more than \
twelve months before.</p><p>Coal still makes up about half of the 2,100 gigawatts in all; hydropower follows with \
18%.</p>`,
    }),
    article('vec-t', {
      ...ago(3, 2),
      kind: 'feature',
      kicker: 'In Depth',
      headline: 'Vec<T> & AT&T: How “三星” Learned to Love Memory Safety 🚀',
      dek: 'A rewrite of ten million lines, one <module> at a time.',
      bylines: [jonas],
      bodyHtml: `<p>The first thing the team did was to delete the comments that said <code>// do not touch</code>.</p><p>The \
second was to touch it.</p>`,
    }),
    article('box-office', {
      ...ago(4, 44),
      section: 'trending',
      headline: 'Lunar New Year Cinemas Take 5.7 Billion Yuan in Five Days',
      dek: 'A third more than in 2019, in fewer seats.',
      bylines: [mei],
      bodyHtml: '<p>Cinemas sold tickets for 5.7 billion yuan ($880 million) in the five days of the holiday.</p>',
    }),
    article('new-energy', {
      ...ago(6, 10),
      kicker: 'Exclusive',
      kind: 'feature',
      headline: 'Electric Carmaker Idled Plant for Five Days Over Missing Chips',
      dek: `New-energy vehicles sold 2.8 times as well as a year earlier, 515,000 in the quarter; the parts did not \
keep up.`,
      bylines: [jonas],
      status: {
        state: 'corrected',
        note: 'An earlier version said that the plant was idle for five weeks. It was idle for five days.',
        at: NOW - 5 * HOUR,
      },
      updatedAt: NOW - 5 * HOUR,
      publishedAt: NOW - 6 * HOUR,
      bodyHtml: `<p>The assembly hall in Hefei stood still for five working days in March, people with knowledge of the matter \
said.</p>`,
    }),
    article('zh-stations', {
      ...ago(7, 20),
      language: 'zh-Hans',
      headline: '全国已建成逾71.8万座5G基站，约占全球七成',
      dek: '地级以上城市已全部覆盖。',
      bylines: [{ role: 'reporter', name: '陈思', email: 'chen.si@example.com' }],
      bodyHtml:
        '<p>工业和信息化部数据显示，截至二月末，全国已建成5G基站超过71.8万座，约占全球的70%。</p><p>相关投资累计超过2600亿元。</p>',
    }),
    article('guangdong-power', {
      ...ago(9),
      section: 'finance-economy',
      headline: 'Guangdong Braces for Tight Power Supply as Heat Sets In',
      dek: 'Less hydropower from Yunnan leaves the province short at the evening peak.',
    }),
    article('robotaxis', {
      ...ago(11),
      headline: 'Beijing Opens a Zone Where Robotaxis Stop at 100 Kerbs',
      dek: 'Sensors in the road see around the corner for the car.',
    }),
    article('montana', {
      ...ago(13),
      section: 'world',
      headline: 'Montana Becomes First U.S. State to Ban TikTok',
      dek: 'The company calls the law unconstitutional.',
    }),
    article('lithium', {
      ...ago(15),
      section: 'world',
      headline: 'Lithium Venture Picks Morocco for Its Cathode Plant',
      dek: 'Free trade with Europe and the United States was the draw.',
    }),
    article('cable', {
      ...ago(20),
      headline: 'All Eleven Listed Cable Operators Report Falling Profit',
      dek: 'Viewers have gone, and the fibre they leave behind is costly.',
    }),
    article('double-eleven', {
      ...ago(27),
      kicker: 'Cover Story',
      kind: 'feature',
      headline: 'Double Eleven Grows Up',
      dek: 'Alibaba’s sales reached 498.2 billion yuan, spread over more days and more doubt.',
    }),
    article('index', {
      ...ago(30),
      section: 'finance-economy',
      headline: 'New Economy Index Rises to 30.1 on Venture Capital',
    }),
    article('huawei', { ...ago(33), headline: 'Huawei’s Profit Falls by 69% as Research Takes a Quarter of Sales' }),
    article('level-two', { ...ago(40), headline: 'Half of New Cars to Drive Themselves in Part by 2025, Plan Says' }),
    article('item-1', {
      ...ago(5),
      kind: 'roundup-item',
      headline: 'Chatbot Maker Files for a Hong Kong Listing',
      outlet: { name: '36Kr', url: 'https://example.com/36kr', publishedAt: null },
      dek: 'It would be the first of its kind.',
    }),
    article('withdrawn', {
      ...ago(26),
      headline: 'Voice Group’s Stock Plunges on Report of Fraud',
      status: {
        state: 'retracted',
        note: 'The report was written by a chatbot and was false. We should not have repeated it.',
        at: NOW - 20 * HOUR,
      },
    }),
    article('embargoed', {
      headline: 'Secret Figures for Tomorrow',
      publishedAt: NOW + 10 * HOUR,
      updatedAt: NOW - HOUR,
      status: { state: 'scheduled', until: NOW + 10 * HOUR },
    }),
    article('draft', { headline: 'Half-Written Thoughts', status: { state: 'draft' } }),
  );
  await saveEdition(store, {
    slot: '2026-11-24',
    slotAt: Date.UTC(2026, 10, 23, 23, 30),
    number: 212,
    headline: 'Tech Roundup: Solar Passes Wind, Cable Operators Fade Together',
    articles: ['cable', 'withdrawn'],
  });
  await saveEdition(store, {
    slot: '2026-11-23',
    slotAt: Date.UTC(2026, 10, 22, 23, 30),
    number: 211,
    headline: 'Tech Roundup: Double Eleven Grows Up, Huawei Spends on Research',
    articles: ['huawei', 'double-eleven'],
  });
}

function drawing(): string {
  return 'http://127.0.0.1:8080/media/bench.svg';
}
