/**
 * From what was written to a candidate: an article that breaks no rule of its own. Whether it may take its place in the store
 * depends on what stands there already; see revise.ts.
 */
import type { Config } from '../../config/config.ts';
import { cleanLine, cleanText } from '../../lib/clean-text.ts';
import type { Article, Enclosure, Image } from '../article.ts';
import { inspectMedia } from '../media.ts';
import { BodyError, sanitiseHtml, sanitiseMarkdown, showsNothing } from '../sanitise.ts';
import { type ArticleFields, crossFieldViolations, fieldsSchema, type RuleViolation } from './fields.ts';
import type { ParsedRecord } from './parse.ts';

/** What the newsroom says of an article's standing. */
type WrittenStatus =
  | { state: 'draft' }
  | { state: 'published' }
  | { state: 'scheduled'; embargo: number }
  | { state: 'corrected' | 'retracted'; note: string; noteAt: number | null };

/** Google News takes 1 MB an article. */
const LONGEST_BODY = 1_000_000;

type Decided = 'tagUri' | 'slug' | 'publishedAt' | 'updatedAt' | 'status' | 'page';

/** An article without what depends on the store. */
export interface Candidate extends Omit<Article, Decided> {
  /** As the newsroom wrote it, or null. */
  slug: string | null;
  published: number | null;
  updated: number | null;
  writtenStatus: WrittenStatus;
}

/** What is wrong with an article, or what its editor should know, for people: `file:line: what`. */
type CandidateResult =
  | { kind: 'good'; candidate: Candidate; warnings: string[] }
  /** `id` where it has a usable one. */
  | { kind: 'bad'; id: string | null; problems: string[] };

export type CandidateReader = (
  parsed: ParsedRecord,
  file: string,
  defaultId: string | null,
) => Promise<CandidateResult>;

/** Makes the function that judges what was read, by the rules of one publication. */
export function candidateReader(config: Config): CandidateReader {
  const schema = fieldsSchema(config);
  const from = { publicUrl: config.publication.url, folder: config.paths.media };

  return async (parsed, file, defaultId) => {
    if (parsed.kind === 'broken') {
      return { kind: 'bad', id: null, problems: [`${file}:${parsed.line}: ${cleanLine(parsed.rule)}`] };
    }
    const written = { ...parsed.fields };
    if (defaultId !== null && !Object.hasOwn(written, 'id')) written.id = defaultId;
    const tell = ({ path, rule }: RuleViolation): string =>
      `${file}:${parsed.lineOf(path)}: ${dotted(path)} ${shown(valueAt({ ...written, body: parsed.body }, path))}: ${rule}`;

    const checked = schema.safeParse(written);
    const broken = [...crossFieldViolations(written)];
    if (!checked.success) broken.unshift(...checked.error.issues.flatMap(brokenRulesOf));

    const format = written.format === 'html' ? 'html' : 'markdown';
    const body = readBody(parsed.body, format, from.publicUrl);
    broken.push(...body.broken);

    // Parsed by itself where another key is wrong, so that a missing file is told in the same breath.
    const { image, enclosures } = checked.success ? checked.data : mediaFields(schema, written);
    const media = await readMedia(image, enclosures, from);
    broken.push(...media.broken);

    if (!checked.success || broken.length > 0) {
      return { kind: 'bad', id: usableId(schema, written.id), problems: broken.map(tell) };
    }
    const { published, updated, state, embargo, note, noteAt, format: _, ...fields } = checked.data;
    const candidate: Candidate = {
      ...fields,
      body: { format, source: body.source },
      bodyHtml: body.html,
      image: media.image,
      enclosures: media.enclosures,
      published,
      updated,
      writtenStatus: writtenStatusOf(state, embargo, note, noteAt),
    };
    const place = `${file}:${parsed.lineOf(['body'])}`;
    const warnings = body.removed.map((what) => `${place}: the body held ${what}: taken out`);
    if (candidate.kind === 'roundup-item' && candidate.outlet === null) {
      warnings.push(
        `${file}:${parsed.lineOf(['outlet'])}: outlet is missing: a roundup item credits the publication that first reported it`,
      );
    }
    return { kind: 'good', candidate, warnings };
  };
}

