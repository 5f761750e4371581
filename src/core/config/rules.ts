/** Rules that involve more than one key of the configuration, or more than a schema can say: one function each. */
import type { FileConfig } from './schema.ts';

export interface ConfigViolation {
  path: PropertyKey[];
  rule: string;
}

/** Whether the configuration names a key, which otherwise has its default. */
type IsGiven = (path: PropertyKey[]) => boolean;

type Rule = (config: FileConfig, isGiven: IsGiven) => ConfigViolation[];

const RULES: Rule[] = [
  (config) => uniqueIds('sections', config.sections),
  (config) => uniqueIds('feeds', config.feeds),
  (config) => uniqueIds('newsletters', config.newsletters),
  (config) => uniqueIds('sources', config.sources),
  schedulesFitKinds,
  keysFitKinds,
  reservedFeedIds,
  sectionsExist,
  weekliesHaveDailies,
  accentContrast,
  picturesNeedMedia,
  embeddedHubIsSelf,
  smtpUrlHasNoPassword,
  bounceAddressLeavesRoomForToken,
  keysFitMailProvider,
  thanksIsOnListedSite,
];

/** Lists every violation of a rule. */
export function listViolations(config: FileConfig, isGiven: IsGiven): ConfigViolation[] {
  return RULES.flatMap((rule) => rule(config, isGiven));
}

function uniqueIds(key: string, entries: { id: string }[]): ConfigViolation[] {
  const ids = entries.map(({ id }) => id);
  return ids.flatMap((id, index) =>
    ids.indexOf(id) < index ? [{ path: [key, index, 'id'], rule: `must be unique among ${key}` }] : [],
  );
}

function schedulesFitKinds({ newsletters }: FileConfig): ConfigViolation[] {
  return newsletters.flatMap(({ kind, schedule }, index) => {
    const path = ['newsletters', index, 'schedule'];
    if (kind === 'roundup' && schedule === null) {
      return { path, rule: 'must say when an edition closes; only a newsletter of kind alert has none' };
    }
    if (kind === 'roundup' || schedule === null) return [];
    return { path, rule: 'must be left out: an alert closes when an editor has approved it' };
  });
}

/** Keys that do nothing for a newsletter of the other kind, and why. */
const KEYS_OF_ROUNDUPS = {
  minimumStories: 'an alert has one story',
  select: 'an alert has the article that it is made for',
  blocks: 'an alert has one story',
  newsHours: 'an alert has a story of any age',
  autoPick: 'an alert has one story',
  weeklyOf: 'an alert has no schedule',
  deliverAt: 'an alert is delivered at once',
  'show.contents': 'an alert has one story',
  'show.thumbnails': 'an alert has one story',
};
const KEYS_OF_ALERTS = { maxPerDay: 'only newsletters of kind alert have a daily limit' };

function keysFitKinds({ newsletters }: FileConfig, isGiven: IsGiven): ConfigViolation[] {
  return newsletters.flatMap(({ kind }, index) =>
    Object.entries(kind === 'alert' ? KEYS_OF_ROUNDUPS : KEYS_OF_ALERTS)
      .map(([key, why]) => ({ path: ['newsletters', index, ...key.split('.')], rule: `must be left out: ${why}` }))
      .filter(({ path }) => isGiven(path)),
  );
}

function reservedFeedIds({ feeds }: FileConfig): ConfigViolation[] {
  const rule =
    'must not be "feeds" or "index", which name the list of feeds, "custom", the feed that visitors combine, or ' +
    '"mine", the private feeds of subscribers';
  return feeds.flatMap(({ id }, index) =>
    ['feeds', 'index', 'custom', 'mine'].includes(id) ? [{ path: ['feeds', index, 'id'], rule }] : [],
  );
}

function sectionsExist({ sections, feeds, newsletters, sources }: FileConfig): ConfigViolation[] {
  const known = sections.map(({ id }) => id);
  const rule = `must be one of the sections: ${known.join(', ')}`;
  const unknown = (path: PropertyKey[], id: string): ConfigViolation[] => (known.includes(id) ? [] : [{ path, rule }]);
  return [
    ...Object.entries({ feeds, newsletters }).flatMap(([key, entries]) =>
      entries.flatMap(({ select }, index) =>
        (select.sections ?? []).flatMap((id, at) => unknown([key, index, 'select', 'sections', at], id)),
      ),
    ),
    ...sources.flatMap((source, index) => {
      if (source.use !== 'articles') return [];
      const mapped = Object.entries(source.sections);
      return [
        ...(source.section === undefined ? [] : unknown(['sources', index, 'section'], source.section)),
        ...mapped.flatMap(([category, id]) => unknown(['sources', index, 'sections', category], id)),
      ];
    }),
  ];
}

function weekliesHaveDailies({ newsletters }: FileConfig): ConfigViolation[] {
  return newsletters.flatMap(({ id, weeklyOf }, index) => {
    if (weeklyOf === undefined) return [];
    const daily = newsletters.find((one) => one.id === weeklyOf);
    const others = newsletters.filter((one) => one.id !== id && one.weeklyOf === weeklyOf);
    const isFit = weeklyOf !== id && daily?.kind === 'roundup' && daily.weeklyOf === undefined && others.length === 0;
    const rule = 'must be the id of another roundup, which is no weekly itself and has no other weekly';
    return isFit ? [] : [{ path: ['newsletters', index, 'weeklyOf'], rule }];
  });
}

