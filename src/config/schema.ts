/**
 * What config/daywire.yaml may hold, key by key: the source of its types and of its JSON Schema.
 */
import cron from 'node-cron';
import { z } from 'zod';
import { parseCidr } from '../lib/cidr.ts';
import { facetSlug } from '../lib/facet-slug.ts';
import { isZone } from '../lib/time.ts';

export const KINDS = ['brief', 'analysis', 'feature', 'roundup-item', 'roundup'] as const;

const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and hyphens, at most 64')
  .describe('Lower-case letters, digits and hyphens; it appears in addresses, so choose it once.');
const zone = z.string().refine(isZone, 'must be an IANA time zone such as Asia/Shanghai').describe('IANA time zone.');
const cronExpression = z
  .string()
  .refine((text) => cron.validateDetailed(text).valid, 'must be a cron expression of five fields, such as "30 7 * * *"')
  .refine((text) => text.trim().split(/\s+/).length === 5, 'must have five fields: minute hour day month weekday')
  .describe('Five fields: minute hour day-of-month month day-of-week; day of month and day of week must both match.');
const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  // A List-Unsubscribe line of 998 octets must hold it, with a token (RFC 5322 §2.1.1).
  .refine(
    (url) => !URL.canParse(url) || new URL(url).href.length <= 500,
    'must have at most 500 characters as it goes over the wire',
  )
  // Paths are put behind it: all that may follow the host is a path.
  .regex(/^[^?#@]*$/, 'must be an address alone, without a login, "?" or "#"');
const perSecond = z.number().min(0.01).max(100_000);
const minutes = z.int().min(1).max(10_080);
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #9b1c1f');

const schedule = z.strictObject({
  cron: cronExpression,
  zone: zone.optional().describe("Default: the publication's zone."),
  graceMinutes: minutes
    .default(180)
    .describe('A slot missed by less than this still runs, late; an older one is recorded as skipped.'),
});

/** What a feed may be narrowed by. */
export const selection = z.strictObject({
  kinds: z.array(z.enum(KINDS)).min(1).optional(),
  sections: z.array(id).min(1).optional(),
  kickers: z.array(z.string().min(1)).min(1).optional(),
  tags: z.array(z.string().min(1)).min(1).optional(),
  reporters: z
    .array(z.string().refine((name) => facetSlug(name) !== null, 'must be a name of at most 200 characters'))
    .min(1)
    .optional()
    .describe('Whoever is named as a reporter; case and accents do not count.'),
});

const feed = z.strictObject({
  id,
  title: z.string().min(1),
  description: z.string().min(1).optional(),
  select: selection
    .default({})
    .describe('What the feed holds: all that is named must match; nothing named selects everything.'),
  windowHours: z
    .int()
    .min(1)
    .max(24 * 31)
    .optional()
    .describe(
      'Holds exactly what was published in the last so many hours. Without it: the newest items, and never less than 48 hours.',
    ),
  limit: z
    .int()
    .min(50)
    .max(1_000)
    .default(50)
    .describe('How many items at least, where the store has them; not with windowHours.'),
  content: z.enum(['full', 'summary']).default('full'),
});

const newsletter = z.strictObject({
  id,
  title: z.string().min(1).describe('What subscribers see.'),
  kicker: z.string().min(1).describe("The roundup's name, before its headline and subject, such as Tech Insider."),
  description: z.string().min(1),
  // A From line of 998 octets must hold it, encoded (RFC 5322 §2.1.1).
  from: z.strictObject({ name: z.string().min(1).max(200), email: z.email() }),
  replyTo: z.email().optional(),
  template: id.describe('templates/<template>.mjml and .txt'),
  schedule,
  minimumStories: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('With fewer stories the slot is skipped, with that reason.'),
  blocks: z
    .strictObject({
      news: z.int().min(0).max(50).default(8),
      analysis: z.int().min(0).max(20).default(4),
      roundup: z.int().min(0).max(30).default(6),
      latest: z.int().min(0).max(50).default(8),
    })
    .prefault({})
    .describe('At most so many stories in each block.'),
  deliverAt: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "07:00"')
    .optional()
    .describe("Deliver at this time of each reader's own day, the first one after the close. Default: at once."),
  staleHours: z
    .int()
    .min(1)
    .max(720)
    .default(20)
    .describe('What could not be submitted so many hours after it was due is old news, and fails as stale.'),
  heartbeat: z.boolean().default(true).describe('Call the heartbeat URL after each good edition.'),
});

const hubPlace = z
  .string()
  .refine(isHubPlace, 'must be self, or the http or https address of a hub')
  .refine((text) => !hasLogin(text), 'must hold no user name or password: it is published in every feed')
  .describe('self: this newsroom is its own hub, at <publication.url>/hub; or the address of another hub.');
const hub = z
  .union([
    hubPlace,
    z.strictObject({
      url: hubPlace,
      allowCallbacks: z
        .array(
          z
            .string()
            .refine((text) => parseCidr(text) !== null, 'must be a range of addresses such as 10.1.0.0/16 or fd00::/8'),
        )
        .default([])
        .describe('Private ranges that callbacks of subscribers may lie in, with self. Default: none.'),
    }),
  ])
  .transform((given) => (typeof given === 'string' ? { url: given, allowCallbacks: [] as string[] } : given));

export const schema = z.strictObject({
  sample: z
    .boolean()
    .default(false)
    .describe('Fill an empty store with the sample newsroom that comes with daywire. Not for a newsroom of your own.'),
  publication: z.strictObject({
    name: z.string().min(1),
    about: z.string().min(1).describe('One sentence that says what the publication is.'),
    url: publicUrl.describe('Its public address. https in production.'),
    tagAuthority: z
      .string()
      .regex(
        /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?,\d{4}(-\d\d(-\d\d)?)?$/,
        'must be a domain you held and the date you held it, such as "example.com,2026" (RFC 4151)',
      )
      .describe('Begins the tag: URI of every article. Choose it once; it outlives a change of domain.'),
    language: z.string().refine(isLanguage, 'must be a BCP 47 language tag such as en or zh-Hans'),
    zone,
    accent: z.strictObject({ light: colour, dark: colour }).default({ light: '#9b1c1f', dark: '#f08a80' }),
    contact: z.strictObject({ name: z.string().min(1), email: z.email() }),
    postalAddress: z.string().min(1).describe('Stands in the footer of every email, as the law asks in many places.'),
    copyright: z.string().min(1).optional(),
  }),
  sections: z
    .array(z.strictObject({ id, title: z.string().min(1) }))
    .min(1)
    .describe('In the order of their weight.'),
  leadKickers: z.array(z.string().min(1)).default([]).describe('Kickers that lead an edition, strongest first.'),
  paths: z
    .strictObject({
      store: z
        .string()
        .min(1)
        .default('var/daywire.db')
        .describe('The SQLite file; not used where DAYWIRE_DATABASE_URL is set.'),
      var: z.string().min(1).default('var'),
      feeds: z.string().min(1).default('feeds'),
      templates: z.string().min(1).default('templates'),
      media: z.string().min(1).optional().describe('A folder that is served under /media/.'),
    })
    .prefault({})
    .describe('Relative to the folder that daywire runs in.'),
  import: z
    .strictObject({
      watch: z
        .array(z.string().min(1))
        .default([])
        .describe('Folders of Markdown and JSON Lines files, or such files, imported whenever they change.'),
      everySeconds: z.int().min(1).max(86_400).default(30),
    })
    .prefault({}),
  feeds: z.array(feed).min(1),
  hub: hub
    .optional()
    .describe('The WebSub hub that tells readers of every change at once. Without it: none, and readers poll.'),
  feedSets: z
    .array(z.strictObject({ id, feeds: z.array(id).min(1).optional().describe('Default: all of them.'), schedule }))
    .min(1)
    .describe(
      'Feeds that are published together on a schedule. A change of an article publishes them anyway; this is the floor.',
    ),
  newsletters: z.array(newsletter).default([]),
  delivery: z
    .strictObject({
      transport: z
        .enum(['file', 'smtp'])
        .default('file')
        .describe(
          'file: .eml files under <var>/mail; smtp: DAYWIRE_SMTP_URL, or smtpUrl here where it holds no password.',
        ),
      smtpUrl: z.url({ protocol: /^smtps?$/, error: 'must be smtp://host:port or smtps://host:port' }).optional(),
      connections: z.int().min(1).max(50).default(5),
      attempts: z.int().min(1).max(50).default(8).describe('How often a delivery is tried before it fails.'),
      retryMinutes: minutes
        .default(5)
        .describe('Before the second attempt; each further wait is twice as long, up to four hours.'),
      uncertain: z
        .enum(['retry', 'hold'])
        .default('retry')
        .describe(
          'A message that was on the wire when its process died. retry: submit it again, with the same Message-ID; hold: leave it to the operator.',
        ),
      perSecond: perSecond.optional().describe('Messages a second in all, over all processes. Default: no limit.'),
      domains: z
        .record(z.string().regex(/^[a-z0-9.-]+$/, 'must be a domain in lower case'), z.strictObject({ perSecond }))
        .default({})
        .describe('Limits by recipient domain, such as example.com: { perSecond: 10 }.'),
      warmUp: z
        .strictObject({
          from: z.iso.date({ error: 'must be a date such as 2026-11-24' }),
          perDay: z.array(z.int().min(1)).min(1),
        })
        .optional()
        .describe(
          "For a new sender: at most so many messages on each day from that one on, by the publication's calendar.",
        ),
      dkim: z
        .array(
          z.strictObject({
            domain: z.string().regex(/^[a-z0-9.-]+$/, 'must be a domain in lower case'),
            selector: z.string().regex(/^[A-Za-z0-9._-]+$/, 'must be a DNS name'),
            keyFile: z.string().min(1).describe('The private key in PEM: RSA of 2048 bits or more, or Ed25519.'),
          }),
        )
        .default([])
        .describe("Signs with every key whose domain is the sender's, or a parent of it (RFC 6376, RFC 8463)."),
    })
    .prefault({}),
  bounces: z
    .strictObject({
      address: z
        .email()
        .optional()
        .describe(
          'Return path and mailto: unsubscribe address; a token is put behind its local part with a plus sign. Default: the sender, and no mailto:.',
        ),
      softLimit: z
        .int()
        .min(1)
        .max(100)
        .default(5)
        .describe('After so many soft bounces in a row, without a message that was taken, an address is suppressed.'),
      pollMinutes: minutes.default(5).describe('How often the mailbox of DAYWIRE_IMAP_URL is looked at.'),
    })
    .prefault({}),
  subscribing: z
    .strictObject({
      open: z.boolean().default(true).describe('Whether pages offer to subscribe.'),
      confirmHours: z.int().min(1).max(720).default(72).describe('How long the link in a confirmation mail is good.'),
      perClientAnHour: z.int().min(1).max(1_000).default(10),
      perAddressADay: z.int().min(1).max(100).default(3).describe('Confirmation mails to one address.'),
      forgetUnconfirmedDays: z
        .int()
        .min(1)
        .max(365)
        .default(30)
        .describe('Addresses that never confirmed anything are deleted after so many days.'),
    })
    .prefault({}),
  housekeeping: z
    .strictObject({
      deliveriesDays: z.int().min(7).max(3_650).default(180),
      runsDays: z.int().min(7).max(3_650).default(180),
      readersDays: z.int().min(7).max(3_650).default(400),
    })
    .prefault({})
    .describe('Older deliveries and runs fold into totals; older counts of feed readers are deleted.'),
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65_535).default(8080),
      trustedProxies: z
        .int()
        .min(0)
        .max(10)
        .default(0)
        .describe('How many reverse proxies stand before it, each of which appends to X-Forwarded-For.'),
    })
    .prefault({}),
});

export type FileConfig = z.output<typeof schema>;
export type FeedConfig = FileConfig['feeds'][number];
export type FeedSetConfig = FileConfig['feedSets'][number];
export type NewsletterConfig = FileConfig['newsletters'][number];
export type ScheduleConfig = z.output<typeof schedule>;
export type Selection = z.output<typeof selection>;
export type Publication = FileConfig['publication'];

function isHubPlace(text: string): boolean {
  // A blank or a control character would not come back as it went into a feed.
  if (text === 'self') return true;
  return /^https?:\/\/[\x21-\x7e]+$/.test(text) && !text.includes('#') && URL.canParse(text);
}

function hasLogin(text: string): boolean {
  return URL.canParse(text) && new URL(text).username + new URL(text).password !== '';
}

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