type Schema = ReturnType<typeof fieldsSchema>;

function mediaFields({ shape }: Schema, written: Record<string, unknown>): Pick<ArticleFields, 'image' | 'enclosures'> {
  const image = shape.image.safeParse(written.image);
  const enclosures = shape.enclosures.safeParse(written.enclosures);
  return { image: image.success ? image.data : null, enclosures: enclosures.success ? enclosures.data : [] };
}

function usableId({ shape }: Schema, id: unknown): string | null {
  const checked = shape.id.safeParse(id);
  return checked.success ? checked.data : null;
}

function brokenRulesOf(issue: {
  code: string;
  path: PropertyKey[];
  message: string;
  keys?: string[];
}): RuleViolation[] {
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    return issue.keys.map((key) => ({ path: [...issue.path, key], rule: 'there is no such key' }));
  }
  return [{ path: issue.path, rule: issue.message }];
}

function readBody(written: unknown, format: 'markdown' | 'html', publicUrl: string) {
  const nothing = { source: '', html: '', removed: [] as string[], broken: [] as RuleViolation[] };
  const unusable = (rule: string) => ({ ...nothing, broken: [{ path: ['body'], rule }] });
  if (written === undefined || written === null) return nothing;
  if (typeof written !== 'string') return unusable('must be text');
  if (written.length > LONGEST_BODY) return unusable(`must be at most ${LONGEST_BODY} characters`);
  const source = cleanText(written).trimEnd();
  if (source === '') return nothing;
  try {
    const { html, removed } = (format === 'html' ? sanitiseHtml : sanitiseMarkdown)(source, publicUrl);
    if (showsNothing(html)) return unusable('nothing of it is left but what readers may not have');
    return { ...nothing, source, html, removed };
  } catch (error) {
    if (error instanceof BodyError) return unusable(error.message);
    throw error;
  }
}

async function readMedia(
  image: ArticleFields['image'],
  enclosures: ArticleFields['enclosures'],
  from: { publicUrl: string; folder: string | undefined },
): Promise<{ image: Image | null; enclosures: Enclosure[]; broken: RuleViolation[] }> {
  const broken: RuleViolation[] = [];
  const looked = async <T extends { url: string; type: string | null; length: number | null }>(
    fields: T,
    at: PropertyKey[],
  ) => {
    const media = await inspectMedia(fields.url, from);
    if (media.kind === 'unusable') broken.push({ path: [...at, 'url'], rule: media.rule });
    if (media.kind === 'elsewhere') {
      for (const key of ['type', 'length'] as const) {
        if (fields[key] === null)
          broken.push({ path: [...at, key], rule: 'must be given for a file that is not in the media folder' });
      }
    }
    // What the file itself says is true, whatever was written.
    const { type, length, ...size } =
      media.kind === 'file' ? media : { type: fields.type ?? '', length: fields.length ?? 0 };
    return {
      ...fields,
      ...('width' in size && size.width !== null ? { width: size.width, height: size.height } : {}),
      type,
      length,
    };
  };

  const seen = image === null ? null : await looked(image, ['image']);
  if (seen !== null && seen.type !== '' && !seen.type.startsWith('image/')) {
    broken.push({
      path: ['image', seen.type === image?.type ? 'type' : 'url'],
      rule: `must be an image, not ${seen.type}`,
    });
  }
  const others: Enclosure[] = [];
  for (const [index, enclosure] of enclosures.entries()) {
    const { url, type, length, title } = await looked(enclosure, ['enclosures', index]);
    others.push({ url, type, length, title });
  }
  return { image: seen, enclosures: others, broken };
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

/** `bylines[0].email`; a stranger's key may hold anything. */
function dotted(path: PropertyKey[]): string {
  const parts = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${short(cleanLine(String(key)))}`));
  return parts.join('').replace(/^\./, '') || 'it';
}

// Not JSON for lists and maps: they may be nested deeper than a recursion reaches.
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'is missing';
  if (Array.isArray(value)) return 'is a list';
  if (typeof value === 'object') return 'is a map';
  return `is ${typeof value === 'string' ? JSON.stringify(short(cleanLine(value))) : String(value)}`;
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77).toWellFormed()}…` : text;
}
