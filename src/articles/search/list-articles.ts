/**
 * Lists of articles, newest first: for editors in all states, and for the public what a search finds. A page reads a
 * bounded number of rows: where few of them match, it ends early and says how far it has looked.
 */
import { type RawBuilder, sql } from 'kysely';
import { KINDS } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { type Article, isPublic, type Kind } from '../article.ts';
import { toArticle } from '../stored-document.ts';
import { findByTerms, isAfterPlace, type ListPlace, type SearchStep } from './find-by-terms.ts';
import { filterTerms, searchedText } from './search-index.ts';
import type { WordQuery } from './search-terms.ts';

/** As an editor sees it: `embargoed` until its time, `published` after it. */
export const LISTED_STATES = ['draft', 'embargoed', 'published', 'corrected', 'retracted', 'pinned'] as const;
export type ListedState = (typeof LISTED_STATES)[number];

export interface ArticleFilter {
  state?: ListedState | undefined;
  kind?: Kind | undefined;
  section?: string | undefined;
  /** Words in headline, kicker, dek or body. */
  words?: WordQuery | undefined;
  /** With words only: public articles, published from an instant on, and before another. */
  publicIn?: { from: number; until: number } | undefined;
}

export interface ArticlePage {
  articles: Article[];
  /** Where the next page begins; null on the last one. */
  next: ListPlace | null;
  /** The page looked no further, and `next` goes on from there. Else null. */
  lookedBackTo: number | null;
}

/** Articles that a page reads at most: those that the indexes find and that do not match after all are few. */
const MAX_EXAMINED = 2_000;
/** With words: to look for them in a text of a thousand takes half a millisecond of the processor. */
const MAX_SEARCHED = 400;
const STEP = 200;

/** @param after the place of the last article of the page before; null for the first page */
export async function listArticles(
  db: Db,
  filter: ArticleFilter,
  { now, limit, after }: { now: number; limit: number; after: ListPlace | null },
): Promise<ArticlePage> {
  const found: Article[] = [];
  let examined = 0;
  let last: ListPlace | null = null;
  for await (const { places, searchedTo, isPause = false } of candidates(db, filter, now, after)) {
    for (let from = 0; from < places.length; from += limit + 1) {
      found.push(...(await readMatching(db, places.slice(from, from + limit + 1), filter, now)));
      const next = placeOf(found[limit - 1]);
      if (found.length > limit) return { articles: found.slice(0, limit), next, lookedBackTo: null };
    }
    examined += places.length;
    last = searchedTo === null ? (places.at(-1) ?? last) : { publishedAt: searchedTo, id: '' };
    if (isPause || examined >= (filter.words === undefined ? MAX_EXAMINED : MAX_SEARCHED)) {
      return { articles: found, next: last, lookedBackTo: last?.publishedAt ?? null };
    }
  }
  return { articles: found, next: null, lookedBackTo: null };
}

function placeOf(article: Article | undefined): ListPlace | null {
  return article === undefined ? null : { publishedAt: article.publishedAt, id: article.id };
}

/** A place as a parameter of an address. */
export function placeText({ publishedAt, id }: ListPlace): string {
  return `${publishedAt}.${id}`;
}

/** Null for the first page, and for anything else. */
export function parsePlace(after: string | undefined): ListPlace | null {
  const [, publishedAt, id] = /^(-?\d{1,15})\.([\w.~-]{0,128})$/.exec(after ?? '') ?? [];
  return publishedAt === undefined || id === undefined ? null : { publishedAt: Number(publishedAt), id };
}

/** The places among which the articles of a page are, newest first. */
function candidates(db: Db, filter: ArticleFilter, now: number, after: ListPlace | null): AsyncGenerator<SearchStep> {
  const { words, state, section, kind, publicIn } = filter;
  if (words === undefined) return findByFilter(db, filter, now, after);
  const facts = { section, kind, state: RARE_STATES.find((one) => one === state) };
  const filters = filterTerms(facts).map((term) => ({ isPrefix: false, term }));
  const embargoed = { from: now + 1, until: Number.MAX_SAFE_INTEGER };
  const all = { from: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER };
  const { from, until } = publicIn ?? (state === 'embargoed' ? embargoed : all);
  const range = { from, until: publicIn === undefined ? until : Math.min(until, now + 1) };
  const terms = [...words.terms, ...filters];
  return findByTerms(db, { terms, withHidden: publicIn === undefined, ...range, after, size: STEP });
}

/** They have an index; the others are told apart by time. */
const RARE_STATES = ['draft', 'corrected', 'retracted'] as const;

