/**
 * Writes articles, and in the same transaction what follows from them: their tags and reporters, their slugs for good, and the note
 * that their feeds must be published anew. What may change, and what counts as a change, is decided before (see revise.ts).
 */
import type { Db } from '../../store/store.ts';
import type { Article } from '../article.ts';
import { saveFacets } from '../facets.ts';
import { recordPendingChanges } from '../pending-changes.ts';

export interface ArticleWrite {
  article: Article;
  /** Of its editorial content; see `articleDigest`. */
  digest: string;
}

/**
 * Inserts the article, or replaces the row of the same id.
 * @param db a transaction, so that all of it is written or nothing
 * @param digest of its editorial content
 * @param now when it is written, epoch milliseconds
 * @throws Error where its slug has belonged to another article
 */
export async function saveArticle(db: Db, article: Article, digest: string, now: number): Promise<void> {
  await saveArticles(db, [{ article, digest }], now);
}

/**
 * As `saveArticle`, for any number of articles of different ids, in few statements: one for each article takes three times as
 * long, and one for two hundred twice the memory.
 */
export async function saveArticles(db: Db, savings: ArticleWrite[], now: number): Promise<void> {
  for (let from = 0; from < savings.length; from += TOGETHER) {
    await saveSome(db, savings.slice(from, from + TOGETHER), now);
  }
  await saveFacets(
    db,
    savings.map(({ article }) => article),
  );
}

const TOGETHER = 50;

async function saveSome(db: Db, savings: ArticleWrite[], now: number): Promise<void> {
  await saveRows(db, savings, now);
  const articles = savings.map(({ article }) => article);
  await keepSlugs(db, articles);
  await saveTags(db, articles);
  await recordPendingChanges(
    db,
    articles
      .filter(({ status }) => status.state !== 'draft')
      .map(({ id, publishedAt }) => ({ articleId: id, dueAt: Math.max(now, publishedAt) })),
    now,
  );
}

async function saveRows(db: Db, savings: ArticleWrite[], now: number): Promise<void> {
  const rows = savings.map(({ article, digest }) => {
    const { id, status } = article;
    return {
      id,
      tag_uri: article.tagUri,
      created_at: now,
      slug: article.slug,
      kind: article.kind,
      section: article.section,
      kicker: article.kicker,
      event_key: article.eventKey,
      pinned: article.pinned ? 1 : 0,
      state: status.state,
      published_at: article.publishedAt,
      updated_at: article.updatedAt,
      noted_at: status.state === 'corrected' || status.state === 'retracted' ? status.at : null,
      digest,
      document: JSON.stringify(article),
    };
  });
  await db
    .insertInto('articles')
    .values(rows)
    .onConflict((conflict) =>
      // All but the tag: URI and the moment of its creation, which stay.
      conflict.column('id').doUpdateSet((e) => ({
        slug: e.ref('excluded.slug'),
        kind: e.ref('excluded.kind'),
        section: e.ref('excluded.section'),
        kicker: e.ref('excluded.kicker'),
        event_key: e.ref('excluded.event_key'),
        pinned: e.ref('excluded.pinned'),
        state: e.ref('excluded.state'),
        published_at: e.ref('excluded.published_at'),
        updated_at: e.ref('excluded.updated_at'),
        noted_at: e.ref('excluded.noted_at'),
        digest: e.ref('excluded.digest'),
        document: e.ref('excluded.document'),
      })),
    )
    .execute();
}

// A slug stays with the article that had it first: an address that readers know never leads to another story.
async function keepSlugs(db: Db, articles: Article[]): Promise<void> {
  await db
    .insertInto('article_slugs')
    .values(articles.map(({ id, slug }) => ({ slug, article_id: id })))
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .execute();
  const owners = await findSlugOwners(
    db,
    articles.map(({ slug }) => slug),
  );
  for (const { id, slug } of articles) {
    const owner = owners.get(slug);
    if (owner !== id) throw new Error(`article ${id} cannot have the slug ${slug}: it belongs to article ${owner}`);
  }
}

/** The id of the article that has or once had each of those slugs, where one did. */
export async function findSlugOwners(db: Db, slugs: string[]): Promise<Map<string, string>> {
  if (slugs.length === 0) return new Map();
  const rows = await db.selectFrom('article_slugs').selectAll().where('slug', 'in', slugs).execute();
  return new Map(rows.map((row) => [row.slug, row.article_id]));
}

async function saveTags(db: Db, articles: Article[]): Promise<void> {
  await db
    .deleteFrom('article_tags')
    .where(
      'article_id',
      'in',
      articles.map(({ id }) => id),
    )
    .execute();
  const tags = articles.flatMap(({ id, tags, publishedAt }) =>
    [...new Set(tags)].map((tag) => ({ article_id: id, tag, published_at: publishedAt })),
  );
  // Both databases limit how many values one statement binds: 32,766 and 65,535.
  for (let from = 0; from < tags.length; from += 5_000) {
    await db
      .insertInto('article_tags')
      .values(tags.slice(from, from + 5_000))
      .execute();
  }
}
