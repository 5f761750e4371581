/**
 * Queries the stories that are eligible for an edition, and the corrections that it must list. Only the columns that
 * selection needs are read: 100,000 new articles cost rows of a few numbers, not documents.
 */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import type { Kind } from '../articles/article.ts';
import { PUBLIC_STATES } from '../articles/queries.ts';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import type { EditionWindow } from './window.ts';

/** The fields of a story that selection uses. */
export interface StoryCandidate {
  id: string;
  kind: Kind;
  kicker: string | null;
  section: string | null;
  eventKey: string | null;
  pinned: boolean;
  publishedAt: number;
}

/** Most corrections that one edition lists; the rest wait for the next. */
const MAX_CORRECTIONS = 20;

/**
 * Finds the public stories that are in no edition of the newsletter and are inside the window or pinned; newest first.
 * Reads only the window's range of the index `articles_by_time`, and the partial index of pinned articles.
 * @param lastEditionId of the newsletter, or null before its first
 */
export async function findCandidates(
  db: Db,
  newsletter: string,
  window: EditionWindow,
  lastEditionId: number | null,
): Promise<StoryCandidate[]> {
  const columns = ['id', 'kind', 'kicker', 'section', 'event_key', 'pinned', 'published_at'] as const;
  const eligible = db
    .selectFrom('articles')
    .select(columns)
    .where('state', 'in', PUBLIC_STATES)
    .where('kind', '<>', 'roundup')
    .where('published_at', '<', window.until)
    .where((e) => e.not(inEditionOf(e, newsletter)));
  const recent = eligible
    .where('pinned', '=', 0)
    .where('published_at', '>=', window.unseenFrom)
    .where((e) => e.or([e('published_at', '>=', window.from), e.not(omittedFrom(e, lastEditionId))]));
  // A literal, not a parameter: otherwise SQLite cannot use the partial index.
  const pinned = eligible.where(sql<SqlBool>`pinned = 1`);
  const rows = await recent.unionAll(pinned).orderBy('published_at', 'desc').orderBy('id', 'desc').execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind as Kind,
    kicker: row.kicker,
    section: row.section,
    eventKey: row.event_key,
    pinned: row.pinned === 1,
    publishedAt: row.published_at,
  }));
}

/** Identifies the article's content at the time of composing: an edition cannot be closed if it has changed since. */
export interface ArticleVersion {
  articleId: string;
  digest: string;
  state: string;
}

/** An article with its JSON unparsed: one invalid document must not prevent the others from being read. */
export interface StoredArticle extends ArticleVersion {
  document: string;
}

/** Reads stored articles, by id; ids that do not exist are omitted. */
export async function findStoredArticles(db: Db, ids: string[]): Promise<Map<string, StoredArticle>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('articles')
    .select(['id as articleId', 'digest', 'state', 'document'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.articleId, row]));
}

export interface DueCorrection extends StoredArticle {
  /** Epoch milliseconds. */
  notedAt: number;
}

/**
 * Finds corrections and retractions of stories in earlier editions of the newsletter whose note no edition of it has
 * shown yet. Takes the oldest, so that none waits forever; returns them newest first.
 */
export async function findDueCorrections(db: Db, newsletter: string): Promise<DueCorrection[]> {
  const rows = await db
    .selectFrom('articles')
    .innerJoin('edition_articles', 'edition_articles.article_id', 'articles.id')
    .select(['articles.id', 'articles.digest', 'articles.state', 'articles.noted_at', 'articles.document'])
    .where('edition_articles.newsletter', '=', newsletter)
    .where('articles.noted_at', 'is not', null)
    .where('articles.state', 'in', ['corrected', 'retracted'])
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('edition_corrections')
            .select('edition_corrections.article_id')
            .where('edition_corrections.newsletter', '=', newsletter)
            .whereRef('edition_corrections.article_id', '=', 'articles.id')
            .whereRef('edition_corrections.noted_at', '=', 'articles.noted_at'),
        ),
      ),
    )
    .orderBy('articles.noted_at')
    .orderBy('articles.id')
    .limit(MAX_CORRECTIONS)
    .execute();
  return rows.reverse().map((row) => ({
    articleId: row.id,
    digest: row.digest,
    state: row.state,
    notedAt: row.noted_at as number,
    document: row.document,
  }));
}

type Condition = ExpressionWrapper<Tables, 'articles', SqlBool>;

function inEditionOf(e: ExpressionBuilder<Tables, 'articles'>, newsletter: string): Condition {
  return e.exists(
    e
      .selectFrom('edition_articles')
      .select('edition_articles.article_id')
      .where('edition_articles.newsletter', '=', newsletter)
      .whereRef('edition_articles.article_id', '=', 'articles.id'),
  );
}

function omittedFrom(e: ExpressionBuilder<Tables, 'articles'>, editionId: number | null): Condition {
  return e.exists(
    e
      .selectFrom('edition_omissions')
      .select('edition_omissions.article_id')
      .where('edition_omissions.edition_id', '=', editionId ?? -1)
      .whereRef('edition_omissions.article_id', '=', 'articles.id'),
  );
}
