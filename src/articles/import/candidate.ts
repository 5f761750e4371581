/**
 * Validates a parsed record by the rules that concern it alone. Whether the candidate can be stored depends on what is
 * stored already: see revise.ts.
 */
import type { Config } from '../../core/config/config.ts';
import { ownSites } from '../../core/config/sources.ts';
import type { OwnSites } from '../../lib/private-address.ts';
import { cleanLine, cleanText } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { parseWrittenInstant } from '../../lib/written-date.ts';
import type { Article, Enclosure, Image } from '../article.ts';
import { inspectMedia, type MediaFolder } from '../pictures/media.ts';
import { type OwnPictures, openOwnPictures, type PictureFolder } from '../pictures/own-pictures.ts';
import { BodyError, type ImageUrl, isBlankBody, sanitiseHtml, sanitiseMarkdown } from '../sanitise.ts';
import { type ArticleFields, crossFieldViolations, fieldsSchema, type RuleViolation } from './fields.ts';
import { isBlankValue } from './front-matter/values.ts';
import type { TranslatedRecord } from './parse.ts';

/** The state as the newsroom wrote it. Instants are epoch milliseconds. */
type WrittenStatus =
  | { state: 'draft' }
  | { state: 'published' }
  | { state: 'scheduled'; embargo: number }
  | { state: 'corrected' | 'retracted'; note: string; noteAt: number | null };

/** Characters. Google News accepts 1 MB per article. */
const MAX_BODY = 1_000_000;
/** Characters of a value or a key that a problem shows. */
const SHOWN_LENGTH = 80;

type DecidedByRevision = 'tagUri' | 'slug' | 'publishedAt' | 'updatedAt' | 'status' | 'page';

/** A valid article, without what depends on the store. */
export interface Candidate extends Omit<Article, DecidedByRevision> {
  /** As the newsroom wrote it, or null. */
  slug: string | null;
  published: number | null;
  /** The end of the day of `published`, if a day was written without a time; else null. */
  publishedUntil: number | null;
  updated: number | null;
  writtenStatus: WrittenStatus;
}

/** Problems and warnings read `file:line: message`. */
type CandidateResult =
  | { kind: 'valid'; candidate: Candidate; warnings: string[] }
  /** `id`: null unless the record has a valid one. `violations`: what the problems say. */
  | { kind: 'invalid'; id: string | null; problems: string[]; violations: RuleViolation[] };

export type CandidateReader = (
  record: TranslatedRecord,
  file: string,
  defaultId: string | null,
  provenance: Provenance,
) => Promise<CandidateResult>;

/** Where an article comes from. */
interface Provenance {
  /** Where its pictures are. */
  pictures: PictureFolder | null;
  /** Address of the site that it was written for, where paths in its body start. Undefined: the publication's. */
  siteUrl: string | undefined;
  /** Whether a source brings it, where the newsroom may be unable to mend it. */
  isFromSource: boolean;
  /** Whether any wrong field rejects it, as in a form. Otherwise only a primary one does. */
  isStrict: boolean;
}

/**
 * Fields without which there is no article, or of which a wrong one could publish what must not be public. No other
 * field rejects an article: it is left out, or the smallest part of it that is wrong.
 */
const PRIMARY = new Set<PropertyKey>(['id', 'headline', 'body', 'format', 'published', 'state', 'embargo', 'note']);

function isPrimary([key, part]: PropertyKey[], { kind, outlet }: Record<string, unknown>): boolean {
  if (key === undefined || PRIMARY.has(key)) return true;
  // Without its kind or credit, another outlet's report would be published as the newsroom's own.
  return key === 'kind' ? !isBlankValue(outlet) : key === 'outlet' && part !== 'url' && kind === 'roundup-item';
}

/** The parts of the configuration by which articles are validated. */
export interface ArticleRules extends Pick<Config, 'publication' | 'sections'> {
  paths: Pick<Config['paths'], 'media'>;
  sources: Pick<Config['sources'][number], 'url'>[];
}

