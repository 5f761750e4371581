/** Reads articles. Every list is ordered by a unique key, so that both databases return the same. */
import { type RawBuilder, sql } from 'kysely';
import { KINDS, type Selection } from '../core/config/config.ts';
import type { Db } from '../core/store/store.ts';
import type { Article, Kind } from './article.ts';
import { distinct, FACET_INDEXES, indexedFacets, isOneOf, matchesSelection, PUBLIC_STATES } from './selection.ts';
import { type StoredDocument, toArticle } from './stored-document.ts';

export interface ArticleQuery {
  select?: Selection;
  /** Published at or after this instant. */
  from?: number | undefined;
  /** Published at or before this instant; later ones are not public yet. */
  now: number;
  /** Published before this instant. */
  until?: number | undefined;
  limit: number;
  /** Number of articles to skip, newest first. */
  offset?: number | undefined;
}

/**
 * Finds the public articles that match, newest first. The cost grows with `limit`, not with the store.
 *
 * A list of values and an order by time in one query would make either database sort all that match: with a million
 * articles 1.3 s for a feed, against 2 ms for the newest of each range of an index.
 */
export async function findPublicArticles(db: Db, query: ArticleQuery): Promise<Article[]> {
  const rows = await readPublic<StoredDocument>(db, query, sql.ref('articles.document'));
  return rows.map(toArticle);
}

/** The version of a document, which shows whether it must be read again. */
export interface ArticleHead {
  id: string;
  /** Version of the document; grows with each write of it. */
  version: number;
  publishedAt: number;
}

const HEAD = sql`articles.id, articles.document_version as version, articles.published_at as "publishedAt"`;

/** As `findPublicArticles`, without reading documents. */
export async function findPublicHeads(db: Db, query: ArticleQuery): Promise<ArticleHead[]> {
  return readPublic<ArticleHead>(db, query, HEAD);
}

/** What a ranking needs of an article, without its document. */
export interface RankingHead extends ArticleHead {
  kind: Kind;
  kicker: string | null;
  section: string | null;
  eventKey: string | null;
  /** 1 if an editor pinned it. */
  pinned: number;
}

const RANKING = sql`${HEAD}, articles.kind, articles.kicker, articles.section, articles.event_key as "eventKey",
  articles.pinned`;

/** As `findPublicHeads`, with what a ranking needs. */
export async function findRankingHeads(db: Db, query: ArticleQuery): Promise<RankingHead[]> {
  return readPublic<RankingHead>(db, query, RANKING);
}

/** Finds the public articles that an editor pinned and that were published since `from`, newest first. */
export async function findPinnedHeads(db: Db, from: number, now: number, limit: number): Promise<RankingHead[]> {
  const { rows } = await sql<RankingHead>`select ${RANKING} from articles
    where pinned = 1 and published_at >= ${from} and published_at <= ${now} and ${isOneOf('state', PUBLIC_STATES)}
    order by published_at desc, id desc limit ${limit}`.execute(db);
  return rows;
}

async function readPublic<Row>(db: Db, query: ArticleQuery, columns: RawBuilder<unknown>): Promise<Row[]> {
  const ranges = rangesOf(query.select ?? {});
  if (ranges.length === 0) return [];
  const { limit, offset = 0 } = query;
  const { rows } = await sql<Row>`
    select ${columns} from (${newestOf(ranges, query)}
      order by published_at desc, id desc limit ${limit} offset ${offset}) as newest
    cross join articles where articles.id = newest.id
    order by newest.published_at desc, newest.id desc`.execute(db);
  return rows;
}

/** Finds the articles that match, were public and have been retracted since `since`; newest retraction first. */
export async function findRetractedArticles(
  db: Db,
  select: Selection,
  since: number,
  limit: number,
): Promise<Article[]> {
  // Materialised: otherwise SQLite reads a million articles of a kind to find the few that were retracted.
  const { rows } = await sql<StoredDocument>`
    with retracted as materialized (
      select * from articles where state = 'retracted' and noted_at >= ${since} and published_at <= noted_at
    )
    select document from retracted where ${matchesSelection(select, 'retracted')}
    order by noted_at desc, id desc limit ${limit}`.execute(db);
  return rows.map(toArticle);
}

/** Finds an article by id, in any state. */
export async function findArticle(db: Db, id: string): Promise<Article | null> {
  const row = await db.selectFrom('articles').select('document').where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toArticle(row);
}

/** Finds articles by id, in any state; in no particular order. */
export async function findArticles(db: Db, ids: string[]): Promise<Article[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('articles').select('document').where('id', 'in', ids).execute();
  return rows.map(toArticle);
}

/** Finds documents with their versions, of articles in any state; in no particular order. */
export async function findDocuments(db: Db, ids: readonly string[]) {
  if (ids.length === 0) return [];
  const documents = db.selectFrom('articles').select(['id', 'document_version as version', 'document']);
  return documents.where('id', 'in', ids).execute();
}

/** Finds the article that has or had a slug, in any state. */
export async function findArticleBySlug(db: Db, slug: string): Promise<Article | null> {
  const row = await db
    .selectFrom('article_slugs')
    .innerJoin('articles', 'articles.id', 'article_slugs.article_id')
    .select('document')
    .where('article_slugs.slug', '=', slug)
    .executeTakeFirst();
  return row === undefined ? null : toArticle(row);
}

/** The newsroom's own stories: roundups have pages of editions, and the items of one are too many. */
const STORY_KINDS = ['brief', 'analysis', 'feature'] as const;

