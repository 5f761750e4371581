/**
 * Reads articles. Every list is ordered by a unique key, so that both databases answer alike.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { KINDS, type Selection } from '../config/config.ts';
import type { Db } from '../store/store.ts';
import type { Article } from './article.ts';
import { slugsOf } from './facets.ts';

/** States that readers may see once `published_at` has come; see `isPublic`. */
export const PUBLIC_STATES = ['scheduled', 'published', 'corrected'] as const;

export interface ArticleQuery {
  select?: Selection;
  /** Published at or after this instant. */
  from?: number | undefined;
  /** Published before or at this instant; readers never see later ones. */
  now: number;
  /** Published before this instant: the open end of a window. */
  until?: number | undefined;
  limit: number;
  /** Skips so many of the newest. */
  offset?: number | undefined;
}

/**
 * The public articles that match, newest first. What it reads grows with `limit`, not with the store: see `rangesOf`.
 */
export async function findPublicArticles(db: Db, query: ArticleQuery): Promise<Article[]> {
  const { limit, offset = 0 } = query;
  const [first, ...others] = rangesOf(query.select ?? {}).map((range) =>
    db.selectFrom(newestInRange(db, range, query).as('range')).select(['range.id', 'range.published_at']),
  );
  if (first === undefined) return [];
  // Not "union all": an article may have two of the tags.
  const newest = others.reduce((all, range) => all.union(range), first);
  const rows = await db
    .selectFrom(newest.orderBy('published_at', 'desc').orderBy('id', 'desc').limit(limit).offset(offset).as('newest'))
    .innerJoin('articles', 'articles.id', 'newest.id')
    .select('articles.document')
    .orderBy('newest.published_at', 'desc')
    .orderBy('newest.id', 'desc')
    .execute();
  return rows.map((row) => toArticle(row.document));
}

