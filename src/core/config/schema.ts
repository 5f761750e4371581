/**
 * The keys of config/daywire.yaml: source of the types, the JSON Schema and docs/configuration.md. Call `describe`
 * last, since zod's methods return copies without the description.
 */
import { z } from 'zod';
import { closestName } from '../../lib/names/closest-name.ts';
import { ARTICLE_KEYS, IGNORED_KEY } from './article-keys.ts';
import { bounces, delivery } from './delivery-schema.ts';
import { newsletter } from './newsletter-schema.ts';
import { podcast } from './podcast-schema.ts';
import { source } from './source-schema.ts';
import {
  addressRange,
  colour,
  document,
  id,
  language,
  listenAddress,
  mediaFile,
  pagePath,
  pictureAddress,
  publicUrl,
  retentionDays,
  selection,
  text,
  webAddress,
  webOrigin,
  zone,
} from './values.ts';

const feed = z.strictObject({
  id: id.describe("Part of the feed's address, /feeds/<id>.rss. Choose it once."),
  title: text.describe('Title of the feed.'),
  description: text.optional().describe('One sentence about the feed.'),
  language: language.optional().describe("Language of the feed. Default: the publication's."),
  select: selection
    .default({})
    .describe('Which articles the feed contains. An article must match every key given. Without keys, all match.'),
  windowHours: z
    .int()
    .min(1)
    .max(24 * 31)
    .optional()
    .describe(
      'The feed contains exactly the articles of this many past hours. ' +
        'Without this key it contains the newest 50 articles and all of the last 48 hours.',
    ),
  content: z
    .enum(['full', 'summary'])
    .default('full')
    .describe('full: items contain the whole text. summary: items contain the dek alone.'),
  podcast: podcast
    .optional()
    .describe('Makes the feed a podcast: its articles with audio are the episodes, in RSS, which podcast apps read.'),
});

const articleKey = z.enum([...ARTICLE_KEYS, IGNORED_KEY], {
  error: ({ input }) => {
    const meant = typeof input === 'string' ? closestName(input, ARTICLE_KEYS) : null;
    const hint = meant === null ? '' : `: did you mean ${meant}?`;
    return `must be a key of an article, or ${IGNORED_KEY}${hint}`;
  },
});

const hub = z
  .string()
  .refine(isHubUrl, 'must be self, or the http or https address of a hub')
  .refine((text) => !hasLogin(text), 'must hold no user name or password: it is published in every feed');

