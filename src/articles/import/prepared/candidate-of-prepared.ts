import { toArticle } from '../../stored-document.ts';
import type { Candidate } from '../candidate.ts';
import { ARTICLE_COLUMNS } from './article-row.ts';
import type { PreparedArticle } from './prepare.ts';

const COMPRESSED = Object.keys(ARTICLE_COLUMNS).indexOf('compressed');

/** The candidate that an article was prepared from. */
export function candidateOfPrepared({ rows, written }: PreparedArticle): Candidate {
  const compressed = Buffer.from((JSON.parse(rows.articles) as unknown[])[COMPRESSED] as string, 'hex');
  const article = toArticle({ document: '', compressed });
  const { tagUri: _, updatedAt: __, publishedAt: ___, status: ____, page: _____, ...fields } = article;
  return { ...fields, ...written };
}
