/**
 * The keys of config/daywire.yaml: source of the types, the JSON Schema and docs/configuration.md. Call `describe`
 * last, since zod's methods return copies without the description.
 */
import cron from 'node-cron';
import { z } from 'zod';
import { parseCidr } from '../lib/cidr.ts';
import { facetSlug } from '../lib/facet-slug.ts';
import { parseNat64Prefix } from '../lib/guarded-fetch/nat64.ts';
import { closestName } from '../lib/names/closest-name.ts';
import { parseLanguageTag } from '../lib/names/language-tag.ts';
import { isZone } from '../lib/time.ts';
import { ARTICLE_KEYS, IGNORED_KEY } from './article-keys.ts';

export const KINDS = ['brief', 'analysis', 'feature', 'roundup-item', 'roundup'] as const;

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and hyphens, at most 64');
const text = z.string().min(1);
const zone = z.string().refine(isZone, 'must be an IANA time zone such as Asia/Shanghai');
const cronExpression = z
  .string()
  .refine((text) => cron.validateDetailed(text).valid, 'must be a cron expression of five fields, such as "30 7 * * *"')
  .refine((text) => text.trim().split(/\s+/).length === 5, 'must have five fields: minute hour day month weekday');
const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  // It goes into a List-Unsubscribe line of at most 998 octets, with a token (RFC 5322 §2.1.1).
  .refine(
    (url) => !URL.canParse(url) || new URL(url).href.length <= 500,
    'must have at most 500 characters when encoded',
  )
  // Paths are appended to it.
  .regex(/^[^?#@]*$/, 'must be an address without a login, "?" or "#"');
const perSecond = z.number().min(0.01).max(100_000);
const minutes = z.int().min(1).max(10_080);
const retentionDays = z.int().min(7).max(3_650);
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #9b1c1f');
const addressRange = z
  .string()
  .refine(
    (text) => parseCidr(text) !== null,
    'must be a range of addresses such as 10.1.0.0/16 or fd00::/8; one address ends with /32 or /128',
  );
const nat64Prefix = z
  .string()
  .refine(
    (text) => parseNat64Prefix(text) !== null,
    'must be a prefix of IPv6 addresses such as 2001:db8:64::/96, of length 32, 40, 48, 56, 64 or 96 (RFC 6052)',
  );
const listenAddress = z
  .string()
  .refine((text) => text === 'off' || parseHostPort(text) !== null, 'must be off, or such as 127.0.0.1:9464')
  .transform((text) => (text === 'off' ? null : parseHostPort(text)));
/** A file below `paths.media` that is served: no part of it starts with a dot (http/server/media.ts). */
const MEDIA_FILE = /^(?![/.])(?!.*\/[/.])[^\\?#:]{1,500}$/;
const mediaFile = z.string().regex(MEDIA_FILE, 'must be a file in paths.media, such as sponsors/acme.png');
const pictureAddress = z
  .string()
  .refine(
    (text) => MEDIA_FILE.test(text) || (/^https?:\/\//.test(text) && URL.canParse(text)),
    'must be a file in paths.media, such as logo.png, or an http or https address',
  );
const webAddress = z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).max(2_000);
const hours = z
  .int()
  .min(1)
  .max(24 * 31);
const domain = z.string().regex(/^[a-z0-9.-]+$/, 'must be a domain in lower case');

const schedule = z.strictObject({
  cron: cronExpression.describe(
    'Minute, hour, day of month, month, day of week. Day of month and day of week must both match.',
  ),
  zone: zone.optional().describe("Time zone of the cron expression. Default: the publication's zone."),
  graceMinutes: minutes
    .default(180)
    .describe('A slot missed by less than this still runs, late. An older slot is recorded as skipped.'),
});

/** Criteria that narrow a feed. */
export const selection = z.strictObject({
  kinds: z.array(z.enum(KINDS)).min(1).optional().describe('Kinds of articles.'),
  sections: z.array(id).min(1).optional().describe('Ids of sections.'),
  kickers: z.array(text).min(1).optional().describe('Kickers, spelled as in the articles.'),
  tags: z.array(text).min(1).optional().describe('Tags, spelled as in the articles.'),
  reporters: z
    .array(z.string().refine((name) => facetSlug(name) !== null, 'must be a name of at most 200 characters'))
    .min(1)
    .optional()
    .describe('Names in bylines with the role reporter. Case and accents do not matter.'),
});

const feed = z.strictObject({
  id: id.describe("Part of the feed's address, /feeds/<id>.rss. Choose it once."),
  title: text.describe('Title of the feed.'),
  description: text.optional().describe('One sentence about the feed.'),
  select: selection
    .default({})
    .describe('Which articles the feed contains. An article must match every key given. Without keys, all match.'),
  windowHours: z
    .int()
    .min(1)
    .max(24 * 31)
    .optional()
    .describe(
      'The feed contains exactly the articles of this many past hours, and has no archive. ' +
        'Without this key it contains the newest articles, at least those of the last 48 hours, and has an archive.',
    ),
  minimumItems: z
    .int()
    .min(50)
    .max(1_000)
    .default(50)
    .describe('Minimum number of items, as far as the store has enough articles. Ignored with windowHours.'),
  content: z
    .enum(['full', 'summary'])
    .default('full')
    .describe('full: items contain the whole text. summary: items contain the dek alone.'),
  schedule: schedule.optional().describe('Publishes this feed on its own schedule instead of publish.schedule.'),
});

const sponsor = z.strictObject({
  label: text.max(60).default('Sponsored').describe('Says that the text is paid for.'),
  text: text.max(400).describe('The text, without markup.'),
  url: webAddress.describe('Where text and picture lead.'),
  image: z
    .strictObject({
      file: mediaFile.describe(
        'A file in paths.media. A picture on a server of the sponsor would tell the sponsor who opens the email.',
      ),
      alt: z.string().max(400).describe('What the picture shows.'),
      width: z.int().min(1).max(552).default(552).describe('Pixels at which it is shown.'),
    })
    .optional()
    .describe('A picture above the text.'),
});

const newsletterKeys = z.strictObject({
  id: id.describe('Part of addresses and commands. Choose it once.'),
  kind: z
    .enum(['roundup', 'alert'])
    .default('roundup')
    .describe(
      'roundup: an edition of several stories for each slot of the schedule. ' +
        'alert: an edition of one article, which "daywire alert" makes at any time. ' +
        'It has no schedule, minimumStories, blocks, windowHours, newsHours and deliverAt.',
    ),
  title: text.describe('Name of the newsletter, as subscribers see it.'),
  kicker: text.describe('Shown before the headline and in the subject of each edition, such as Tech Roundup.'),
  description: text.describe('One sentence about the newsletter, shown where visitors subscribe.'),
  from: z
    .strictObject({
      // An encoded From line has at most 998 octets (RFC 5322 §2.1.1).
      name: text.max(200).describe('Name of the sender.'),
      email: z.email().describe('Email address of the sender.'),
    })
    .describe('Sender of the editions.'),
  replyTo: z.email().optional().describe('Address for replies. Default: the sender.'),
  postalAddress: text.optional().describe("Postal address in its emails. Default: the publication's."),
  template: id.describe('Name of the templates: templates/<template>.mjml and templates/<template>.txt.'),
  schedule: schedule
    .optional()
    .describe('When an edition closes. Each slot makes one edition. Required for a roundup; an alert has none.'),
  maxPerDay: z
    .int()
    .min(1)
    .max(24)
    .default(3)
    .describe("Maximum number of alerts that close on one day, in the publication's time zone. Only for kind alert."),
  lapseMinutes: minutes
    .default(60)
    .describe('Minutes after which an alert that was not approved is not sent any more. Only for kind alert.'),
  minimumStories: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('With fewer stories the slot is skipped, with that reason. Default: 3. Only for kind roundup.'),
  approval: z
    .enum(['auto', 'required'])
    .optional()
    .describe(
      'auto: an edition closes at its slot unless an editor holds it. ' +
        'required: it waits until an editor approves it, at most until its grace period is over. ' +
        'Default: auto for a roundup, required for an alert.',
    ),
  undoSeconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(60)
    .describe('Seconds in which sending an edition by hand can be cancelled, before it closes.'),
  blocks: z
    .strictObject({
      news: z.int().min(0).max(50).default(8).describe('Stories under 24-Hour News, or This Week (newsHours).'),
      analysis: z.int().min(0).max(20).default(4).describe('Stories under Analysis.'),
      roundup: z.int().min(0).max(30).default(6).describe('Items under Roundup.'),
      latest: z.int().min(0).max(50).default(8).describe('Headlines under Latest.'),
    })
    .prefault({})
    .describe('Maximum number of stories in each block of an edition.'),
  windowHours: hours
    .optional()
    .describe(
      'An edition takes the stories of this many hours before it closes, or of all the time since the last edition ' +
        'if that is longer. Default: 48.',
    ),
  newsHours: hours
    .default(24)
    .describe('Stories of this many hours are news. The block is called 24-Hour News, or This Week at 168.'),
  show: z
    .strictObject({
      contents: z.boolean().default(false).describe('A list of the blocks, with the first headline of each.'),
      readingTime: z.boolean().default(false).describe('How many minutes it takes to read what the edition shows.'),
      thumbnails: z.boolean().default(false).describe('Small pictures next to the news.'),
    })
    .prefault({})
    .describe('What an edition shows in addition.'),
  sponsor: sponsor.optional().describe('A paid text in each edition, below the top story, labelled as such.'),
  deliverAt: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "07:00"')
    .optional()
    .describe(
      "Delivers to each subscriber at this time in the subscriber's zone, the first one after the edition closes. " +
        'Default: at once.',
    ),
  expireAfterHours: z
    .int()
    .min(1)
    .max(720)
    .default(20)
    .describe('Hours after its due time at which a delivery that was not submitted fails as expired.'),
  heartbeat: z
    .boolean()
    .default(true)
    .describe('Calls DAYWIRE_HEARTBEAT_URL once for each edition, when at least 95 % of it is submitted.'),
});

const newsletter = newsletterKeys.transform(({ schedule = null, minimumStories, approval, ...keys }) => {
  const isAlert = keys.kind === 'alert';
  return {
    ...keys,
    /** Null for an alert. */
    schedule,
    minimumStories: isAlert ? 1 : (minimumStories ?? 3),
    approval: approval ?? (isAlert ? ('required' as const) : ('auto' as const)),
  };
});

const source = z.strictObject({
  id: id.describe('Begins the ids of its articles, as in our-site.1234. Choose it once.'),
  url: publicUrl.describe('Address of the site, or of its feed.'),
  use: z.enum(['articles']).describe('articles: its articles are published as articles of this publication.'),
  api: z
    .enum(['auto', 'wordpress', 'ghost', 'feed'])
    .default('auto')
    .describe(
      'What is polled. auto: the WordPress REST API; else the Ghost Content API, with a key in DAYWIRE_SOURCE_KEYS; ' +
        'else a feed.',
    ),
  pollMinutes: minutes.default(5).describe('Minutes between two polls. A signed webhook polls at once.'),
  sections: z
    .record(text, id)
    .default({})
    .describe('Sections of its categories, such as Markets: business. Others are found by id and title of a section.'),
  kinds: z
    .record(text, z.enum(KINDS))
    .default({})
    .describe('Kinds of its categories and tags, such as Opinion: analysis. Other articles are briefs.'),
  section: id.optional().describe('Section of articles without a mapped category. Default: none.'),
  membersOnly: z
    .enum(['teaser', 'skip'])
    .default('teaser')
    .describe('Articles for members only. teaser: the beginning, with a link. skip: not at all.'),
  withdrawn: z
    .enum(['retract', 'leave'])
    .default('retract')
    .describe('What happens to the article of a post that was deleted or unpublished. Feeds withdraw nothing.'),
});

const articleKey = z.enum([...ARTICLE_KEYS, IGNORED_KEY], {
  error: ({ input }) => {
    const meant = typeof input === 'string' ? closestName(input, ARTICLE_KEYS) : null;
    const hint = meant === null ? '' : `: did you mean ${meant}?`;
    return `must be a key of an article, or ${IGNORED_KEY}${hint}`;
  },
});

const hubUrl = z
  .string()
  .refine(isHubUrl, 'must be self, or the http or https address of a hub')
  .refine((text) => !hasLogin(text), 'must hold no user name or password: it is published in every feed');
const hub = z
  .union([
    hubUrl,
    z.strictObject({
      url: hubUrl.describe('self: daywire is the hub, at <publication.url>/hub. Otherwise the address of another hub.'),
      allowPrivateNetworks: z
        .array(addressRange)
        .default([])
        .describe('With self: private networks in which callbacks of subscribers may be. Others are refused.'),
      nat64Prefixes: z
        .array(nat64Prefix)
        .default([])
        .describe(
          'With self: own prefixes of NAT64. An IPv4 address behind one is checked as such, as with 64:ff9b::/96.',
        ),
    }),
  ])
  .transform((given) =>
    typeof given === 'string'
      ? { url: given, allowPrivateNetworks: [] as string[], nat64Prefixes: [] as string[] }
      : given,
  );

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
      language: z
        .string()
        .refine((tag) => parseLanguageTag(tag).kind === 'tag', {
          error: ({ input }) => {
            const parsed = parseLanguageTag(String(input));
            return parsed.kind === 'unclear' ? parsed.rule : undefined;
          },
        })
        .describe('Language of the publication. An article may have its own.'),
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
          alt: text.optional().describe('What it says. Default: the name of the publication.'),
        })
        .optional()
        .describe('Logo at the top of emails, in place of the name. PNG or JPEG: many mail programs show no SVG.'),
      contact: z
        .strictObject({
          name: text.describe('Name of the contact.'),
          email: z.email().describe('Email address of the contact.'),
        })
        .describe('Contact shown in emails, on pages and in feeds.'),
      postalAddress: text.describe('Postal address in the footer of every email. Many countries require it by law.'),
      copyright: text.optional().describe('Copyright line of feeds and emails.'),
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
    .describe("The newsroom's own sites. Their articles are polled, and link to where they were published."),
  leadKickers: z.array(text).default([]).describe('Kickers whose stories lead an edition, strongest first.'),
  paths: z
    .strictObject({
      store: text.default('var/daywire.db').describe('The SQLite file. Not used if DAYWIRE_DATABASE_URL is set.'),
      data: text
        .default('var')
        .describe('The signing secret, the mail of the file transport, previews, and smaller versions of pictures.'),
      feeds: text.default('feeds').describe('Mirror of the published feeds, which any web server can serve.'),
      templates: text.default('templates').describe('Your templates. A file here replaces the built-in one.'),
      media: text.optional().describe('Pictures and other files, served under /media/.'),
    })
    .prefault({})
    .describe('Files and folders. Relative paths start in the working directory of daywire.'),
  migrate: z
    .enum(['manual', 'auto'])
    .default('manual')
    .describe(
      'What "daywire start" does with a store that lacks migrations. manual: it exits and names them. auto: it runs ' +
        'them, on SQLite after a backup next to the file. PostgreSQL you back up yourself.',
    ),
  import: z
    .strictObject({
      watch: z
        .array(text)
        .default([])
        .describe('Markdown and JSON Lines files, or folders of them. daywire imports them when they change.'),
      pollSeconds: z.int().min(1).max(86_400).default(30).describe('Seconds between two checks for changes.'),
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
  publish: z
    .strictObject({
      schedule: schedule
        .prefault({ cron: '*/10 * * * *' })
        .describe(
          'When feeds are published at the latest. A changed article is published within two seconds anyway; ' +
            'the schedule removes old articles from feeds with windowHours.',
        ),
    })
    .prefault({})
    .describe('Publishing of feeds.'),
  hub: hub
    .optional()
    .describe(
      'WebSub hub, which notifies subscribed feed readers of each change. self: daywire is the hub, at ' +
        '<publication.url>/hub. An address: another hub. A map: see its keys. Without this key there is no hub.',
    ),
  newsletters: z.array(newsletter).default([]).describe('Newsletters. Each has its own schedule and editions.'),
  delivery: z
    .strictObject({
      transport: z
        .enum(['file', 'smtp'])
        .default('file')
        .describe('file: writes .eml files under <paths.data>/mail. smtp: submits to DAYWIRE_SMTP_URL or smtpUrl.'),
      smtpUrl: z
        .url({ protocol: /^smtps?$/, error: 'must be smtp://host:port or smtps://host:port' })
        .optional()
        .describe('SMTP server without a password. With a password, set DAYWIRE_SMTP_URL instead.'),
      connections: z.int().min(1).max(50).default(5).describe('SMTP connections of one process.'),
      attempts: z.int().min(1).max(50).default(8).describe('Attempts before a delivery fails.'),
      retryMinutes: minutes
        .default(5)
        .describe('Minutes before the second attempt. Each further wait is twice as long, up to four hours.'),
      uncertain: z
        .enum(['retry', 'hold'])
        .default('retry')
        .describe(
          'What happens to a message if the process ends between MAIL FROM and the reply of the server. retry: ' +
            'submit it again, with the same Message-ID. hold: leave it to the operator.',
        ),
      perSecond: perSecond.optional().describe('Maximum messages per second, over all processes. Default: no limit.'),
      domains: z
        .record(
          domain,
          z.strictObject({ perSecond: perSecond.describe('Maximum messages per second to this domain.') }),
        )
        .default({})
        .describe('Limits by recipient domain, such as example.com: { perSecond: 10 }.'),
      warmUp: z
        .strictObject({
          from: z.iso
            .date({ error: 'must be a date such as 2026-11-24' })
            .describe("First day, in the publication's zone."),
          perDay: z
            .array(z.int().min(1))
            .min(1)
            .describe('Maximum messages on the first day, the second day and so on.'),
        })
        .optional()
        .describe('Daily limits for a new sender. After the last day there is no limit.'),
      dkim: z
        .array(
          z.strictObject({
            domain: domain.describe('Domain that signs.'),
            selector: z
              .string()
              .regex(/^[A-Za-z0-9._-]+$/, 'must be a DNS name')
              .describe('Selector: the public key is at <selector>._domainkey.<domain> in the DNS.'),
            keyFile: text.describe('File of the private key, in PEM: RSA of 2048 bits or more, or Ed25519.'),
          }),
        )
        .default([])
        .describe("DKIM keys. Every key signs whose domain is the sender's, or a parent of it (RFC 6376, RFC 8463)."),
    })
    .prefault({})
    .describe('Delivery of emails.'),
  bounces: z
    .strictObject({
      address: z
        .email()
        .optional()
        .describe(
          'Return path and mailto: unsubscribe address. A plus sign and a token are added to its local part, which ' +
            'may have 23 characters. Default: the sender, and no mailto:.',
        ),
      softLimit: z
        .int()
        .min(1)
        .max(100)
        .default(5)
        .describe('Soft bounces in a row, without an accepted message between them, until an address is suppressed.'),
      pollMinutes: minutes.default(5).describe('Minutes between two checks of the mailbox DAYWIRE_IMAP_URL.'),
    })
    .prefault({})
    .describe('Bounces and complaints.'),
  signup: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Offers a form to subscribe.'),
      confirmWithinHours: z.int().min(1).max(720).default(72).describe('Hours for which a confirmation link is valid.'),
      perIpPerHour: z
        .int()
        .min(1)
        .max(1_000)
        .default(10)
        .describe('Requests per hour from one IPv4 address or IPv6 /64; four times as many from its /24 or /48.'),
      perAddressPerDay: z
        .int()
        .min(1)
        .max(100)
        .default(3)
        .describe('Confirmation mails per day to one mailbox: ada+news@example.com counts as ada@example.com.'),
      perDomainPerHour: z
        .int()
        .min(1)
        .max(100_000)
        .default(30)
        .describe('Confirmation mails per hour to the addresses of one domain. Large mail providers are exempt.'),
      perHour: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(500)
        .describe('Confirmation mails per hour in all. An alert is raised when requests are refused for it.'),
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
      runsDays: retentionDays.default(180).describe('Days until runs of schedules are reduced to totals.'),
      readersDays: retentionDays.default(400).describe('Days until statistics of feed readers are deleted.'),
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
      maxConnections: z
        .int()
        .min(1)
        .max(100_000)
        .default(500)
        .describe(
          'Maximum number of open connections. A further one replaces the oldest for which daywire does nothing. ' +
            'Fewer, if the process may not open 200 files more than that.',
        ),
      metrics: listenAddress
        .prefault('127.0.0.1:9464')
        .describe(
          'Host and port on which /metrics listens, or off. The port of the site has /metrics only with ' +
            'DAYWIRE_METRICS_TOKEN.',
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
export type ScheduleConfig = z.output<typeof schedule>;
export type Selection = z.output<typeof selection>;
export type SourceConfig = FileConfig['sources'][number];
export type Publication = FileConfig['publication'];

/** `127.0.0.1:9464` or `[::1]:9464`; port 0 for any free port. */
function parseHostPort(text: string): { host: string; port: number } | null {
  const [, ipv6, name, digits] = /^(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  return host === undefined || port > 65_535 ? null : { host, port };
}

function isHubUrl(text: string): boolean {
  // Spaces and control characters would not survive a round trip through a feed.
  if (text === 'self') return true;
  return /^https?:\/\/[\x21-\x7e]+$/.test(text) && !text.includes('#') && URL.canParse(text);
}

function hasLogin(text: string): boolean {
  return URL.canParse(text) && new URL(text).username + new URL(text).password !== '';
}
