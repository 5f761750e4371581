/** Reads what an editor wrote, by the rules and in the thread of the import. */
import { dirname, resolve, sep } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import type { Article } from '../article.ts';
import type { Candidate } from '../import/candidate.ts';
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
  const format = 'jsonl';
  const text = { name: NAME, format, line: 1, text: JSON.stringify(record), defaultId: null, pictures } as const;
  // The names of keys that the configuration adds are for the newsroom's own files.
  const rules = { ...parseRules(config), keys: {} };
  const [result] = await parseInThread(rules, [text], undefined);
  if (result === undefined) throw new Error('one result for one text');
  if (result.kind !== 'valid') throw new ArticleEditError([...known, ...result.problems.map(toProblem)]);
  return { candidate: result.candidate, warnings: result.warnings.map((warning) => toProblem(warning).message) };
}

/** Where pictures of an article's file are, as the import finds them. */
function pictureFolder({ import: { watch } }: Config, path: string): PictureFolder {
  const folder = dirname(path);
  const roots = watch.map((one) => resolve(one)).filter((root) => path.startsWith(root + sep));
  return { folder, root: roots[0] ?? folder };
}

/** Parses a message such as `desk:1: headline is missing: must be given`. */
function toProblem(text: string): ArticleProblem {
  const [, rest = text] = /^desk(?::\d+)?: (.*)$/s.exec(text) ?? [];
  const [, field, message] = /^([a-zA-Z]+)(?:[.[][^ ]*)? ((?:is|has) .*)$/s.exec(rest) ?? [];
  return field === undefined || message === undefined ? { field: null, message: rest } : { field, message };
}

/** A field of a form, as the desk names it. */
export interface ArticleProblem {
  /** Null for a problem of the article as a whole. */
  field: string | null;
  /** Such as `is missing: must be given`. */
  message: string;
}

/** An act cannot be done: the problems are for the editor. */
export class ArticleEditError extends Error {
  override name = 'ArticleEditError';
  readonly problems: ArticleProblem[];

  constructor(problems: ArticleProblem[]) {
    super(problems.map(({ field, message }) => (field === null ? message : `${field} ${message}`)).join('\n'));
    this.problems = problems;
  }
}

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
