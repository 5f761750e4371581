/**
 * The keys of an article's front matter or JSON line, and their rules. All input of a newsroom is parsed here once:
 * afterwards text is clean, URLs are absolute, and instants are epoch milliseconds.
 */
import { z } from 'zod';
import type { Config } from '../../core/config/config.ts';
import { ownSites } from '../../core/config/sources.ts';
import { KINDS } from '../../core/config/values.ts';
import { LANGUAGE_RULE, parseLanguageTag } from '../../lib/names/language-tag.ts';
import { privateHost } from '../../lib/private-address.ts';
import { cleanLine, cleanText, hasVisibleCharacter, resolveUrl } from '../../lib/text/clean-text.ts';
import { parseWrittenInstant } from '../../lib/written-date.ts';
import { MAX_ALSO } from '../article.ts';
import { SLUG } from '../slug.ts';
import { DURATION } from './front-matter/values.ts';

/** RFC 4151 §2.1: characters that a tag: URI takes unescaped. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;

const OUTLET_RULE = 'must have name and url';

export type ArticleFields = z.output<ReturnType<typeof fieldsSchema>>;

/** The schema for one publication, with its sections, zone, language and URL. */
export function fieldsSchema(config: Pick<Config, 'publication' | 'sections'> & Parameters<typeof ownSites>[0]) {
  const { publication } = config;
  const sites = ownSites(config);
  const url = z
    .string('must be text')
    .max(2_048, 'must be at most 2048 characters')
    .transform((written, context) => {
      const resolved = resolveUrl(written, publication.url);
      const host = resolved === null ? null : privateHost(resolved, sites);
      if (resolved !== null && host === null) return resolved;
      const rule = 'must be an http or https URL without user and password, or a path below the publication';
      const message = host === null ? rule : `leads to ${host}, a private address, which readers cannot open`;
      context.issues.push({ code: 'custom', input: written, message });
      return z.NEVER;
    });
  // Longer than any date, so that the rule of dates is named instead of a length.
  const instant = text(1_000).transform((written, context) => {
    const parsed = parseWrittenInstant(written, publication.zone);
    if (parsed.kind === 'instant') return parsed.at;
    context.issues.push({ code: 'custom', input: written, message: parsed.rule });
    return z.NEVER;
  });
  const link = z.strictObject({ url, title: filled(text(500)) }, 'must have url and title');
  const type = text(100)
    .toLowerCase()
    .regex(/^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/, 'must be a MIME type such as image/jpeg');
  return z.strictObject({
    id: z.preprocess(
      (value) => (typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value),
      filled(text(128)).regex(ID, 'must be letters, digits and . _ ~ -, at most 128, a letter or digit first'),
    ),
    slug: optional(text(160).regex(SLUG, 'must be lower-case letters and digits, joined by single hyphens')),
    url: optional(url),
    kind: withDefault(z.enum(KINDS, `must be one of ${KINDS.join(', ')}`), 'brief'),
    kicker: optional(
      visible(text(100)).refine((kicker) => !kicker.endsWith(':'), 'must not end in a colon: daywire adds one'),
    ),
    topic: optional(visible(text(100))),
    headline: filled(text(500)),
    shortHeadline: optional(visible(text(200))),
    pinned: withDefault(yesOrNo(), false),
    dek: optional(text(2_000)),
    published: optional(instant),
    dateInvented: withDefault(yesOrNo(), false),
    updated: optional(instant),
    section: optional(sectionId(config)),
    tags: listOf(filled(text(100)), 50).transform((tags) => [...new Set(tags)]),
    bylines: listOf(
      z.strictObject(
        {
          role: withDefault(z.enum(['reporter', 'editor'], 'must be reporter or editor'), 'reporter'),
          name: filled(text(200)),
          email: optional(text(254).pipe(z.email('must be an email address'))),
        },
        'must have a name, and may have role and email',
      ),
      30,
    ),
    fullStory: optional(link),
    related: listOf(link, 30),
    outlet: optional(
      z
        .strictObject({ name: filled(text(200)), url: optional(url), published: optional(instant) }, OUTLET_RULE)
        .transform(({ published, ...outlet }) => ({ ...outlet, publishedAt: published })),
    ),
    also: listOf(z.strictObject({ name: filled(text(200)), url: optional(url) }, OUTLET_RULE), MAX_ALSO),
    byRule: withDefault(yesOrNo(), false),
    eventKey: optional(text(200)),
    image: optional(
      z.strictObject(
        {
          url,
          alt: optional(text(1_000)).transform((alt) => alt ?? ''),
          credit: optional(text(300)),
          type: optional(type),
          length: optional(wholeNumber()),
          width: optional(wholeNumber()),
          height: optional(wholeNumber()),
        },
        'must have a url, and may have alt, credit, type, length, width and height',
      ),
    ),
    enclosures: listOf(
      z.strictObject(
        {
          url,
          type: optional(type),
          length: optional(wholeNumber()),
          title: optional(text(500)),
          duration: optional(seconds()),
        },
        'must have a url, and may have type, length, title and duration',
      ),
      20,
    ),
    language: withDefault(language(), publication.language),
    state: withDefault(
      z.enum(['draft', 'scheduled', 'published', 'corrected', 'retracted'], {
        error: 'must be draft, scheduled, published, corrected or retracted',
      }),
      'published',
    ),
    embargo: optional(instant),
    note: optional(visible(text(2_000))),
    noteAt: optional(instant),
    format: withDefault(z.enum(['markdown', 'html'], 'must be markdown or html'), 'markdown'),
  });
}