/** Finds the public stories right before and after an article: of its section, or of all if it has none. */
export async function findNeighbours(
  db: Db,
  { id, publishedAt, section }: Pick<Article, 'id' | 'publishedAt' | 'section'>,
  now: number,
): Promise<{ previous: Article | null; next: Article | null }> {
  const isInSection = section === null ? sql`` : sql`section = ${section} and`;
  const nearest = async (side: RawBuilder<unknown>, order: RawBuilder<unknown>): Promise<Article | null> => {
    // A range of an index for each kind: either database would sort all of a list of kinds.
    const ranges = STORY_KINDS.map(
      (kind) => sql`select id, published_at from (select id, published_at from articles
        where ${isInSection} kind = ${kind} and ${side} and ${isOneOf('state', PUBLIC_STATES)}
        order by published_at ${order}, id ${order} limit 1) as one_kind`,
    );
    const { rows } = await sql<StoredDocument>`select document from articles where id = (
      select id from (${sql.join(ranges, sql` union all `)}) as kinds
      order by published_at ${order}, id ${order} limit 1)`.execute(db);
    return rows[0] === undefined ? null : toArticle(rows[0]);
  };
  const place = sql`(cast(${publishedAt} as bigint), ${id})`;
  return {
    previous: await nearest(sql`(published_at, id) < ${place}`, sql`desc`),
    next: await nearest(sql`(published_at, id) > ${place} and published_at <= ${now}`, sql`asc`),
  };
}

export async function hasNoArticles(db: Db): Promise<boolean> {
  return (await db.selectFrom('articles').select('id').limit(1).executeTakeFirst()) === undefined;
}

/** Number of articles by state. Reads all of them: give it `store.reports`. */
export async function countArticles(db: Db): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('articles')
    .select((e) => ['state', e.fn.countAll<number>().as('count')])
    // Without those that represent alerts: no input brought them.
    .where((e) => e.not(e.and([e('state', '=', 'draft'), e('kind', '=', 'roundup'), e('origin', 'is', null)])))
    .groupBy('state')
    .orderBy('state')
    .execute();
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

/** A range of one index in the order of time, and the rest of the selection, which is checked row by row. */
interface IndexRange {
  /** The table that the index belongs to, and its column with the article's id. */
  table: string;
  id: string;
  /** Equal values of columns, by column. */
  equal: Record<string, string>;
  rest: Selection;
  /** Whether another range may have the same article. */
  mayRepeat: boolean;
}

function rangesOf(select: Selection): IndexRange[] {
  const [facet] = indexedFacets(select);
  if (facet !== undefined) {
    const { [facet]: names = [], ...rest } = select;
    const { table, id, column, values } = FACET_INDEXES[facet];
    const all = values(names);
    const mayRepeat = all.length > 1 && table !== 'articles';
    return all.map((value) => ({ table, id, equal: { [`${table}.${column}`]: value }, rest, mayRepeat }));
  }
  const { sections, kinds, languages } = select;
  const ofArticles = (equal: Record<string, string>): IndexRange => {
    return { table: 'articles', id: 'id', equal, rest: { languages }, mayRepeat: false };
  };
  if (sections !== undefined) {
    return distinct(sections).flatMap((section) =>
      distinct(kinds ?? KINDS).map((kind) => ofArticles({ 'articles.section': section, 'articles.kind': kind })),
    );
  }
  return kinds === undefined ? [ofArticles({})] : distinct(kinds).map((kind) => ofArticles({ 'articles.kind': kind }));
}

/**
 * The places of the newest articles, and perhaps of others. Of several ranges each is limited: PostgreSQL would
 * otherwise read all of them to their ends.
 */
function newestOf(ranges: IndexRange[], query: ArticleQuery): RawBuilder<unknown> {
  if (ranges.length === 1) return rowsOf(ranges[0] as IndexRange, query);
  const { limit, offset = 0 } = query;
  const limited = ranges.map(
    (range) => sql`select id, published_at from (${rowsOf(range, query)}
      order by published_at desc, id desc limit ${limit + offset}) as one_range`,
  );
  const union = ranges.some(({ mayRepeat }) => mayRepeat) ? sql` union ` : sql` union all `;
  return sql`select id, published_at from (${sql.join(limited, union)}) as ranges`;
}

/** The public articles of a range: `id` and `published_at`, both as in its index, for the sake of the order. */
function rowsOf({ table, id, equal, rest }: IndexRange, { from, now, until }: ArticleQuery): RawBuilder<unknown> {
  const [rowId, time] = [sql.ref(`${table}.${id}`), sql.ref(`${table}.published_at`)];
  const conditions = [
    ...(table === 'articles' ? [] : [sql`articles.id = ${rowId}`]),
    ...Object.entries(equal).map(([column, value]) => sql`${sql.ref(column)} = ${value}`),
    // One bound above: of two, SQLite gives the index the first, and reads all that is newer than the second.
    sql`${time} <= ${until === undefined ? now : Math.min(now, until - 1)}`,
    ...(from === undefined ? [] : [sql`${time} >= ${from}`]),
    isOneOf('articles.state', PUBLIC_STATES),
    matchesSelection(rest),
  ];
  return sql`select ${rowId} as id, ${time} as published_at
    from ${table === 'articles' ? sql`articles` : sql`${sql.table(table)} cross join articles`}
    where ${sql.join(conditions, sql` and `)}`;
}