/** Creates the function that validates records for one publication. */
export function candidateReader(config: ArticleRules): CandidateReader {
  const schema = fieldsSchema(config);
  const sites = ownSites(config);
  const mediaFolder = { publicUrl: sites.publicUrl, folder: config.paths.media };

  const read: CandidateReader = async (record, file, defaultId, provenance) => {
    const { pictures: pictureFolder, siteUrl, isFromSource, isStrict } = provenance;
    if (record.kind === 'broken') {
      const problems = [`${file}:${record.line}: ${cleanLine(record.rule)}`];
      return { kind: 'invalid', id: null, problems, violations: [{ path: [], rule: record.rule }] };
    }
    const given = { ...record.fields };
    const leftOut: OmittedPart[] = [];
    if (defaultId !== null && isBlankValue(given.id)) given.id = defaultId;
    const pictures = openOwnPictures(pictureFolder, mediaFolder);
    given.image = withOwnPicture(given.image, pictures);
    const imageProblems = pictures.problems.length;

    const written = isStrict ? given : leaveOutWrong(schema, given, leftOut);
    const checked = schema.safeParse(written);
    const violations: RuleViolation[] = [];
    for (const violation of crossFieldViolations(written)) {
      if (isStrict || isPrimary(violation.path, given)) violations.push(violation);
      else leftOut.push({ ...violation, what: ' is' });
    }
    if (!checked.success) violations.unshift(...checked.error.issues.flatMap(violationsOf));

    const format = written.format === 'html' ? 'html' : 'markdown';
    const bodySites = siteUrl === undefined ? sites : { ...sites, baseUrl: siteUrl };
    const body = readBody(record.body, { format, sites: bodySites, imageUrl: pictures.urlOf, isFromSource });
    violations.push(...body.violations);

    const usable = checked.data ?? null;
    const { image, enclosures } = usable ?? { image: null, enclosures: [] };
    const media = await readMedia(image, enclosures, mediaFolder);
    if (isStrict) violations.push(...media.violations);
    const unusable = isStrict ? [] : media.violations;
    for (const { path, rule } of unusable) {
      const end = path[0] === 'image' ? 1 : 2;
      leftOut.push({ path: path.slice(0, end), what: ' is', rule: `${formatPath(path.slice(end))} ${rule}` });
    }
    if (usable === null || violations.length > 0) {
      const values = { ...written, body: record.body };
      const problems = listFirst(violations, file, ({ path, rule }) => {
        const name = formatPath(record.writtenPath(path));
        return `${file}:${record.lineOf(path)}: ${name} ${formatValue(valueAt(values, path))}: ${rule}`;
      });
      return { kind: 'invalid', id: validId(schema, written.id), problems, violations };
    }
    const { published, updated, state, embargo, note, noteAt, ...others } = usable;
    const { byRule, dateInvented, format: _, ...fields } = others;
    const candidate: Candidate = {
      ...fields,
      ...(byRule ? { isByRule: true } : {}),
      ...(dateInvented ? { isDateInvented: true } : {}),
      body: { format, source: body.source },
      bodyHtml: body.html,
      image: unusable.some(({ path }) => path[0] === 'image') ? null : media.image,
      enclosures: media.enclosures.filter((_, index) => !unusable.some(({ path }) => path[1] === index)),
      published,
      publishedUntil: endOfDay(written.published, config.publication.zone),
      updated,
      writtenStatus: writtenStatusOf(state, embargo, note, noteAt),
    };
    const warnings = [
      ...listFirst(record.warnings, file, ({ line, text }) => `${file}:${line}: ${text}`),
      ...listFirst(leftOut, file, ({ path, what, rule }) => {
        return `${file}:${record.lineOf(path)}: ${formatPath(record.writtenPath(path))}${what} left out: ${rule}`;
      }),
      ...listFirst([...pictures.problems.entries()], file, ([index, problem]) => {
        return `${file}:${record.lineOf([index < imageProblems ? 'image' : 'body'])}: removed: ${problem}`;
      }),
      ...listFirst(body.removed, file, (what) => `${file}:${record.lineOf(['body'])}: removed from the body: ${what}`),
    ];
    if (candidate.kind === 'roundup-item' && (candidate.outlet === null || candidate.outlet.url === null)) {
      const place = `${file}:${record.lineOf(['outlet'])}`;
      const what = candidate.outlet === null ? 'outlet' : 'the url of the outlet';
      const rule = 'a roundup item credits the publication that first reported it';
      warnings.push(`${place}: ${what} is missing: ${rule}`);
    }
    return { kind: 'valid', candidate, warnings };
  };
  return read;
}

/** Problems, or things removed, that are listed of one article: each of ten thousand would have a line to look up. */
const MAX_LISTED = 20;

