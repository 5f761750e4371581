/**
 * The keys of an article's front matter or JSON line: what each may hold. Everything a newsroom writes passes here once; behind
 * it all text is clean, all addresses are absolute and all instants are epoch milliseconds.
 */
import { z } from 'zod';
import { type Config, KINDS } from '../../config/config.ts';
import { cleanLine, cleanText, resolveUrl } from '../../lib/clean-text.ts';
import { SLUG } from '../slug.ts';
import { parseInstant } from './instant.ts';

/** RFC 4151 §2.1: what may stand in a tag: URI as it is. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;

export type ArticleFields = z.output<ReturnType<typeof fieldsSchema>>;

/** The schema for one publication: its sections, zone, language and address. */
export function fieldsSchema(config: Pick<Config, 'publication' | 'sections'>) {
  const { publication } = config;
  const url = z
    .string('must be text')
    .max(2_048, 'must be at most 2048 characters')
    .transform((written, context) => {
      const resolved = resolveUrl(written, publication.url);
      if (resolved !== null) return resolved;
      context.issues.push({
        code: 'custom',
        input: written,
        message: 'must be an http or https URL without user and password, or a path below the publication',
      });
      return z.NEVER;
    });
  const instant = text(64).transform((written, context) => {
    const at = parseInstant(written, publication.zone);
    if (at !== null) return at;
    context.issues.push({
      code: 'custom',
      input: written,
      message: `must be an instant such as 2026-11-24T07:30:00+08:00, or a local time such as 2026-11-24 07:30 (${publication.zone})`,
    });
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
    kind: withDefault(z.enum(KINDS, `must be one of ${KINDS.join(', ')}`), 'brief'),
    kicker: optional(text(100).refine((kicker) => !kicker.endsWith(':'), 'must not end in a colon: readers get one')),
    topic: optional(text(100)),
    headline: filled(text(500)),
    shortHeadline: optional(text(200)),
    pinned: withDefault(yesOrNo(), false),
    dek: optional(text(2_000)),
    published: optional(instant),
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
    outlet: optional(z.strictObject({ name: filled(text(200)), url }, 'must have name and url')),
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
        { url, type: optional(type), length: optional(wholeNumber()), title: optional(text(500)) },
        'must have a url, and may have type, length and title',
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
    note: optional(text(2_000)),
    noteAt: optional(instant),
    format: withDefault(z.enum(['markdown', 'html'], 'must be markdown or html'), 'markdown'),
  });
}

/** A rule that a field breaks; the path leads to it. */
export interface RuleViolation {
  path: PropertyKey[];
  rule: string;
}

/** The rules between keys. They hold for what was written, so that they are told together with all others. */
export function crossFieldViolations(written: Record<string, unknown>): RuleViolation[] {
  const broken: RuleViolation[] = [];
  const state = isBlank(written.state) ? 'published' : written.state;
  const noted = state === 'corrected' || state === 'retracted';
  const has = (key: string): boolean => !isBlank(written[key]);
  if (noted && !has('note')) broken.push({ path: ['note'], rule: `a ${state} article says why in its note` });
  if (!noted && has('note')) broken.push({ path: ['note'], rule: 'only a corrected or retracted article has one' });
  if (has('noteAt') && !has('note')) broken.push({ path: ['noteAt'], rule: 'must stand beside a note' });
  if (state === 'scheduled' && !has('embargo')) {
    broken.push({ path: ['embargo'], rule: 'a scheduled article says until when' });
  }
  if (state !== 'scheduled' && has('embargo')) {
    broken.push({ path: ['embargo'], rule: 'only a scheduled article has one: write "state: scheduled"' });
  }
  return broken;
}

function text(most: number) {
  return z
    .string({ error: ({ input }) => (input === undefined || input === null ? 'must be given' : 'must be text') })
    .overwrite(cleanLine)
    .refine((value) => value.length <= most, `must be at most ${most} characters`);
}

function filled<T extends z.ZodString>(schema: T): T {
  return schema.refine((value) => value !== '', 'must be given') as T;
}

/** Nothing, an empty text and null all mean that the newsroom left it out. */
function optional<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (isBlank(value) ? null : value), schema.nullable());
}

function withDefault<T extends z.ZodType>(schema: T, value: z.output<T>) {
  return optional(schema).transform((given): z.output<T> => given ?? value);
}

function listOf<T extends z.ZodType>(schema: T, most: number) {
  return withDefault(
    z.array(schema, 'must be a list').max(most, `must have at most ${most} entries`),
    [] as z.output<T>[],
  );
}

function yesOrNo() {
  // In front matter all scalars are text, so that an id such as 0042 stays as it is written.
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

function sectionId({ sections }: Pick<Config, 'sections'>) {
  return text(200).transform((written, context) => {
    const found = sections.find(({ id, title }) => id === written || title.toLowerCase() === written.toLowerCase());
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
    try {
      return Intl.getCanonicalLocales(written)[0] as string;
    } catch {
      context.issues.push({ code: 'custom', input: written, message: 'must be a BCP 47 tag such as en or zh-Hans' });
      return z.NEVER;
    }
  });
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && cleanText(value).trim() === '');
}