/** The backgrounds of emails and pages. */
const PAPER = { light: '#fbfaf7', dark: '#161513' };

/** WCAG 2.2, success criterion 1.4.3 (AA). */
const MINIMUM_CONTRAST = 4.5;

function accentContrast({ publication }: FileConfig): ConfigViolation[] {
  return (['light', 'dark'] as const).flatMap((scheme) => {
    const ratio = contrastRatio(publication.accent[scheme], PAPER[scheme]);
    if (ratio >= MINIMUM_CONTRAST) return [];
    const needed = `must have a contrast of at least ${MINIMUM_CONTRAST} on ${PAPER[scheme]} (WCAG AA)`;
    return [{ path: ['publication', 'accent', scheme], rule: `${needed}; it has ${ratio.toFixed(1)}` }];
  });
}

function picturesNeedMedia({ publication, feeds, newsletters, paths }: FileConfig): ConfigViolation[] {
  if (paths.media !== undefined) return [];
  const { logo, icon, cover } = publication;
  const pictures: (readonly [file: string | undefined, ...path: PropertyKey[]])[] = [
    [logo?.url, 'publication', 'logo', 'url'],
    [logo?.darkUrl, 'publication', 'logo', 'darkUrl'],
    [icon, 'publication', 'icon'],
    [cover, 'publication', 'cover'],
    ...feeds.map(({ podcast }, index) => [podcast?.image, 'feeds', index, 'podcast', 'image'] as const),
    ...newsletters.map(({ sponsor }, index) => {
      return [sponsor?.image?.file, 'newsletters', index, 'sponsor', 'image', 'file'] as const;
    }),
  ];
  return pictures.flatMap(([file, ...path]) => {
    if (file === undefined || /^https?:\/\//.test(file)) return [];
    const orAddress = path.includes('icon') || path.includes('sponsor') ? '' : ', or write an address';
    return { path, rule: `is a file in paths.media, which is not set: set it${orAddress}` };
  });
}

function embeddedHubIsSelf({ hub, publication }: FileConfig): ConfigViolation[] {
  const embedded = `${publication.url.replace(/\/+$/, '')}/hub`;
  if (hub?.replace(/\/+$/, '') !== embedded) return [];
  return [{ path: ['hub'], rule: 'must be written as self: this is the address of the embedded hub' }];
}

function smtpUrlHasNoPassword({ delivery: { smtpUrl } }: FileConfig): ConfigViolation[] {
  if (smtpUrl === undefined || new URL(smtpUrl).password === '') return [];
  const rule = 'must not contain a password: set DAYWIRE_SMTP_URL, or DAYWIRE_SMTP_URL_FILE';
  return [{ path: ['delivery', 'smtpUrl'], rule }];
}

/** A plus sign and the 40 characters of a token (audience/tokens.ts) follow the local part. */
const TOKEN_LENGTH = 1 + 40;
/** Octets of a local part and of a whole path without its brackets (RFC 5321 §4.5.3.1.1 and §4.5.3.1.3). */
const LOCAL_PART_LIMIT = 64 - TOKEN_LENGTH;
const ADDRESS_LIMIT = 254 - TOKEN_LENGTH;

function bounceAddressLeavesRoomForToken({ bounces: { address } }: FileConfig): ConfigViolation[] {
  if (address === undefined) return [];
  const path = ['bounces', 'address'];
  const violations: ConfigViolation[] = [];
  if (address.lastIndexOf('@') > LOCAL_PART_LIMIT) {
    const rule = `must have at most ${LOCAL_PART_LIMIT} characters before the @, to leave room for a token`;
    violations.push({ path, rule });
  }
  if (address.length > ADDRESS_LIMIT) {
    violations.push({ path, rule: `must have at most ${ADDRESS_LIMIT} characters, to leave room for a token` });
  }
  return violations;
}

function keysFitMailProvider({ delivery }: FileConfig): ConfigViolation[] {
  const { provider } = delivery;
  const violations = (['ses', 'postmark'] as const)
    .filter((key) => delivery[key] !== undefined && provider !== key)
    .map((key) => ({ path: ['delivery', key], rule: `must be left out: delivery.provider is ${provider}` }));
  if (provider !== 'ses' || delivery.ses !== undefined) return violations;
  const rule = 'must name the SNS topics of its reports in topics, since delivery.provider is ses';
  return [...violations, { path: ['delivery', 'ses'], rule }];
}

/** A form redirects there: to nobody else's site. */
function thanksIsOnListedSite({ publication, signup: { origins, thanks } }: FileConfig): ConfigViolation[] {
  if (thanks === undefined) return [];
  const isListed = [new URL(publication.url).origin, ...origins].includes(new URL(thanks).origin);
  return isListed ? [] : [{ path: ['signup', 'thanks'], rule: 'must be a page on one of signup.origins' }];
}

/**
 * The contrast ratio of two colours such as `#9b1c1f`, 1 to 21.
 * Source: WCAG 2.2, "contrast ratio" and "relative luminance".
 */
export function contrastRatio(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
