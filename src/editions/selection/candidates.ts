/**
 * Queries the stories that are eligible for an edition, and the corrections that it must list. Only the columns that
 * selection needs are read: 100,000 new articles cost rows of a few numbers, not documents.
 */
import { type SqlBool, sql } from 'kysely';
import type { Kind } from '../../articles/article.ts';
import { matchesSelection, PUBLIC_STATES } from '../../articles/selection.ts';
import { type StoredDocument, toArticle } from '../../articles/stored-document.ts';
import type { Selection } from '../../core/config/config.ts';
import type { Db, Tx } from '../../core/store/store.ts';
import type { StoryBasis } from '../draft/approval.ts';
import { newestFirst, type StoryCandidate } from './ranking.ts';
import type { EditionWindow } from './window.ts';

/** Most corrections that one edition lists; the rest wait for the next. */
const MAX_CORRECTIONS = 20;

export interface CandidateOptions {
  newsletter: string;
  /** Which articles the newsletter takes by itself. */
  select: Selection;
  window: EditionWindow;
  /** The newsletter's last edition, or null before its first. */
  lastEditionId: number | null;
  /** The number of the edition that is composed again: its stories are not in another edition. */
  reissuedNumber: number | null;
  basis: Pick<StoryBasis, 'only' | 'added'>;
  /** Outlets that let an event in without an editor; null if only editors let items in. */
  ruleOutlets: number | null;
}

/**
 * Finds the public stories that are in no edition of the newsletter and are inside the window or pinned, as far as it
 * selects them, or that the editor brought in; newest first. An editor's drop keeps a story out of later editions. What
 * a rule let in counts only where the newsletter's own rule does, or the editor brought it in. Reads only the window's
 * range of the index `articles_by_time`, and the partial index of pinned articles.
 */
export async function findCandidates(db: Db, options: CandidateOptions): Promise<StoryCandidate[]> {
  const { newsletter, select, window, lastEditionId, reissuedNumber, basis, ruleOutlets } = options;
  const eligible = db
    .selectFrom('articles')
    .select(['id', 'kind', 'kicker', 'section', 'event_key as eventKey', 'pinned', 'published_at as publishedAt'])
    .select(['outlets', 'by_rule as byRule'])
    .where('state', 'in', PUBLIC_STATES)
    .where('kind', '<>', 'roundup')
    .where('published_at', '<', window.until)
    .where((e) => e.not(isInEditionOf(newsletter, reissuedNumber)));
  const ids = [...(basis.only ?? basis.added)];
  const named = ids.length === 0 ? [] : await eligible.where('id', 'in', ids).execute();
  if (basis.only !== null) return named.map(toCandidate).sort(newestFirst);
  const automatic = eligible.where((e) => e.not(wasDroppedBy(newsletter))).where(matchesSelection(select));
  const recent = automatic
    .where('pinned', '=', 0)
    .where('published_at', '>=', window.unseenFrom)
    .where((e) => e.or([e('published_at', '>=', window.from), e.not(wasOmittedFrom(lastEditionId))]));
  // A literal, not a parameter: otherwise SQLite cannot use the partial index.
  const pinned = automatic.where(sql<SqlBool>`pinned = 1`);
  const all = await recent.unionAll(pinned).orderBy('publishedAt', 'desc').orderBy('id', 'desc').execute();
  const rows = all.filter(({ byRule, outlets }) => byRule === 0 || hasEnoughOutlets(outlets, ruleOutlets));
  const found = new Set(rows.map(({ id }) => id));
  const added = named.filter(({ id }) => !found.has(id));
  return added.length === 0 ? rows.map(toCandidate) : [...rows, ...added].map(toCandidate).sort(newestFirst);
}

interface CandidateRow extends Omit<StoryCandidate, 'kind' | 'pinned' | 'outlets'> {
  kind: string;
  pinned: number;
  outlets: string | null;
  byRule: number;
}

function toCandidate({ byRule: _, ...row }: CandidateRow): StoryCandidate {
  return { ...row, kind: row.kind as Kind, pinned: row.pinned === 1, outlets: parseOutlets(row.outlets) };
}

function parseOutlets(stored: string | null): string[] {
  return stored === null ? [] : (JSON.parse(stored) as string[]);
}

