/**
 * Finds articles by their words, newest first. It reads the index month by month, from the newest on: words that many
 * articles have are found in the first months, and rare ones cost a look-up for each month.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import {
  entriesWith,
  entryCount,
  indexedMonths,
  monthsWith,
  type QueryTerm,
} from '../../core/store/search/term-index.ts';
import { type Db, dialectOf } from '../../core/store/store.ts';
import { monthOf, startOfMonth } from './search-terms.ts';

/** The place of an article in a list, newest first. */
export interface ListPlace {
  publishedAt: number;
  id: string;
}

export interface TermSearch {
  /** Each article that is found has all of them. */
  terms: readonly QueryTerm[];
  /** Also drafts and retracted articles. */
  withHidden: boolean;
  /** Published from this instant on, and before that one. */
  from: number;
  until: number;
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
/** Articles of a month, up to which a word is looked up alone in all of them first: most months have none. */
const RARE = 10;

/** Yields steps until all months are searched, or so many rows are read that the search should pause. */
export async function* findByTerms(db: Db, search: TermSearch): AsyncGenerator<SearchStep> {
  const { after, size, from, until } = search;
  let stepRows = FIRST_ROWS;
  let rowsLeft = MAX_ROWS;
  const last = Math.min(after?.publishedAt ?? until - 1, until - 1);
  // Below the last instant that a date can have (ECMA-262 §21.4.1.1).
  const isBounded = last < 8.64e15;
  let upTo = isBounded ? monthOf(last) : Number.MAX_SAFE_INTEGER;
  // Not searched yet, newest first. Read together: a step that asks for its own months waits for the database again.
  // The first is not counted: a count of this month would tell how many articles under embargo have the words.
  let months = isBounded ? [upTo--] : [];
  let isCounted = !isBounded;
  for (;;) {
    if (months.length === 0) {
      const all = await indexedMonths(db, upTo, MAX_MONTHS);
      const next = all.filter((month) => startOfMonth(month + 1) > from);
      if (next.length === 0) return;
      upTo = (next.at(-1) as number) - 1;
      months = await withRarest(db, next, search);
      if (months.length === 0) yield { places: [], searchedTo: startOfMonth(upTo + 1) };
    }
    const [newest] = months;
    if (newest === undefined) continue;
    if (rowsLeft <= 0) {
      yield { places: [], searchedTo: startOfMonth(newest + 1), isPause: true };
      return;
    }
    // The newest month tells how many rows the next ones have.
    const counts = isCounted ? await countRows(db, newest, search) : [stepRows];
    const rows = counts.reduce((one, other) => one + other, 0);
    const step = months.splice(0, Math.max(Math.floor(Math.min(stepRows, rowsLeft) / Math.max(rows, 1)), 1));
    for (let place = after; ; ) {
      const places = await findInMonths(db, step, search, place);
      const isDone = places.length < size;
      yield {
        places,
        searchedTo: isDone ? startOfMonth(months.length > 0 ? (step.at(-1) as number) : upTo + 1) : null,
      };
      if (isDone) break;
      place = places.at(-1) ?? null;
    }
    rowsLeft -= isCounted ? rows * step.length : 0;
    stepRows *= GROWTH;
    isCounted = true;
  }
}

/** The months that have the rarest term, where it is rare; otherwise all. */
async function withRarest(db: Db, months: number[], search: TermSearch): Promise<number[]> {
  const counts = await countRows(db, months[0] as number, search);
  const fewest = Math.min(...counts);
  if (counts.length === 1 || fewest > RARE) return months;
  const rarest = search.terms.filter((_, index) => index === counts.indexOf(fewest));
  const found = await monthsWith(db, { terms: rarest, months, withHidden: search.withHidden });
  return months.filter((month) => found.includes(month));
}

/** Number of rows that each term has in a month. */
async function countRows(db: Db, month: number, { terms, withHidden }: TermSearch): Promise<number[]> {
  const counts = terms.map((term, index) => {
    const count = entryCount(dialectOf(db), { terms: [term], months: [month], withHidden });
    return sql`${count} as ${sql.ref(`count${index}`)}`;
  });
  const { rows } = await sql<Record<string, number>>`select ${sql.join(counts)}`.execute(db);
  return Object.values(rows[0] ?? {});
}

async function findInMonths(
  db: Db,
  months: number[],
  { terms, withHidden, from, until, size }: TermSearch,
  after: ListPlace | null,
): Promise<ListPlace[]> {
  const isAfter = after === null ? sql`` : sql`and ${isAfterPlace('entry.published_at', 'entry.article_id', after)}`;
  const { rows } = await sql<{ id: string; published_at: number }>`
    select entry.article_id as id, entry.published_at from ${entriesWith(dialectOf(db), { terms, months, withHidden })}
      and entry.published_at >= ${from} and entry.published_at < ${until} ${isAfter}
    order by entry.published_at desc, entry.article_id desc limit ${size}`.execute(db);
  return rows.map((row) => ({ publishedAt: row.published_at, id: row.id }));
}

/** Whether a row comes after a place in a list, newest first. */
export function isAfterPlace(time: string, id: string, place: ListPlace): RawBuilder<SqlBool> {
  return sql`(${sql.ref(time)}, ${sql.ref(id)}) < (${place.publishedAt}, ${place.id})`;
}
