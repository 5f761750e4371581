/** The row of an article in the table `articles`. Pure. */
import type { Article } from '../../article.ts';
import { outletKeys } from '../../outlets.ts';
import { encodeDocument } from '../../stored-document.ts';

/** The columns that an import writes, with their types; also `created_at`, which never changes. */
export const ARTICLE_COLUMNS = {
  id: 'text',
  tag_uri: 'text',
  slug: 'text',
  kind: 'text',
  section: 'text',
  kicker: 'text',
  event_key: 'text',
  pinned: 'int',
  outlets: 'text',
  by_rule: 'int',
  state: 'text',
  published_at: 'int',
  updated_at: 'int',
  noted_at: 'int',
  origin: 'text',
  digest: 'text',
  document: 'text',
  compressed: 'bytes',
  json_bytes: 'int',
} as const;

export type ArticleRow = ReturnType<typeof articleRow>;

/** @param origin see origin.ts; null for none */
export function articleRow(article: Article, digest: string, origin: string | null) {
  const { status } = article;
  return {
    id: article.id,
    tag_uri: article.tagUri,
    slug: article.slug,
    kind: article.kind,
    section: article.section,
    kicker: article.kicker,
    event_key: article.eventKey,
    pinned: article.pinned ? 1 : 0,
    outlets: article.kind === 'roundup-item' ? JSON.stringify(outletKeys(article)) : null,
    by_rule: article.isByRule ? 1 : 0,
    state: status.state,
    published_at: article.publishedAt,
    updated_at: article.updatedAt,
    noted_at: status.state === 'corrected' || status.state === 'retracted' ? status.at : null,
    origin,
    digest,
    ...encodeDocument(article),
  };
}