export const schema = z.strictObject({
  sample: z
    .boolean()
    .default(false)
    .describe('Fills an empty store with the sample newsroom that comes with daywire. For a trial only.'),
  publication: z
    .strictObject({
      name: text.describe('Name of the publication.'),
      about: text.describe('One sentence about the publication, on the front page and at the end of every email.'),
      url: publicUrl.describe('Public address of the site. One-click unsubscribe (RFC 8058) requires https.'),
      tagAuthority: z
        .string()
        .regex(
          /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?,\d{4}(-\d\d(-\d\d)?)?$/,
          'must be a domain you held and the date you held it, such as "example.com,2026" (RFC 4151)',
        )
        .describe('Begins the permanent tag: URI of every article. Choose it once, and keep it if the domain changes.'),
      language: language.describe(
        'Language of the publication: of its words, dates and articles. Newsletters, feeds and articles may have ' +
          'their own.',
      ),
      zone: zone.describe('Time zone of datelines, of the day an edition belongs to, and of schedules without a zone.'),
      accent: z
        .strictObject({
          light: colour.describe('In light mode. Needs a contrast of 4.5 on #fbfaf7 (WCAG AA).'),
          dark: colour.describe('In dark mode. Needs a contrast of 4.5 on #161513 (WCAG AA).'),
        })
        .default({ light: '#9b1c1f', dark: '#f08a80' })
        .describe('Accent colour of pages and emails.'),
      logo: z
        .strictObject({
          url: pictureAddress.describe('The picture: a file in paths.media, or an address.'),
          darkUrl: pictureAddress.optional().describe('The picture for dark mode. Default: the same.'),
          width: z.int().min(16).max(552).describe('Pixels at which it is shown.'),
        })
        .optional()
        .describe('Logo at the top of emails, in place of the name. PNG or JPEG: many mail programs show no SVG.'),
      icon: mediaFile
        .optional()
        .describe(
          'Square icon of the site, of its feeds, and of the publisher in search results: an SVG or PNG file in ' +
            'paths.media, at least 512 pixels wide. Default: a small front page in the accent colour.',
        ),
      cover: pictureAddress
        .optional()
        .describe(
          'Wide picture of the publication, at least 1200 pixels, for shared links without a picture of their own, ' +
            'and for feed readers: a JPEG or PNG file in paths.media, or an address.',
        ),
      contact: z
        .strictObject({
          name: text.describe('Name of the contact.'),
          email: z.email().describe('Email address of the contact.'),
        })
        .describe('Contact shown in emails, on pages and in feeds.'),
      postalAddress: text.describe('Postal address in the footer of every email. Many countries require it by law.'),
      copyright: text.optional().describe('Copyright line of feeds and emails.'),
      imprint: document
        .optional()
        .describe('The imprint: a Markdown file, shown at /imprint, or an address. Linked from every page and email.'),
      privacy: document
        .optional()
        .describe(
          'The privacy policy: a Markdown file, shown at /privacy, or an address. Linked where people subscribe.',
        ),
      pages: z
        .record(
          pagePath,
          z.strictObject({
            title: text.max(100).describe('Title in the footer, and of the page if its text does not begin with one.'),
            file: document.describe('A Markdown file, or an address to which the page redirects.'),
          }),
        )
        .default({})
        .describe('Pages of your own, by their paths: about is shown at /about. Linked from the footer of every page.'),
    })
    .describe('The publication and its identity.'),
  sections: z
    .array(
      z.strictObject({
        id: id.describe('Id of the section, used in addresses and articles. Choose it once.'),
        title: text.describe('Title of the section.'),
      }),
    )
    .min(1)
    .describe('Sections, most important first. The order decides which story leads when no pin and no kicker decides.'),
  pages: z
    .enum(['full', 'redirect', 'off'])
    .default('redirect')
    .describe(
      'What /articles/<slug> does for an article with an address elsewhere (url). full: it shows the article. ' +
        'redirect: it redirects to that address. off: it does not exist.',
    ),
  sources: z
    .array(source)
    .default([])
    .describe(
      "What is polled: the newsroom's own sites, whose articles are published, and feeds of other outlets, from " +
        'which editors pick items for the roundup.',
    ),
  leadKickers: z.array(text).default([]).describe('Kickers whose stories lead an edition, strongest first.'),
  paths: z
    .strictObject({
      store: text.default('var/daywire.db').describe('The SQLite file. Not used if DAYWIRE_DATABASE_URL is set.'),
      data: text
        .default('var')
        .describe('The signing secret, the mail of the file transport, previews, and smaller versions of pictures.'),
      feeds: text.default('feeds').describe('Mirror of the published feeds, which any web server can serve.'),
      templates: text.default('templates').describe('Your templates. A file here replaces the built-in one.'),
      locales: text.default('locales').describe('Your messages, a file for each language. They replace built-in ones.'),
      media: text.optional().describe('Pictures and other files, served under /media/.'),
    })
    .prefault({})
    .describe('Files and folders. Relative paths start in the working directory of daywire.'),
  accounts: z
    .strictObject({
      require: z
        .literal('second-factor')
        .optional()
        .describe('second-factor: signing in needs a code of an authenticator app. Default: each account decides.'),
    })
    .prefault({})
    .describe('Accounts of the desk.'),
  import: z
    .strictObject({
      watch: z
        .array(text)
        .default([])
        .describe('Markdown and JSON Lines files, or folders of them. daywire imports them when they change.'),
      keys: z
        .record(text.max(100), articleKey)
        .default({})
        .describe(
          'Your names of keys in articles, such as rubric: section, or mood: ignore for a key that is left out ' +
            'without a warning. Usual names, such as title and date, need no entry.',
        ),
    })
    .prefault({})
    .describe('Import of articles.'),
  fetch: z
    .strictObject({
      allow: z
        .array(addressRange)
        .default([])
        .describe(
          'Private networks in which sources and pictures may be, as ranges; this machine itself is 127.0.0.0/8. ' +
            'Addresses that are not public are refused otherwise.',
        ),
    })
    .prefault({})
    .describe('Requests to the addresses of sources and of pictures in articles.'),
  feeds: z.array(feed).min(1).describe('Feeds. Each is published as RSS 2.0, Atom 1.0 and JSON Feed 1.1.'),
  hub: hub
    .optional()
    .describe(
      'WebSub hub, which notifies subscribed feed readers of each change. self: daywire is the hub, at ' +
        '<publication.url>/hub. An address: another hub. Without this key there is no hub.',
    ),
  newsletters: z.array(newsletter).default([]).describe('Newsletters. Each has its own schedule and editions.'),
  delivery,
  bounces,
  signup: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Offers a form to subscribe.'),
      perHour: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(500)
        .describe('Confirmation mails per hour in all. An alert is raised when requests are refused for it.'),
      consent: z
        .strictObject({
          text: text.max(1_000).describe('The wording. It is shown next to the button, and stored with each opt-in.'),
          version: text.max(50).describe('Its version, such as 2026-11. Choose another one with each change.'),
        })
        .optional()
        .describe('What a person agrees to. Default: a wording of daywire in the language of its pages.'),
      origins: z
        .array(webOrigin)
        .max(50)
        .default([])
        .describe('Other sites whose pages may have a form to subscribe, such as https://times.example.'),
      thanks: webAddress
        .optional()
        .describe('Page on one of them, shown after a form without JavaScript. Default: a page of daywire.'),
      deleteUnconfirmedAfterDays: z
        .int()
        .min(1)
        .max(365)
        .default(30)
        .describe('Days until an address that never confirmed is deleted.'),
    })
    .prefault({})
    .describe('Subscribing on the site, with confirmation by email (double opt-in).'),
  retention: z
    .strictObject({
      deliveriesDays: retentionDays.default(180).describe('Days until deliveries are reduced to totals.'),
      consentIpsDays: retentionDays
        .default(180)
        .describe('Days until the IP address is deleted from the record of a consent.'),
      consentDays: retentionDays
        .default(1_095)
        .describe('Days until subscribers who left every newsletter are deleted, with the proof of their consent.'),
    })
    .prefault({})
    .describe('How long old rows are kept.'),
  server: z
    .strictObject({
      host: text.default('127.0.0.1').describe('Address on which the HTTP server listens.'),
      port: z
        .int()
        .min(0)
        .max(65_535)
        .default(8080)
        .describe('Port on which the HTTP server listens. 0: any free port.'),
      metrics: listenAddress
        .prefault('127.0.0.1:9464')
        .describe(
          'Host and port on which /metrics, /livez and /readyz listen, or off. A process with the role web, or with ' +
            'all roles, uses this port; others use the next ones: desk + 1, schedule + 2, deliver + 3. The port of ' +
            'the site has /metrics only with DAYWIRE_METRICS_TOKEN.',
        ),
      trustedProxies: z
        .array(addressRange)
        .default(['127.0.0.0/8', '::1/128'])
        .describe(
          'Addresses of reverse proxies, as ranges; one address ends with /32 or /128. The client is the rightmost ' +
            'address in X-Forwarded-For that is not in them. X-Forwarded-Proto and X-Forwarded-Host count from them ' +
            'only. Forwarded (RFC 7239) is not read.',
        ),
    })
    .prefault({})
    .describe('The HTTP server.'),
});

export type FileConfig = z.output<typeof schema>;
export type FeedConfig = FileConfig['feeds'][number];
export type NewsletterConfig = FileConfig['newsletters'][number];
export type MailProvider = FileConfig['delivery']['provider'];
export type ScheduleConfig = NonNullable<NewsletterConfig['schedule']>;
export type Selection = z.output<typeof selection>;
type SourceConfig = FileConfig['sources'][number];
/** A site of the newsroom's own. */
export type ArticleSource = Extract<SourceConfig, { use: 'articles' }>;
/** The feed of another outlet. */
export type RoundupSource = Extract<SourceConfig, { use: 'roundup' }>;
export type Publication = FileConfig['publication'];

function isHubUrl(text: string): boolean {
  // Spaces and control characters would not survive a round trip through a feed.
  if (text === 'self') return true;
  return /^https?:\/\/[\x21-\x7e]+$/.test(text) && !text.includes('#') && URL.canParse(text);
}

function hasLogin(text: string): boolean {
  return URL.canParse(text) && new URL(text).username + new URL(text).password !== '';
}
