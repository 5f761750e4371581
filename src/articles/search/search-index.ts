/** Keeps the index of words of articles: with each write, and newest first for those stored before there was one. */
import { setTimeout } from 'node:timers/promises';
import { INDEXED_TO, readMeta, writeMeta } from '../../core/store/meta.ts';
import { mergePending, replaceEntries } from '../../core/store/search/term-index.ts';
import { type Db, dialectOf, inTransaction, lockName, type Tx } from '../../core/store/store.ts';
import { type Article, fullHeadline } from '../article.ts';
import { beginningOfText } from '../beginning.ts';
import { toArticle } from '../stored-document.ts';
import { isAfterPlace } from './find-by-terms.ts';
import { indexedTerms, MAX_TEXT, monthOf } from './search-terms.ts';

/** Replaces what the index has of stored articles. */
export async function indexArticles(tx: Tx, articles: Article[]): Promise<void> {
  const entries = articles.map((article) => {
    const { id: articleId, publishedAt, section, kind } = article;
    const { state } = article.status;
    const isHidden = state === 'draft' || state === 'retracted';
    const terms = [...indexedTerms(searchedText(article)), ...filterTerms({ section, kind, state })];
    return { articleId, publishedAt, month: monthOf(publishedAt), isHidden, terms };
  });
  await replaceEntries(tx, entries);
}

/** What a search reads of an article: its headline with the kicker, the dek and the body. */
export function searchedText(article: Article): string {
  return [fullHeadline(article), article.dek ?? '', beginningOfText(article.bodyHtml, MAX_TEXT)].join('\n');
}

/** Terms of facts by which a search is narrowed. They have a slash, unlike words. */
export function filterTerms(facts: Partial<Record<'section' | 'kind' | 'state', string | null>>): string[] {
  return Object.entries(facts).flatMap(([name, value]) =>
    value ? `${name}/${value.toLowerCase().replace(/[^a-z0-9-]/g, '-')}` : [],
  );
}

/** Articles of a step, which takes some 20 ms of the processor. */
const STEP = 50;

/** Indexes the next of the articles that wait for it, newest first. @returns whether others are left */
export function indexSome(db: Db): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    await lockName(tx, INDEXED_TO);
    const value = await readMeta(tx, INDEXED_TO);
    if (value === undefined) return false;
    const [publishedAt, id] = JSON.parse(value) as [number, string];
    const places = await tx
      .selectFrom('articles')
      .select(['id', 'published_at'])
      .where(isAfterPlace('published_at', 'id', { publishedAt, id }))
      .orderBy('published_at', 'desc')
      .orderBy('id', 'desc')
      .limit(STEP)
      .execute();
    const last = places.at(-1);
    await indexArticles(tx, await readLocked(tx, places));
    const isDone = last === undefined || places.length < STEP;
    await writeMeta(tx, INDEXED_TO, isDone ? null : JSON.stringify([last.published_at, last.id]));
    return !isDone;
  });
}

/** Between two steps, in ms: others write, too. */
const PAUSE = 20;

/** Indexes what waits for it, step by step, until the process stops. @returns work for `repeat` */
export function indexing(db: Db): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    while (!signal.aborted && (await indexSome(db))) await setTimeout(PAUSE);
    await mergePending(db);
  };
}

/** The articles as they stay until the transaction ends: one that is saved meanwhile would be indexed twice. */
async function readLocked(tx: Tx, places: { id: string }[]): Promise<Article[]> {
  if (places.length === 0) return [];
  const ids = places.map(({ id }) => id);
  const query = tx.selectFrom('articles').select('document').where('id', 'in', ids).orderBy('id');
  const rows = await (dialectOf(tx) === 'postgres' ? query.forShare() : query).execute();
  return rows.flatMap(readable);
}

/** A damaged article is found by no word, and holds up no other. */
function readable(row: { document: Uint8Array }): Article[] {
  try {
    return [toArticle(row)];
  } catch {
    return [];
  }
}

/** The instant up to which articles may not be indexed yet; null if all are. */
export async function unindexedBefore(db: Db, now: number): Promise<number | null> {
  const value = await readMeta(db, INDEXED_TO);
  return value === undefined ? null : Math.min((JSON.parse(value) as [number])[0], now);
}