function listFirst<T>(all: readonly T[], file: string, format: (one: T) => string): string[] {
  const more = all.length - MAX_LISTED;
  const listed = all.slice(0, MAX_LISTED).map(format);
  return more > 0 ? [...listed, `${file}: and ${more.toLocaleString('en')} more`] : listed;
}

/** The image with the address of its copy, if it is a file next to the article; null if that cannot be used. */
function withOwnPicture(image: unknown, { urlOf }: OwnPictures): unknown {
  if (typeof image !== 'object' || image === null || !('url' in image) || typeof image.url !== 'string') return image;
  const url = urlOf(image.url);
  if (url === null) return null;
  return url === undefined ? image : { ...image, url };
}

type Schema = ReturnType<typeof fieldsSchema>;

/** A part of a record that is left out. `what`: its value, and the verb. */
type OmittedPart = RuleViolation & { what: string };

/** After so many parts, the whole field is left out: each costs a check of all. */
const MAX_LEFT_OUT = 60;

/** Leaves out wrong parts of secondary fields: a value, or the entry or field that is incomplete without it. */
function leaveOutWrong(
  schema: Schema,
  given: Record<string, unknown>,
  leftOut: OmittedPart[],
): Record<string, unknown> {
  for (let written = given; ; ) {
    // The last one, so that entries before keep their places.
    const issue = schema.safeParse(written).error?.issues.findLast(({ path }) => !isPrimary(path, given));
    const [{ path, rule } = { path: [], rule: '' }] = issue === undefined ? [] : violationsOf(issue);
    if (path.length === 0) return written;
    const found = valueAt(written, path);
    const isLong = issue?.code === 'too_big' && Array.isArray(found);
    const end = leftOut.length > MAX_LEFT_OUT ? 1 : path.length - Number(found === undefined);
    const target = path.slice(0, end);
    const what = isLong ? `: ${found.length - Number(issue.maximum)} of ${found.length} are` : shownValue(found);
    leftOut.push({ path: target, what, rule: end < path.length ? `${formatPath(path.slice(end))} ${rule}` : rule });
    written = withPart(written, target, isLong ? found.slice(0, Number(issue.maximum)) : undefined) as typeof written;
  }
}

/** A copy with another value at a path; undefined removes it. */
function withPart(whole: unknown, [key, ...rest]: PropertyKey[], value: unknown): unknown {
  const inner = (part: unknown): unknown => (rest.length === 0 ? value : withPart(part, rest, value));
  const changed = (name: string, part: unknown): unknown => (name === String(key) ? inner(part) : part);
  const parts = Object.entries(whole as object).map(([name, part]) => [name, changed(name, part)]);
  const kept = parts.filter(([, part]) => part !== undefined);
  return Array.isArray(whole) ? kept.map(([, part]) => part) : Object.fromEntries(kept);
}

function validId({ shape }: Schema, id: unknown): string | null {
  const checked = shape.id.safeParse(id);
  return checked.success ? checked.data : null;
}

function violationsOf(issue: { code: string; path: PropertyKey[]; message: string; keys?: string[] }): RuleViolation[] {
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    return issue.keys.map((key) => ({ path: [...issue.path, key], rule: 'there is no such key' }));
  }
  return [{ path: issue.path, rule: issue.message }];
}

interface BodyContext extends Pick<Provenance, 'isFromSource'> {
  format: 'markdown' | 'html';
  sites: OwnSites;
  imageUrl: ImageUrl;
}

function readBody(written: unknown, { format, sites, imageUrl, isFromSource }: BodyContext) {
  const empty = { source: '', html: '', removed: [] as string[], violations: [] as RuleViolation[] };
  const invalid = (rule: string) => ({ ...empty, violations: [{ path: ['body'], rule }] });
  if (written === undefined || written === null) return empty;
  if (typeof written !== 'string') return invalid('must be text');
  if (written.length > MAX_BODY) return invalid(`must be at most ${MAX_BODY} characters`);
  const source = cleanText(written).trimEnd();
  if (source === '') return empty;
  try {
    const { html, removed } = (format === 'html' ? sanitiseHtml : sanitiseMarkdown)(source, sites, imageUrl);
    if (!isBlankBody(html)) return { ...empty, source, html, removed };
    // A headline of a source is a story too, where the body is only an empty paragraph or a script.
    return isFromSource ? { ...empty, removed } : invalid('is empty after sanitising');
  } catch (error) {
    if (error instanceof BodyError) return invalid(error.message);
    throw error;
  }
}

