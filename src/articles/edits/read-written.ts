/** Reads what an editor wrote, by the rules and in the thread of the import. */
import { dirname, resolve, sep } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import type { Article } from '../article.ts';
import type { Candidate } from '../import/candidate.ts';
import type { RuleViolation } from '../import/fields.ts';
import { isBlankValue } from '../import/front-matter/values.ts';
import { isFileOrigin } from '../import/origin.ts';
import { parseInThread, parseRules } from '../import/parse-in-thread.ts';
import type { PictureFolder } from '../pictures/own-pictures.ts';

export interface WrittenArticle {
  candidate: Candidate;
  /** What is not as the editor may think, such as what was removed from the body. */
  warnings: string[];
}

const NAME = 'desk';

/**
 * @param record keys as in JSON Lines
 * @param origin of the article: pictures in its body may be next to its file
 * @param known problems that are thrown with those of the fields
 * @throws ArticleEditError with all problems of the fields
 */
export async function readWritten(
  config: Config,
  record: Record<string, unknown>,
  origin: string | null,
  known: readonly ArticleProblem[] = [],
): Promise<WrittenArticle> {
  const pictures = origin !== null && isFileOrigin(origin) ? pictureFolder(config, origin) : undefined;
  const written = { format: 'jsonl', line: 1, text: JSON.stringify(record), defaultId: null } as const;
  const text = { name: NAME, ...written, pictures, isStrict: true };
  // The names of keys that the configuration adds are for the newsroom's own files.
  const rules = { ...parseRules(config), keys: {} };
  const [result] = await parseInThread(rules, [text], undefined);
  if (result === undefined) throw new Error('one result for one text');
  if (result.kind === 'valid') {
    const place = `${NAME}:1: `;
    const warnings = result.warnings.map((text) => (text.startsWith(place) ? text.slice(place.length) : text));
    return { candidate: result.candidate, warnings };
  }
  const violations = result.kind === 'invalid' ? result.violations : [];
  throw new ArticleEditError([...known, ...violations.map((violation) => problemOf(record, violation))]);
}

/** Where pictures of an article's file are, as the import finds them. */
function pictureFolder({ import: { watch } }: Config, path: string): PictureFolder {
  const folder = dirname(path);
  const roots = watch.map((one) => resolve(one)).filter((root) => path.startsWith(root + sep));
  return { folder, root: roots[0] ?? folder };
}

interface FieldWords {
  /** The subject of a sentence. */
  name: string;
  /** Said if there is no value. */
  missing?: string;
  /** The name of the field in forms, if it is another one. */
  field?: string;
}

/** By key of a record. */
const WORDS: Record<string, FieldWords> = {
  headline: { name: 'The headline', missing: 'Give a headline.' },
  kicker: { name: 'The kicker' },
  dek: { name: 'The dek' },
  section: { name: 'The section' },
  body: { name: 'The text' },
  embargo: { name: 'The time of publication', missing: 'Give the time of publication.' },
  note: { name: 'The note', missing: 'Write the note: readers see it.' },
  'fullStory.url': { name: 'The address of the link', field: 'linkUrl' },
  'fullStory.title': { name: 'The text of the link', field: 'linkTitle' },
  'outlet.name': { name: 'The name of the outlet', field: 'outletName' },
  'outlet.url': { name: 'The address of its report', field: 'outletUrl' },
};

/** A rule that a record breaks, as a sentence. */
function problemOf(record: Record<string, unknown>, { path, rule }: RuleViolation): ArticleProblem {
  const key = path.join('.');
  const words = WORDS[key];
  if (words === undefined) return { field: null, message: `${key} ${rule}.`.trim() };
  const isMissing = words.missing !== undefined && isBlankValue(record[key]);
  return { field: words.field ?? key, message: isMissing ? (words.missing as string) : `${words.name} ${rule}.` };
}

/** A field of a form, as the desk names it. */
export interface ArticleProblem {
  /** Null for a problem of the article as a whole. */
  field: string | null;
  /** A sentence, such as `Give a headline.` */
  message: string;
}

/** An act cannot be done: the problems are for the editor. */
export class ArticleEditError extends Error {
  override name = 'ArticleEditError';
  readonly problems: ArticleProblem[];

  constructor(problems: ArticleProblem[]) {
    super(problems.map(({ message }) => message).join('\n'));
    this.problems = problems;
  }
}

export const EMBARGO_OVER = 'The time of publication is over: give a later one, or publish now.';

/** Somebody has changed the article since the editor saw it. */
export class ArticleConflictError extends Error {
  override name = 'ArticleConflictError';
  /** The article as it is stored. */
  readonly current: Article;
  readonly digest: string;

  constructor(current: Article, digest: string) {
    super('the article has been changed since you opened it');
    this.current = current;
    this.digest = digest;
  }
}
