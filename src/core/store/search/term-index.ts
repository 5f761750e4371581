/**
 * An inverted index of terms: FTS5 of SQLite, and a GIN index of PostgreSQL. Both hold each term with the month of its
 * article's publication, as `671:ferry`, so that a look-up reads the articles of one month. Terms of hidden articles
 * begin with `~`: what the public searches neither reads nor counts them.
 */
import { type RawBuilder, sql } from 'kysely';
import { jsonRows } from '../json-rows.ts';
import { type Db, type Dialect, dialectOf, type Tx } from '../store.ts';

export interface IndexEntry {
  articleId: string;
  /** Epoch milliseconds. */
  publishedAt: number;
  month: number;
  isHidden: boolean;
  /** Letters, digits, marks, `/` and `-`; in lower case. */
  terms: string[];
}

/** A term of a query, as the index holds it. */
export interface QueryTerm {
  /** Whether it is the beginning of stored terms, or one of them. */
  isPrefix: boolean;
  term: string;
}

/** Replaces the entries of stored articles. */
export async function replaceEntries(tx: Tx, entries: readonly IndexEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const ids = entries.map(({ articleId }) => articleId);
  await tx.deleteFrom('indexed_articles').where('article_id', 'in', ids).execute();
  const rows = entries.map(({ articleId, publishedAt, month, isHidden, terms }) => {
    const prefix = prefixOf(month, isHidden);
    return [articleId, publishedAt, month, terms.map((term) => prefix + term).join(' ')] as const;
  });
  const dialect = dialectOf(tx);
  const columns = { article_id: 'text', published_at: 'int', month: 'int', terms: 'text' } as const;
  const added = sql`${jsonRows(dialect, rows, columns)} as added`;
  const names = sql.raw('article_id, published_at, month');
  if (dialect === 'postgres') {
    await sql`insert into indexed_articles (${names}, terms)
      select ${names}, array_to_tsvector(string_to_array(terms, ' ')) from ${added}`.execute(tx);
    return;
  }
  await sql`insert into indexed_articles (${names}) select ${names} from ${added}`.execute(tx);
  await sql`insert into article_terms (rowid, terms) select entry.number, added.terms
    from ${added} cross join indexed_articles as entry where entry.article_id = added.article_id`.execute(tx);
}

function prefixOf(month: number, isHidden: boolean): string {
  return `${isHidden ? '~' : ''}${month}:`;
}

/** Merges new terms into the index of PostgreSQL: until then, each look-up reads them all. */
export async function mergePending(db: Db): Promise<void> {
  if (dialectOf(db) === 'sqlite') return;
  await sql`select gin_clean_pending_list('indexed_articles_by_term'::regclass)`.execute(db);
}

/** Terms that an article must all have, and where they are looked up. */
export interface TermLookUp {
  terms: readonly QueryTerm[];
  months: readonly number[];
  /** Also hidden articles. */
  withHidden: boolean;
}

/** The articles of a look-up, after `from`: rows of `indexed_articles as entry`, with a condition. */
export function entriesWith(dialect: Dialect, lookUp: TermLookUp): RawBuilder<unknown> {
  const queries = sql`${queriesOf(dialect, lookUp)} as queries`;
  return dialect === 'sqlite'
    ? sql`${queries} cross join article_terms cross join indexed_articles as entry
        where article_terms match queries.query and entry.number = article_terms.rowid`
    : // As a whole for each query: otherwise PostgreSQL reads the table in the order of time.
      sql`${queries} cross join lateral (select article_id, published_at from indexed_articles
        where terms @@ queries.query::tsquery offset 0) as entry where true`;
}

/** Number of articles of a look-up, as an expression. */
export function entryCount(dialect: Dialect, lookUp: TermLookUp): RawBuilder<unknown> {
  if (dialect === 'postgres') return sql`(select count(*) from ${entriesWith(dialect, lookUp)})`;
  return sql`(select count(*) from ${queriesOf(dialect, lookUp)} as queries
    cross join article_terms where article_terms match queries.query)`;
}

/** The months of a look-up in which it finds something; in no particular order. */
export async function monthsWith(db: Db, lookUp: TermLookUp): Promise<number[]> {
  const { rows } = await sql<{ month: number }>`select distinct queries.month
    from ${entriesWith(dialectOf(db), lookUp)}`.execute(db);
  return rows.map(({ month }) => month);
}

/** The newest months with articles up to one, newest first; each is a look-up in the index. */
export async function indexedMonths(db: Db, upTo: number, count: number): Promise<number[]> {
  const { rows } = await sql<{ month: number }>`
    with recursive months (month, number) as (
      select max(month), 1 from indexed_articles where month <= ${upTo}
      union all
      select (select max(i.month) from indexed_articles i where i.month < months.month), number + 1
      from months where months.month is not null and number < ${sql.lit(count)}
    )
    select month from months where month is not null order by month desc`.execute(db);
  return rows.map(({ month }) => month);
}

/** A query for each month, and for hidden articles another: `month`, `query`. */
function queriesOf(dialect: Dialect, { terms, months, withHidden }: TermLookUp): RawBuilder<unknown> {
  const rows = months.flatMap((month) =>
    (withHidden ? [false, true] : [false]).map((isHidden) => {
      const prefix = prefixOf(month, isHidden);
      const words = terms.map(({ term, isPrefix }) =>
        dialect === 'sqlite' ? `"${prefix}${term}"${isPrefix ? '*' : ''}` : `'${prefix}${term}'${isPrefix ? ':*' : ''}`,
      );
      return [month, words.join(dialect === 'sqlite' ? ' AND ' : ' & ')] as const;
    }),
  );
  return jsonRows(dialect, rows, { month: 'int', query: 'text' });
}