/** Whether the rule of a newsletter lets in an item that an editor has not looked at. */
export function hasEnoughOutlets(outlets: string | null, ruleOutlets: number | null): boolean {
  return ruleOutlets !== null && parseOutlets(outlets).length >= ruleOutlets;
}

/**
 * Whether the current row of `articles` is in an edition of the newsletter.
 * @param exceptNumber an edition that does not count
 */
export function isInEditionOf(newsletter: string, exceptNumber: number | null = null) {
  const others =
    exceptNumber === null
      ? sql``
      : sql`and edition_articles.edition_id not in (
          select id from editions where newsletter = ${newsletter} and number = ${exceptNumber})`;
  return sql<SqlBool>`exists (
    select 1 from edition_articles
    where newsletter = ${newsletter} and edition_articles.article_id = articles.id ${others})`;
}

/** Whether an editor dropped the current row of `articles` from an edition of the newsletter. */
function wasDroppedBy(newsletter: string) {
  return sql<SqlBool>`exists (
    select 1 from edition_omissions dropped join editions on editions.id = dropped.edition_id
    where dropped.article_id = articles.id and dropped.reason = 'dropped' and editions.newsletter = ${newsletter})`;
}

/** Whether the current row of `articles` was omitted from that edition. */
export function wasOmittedFrom(editionId: number | null) {
  return sql<SqlBool>`exists (
    select 1 from edition_omissions
    where edition_id = ${editionId ?? -1} and edition_omissions.article_id = articles.id)`;
}

/** Identifies the article's content at the time of composing: an edition cannot be closed if it has changed since. */
export interface ArticleVersion {
  articleId: string;
  digest: string;
  state: string;
}

/** An article with its JSON unparsed: one invalid document must not prevent the others from being read. */
export interface UnparsedArticle extends ArticleVersion, StoredDocument {}

/** Reads stored articles, by id; ids that do not exist are omitted. */
export async function findUnparsedArticles(db: Db, ids: string[]): Promise<Map<string, UnparsedArticle>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('articles')
    .select(['id as articleId', 'digest', 'state', 'document'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.articleId, row]));
}

export interface DueCorrection extends UnparsedArticle {
  /** Epoch milliseconds. */
  notedAt: number;
}

/**
 * Finds corrections and retractions of stories in earlier editions of the newsletter whose note no edition of it has
 * shown yet. Takes the oldest, so that none waits forever; returns them newest first.
 */
export async function findDueCorrections(db: Db, newsletter: string): Promise<DueCorrection[]> {
  const isShown = sql<SqlBool>`exists (
    select 1 from edition_corrections shown
    where shown.newsletter = ${newsletter} and shown.article_id = articles.id and shown.noted_at = articles.noted_at)`;
  const rows = await db
    .selectFrom('articles')
    .select(['id as articleId', 'digest', 'state', 'document'])
    .select((e) => e.ref('noted_at').$notNull().as('notedAt'))
    .where('noted_at', 'is not', null)
    .where('state', 'in', ['corrected', 'retracted'])
    // Not a join: SQLite would begin with the stories of all editions, 2 s of a newsletter with 500,000.
    .where(isInEditionOf(newsletter))
    .where((e) => e.not(isShown))
    .orderBy('noted_at')
    .orderBy('id')
    .limit(MAX_CORRECTIONS)
    .execute();
  return rows.reverse();
}

/**
 * Finds the corrections that an edition lists, to compose its next revision; newest first. Not those of its own
 * stories, and none whose note has changed since: the next edition lists that.
 */
export async function findListedCorrections(db: Db, editionId: number): Promise<DueCorrection[]> {
  const { rows } = await sql<DueCorrection>`
    select articles.id as "articleId", articles.digest, articles.state, articles.document, listed.noted_at as "notedAt"
    from edition_corrections as listed
    join articles on articles.id = listed.article_id and articles.noted_at = listed.noted_at
    where listed.edition_id = ${editionId} and articles.state in ('corrected', 'retracted')
      and articles.id not in (select article_id from edition_articles where edition_id = ${editionId})
    order by listed.noted_at desc, articles.id desc`.execute(db);
  return rows;
}

/** Headlines by article id; articles that do not exist, or cannot be read, are omitted. */
export async function findHeadlines(db: Db | Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const headlines = new Map<string, string>();
  for (const [id, stored] of await findUnparsedArticles(db, [...ids])) {
    try {
      headlines.set(id, toArticle(stored).headline);
    } catch {}
  }
  return headlines;
}