/** A field, by its path, and the rule that it breaks. */
export interface RuleViolation {
  path: PropertyKey[];
  rule: string;
}

/** Checks rules between keys: on what was written, so that they are reported together with all others. */
export function crossFieldViolations(written: Record<string, unknown>): RuleViolation[] {
  const violations: RuleViolation[] = [];
  const state = isBlank(written.state) ? 'published' : written.state;
  const noted = state === 'corrected' || state === 'retracted';
  const has = (key: string): boolean => !isBlank(written[key]);
  if (noted && !has('note')) violations.push({ path: ['note'], rule: `a ${state} article requires a note` });
  if (!noted && has('note'))
    violations.push({ path: ['note'], rule: 'only a corrected or retracted article may have one' });
  if (has('noteAt') && !has('note')) violations.push({ path: ['noteAt'], rule: 'requires a note' });
  if (state === 'scheduled' && !has('embargo')) {
    violations.push({ path: ['embargo'], rule: 'a scheduled article requires one' });
  }
  if (state !== 'scheduled' && has('embargo')) {
    violations.push({ path: ['embargo'], rule: 'only a scheduled article may have one: add "state: scheduled"' });
  }
  return violations;
}

function text(max: number) {
  return z
    .string({ error: ({ input }) => (input === undefined || input === null ? 'must be given' : 'must be text') })
    .overwrite(cleanLine)
    .refine((value) => value.length <= max, `must be at most ${max} characters`);
}

function filled<T extends z.ZodString>(schema: T): T {
  return visible(schema.refine((value) => value !== '', 'must be given') as T);
}

/** A headline of spaces or zero-width characters would be a link that nobody can see; a note would correct nothing. */
function visible<T extends z.ZodString>(schema: T): T {
  return schema.refine((value) => value === '' || hasVisibleCharacter(value), 'must have a visible character') as T;
}

/** A missing value, an empty text and null all mean that the key was omitted. */
function optional<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (isBlank(value) ? null : value), schema.nullable());
}

function withDefault<T extends z.ZodType>(schema: T, value: z.output<T>) {
  return optional(schema).transform((given): z.output<T> => given ?? value);
}

function listOf<T extends z.ZodType>(schema: T, max: number) {
  return withDefault(
    z.array(schema, 'must be a list').max(max, `must have at most ${max} entries`),
    [] as z.output<T>[],
  );
}

function yesOrNo() {
  // In front matter all scalars are text.
  return z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean('must be true or false'),
  );
}

function wholeNumber() {
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,15}$/.test(value.trim()) ? Number(value) : value),
    z.int('must be a whole number').min(0, 'must not be negative'),
  );
}

/** `1830`, `30:30` or `1:02:03`. */
function seconds() {
  return z.preprocess(
    (value) =>
      typeof value === 'string' && DURATION.test(value)
        ? value.split(':').reduce((sum, part) => 60 * sum + Number(part), 0)
        : value,
    z.int('must be in seconds, or such as 1:02:03').min(0, 'must not be negative'),
  );
}

function sectionId({ sections }: Pick<Config, 'sections'>) {
  const fold = (name: string): string => name.normalize('NFKC').toLowerCase();
  return text(200).transform((written, context) => {
    const found = sections.find(({ id, title }) => id === written || fold(title) === fold(written));
    if (found !== undefined) return found.id;
    context.issues.push({
      code: 'custom',
      input: written,
      message: `must be one of the sections: ${sections.map(({ id }) => id).join(', ')}`,
    });
    return z.NEVER;
  });
}

function language() {
  return text(100).transform((written, context) => {
    const parsed = parseLanguageTag(written);
    if (parsed !== null) return parsed;
    context.issues.push({ code: 'custom', input: written, message: LANGUAGE_RULE });
    return z.NEVER;
  });
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && cleanText(value).trim() === '');
}