async function* findByFilter(
  db: Db,
  filter: ArticleFilter,
  now: number,
  after: ListPlace | null,
): AsyncGenerator<SearchStep> {
  for (let place = after; ; ) {
    const isAfter = place === null ? sql`1 = 1` : isAfterPlace('published_at', 'id', place);
    // The newest of each range of an index, as in `findPublicArticles`.
    // The place is the upper bound. With two, SQLite would begin at the other one.
    const ranges = rangesOf(filter, place === null || place.publishedAt > now ? now : null);
    const newest = ranges.map(
      (range) => sql`select id, published_at from (${placesIn(range, isAfter)}
        order by published_at desc, id desc limit ${STEP}) as newest`,
    );
    const { rows } = await sql<{ id: string; published_at: number }>`
      select id, published_at from (${sql.join(newest, sql` union all `)}) as places
      order by published_at desc, id desc limit ${STEP}`.execute(db);
    const places = rows.map((row) => ({ publishedAt: row.published_at, id: row.id }));
    const isDone = places.length < STEP;
    yield { places, searchedTo: isDone ? Number.MIN_SAFE_INTEGER : null };
    if (isDone) return;
    place = places.at(-1) ?? null;
  }
}

type SqlCondition = RawBuilder<unknown>;

function placesIn(range: SqlCondition[], and: SqlCondition): SqlCondition {
  return sql`select id, published_at from articles where ${sql.join([...range, and], sql` and `)}`;
}

/**
 * The articles of a filter as ranges of an index, each in the order of time. An index has all their columns.
 * @param now null where only articles up to an earlier instant are asked for
 */
function rangesOf({ state, kind, section }: ArticleFilter, now: number | null): SqlCondition[][] {
  const isInState = state === undefined ? [] : [stateCondition(state, now)];
  if (state !== undefined && state !== 'published') {
    // As expressions, so that no longer range of another index is read.
    const isOfKind = kind === undefined ? [] : [sql`kind || '' = ${kind}`];
    const isInSection = section === undefined ? [] : [sql`section || '' = ${section}`];
    return [[...isInState, ...isOfKind, ...isInSection]];
  }
  if (section === undefined) return [[...(kind === undefined ? [] : [sql`kind = ${kind}`]), ...isInState]];
  const kinds = kind === undefined ? KINDS : [kind];
  return kinds.map((one) => [sql`section = ${section}`, sql`kind = ${one}`, ...isInState]);
}

function stateCondition(state: ListedState, now: number | null): SqlCondition {
  switch (state) {
    case 'pinned':
      return sql`pinned = 1`;
    case 'embargoed':
      if (now === null) return sql`1 = 0`;
      return sql`published_at > ${now} and state in ('scheduled', 'published', 'corrected')`;
    case 'published':
      if (now === null) return sql`state in ('scheduled', 'published')`;
      return sql`published_at <= ${now} and state in ('scheduled', 'published')`;
    default:
      // SQLite uses a partial index only for the very condition of the index.
      return sql`state in ('draft', 'corrected', 'retracted') and state = ${sql.lit(state)}`;
  }
}

async function readMatching(db: Db, places: ListPlace[], filter: ArticleFilter, now: number): Promise<Article[]> {
  if (places.length === 0) return [];
  const ids = places.map(({ id }) => id);
  const rows = await db.selectFrom('articles').select(['document', 'origin']).where('id', 'in', ids).execute();
  const articles = rows.flatMap(({ origin, ...stored }) => {
    const article = toArticle(stored);
    // Those that represent alerts before they are sent: no input brought them.
    const isAlert = article.kind === 'roundup' && article.status.state === 'draft' && origin === null;
    return !isAlert && isSelected(article, filter, now) ? [article] : [];
  });
  const byId = new Map(articles.map((article) => [article.id, article]));
  // An article that has moved since it was indexed is found at its other place.
  return places.flatMap(({ id, publishedAt }) => {
    const article = byId.get(id);
    return article?.publishedAt === publishedAt ? article : [];
  });
}

/** Whether an article is among those of a filter, at `now`. Pure. */
export function isSelected(article: Article, filter: ArticleFilter, now: number): boolean {
  const { state, kind, section, words, publicIn } = filter;
  return (
    (publicIn === undefined || isPublic(article, now)) &&
    (state === undefined || (state === 'pinned' ? article.pinned : listedState(article, now) === state)) &&
    (kind === undefined || article.kind === kind) &&
    (section === undefined || article.section === section) &&
    (words === undefined || words.matches(searchedText(article)))
  );
}

/** The state of an article, as an editor sees it. A correction that is not public yet is embargoed. */
export function listedState({ status, publishedAt }: Article, now: number): Exclude<ListedState, 'pinned'> {
  const { state } = status;
  if (state === 'draft' || state === 'retracted') return state;
  if (publishedAt > now) return 'embargoed';
  return state === 'corrected' ? 'corrected' : 'published';
}
