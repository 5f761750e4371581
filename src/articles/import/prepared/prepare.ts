/**
 * Prepares the rows of articles in the thread that parses them. They can be written as they are if the store has
 * neither their id nor their slug, as in most imports. Pure.
 */
import { type Article, fullHeadline } from '../../article.ts';
import { facetNameRow, facetNames, reporterFacets } from '../../facets/facet-names.ts';
import { urlToLookUp } from '../../remote-images/image-facts.ts';
import { monthOf } from '../../search/index-month.ts';
import { indexedTerms } from '../../search/title-terms.ts';
import { slugFrom } from '../../slug.ts';
import type { Candidate } from '../candidate.ts';
import { type ArticleResult, type ArticleText, type ParseRules, parseArticles } from '../parse-articles.ts';
import { revise } from '../revise.ts';
import { ARTICLE_COLUMNS, type ArticleRow, articleRow } from './article-row.ts';

/** The tables that have rows of a prepared article. */
type PreparedTable = 'articles' | 'article_words' | 'article_tags' | 'article_reporters' | 'article_slugs';

export interface PreparedArticle {
  id: string;
  slug: string;
  isPublic: boolean;
  /** Of a picture on another server that must be looked up. */
  imageUrl: string | null;
  /** JSON of the rows, joined by commas. */
  rows: Record<PreparedTable, string>;
  /** JSON of each row of `facet_names`; other articles may have the same. */
  names: string[];
  /** What of the candidate is not in the article. */
  written: Pick<Candidate, WrittenKey>;
}

type WrittenKey = 'slug' | 'published' | 'publishedUntil' | 'updated' | 'writtenStatus';

/** A result of `parseArticles`, but what is prepared instead of a candidate, unless that depends on the time. */
export type PreparedResult =
  | ArticleResult
  | (Omit<Extract<ArticleResult, { kind: 'valid' }>, 'kind' | 'candidate'> & {
      kind: 'prepared';
      prepared: PreparedArticle;
    });

export interface PreparedText extends ArticleText {
  /** See origin.ts. */
  origin: string;
}

/** @returns one result for each text, in order */
export async function prepareArticles({
  rules,
  texts,
  now,
}: {
  rules: ParseRules;
  texts: PreparedText[];
  now: number;
}): Promise<PreparedResult[]> {
  const results = await parseArticles({ rules, texts });
  return results.map((result, index) => {
    if (result.kind === 'invalid') return result;
    const { kind: _, candidate, ...rest } = result;
    const prepared = prepareArticle(candidate, (texts[index] as PreparedText).origin, rules, now);
    return prepared === null ? result : { kind: 'prepared', prepared, ...rest };
  });
}

/** @returns null for an article whose rows depend on when they are written */
export function prepareArticle(
  candidate: Candidate,
  origin: string,
  { publication: { tagAuthority, url: publicUrl } }: Pick<ParseRules, 'publication'>,
  now: number,
): PreparedArticle | null {
  if (dependsOnTime(candidate, now)) return null;
  const slug = candidate.slug ?? slugFrom(candidate.headline, candidate.id);
  const revision = revise(candidate, slug, null, { now, tagAuthority, publicUrl });
  if (revision.kind !== 'added' || revision.warnings.length > 0) return null;
  const { article, digest } = revision;
  const { published, publishedUntil, updated, writtenStatus } = candidate;
  return {
    id: article.id,
    slug,
    isPublic: article.status.state !== 'draft',
    imageUrl: urlToLookUp(article),
    rows: rowsOf(article, digest, origin),
    names: facetNames(article).map(facetNameRow),
    written: { slug: candidate.slug, published, publishedUntil, updated, writtenStatus },
  };
}

/** An article that has been public, or is a draft, is the same at every later time. */
function dependsOnTime({ published, publishedUntil, updated, writtenStatus }: Candidate, now: number): boolean {
  const { state } = writtenStatus;
  if ((state !== 'published' && state !== 'draft') || published === null || published > now) return true;
  // Of a day without a time, the first import decides which moment of it is meant.
  return (publishedUntil !== null && publishedUntil > now) || (updated !== null && updated > now);
}

const COLUMNS = Object.keys(ARTICLE_COLUMNS) as (keyof ArticleRow)[];

function rowsOf(article: Article, digest: string, origin: string): PreparedArticle['rows'] {
  const { id, slug, publishedAt, tags } = article;
  const row = articleRow(article, digest, origin);
  const each = (values: readonly string[], toRow: (value: string) => unknown[]): string =>
    values.map((value) => JSON.stringify(toRow(value))).join(',');
  const reporters = reporterFacets(article).map((reporter) => reporter.slug);
  return {
    articles: JSON.stringify(COLUMNS.map((column) => inJson(row[column]))),
    article_words: JSON.stringify([monthOf(publishedAt), indexedTerms(fullHeadline(article)), publishedAt, id]),
    article_tags: each([...new Set(tags)], (tag) => [id, tag, publishedAt]),
    article_reporters: each(reporters, (reporter) => [id, reporter, publishedAt]),
    article_slugs: JSON.stringify([slug, id]),
  };
}

/** Bytes as hexadecimal digits; see `NewRows`. */
function inJson(value: ArticleRow[keyof ArticleRow]): string | number | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer).toString('hex') : value;
}
