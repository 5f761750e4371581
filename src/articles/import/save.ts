/**
 * Writes articles with their tags, reporters, slugs and words, the pending changes that make
 * their feeds be published, and the pictures that are to be looked up.
 * revise.ts decides what may change, and what counts as a change.
 */
import type { Db, Tx } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import type { Article } from '../article.ts';
import { saveFacets } from '../facets/facets.ts';
import { outletKeys } from '../outlets.ts';
import { recordPendingChanges } from '../pending-changes.ts';
import { queueImages } from '../remote-images/image-queue.ts';
import { indexArticles } from '../search/search-index.ts';
import { encodeDocument } from '../stored-document.ts';

export interface ArticleWrite {
  article: Article;
  /** Digest of its editorial content; see `articleDigest`. */
  digest: string;
  /** See origin.ts. Default: none, as for the roundup of an edition; the origin of a stored article is kept. */
  origin?: string;
}

/** As `saveArticles`, for one article. */
export async function saveArticle(tx: Tx, article: Article, digest: string, now: number): Promise<void> {
  await saveArticles(tx, [{ article, digest }], now);
}

/** One statement for each article takes three times as long; one for two hundred takes twice the memory. */
const ARTICLES_PER_STATEMENT = 50;

/**
 * Inserts articles of different ids, or replaces the rows of the same ids.
 * @param now when they are written, epoch milliseconds
 * @throws Error if the slug of one has belonged to another article
 */
export async function saveArticles(tx: Tx, writes: ArticleWrite[], now: number): Promise<void> {
  for (const some of chunks(writes, ARTICLES_PER_STATEMENT)) {
    const articles = some.map(({ article }) => article);
    await saveRows(tx, some, now);
    await indexArticles(tx, articles);
    await saveSlugs(tx, articles);
    await queueImages(tx, articles, now);
    const written = articles.filter(({ status }) => status.state !== 'draft');
    const due = written.map(({ id, publishedAt }) => ({ articleId: id, dueAt: Math.max(now, publishedAt) }));
    await recordPendingChanges(tx, due, now);
  }
  const all = writes.map(({ article }) => article);
  await saveFacets(tx, all);
}

const REPLACED_COLUMNS = [
  ...(['slug', 'kind', 'section', 'kicker', 'event_key', 'pinned', 'outlets', 'by_rule', 'state', 'language'] as const),
  ...(['published_at', 'updated_at', 'noted_at', 'digest', 'document', 'json_bytes', 'has_url'] as const),
];

async function saveRows(tx: Tx, writes: ArticleWrite[], now: number): Promise<void> {
  const rows = writes.map(({ article, digest, origin = null }) => {
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
      language: article.language.toLowerCase(),
      published_at: article.publishedAt,
      updated_at: article.updatedAt,
      noted_at: status.state === 'corrected' || status.state === 'retracted' ? status.at : null,
      origin,
      digest,
      has_url: article.url === null ? 0 : 1,
      ...encodeDocument(article),
      created_at: now,
    };
  });
  await tx
    .insertInto('articles')
    .values(rows)
    .onConflict((conflict) =>
      // All columns except id, tag_uri and created_at, which never change.
      conflict.column('id').doUpdateSet((e) => ({
        ...Object.fromEntries(REPLACED_COLUMNS.map((column) => [column, e.ref(`excluded.${column}`)])),
        origin: e.fn.coalesce('excluded.origin', 'articles.origin'),
        document_version: e('articles.document_version', '+', 1),
      })),
    )
    .execute();
}

// A slug belongs to the first article that had it: a known URL never leads to another story.
async function saveSlugs(tx: Tx, articles: Article[]): Promise<void> {
  await tx
    .insertInto('article_slugs')
    .values(articles.map(({ id, slug }) => ({ slug, article_id: id })))
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .execute();
  const slugs = articles.map(({ slug }) => slug);
  const owners = await findSlugOwners(tx, slugs);
  for (const { id, slug } of articles) {
    const owner = owners.get(slug);
    if (owner !== id) throw new Error(`article ${id} cannot have the slug ${slug}: it belongs to article ${owner}`);
  }
}

/** Finds the articles that have or had these slugs. @returns ids of articles, by slug */
export async function findSlugOwners(db: Db, slugs: string[]): Promise<Map<string, string>> {
  if (slugs.length === 0) return new Map();
  const rows = await db.selectFrom('article_slugs').selectAll().where('slug', 'in', slugs).execute();
  return new Map(rows.map((row) => [row.slug, row.article_id]));
}
