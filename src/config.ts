/**
 * The configuration: read once at the edge, checked key by key, then across keys; inside, its types are trusted.
 * Secrets come from the environment, or from a file that `<NAME>_FILE` points at, and are never part of this object's YAML.
 */
import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import cron from 'node-cron';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { contrastRatio } from './contrast.ts';
import { isZone } from './time.ts';

export const KINDS = ['brief', 'analysis', 'feature', 'roundup-item', 'roundup'] as const;

/** Every problem of a configuration, one sentence each: file and line, key, value, rule. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: string[];
  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

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
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const minutes = z.int().min(1).max(10_080);
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #9b1c1f');

const schedule = z.strictObject({
  cron: cronExpression,
  zone: zone.optional().describe("Default: the publication's zone."),
  graceMinutes: minutes
    .default(180)
    .describe('A slot missed by less than this still runs, late; an older one is recorded as skipped.'),
});

const selection = z.strictObject({
  kinds: z.array(z.enum(KINDS)).min(1).optional(),
  sections: z.array(id).min(1).optional(),
  kickers: z.array(z.string().min(1)).min(1).optional(),
  tags: z.array(z.string().min(1)).min(1).optional(),
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
  from: z.strictObject({ name: z.string().min(1), email: z.email() }),
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
  heartbeat: z.boolean().default(true).describe('Call the heartbeat URL after each good edition.'),
});

const schema = z.strictObject({
  sample: z
    .boolean()
    .default(false)
    .describe('Fill an empty store with the sample newsroom that comes with daywire. Not for a newsroom of your own.'),
  publication: z.strictObject({
    name: z.string().min(1),
    about: z.string().min(1).describe('One sentence that says what the publication is.'),
    url: httpUrl.describe('Its public address. https in production.'),
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
    })
    .prefault({}),
  server: z
    .strictObject({ host: z.string().min(1).default('127.0.0.1'), port: z.int().min(0).max(65_535).default(8080) })
    .prefault({}),
});

type FileConfig = z.output<typeof schema>;
export type FeedConfig = FileConfig['feeds'][number];
export type FeedSetConfig = FileConfig['feedSets'][number];
export type NewsletterConfig = FileConfig['newsletters'][number];
export type ScheduleConfig = z.output<typeof schedule>;
export type Selection = z.output<typeof selection>;
export type Publication = FileConfig['publication'];

/** What the environment adds. None of it is ever printed. */
interface Secrets {
  databaseUrl?: string | undefined;
  smtpUrl?: string | undefined;
  /** Signs tokens. */
  signingSecret?: string | undefined;
  alertWebhook?: string | undefined;
  heartbeatUrl?: string | undefined;
}

/** `publication.url` has no slash at its end; `paths` are absolute. */
export interface Config extends FileConfig {
  /** The file it was read from. */
  readonly file: string;
  readonly secrets: Secrets;
}

/**
 * Reads and checks a configuration file.
 * @param file its path; the paths in it are taken relative to `cwd`
 * @throws ConfigError with every problem found
 */
