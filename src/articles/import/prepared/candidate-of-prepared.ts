import { toArticle } from '../../queries.ts';
import type { Candidate } from '../candidate.ts';
import { ARTICLE_COLUMNS } from './article-row.ts';
import type { PreparedArticle } from './prepare.ts';

const DOCUMENT = Object.keys(ARTICLE_COLUMNS).indexOf('document');

/** The candidate that an article was prepared from. */
export function candidateOfPrepared({ rows, written }: PreparedArticle): Candidate {
  const document = (JSON.parse(rows.articles) as unknown[])[DOCUMENT] as string;
  const { tagUri: _, updatedAt: __, publishedAt: ___, status: ____, page: _____, ...fields } = toArticle(document);
  return { ...fields, ...written };
}