/** The articles that match, were public and have been retracted since `since`; newest retraction first. */
export async function findRetractedArticles(
  db: Db,
  select: Selection,
  since: number,
  limit: number,
): Promise<Article[]> {
  const { kinds, sections, kickers, tags, reporters } = select;
  const rows = await db
    // Materialised, or SQLite reads a million articles of a kind to find the few that were retracted.
    .with(
      (cte) => cte('retracted').materialized(),
      (q) =>
        q
          .selectFrom('articles')
          .selectAll()
          .where('state', '=', 'retracted')
          .where('noted_at', '>=', since)
          .whereRef('published_at', '<=', 'noted_at'),
    )
    .selectFrom('retracted')
    .$if(kinds !== undefined, (q) => q.where('retracted.kind', 'in', kinds as string[]))
    .$if(sections !== undefined, (q) => q.where('retracted.section', 'in', sections as string[]))
    .$if(kickers !== undefined, (q) => q.where('retracted.kicker', 'in', kickers as string[]))
    .$if(tags !== undefined, (q) =>
      q.where('retracted.id', 'in', (sub) =>
        sub
          .selectFrom('article_tags')
          .select('article_id')
          .where('tag', 'in', tags as string[]),
      ),
    )
    .$if(reporters !== undefined, (q) =>
      q.where('retracted.id', 'in', (sub) =>
        sub
          .selectFrom('article_reporters')
          .select('article_id')
          .where('reporter', 'in', slugsOf(reporters as string[])),
      ),
    )
    .select('retracted.document')
    .orderBy('retracted.noted_at', 'desc')
    .orderBy('retracted.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => toArticle(row.document));
}

/** The articles that a selection names, in whatever state, for a statement that takes a few of them by id. */
export function articlesOf(db: Db, { kinds, sections, kickers, tags, reporters }: Selection) {
  return db
    .selectFrom('articles')
    .$if(kinds !== undefined, (q) => q.where('articles.kind', 'in', kinds as string[]))
    .$if(sections !== undefined, (q) => q.where('articles.section', 'in', sections as string[]))
    .$if(kickers !== undefined, (q) => q.where('articles.kicker', 'in', kickers as string[]))
    .$if(tags !== undefined, (q) =>
      q.where((e) =>
        // Correlated: the list of all that have a tag may be long.
        e.exists(
          e
            .selectFrom('article_tags')
            .select('article_tags.tag')
            .whereRef('article_tags.article_id', '=', 'articles.id')
            .where('article_tags.tag', 'in', tags as string[]),
        ),
      ),
    )
    .$if(reporters !== undefined, (q) =>
      q.where((e) =>
        e.exists(
          e
            .selectFrom('article_reporters')
            .select('article_reporters.reporter')
            .whereRef('article_reporters.article_id', '=', 'articles.id')
            .where('article_reporters.reporter', 'in', slugsOf(reporters as string[])),
        ),
      ),
    );
}

/** The article of that id, in whatever state, or null. */
export async function findArticle(db: Db, id: string): Promise<Article | null> {
  const row = await db.selectFrom('articles').select('document').where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toArticle(row.document);
}

/** The articles of those ids, in whatever state, in no order. */
export async function findArticles(db: Db, ids: string[]): Promise<Article[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('articles').select('document').where('id', 'in', ids).execute();
  return rows.map((row) => toArticle(row.document));
}

/** The article that has or once had that slug, in whatever state, or null. */
export async function findArticleBySlug(db: Db, slug: string): Promise<Article | null> {
  const row = await db
    .selectFrom('article_slugs')
    .innerJoin('articles', 'articles.id', 'article_slugs.article_id')
    .select('articles.document')
    .where('article_slugs.slug', '=', slug)
    .executeTakeFirst();
  return row === undefined ? null : toArticle(row.document);
}

/** Whether the store holds no article at all. */
export async function hasNoArticles(db: Db): Promise<boolean> {
  return (await db.selectFrom('articles').select('id').limit(1).executeTakeFirst()) === undefined;
}

/** The article as the store's JSON holds it. */
export function toArticle(document: string): Article {
  return JSON.parse(document) as Article;
}

/** Equal values that one index holds together in the order of time, and what else must match, which is looked at row by row. */
interface Range {
  reporter?: string;
  tag?: string;
  kicker?: string;
  section?: string;
  kind?: string;
  also: Selection;
}

/**
 * A selection as ranges of one index each. A list of values and an order by time in one query would make either database sort
 * all that match: with a million articles 1.3 s for a feed, against 2 ms for the newest of each range.
 */
function rangesOf(select: Selection): Range[] {
  const { reporters, ...butReporters } = select;
  if (reporters !== undefined) return slugsOf(reporters).map((reporter) => ({ reporter, also: butReporters }));
  const { tags, ...butTags } = butReporters;
  if (tags !== undefined) return distinct(tags).map((tag) => ({ tag, also: butTags }));
  const { kickers, ...butKickers } = butTags;
  if (kickers !== undefined) return distinct(kickers).map((kicker) => ({ kicker, also: butKickers }));
  const { sections, kinds } = butKickers;
  if (sections !== undefined) {
    const each = distinct(kinds ?? KINDS);
    return distinct(sections).flatMap((section) => each.map((kind) => ({ section, kind, also: {} })));
  }
  return kinds === undefined ? [{ also: {} }] : distinct(kinds).map((kind) => ({ kind, also: {} }));
}

function newestInRange(db: Db, range: Range, query: ArticleQuery) {
  const { from, now, until, limit, offset = 0 } = query;
  const { reporter, tag, kicker, section, kind, also } = range;
  // The table whose index holds the range in the order of time.
  const table = reporter !== undefined ? 'article_reporters' : tag !== undefined ? 'article_tags' : 'articles';
  const time = sql<number>`${sql.ref(`${table}.published_at`)}`;
  return db
    .selectFrom('articles')
    .$if(
      tag !== undefined,
      (q) =>
        q
          .innerJoin('article_tags', 'article_tags.article_id', 'articles.id')
          .where('article_tags.tag', '=', tag as string) as unknown as typeof q,
    )
    .$if(
      reporter !== undefined,
      (q) =>
        q
          .innerJoin('article_reporters', 'article_reporters.article_id', 'articles.id')
          .where('article_reporters.reporter', '=', reporter as string) as unknown as typeof q,
    )
    .$if(kicker !== undefined, (q) => q.where('articles.kicker', '=', kicker as string))
    .$if(section !== undefined, (q) => q.where('articles.section', '=', section as string))
    .$if(kind !== undefined, (q) => q.where('articles.kind', '=', kind as string))
    .where(matches(also))
    .where('articles.state', 'in', PUBLIC_STATES)
    .where(time, '<=', now)
    .$if(from !== undefined, (q) => q.where(time, '>=', from as number))
    .$if(until !== undefined, (q) => q.where(time, '<', until as number))
    .select(['articles.id', 'articles.published_at'])
    .orderBy(time, 'desc')
    .orderBy(sql.ref(table === 'articles' ? 'articles.id' : `${table}.article_id`), 'desc')
    .limit(limit + offset);
}

/** What of a selection is looked at row by row, in a query of `articles`. */
export function matches({ kinds, sections, kickers, tags, reporters }: Selection): RawBuilder<SqlBool> {
  const among = (column: string, values: readonly string[]) => sql`${sql.ref(column)} in (${sql.join(values)})`;
  const all = [
    ...(kinds === undefined ? [] : [among('articles.kind', kinds)]),
    ...(sections === undefined ? [] : [among('articles.section', sections)]),
    ...(kickers === undefined ? [] : [among('articles.kicker', kickers)]),
    ...(tags === undefined
      ? []
      : [
          sql`exists (select 1 from article_tags as tagged
          where tagged.article_id = articles.id and ${among('tagged.tag', tags)})`,
        ]),
    ...(reporters === undefined
      ? []
      : [
          sql`exists (select 1 from article_reporters as reported
          where reported.article_id = articles.id and ${among('reported.reporter', slugsOf(reporters))})`,
        ]),
  ];
  return all.length === 0 ? sql`1 = 1` : sql`${sql.join(all, sql` and `)}`;
}

/** Number of articles by state. Reads all of them: give it `store.reports`. */
export async function countArticles(db: Db): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('articles')
    .select((e) => ['state', e.fn.countAll<number>().as('count')])
    .groupBy('state')
    .orderBy('state')
    .execute();
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