async function readMedia(
  image: ArticleFields['image'],
  enclosures: ArticleFields['enclosures'],
  mediaFolder: MediaFolder,
): Promise<{ image: Image | null; enclosures: Enclosure[]; violations: RuleViolation[] }> {
  const violations: RuleViolation[] = [];
  const resolved = image === null ? null : await resolveImage(image, mediaFolder, violations);
  if (resolved !== null && resolved.type !== null && !resolved.type.startsWith('image/')) {
    const key = resolved.type === image?.type ? 'type' : 'url';
    violations.push({ path: ['image', key], rule: `must be an image, not ${resolved.type}` });
  }
  const others: Enclosure[] = [];
  for (const [index, enclosure] of enclosures.entries()) {
    const path = ['enclosures', index];
    others.push(await resolveEnclosure(enclosure, path, mediaFolder, violations));
  }
  return { image: resolved, enclosures: others, violations };
}

async function resolveImage(
  fields: NonNullable<ArticleFields['image']>,
  mediaFolder: MediaFolder,
  violations: RuleViolation[],
): Promise<Image> {
  const media = await inspectMedia(fields.url, mediaFolder);
  switch (media.kind) {
    case 'file':
      return { ...fields, type: media.type, length: media.length };
    case 'external':
      // Looked up later: an import must not wait for the servers of others.
      return fields.type === null || fields.length === null ? { ...fields, isLookedUp: true } : fields;
    case 'unusable':
      violations.push({ path: ['image', 'url'], rule: media.rule });
      return fields;
  }
}

/** Completes an enclosure with what the file itself states. */
async function resolveEnclosure(
  fields: ArticleFields['enclosures'][number],
  path: PropertyKey[],
  mediaFolder: MediaFolder,
  violations: RuleViolation[],
): Promise<Enclosure> {
  const { url, title, duration } = fields;
  const given = { url, title, ...(duration === null ? {} : { duration }) };
  const media = await inspectMedia(url, mediaFolder);
  if (media.kind === 'file') return { ...given, type: media.type, length: media.length };
  if (media.kind === 'unusable') violations.push({ path: [...path, 'url'], rule: media.rule });
  if (media.kind === 'external') {
    for (const key of ['type', 'length'] as const) {
      if (fields[key] !== null) continue;
      violations.push({ path: [...path, key], rule: 'must be given for a file that is not in the media folder' });
    }
  }
  return { ...given, type: fields.type ?? '', length: fields.length ?? 0 };
}

function endOfDay(published: unknown, zone: string): number | null {
  // A day alone has no colon.
  if (typeof published !== 'string' || published.includes(':')) return null;
  const parsed = parseWrittenInstant(cleanLine(published), zone);
  return parsed.kind === 'instant' ? parsed.until : null;
}

function writtenStatusOf(
  state: ArticleFields['state'],
  embargo: number | null,
  note: string | null,
  noteAt: number | null,
): WrittenStatus {
  switch (state) {
    case 'scheduled':
      return { state, embargo: embargo as number };
    case 'corrected':
    case 'retracted':
      return { state, note: note as string, noteAt };
    default:
      return { state };
  }
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? inner[key as never] : undefined,
    value,
  );
}

/** `bylines[0].email`. Cleaned: a key may be any text. */
function formatPath(path: PropertyKey[]): string {
  const parts = path.map((key) =>
    typeof key === 'number' ? `[${key}]` : `.${shorten(cleanLine(String(key)), SHOWN_LENGTH)}`,
  );
  return parts.join('').replace(/^\./, '') || 'it';
}

function shownValue(value: unknown): string {
  return typeof value === 'object' || value === undefined ? ' is' : ` ${formatValue(value).slice(3)} is`;
}

// Lists and maps are not shown as JSON: they may be nested deeper than recursion reaches.
function formatValue(value: unknown): string {
  if (value === undefined || value === null) return 'is missing';
  if (Array.isArray(value)) return 'is a list';
  if (typeof value === 'object') return 'is a map';
  return `is ${typeof value === 'string' ? JSON.stringify(shorten(cleanLine(value), SHOWN_LENGTH)) : String(value)}`;
}
