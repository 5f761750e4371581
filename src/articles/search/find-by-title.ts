/**
 * Finds articles by words of their headline, newest first. It reads the index month by month, from the newest on: words
 * that many headlines have are found in the first months, and rare ones cost a look-up for each month.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../../core/store/store.ts';
import { monthOf, type QueryTerm, startOfMonth } from './title-terms.ts';

/** The place of an article in a list, newest first. */
export interface ListPlace {
  publishedAt: number;
  id: string;
}

export interface TitleSearch {
  /** Each article that is found has all of them. */
  terms: readonly QueryTerm[];
  /** Further queries of `id` and `published_at` in a range of time, in which the articles must be, too. */
  within: readonly ((from: number, until: number) => RawBuilder<unknown>)[];
  after: ListPlace | null;
  /** Articles of a step. */
  size: number;
}

/** A step of the search: what it found, newest first; after it, all articles from `searchedTo` on are searched. */
export interface SearchStep {
  places: ListPlace[];
  /** Null while articles after the last one are left in the same months. */
  searchedTo: number | null;
  /** The search ends here, although older months are left. */
  isPause?: boolean;
}

/** Rows of the index that a step reads, about: few at first, because they may be enough. */
const FIRST_ROWS = 1_000;
const GROWTH = 4;
/** Months that are read together, and of a step at most: each is a look-up in the index. */
const MAX_MONTHS = 256;
/** Rows of the index that a search reads, about: words that are common and never together would have it read all. */
const MAX_ROWS = 20_000;

/** A code point after those of all terms: text has none of the last plane. */
const LAST = '\u{10ffff}';

/** Yields steps until all months are searched, or so many rows are read that the search should pause. */
export async function* findByTerms(db: Db, search: TitleSearch): AsyncGenerator<SearchStep> {
  const { after, size } = search;
  let stepRows = FIRST_ROWS;
  let rowsLeft = MAX_ROWS;
  // Not searched yet, newest first. Read together: a step that asks for its own months waits for the database again.
  let months: number[] = [];
  let upTo = after === null ? Number.MAX_SAFE_INTEGER : monthOf(after.publishedAt);
  for (;;) {
    if (months.length === 0) months = await monthsUpTo(db, upTo, MAX_MONTHS);
    const [newest] = months;
    if (newest === undefined) return;
    if (rowsLeft <= 0) {
      yield { places: [], searchedTo: startOfMonth(upTo + 1), isPause: true };
      return;
    }
    // The newest month tells how many rows the next ones have.
    const rows = Math.max(await countRows(db, newest, search), 1);
    const step = months.splice(0, Math.max(Math.floor(Math.min(stepRows, rowsLeft) / rows), 1));
    const last = step.at(-1) ?? newest;
    for (let place = after; ; ) {
      const places = await findInMonths(db, step, search, place);
      const isDone = places.length < size;
      yield { places, searchedTo: isDone ? startOfMonth(last) : null };
      if (isDone) break;
      place = places.at(-1) ?? null;
    }
    rowsLeft -= rows * step.length;
    upTo = last - 1;
    stepRows *= GROWTH;
  }
}

/** The newest months with articles, up to one; each is a look-up in the index. */
async function monthsUpTo(db: Db, newest: number, count: number): Promise<number[]> {
  const { rows } = await sql<{ month: number }>`
    with recursive months (month, number) as (
      select max(month), 1 from article_words where month <= ${newest}
      union all
      select (select max(w.month) from article_words w where w.month < months.month), number + 1
      from months where months.month is not null and number < ${sql.lit(count)}
    )
    select month from months where month is not null order by month desc`.execute(db);
  return rows.map(({ month }) => month);
}

async function countRows(db: Db, month: number, { terms }: TitleSearch): Promise<number> {
  const counts = terms.map((term) => sql`(${rowsOf([month], term, sql`count(*)`)})`);
  const { rows } = await sql<{ count: number }>`select ${sql.join(counts, sql` + `)} as count`.execute(db);
  return rows[0]?.count ?? 0;
}

function rowsOf(months: number[], { isPrefix, term }: QueryTerm, columns: RawBuilder<unknown>): RawBuilder<unknown> {
  const isTerm = isPrefix ? sql`word >= ${term} and word < ${term + LAST}` : sql`word = ${term}`;
  const inMonths = sql`month in (${sql.join(months.map((month) => sql.lit(month)))})`;
  return sql`select ${columns} from article_words where ${inMonths} and ${isTerm}`;
}

async function findInMonths(
  db: Db,
  months: number[],
  { terms, within, size }: TitleSearch,
  after: ListPlace | null,
): Promise<ListPlace[]> {
  const columns = sql`article_id as id, published_at`;
  const isAfter = after === null ? sql`` : sql`and ${isAfterPlace('published_at', 'article_id', after)}`;
  const until = startOfMonth((months[0] ?? 0) + 1);
  const from = startOfMonth(months.at(-1) ?? 0);
  const sets = [
    ...within.map((query) => query(from, until)),
    ...terms.map((term) => sql`${rowsOf(months, term, columns)} ${isAfter}`),
  ];
  // A set has an article once; a word and its longer forms may have it several times.
  const found = sets.length === 1 ? sql`select distinct * from (${sets[0]}) as one` : sql.join(sets, sql` intersect `);
  const { rows } = await sql<{ id: string; published_at: number }>`
    select id, published_at from (${found}) as found order by published_at desc, id desc limit ${size}`.execute(db);
  return rows.map((row) => ({ publishedAt: row.published_at, id: row.id }));
}

/** Whether a row comes after a place in a list, newest first. */
export function isAfterPlace(time: string, id: string, place: ListPlace): RawBuilder<SqlBool> {
  return sql`(${sql.ref(time)}, ${sql.ref(id)}) < (${place.publishedAt}, ${place.id})`;
}
