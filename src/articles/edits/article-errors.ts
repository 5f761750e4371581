import type { Article } from '../article.ts';

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
