/** Forms of values that several keys of the configuration have. */
import cron from 'node-cron';
import { z } from 'zod';
import { parseCidr } from '../../lib/cidr.ts';
import { LANGUAGE_RULE, parseLanguageTag } from '../../lib/names/language-tag.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import { isZone } from '../../lib/time.ts';

export const KINDS = ['brief', 'analysis', 'feature', 'roundup-item', 'roundup'] as const;

export const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and hyphens, at most 64');
export const text = z.string().min(1);
export const zone = z.string().refine(isZone, 'must be an IANA time zone such as Asia/Shanghai');
export const language = z
  .string()
  .refine((tag) => parseLanguageTag(tag) !== null, LANGUAGE_RULE)
  // `zh-hans` becomes `zh-Hans`: languages are compared as texts.
  .overwrite((tag) => parseLanguageTag(tag) ?? tag);
const cronExpression = z
  .string()
  .refine((text) => cron.validateDetailed(text).valid, 'must be a cron expression of five fields, such as "30 7 * * *"')
  .refine((text) => text.trim().split(/\s+/).length === 5, 'must have five fields: minute hour day month weekday');
export const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  // It goes into a List-Unsubscribe line of at most 998 octets, with a token (RFC 5322 §2.1.1).
  .refine(
    (url) => !URL.canParse(url) || new URL(url).href.length <= 500,
    'must have at most 500 characters when encoded',
  )
  // Paths are appended to it.
  .regex(/^[^?#@]*$/, 'must be an address without a login, "?" or "#"');
/** The address of somebody's feed, which may have a query. */
export const feedAddress = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .max(2_000)
  // "@" is in paths such as /@user/feed.
  .regex(/^[^/]*\/\/[^/?#@]*([/?][^#]*)?$/, 'must be an address without a login or "#"');
export const perSecond = z.number().min(0.01).max(100_000);
export const minutes = z.int().min(1).max(10_080);
export const retentionDays = z.int().min(7).max(3_650);
export const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #9b1c1f');
export const addressRange = z
  .string()
  .refine(
    (text) => parseCidr(text) !== null,
    'must be a range of addresses such as 10.1.0.0/16 or fd00::/8; one address ends with /32 or /128',
  );
export const listenAddress = z
  .string()
  .refine((text) => text === 'off' || parseHostPort(text) !== null, 'must be off, or such as 127.0.0.1:9464')
  .transform((text) => (text === 'off' ? null : parseHostPort(text)));
/** A file below `paths.media` that is served: no part of it starts with a dot (articles/pages/media.ts). */
const MEDIA_FILE = /^(?![/.])(?!.*\/[/.])[^\\?#:]{1,500}$/;
export const mediaFile = z.string().regex(MEDIA_FILE, 'must be a file in paths.media, such as sponsors/acme.png');
export const pictureAddress = z
  .string()
  .refine(
    (text) => MEDIA_FILE.test(text) || (/^https?:\/\//.test(text) && URL.canParse(text)),
    'must be a file in paths.media, such as logo.png, or an http or https address',
  );
/** As browsers send it in Origin (RFC 6454 §7). */
export const webOrigin = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) &&
      new URL(text).origin === text &&
      /^(?:https:|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::|$))/.test(text),
    'must be scheme and host in lower-case ASCII, such as https://times.example, without a path or a slash at the ' +
      'end; http only for localhost',
  );
export const webAddress = z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).max(2_000);
/** A page of the newsroom's own text. */
export const document = z
  .string()
  .max(2_000)
  .refine(
    (text) => /^(?!https?:).*[^/\\]\.md$/.test(text) || (/^https?:\/\//.test(text) && URL.canParse(text)),
    'must be a Markdown file such as texts/imprint.md, or an http or https address',
  );
/** The first parts of the site's own addresses, also of those that are forms or belong to programs. */
const SITE_PATHS =
  'account api archive articles confirm desk editions feed feeds healthz hooks hub icons imprint livez media metrics ' +
  'newsletters preferences privacy readyz reporters rss search sections subscribe unsubscribe webhooks';
export const pagePath = id.refine(
  (path) => !SITE_PATHS.split(' ').includes(path),
  `must be another path than those of the site itself: ${SITE_PATHS}`,
);
export const hours = z
  .int()
  .min(1)
  .max(24 * 31);
export const domain = z.string().regex(/^[a-z0-9.-]+$/, 'must be a domain in lower case');

export const schedule = z.strictObject({
  cron: cronExpression.describe(
    'Minute, hour, day of month, month, day of week. Day of month and day of week must both match.',
  ),
  zone: zone.optional().describe("Time zone of the cron expression. Default: the publication's zone."),
  graceMinutes: minutes
    .default(180)
    .describe('A slot missed by less than this still runs, late. An older slot is recorded as skipped.'),
});

/** Which articles a feed or newsletter takes. */
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
  languages: z
    .array(language)
    .min(1)
    .optional()
    .describe('Languages. zh includes zh-Hans and zh-Hant; zh-Hans does not include zh (RFC 4647, basic filtering).'),
});

/** `127.0.0.1:9464` or `[::1]:9464`; port 0 for any free port. */
function parseHostPort(text: string): { host: string; port: number } | null {
  const [, ipv6, name, digits] = /^(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  return host === undefined || port > 65_535 ? null : { host, port };
}