export function loadConfig(file: string, env: NodeJS.ProcessEnv, cwd: string): Config {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw new ConfigError([
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code}): make one with "daywire init"`,
    ]);
  }
  return parseConfig(text, { file, env, cwd });
}

/** As `loadConfig`, from the text itself. */
export function parseConfig(text: string, from: { file: string; env: NodeJS.ProcessEnv; cwd: string }): Config {
  const { file, env, cwd } = from;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => `${file}:${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`),
    );
  }
  const raw: unknown = document.toJS() ?? {};
  const at = (path: PropertyKey[]): string => `${file}:${lineOf(document, lines, path)}`;
  const checked = schema.safeParse(raw);
  if (!checked.success) {
    throw new ConfigError(
      checked.error.issues.flatMap((issue) => {
        if (issue.code === 'unrecognized_keys') {
          return issue.keys.map(
            (key) => `${at([...issue.path, key])}: ${dotted([...issue.path, key])}: there is no such key`,
          );
        }
        const value = valueAt(raw, issue.path);
        const shown = value === undefined ? 'is missing' : `is ${shorten(JSON.stringify(value))}`;
        return [`${at(issue.path)}: ${dotted(issue.path)} ${shown}: ${issue.message}`];
      }),
    );
  }
  const config = checked.data;
  const problems = crossChecks(config).map(
    ({ path, rule }) => `${at(path)}: ${dotted(path)} is ${shorten(JSON.stringify(valueAt(raw, path)))}: ${rule}`,
  );
  const secrets = readSecrets(env, cwd, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  const place = (path: string): string => (isAbsolute(path) ? path : join(cwd, path));
  const { paths } = config;
  return {
    ...config,
    publication: { ...config.publication, url: config.publication.url.replace(/\/+$/, '') },
    paths: {
      store: place(paths.store),
      var: place(paths.var),
      feeds: place(paths.feeds),
      templates: place(paths.templates),
      media: paths.media === undefined ? undefined : place(paths.media),
    },
    import: { ...config.import, watch: config.import.watch.map(place) },
    file,
    secrets,
  };
}

/** The JSON Schema of the configuration file, for editors that complete and check it. */
export function configJsonSchema(): object {
  return { title: 'daywire configuration', ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) };
}

/** The zone in which a schedule's cron expression is read. */
export function scheduleZone(schedule: ScheduleConfig, publication: Publication): string {
  return schedule.zone ?? publication.zone;
}

/** The title of a section, or null. */
export function sectionTitle(config: Pick<Config, 'sections'>, section: string | null): string | null {
  return config.sections.find((s) => s.id === section)?.title ?? null;
}

interface CrossProblem {
  path: PropertyKey[];
  rule: string;
}

/** What emails and pages stand on. */
const PAPER = { light: '#fbfaf7', dark: '#161513' };
const READABLE = 4.5;

function crossChecks(config: FileConfig): CrossProblem[] {
  const problems: CrossProblem[] = [];
  const unique = (key: 'sections' | 'feeds' | 'feedSets' | 'newsletters'): void => {
    const seen = new Set<string>();
    config[key].forEach((entry, index) => {
      if (seen.has(entry.id)) problems.push({ path: [key, index, 'id'], rule: `must be unique among ${key}` });
      seen.add(entry.id);
    });
  };
  unique('sections');
  unique('feeds');
  unique('feedSets');
  unique('newsletters');
  const sections = config.sections.map((s) => s.id);
  config.feeds.forEach((entry, index) => {
    if (entry.id === 'feeds' || entry.id === 'index') {
      problems.push({
        path: ['feeds', index, 'id'],
        rule: 'must not be "feeds" or "index", which name the list of feeds',
      });
    }
    entry.select.sections?.forEach((section, at) => {
      if (!sections.includes(section)) {
        problems.push({
          path: ['feeds', index, 'select', 'sections', at],
          rule: `must be one of the sections: ${sections.join(', ')}`,
        });
      }
    });
  });
  const feeds = config.feeds.map((f) => f.id);
  config.feedSets.forEach((set, index) => {
    set.feeds?.forEach((name, at) => {
      if (!feeds.includes(name)) {
        problems.push({
          path: ['feedSets', index, 'feeds', at],
          rule: `must be one of the feeds: ${feeds.join(', ')}`,
        });
      }
    });
  });
  for (const scheme of ['light', 'dark'] as const) {
    const ratio = contrastRatio(config.publication.accent[scheme], PAPER[scheme]);
    if (ratio < READABLE) {
      problems.push({
        path: ['publication', 'accent', scheme],
        rule: `must have a contrast of at least ${READABLE} on ${PAPER[scheme]} (WCAG AA); it has ${ratio.toFixed(1)}`,
      });
    }
  }
  const { smtpUrl } = config.delivery;
  if (smtpUrl !== undefined && new URL(smtpUrl).password !== '') {
    problems.push({
      path: ['delivery'],
      rule: 'smtpUrl must hold no password here: set DAYWIRE_SMTP_URL, or DAYWIRE_SMTP_URL_FILE',
    });
  }
  return problems;
}

const SECRET_NAMES = {
  databaseUrl: { name: 'DAYWIRE_DATABASE_URL', rule: /^postgres(ql)?:\/\//, want: 'a postgres:// URL' },
  smtpUrl: { name: 'DAYWIRE_SMTP_URL', rule: /^smtps?:\/\//, want: 'an smtp:// or smtps:// URL' },
  signingSecret: { name: 'DAYWIRE_SECRET', rule: /^.{32,}$/s, want: 'at least 32 characters' },
  alertWebhook: { name: 'DAYWIRE_ALERT_WEBHOOK', rule: /^https?:\/\//, want: 'an http or https URL' },
  heartbeatUrl: { name: 'DAYWIRE_HEARTBEAT_URL', rule: /^https?:\/\//, want: 'an http or https URL' },
} as const;

function readSecrets(env: NodeJS.ProcessEnv, cwd: string, problems: string[]): Secrets {
  const secrets: Secrets = {};
  for (const [key, { name, rule, want }] of Object.entries(SECRET_NAMES)) {
    let value = env[name];
    const file = env[`${name}_FILE`];
    if (value && file) problems.push(`${name} and ${name}_FILE are both set: keep one`);
    if (!value && file) {
      try {
        value = readFileSync(resolve(cwd, file), 'utf8').trim();
      } catch (error) {
        problems.push(`${name}_FILE is ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
        continue;
      }
    }
    if (!value) continue;
    if (!rule.test(value) || (name !== 'DAYWIRE_SECRET' && !URL.canParse(value))) {
      problems.push(`${name} must be ${want}; its value is not shown`);
    } else {
      secrets[key as keyof Secrets] = value;
    }
  }
  return secrets;
}

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** The line on which the key at `path` of a YAML document stands, or the nearest parent of one that is missing. */
export function lineOf(document: ReturnType<typeof parseDocument>, lines: LineCounter, path: PropertyKey[]): number {
  // The key's own line; where the path leads nowhere (a missing key), that of the nearest parent.
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (isScalar(pair?.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line;
    }
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

function dotted(path: PropertyKey[]): string {
  return path.length === 0
    ? 'the configuration'
    : path
        .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
        .join('');
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
