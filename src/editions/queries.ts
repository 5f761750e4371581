/**
 * Reads closed editions. An edition can have several revisions, each with a row and deliveries of its own. Lists have
 * the newest revision of each edition.
 */
import { type SqlBool, sql } from 'kysely';
import type { Article } from '../articles/article.ts';
import { toArticle } from '../articles/stored-document.ts';
import type { Db } from '../core/store/store.ts';
import type { EditionDeliveryState, OmissionReason } from '../core/store/tables/edition-tables.ts';

/** A closed edition without its content. */
export interface EditionSummary {
  id: number;
  newsletter: string;
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  slot: string;
  slotAt: number;
  cutoffAt: number;
  /** The same in all revisions. */
  number: number;
  /** Counts from 1. */
  revision: number;
  /** The id of the next revision; null for the newest one. */
  supersededBy: number | null;
  /** Not shortened: `Tech Roundup: first item, second item`. */
  headline: string;
  /** Subject of the mail. */
  subject: string;
  /** The roundup article that represents it in feeds; the same in all revisions. */
  articleId: string;
  /** When this revision closed. */
  closedAt: number;
}

/** A closed edition. `html` and `text` contain personal placeholders, marked with `nonce`. */
export interface Edition extends EditionSummary {
  preheader: string;
  nonce: string;
  html: string;
  text: string;
  archiveHtml: string;
  /** The right side of its copies' Message-IDs; null for an edition that closed before it was stored. */
  messageIdDomain: string | null;
}

const SUMMARY = [
  'id',
  'newsletter',
  'slot',
  'slot_at as slotAt',
  'cutoff_at as cutoffAt',
  'number',
  'revision',
  'superseded_by as supersededBy',
  'headline',
  'subject',
  'article_id as articleId',
  'closed_at as closedAt',
] as const;
const CONTENT = [
  'preheader',
  'nonce',
  'html',
  'text',
  'archive_html as archiveHtml',
  'message_id_domain as messageIdDomain',
] as const;

function summaries(db: Db) {
  return db.selectFrom('editions').select(SUMMARY);
}

/** Finds an edition by newsletter and slot label. @param revision default: the newest one */
export async function findEdition(
  db: Db,
  newsletter: string,
  slot: string,
  revision?: number,
): Promise<Edition | null> {
  const edition = await summaries(db)
    .select(CONTENT)
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .$if(revision !== undefined, (q) => q.where('revision', '=', revision as number))
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst();
  return edition ?? null;
}

/** Lists all revisions of an edition, the newest first. */
export function listRevisions(db: Db, newsletter: string, slot: string): Promise<EditionSummary[]> {
  return summaries(db)
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .orderBy('revision', 'desc')
    .execute();
}

/**
 * The name of an edition in commands: `daily-roundup/2026-11-24` for its newest revision, `daily-roundup/2026-11-24@1`
 * for an older one.
 */
export function fullEditionName({
  newsletter,
  slot,
  revision,
  supersededBy,
}: Pick<EditionSummary, 'newsletter' | 'slot' | 'revision' | 'supersededBy'>): string {
  return `${newsletter}/${slot}${supersededBy === null ? '' : `@${revision}`}`;
}

/** Finds an edition by id. */
export async function findEditionById(db: Db, id: number): Promise<Edition | null> {
  return (await summaries(db).select(CONTENT).where('id', '=', id).executeTakeFirst()) ?? null;
}

/** Lists the editions of a newsletter, or of all newsletters if it is null; newest slot first. */
export function listEditions(db: Db, newsletter: string | null, limit: number, offset = 0): Promise<EditionSummary[]> {
  return summaries(db)
    .where('superseded_by', 'is', null)
    .$if(newsletter !== null, (q) => q.where('newsletter', '=', newsletter as string))
    .orderBy('slot_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
}

/** The place of an edition in `listEditionsAfter`. */
export type EditionPosition = Pick<EditionSummary, 'slotAt' | 'id'>;

/** Which editions a list has. An empty text narrows nothing. */
export interface EditionSearch {
  newsletter: string;
  state: EditionDeliveryState | '';
  /** First and last day, such as `2026-11-24`. */
  from: string;
  until: string;
}

function searchEditions(db: Db, { newsletter, state, from, until }: EditionSearch) {
  return (
    db
      .selectFrom('editions')
      .where('superseded_by', 'is', null)
      .$if(newsletter !== '', (q) => q.where('newsletter', '=', newsletter))
      .$if(state !== '', (q) => q.where('delivery_state', '=', state as EditionDeliveryState))
      .$if(from !== '', (q) => q.where('slot', '>=', from))
      // Labels of a day that has several go on after its date.
      .$if(until !== '', (q) => q.where('slot', '<', `${until}.`))
  );
}

export async function countEditions(db: Db, search: EditionSearch): Promise<number> {
  const counted = searchEditions(db, search).select((e) => e.fn.countAll().as('count'));
  return Number((await counted.executeTakeFirstOrThrow()).count);
}

/**
 * A page of editions, newest slot first.
 * @param after the last edition of the page before; null for the first page
 */
export function listEditionsAfter(
  db: Db,
  search: EditionSearch,
  after: EditionPosition | null,
  limit: number,
): Promise<(EditionSummary & { deliveryState: EditionDeliveryState })[]> {
  return searchEditions(db, search)
    .select(SUMMARY)
    .select('delivery_state as deliveryState')
    .$if(after !== null, (q) => {
      const { slotAt, id } = after as EditionPosition;
      // Compared as a pair, so that the index of newest editions is used.
      return q.where(sql<SqlBool>`(slot_at, id) < (cast(${slotAt} as bigint), cast(${id} as bigint))`);
    })
    .orderBy('slot_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/**
 * The instants at which the first revision of an edition closed, and that of the next one of its newsletter; the second
 * is null for the newest edition.
 */
export async function closedUntilNext(
  db: Db,
  edition: EditionSummary,
): Promise<{ from: number; until: number | null }> {
  const next = await findNextEdition(db, edition);
  return {
    from: await firstClosedAt(db, edition),
    until: next === null ? null : await firstClosedAt(db, next),
  };
}

/** Finds the next edition of a newsletter by number; null for the newest one. */
export async function findNextEdition(
  db: Db,
  { newsletter, number }: Pick<EditionSummary, 'newsletter' | 'number'>,
): Promise<Pick<EditionSummary, 'newsletter' | 'slot'> | null> {
  const next = await db
    .selectFrom('editions')
    .select(['newsletter', 'slot'])
    .where('newsletter', '=', newsletter)
    .where('number', '>', number)
    .where('superseded_by', 'is', null)
    .orderBy('number')
    .limit(1)
    .executeTakeFirst();
  return next ?? null;
}

/** Ids of the editions under delivery or paused. */
export async function listUnfinishedEditionIds(db: Db): Promise<number[]> {
  // Literals, so that the partial indexes are used: an edition's row has hundreds of kilobytes.
  const { rows } = await sql<{ id: number }>`
    select id from editions where delivery_state = 'delivering'
    union all
    select id from editions where delivery_state = 'paused'`.execute(db);
  return rows.map(({ id }) => id);
}

/**
 * Lists the editions whose delivery is not over, newest slot first, however old they are. Only newest revisions are
 * among them: an edition that is reissued is cancelled.
 */
export async function listUnfinishedEditions(db: Db): Promise<EditionSummary[]> {
  const ids = await listUnfinishedEditionIds(db);
  if (ids.length === 0) return [];
  return summaries(db).where('id', 'in', ids).orderBy('slot_at', 'desc').orderBy('id', 'desc').execute();
}

/**
 * Lists a newsletter's last editions by number, highest first.
 * @param before only editions with a lower number
 */
export function lastEditions(
  db: Db,
  newsletter: string,
  limit: number,
  before: number | null = null,
): Promise<EditionSummary[]> {
  return summaries(db)
    .where('newsletter', '=', newsletter)
    .where('superseded_by', 'is', null)
    .$if(before !== null, (q) => q.where('number', '<', before as number))
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
}

/** The instant at which the first revision of an edition closed, epoch milliseconds. */
export async function firstClosedAt(
  db: Db,
  { newsletter, slot }: Pick<EditionSummary, 'newsletter' | 'slot'>,
): Promise<number> {
  const first = await db
    .selectFrom('editions')
    .select('closed_at')
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .orderBy('revision')
    .limit(1)
    .executeTakeFirstOrThrow();
  return first.closed_at;
}

/** Finds a newsletter's last edition by number; null before its first. @param before as for `lastEditions` */
export async function lastEdition(db: Db, newsletter: string, before?: number): Promise<EditionSummary | null> {
  return (await lastEditions(db, newsletter, 1, before))[0] ?? null;
}

/** Finds the newest edition of each newsletter, with the number of its editions; revisions of one count once. */
export async function findNewestEditions(
  db: Db,
): Promise<{ id: number; newsletter: string; closedAt: number; count: number }[]> {
  // Two steps, both by index: rows of editions hold whole documents.
  const { rows } = await sql<{ id: number; newsletter: string; closedAt: number; count: number }>`
    select editions.id, editions.newsletter, editions.closed_at as "closedAt", newest.count
    from editions join (
      select newsletter, max(number) as number, count(*) as count from editions
      where superseded_by is null group by newsletter
    ) as newest on newest.newsletter = editions.newsletter and newest.number = editions.number
    where editions.superseded_by is null
    order by editions.newsletter`.execute(db);
  return rows;
}

/** Lists the articles that were eligible for these editions and did not enter, by edition and article id. */
export function listOmissions(
  db: Db,
  editionIds: number[],
): Promise<{ editionId: number; articleId: string; reason: OmissionReason }[]> {
  return db
    .selectFrom('edition_omissions')
    .select(['edition_id as editionId', 'article_id as articleId', 'reason'])
    .where('edition_id', 'in', editionIds)
    .orderBy('edition_id')
    .orderBy('article_id')
    .execute();
}

/** Lists the articles of an edition, in display order. */
export function listEditionArticles(db: Db, editionId: number): Promise<{ id: string; block: string }[]> {
  return db
    .selectFrom('edition_articles')
    .select(['article_id as id', 'block'])
    .where('edition_id', '=', editionId)
    .orderBy('position')
    .execute();
}

/**
 * Finds an edition's stories, and its roundup article, that are corrected or retracted, except those whose note the
 * edition has shown; newest note first.
 */
export async function findArticlesNotedSince(db: Db, edition: Edition): Promise<Article[]> {
  const isShown = sql<SqlBool>`exists (
    select 1 from edition_corrections shown
    where shown.newsletter = ${edition.newsletter} and shown.article_id = articles.id
      and shown.noted_at = articles.noted_at and shown.edition_id = ${edition.id})`;
  const isOfEdition = sql<SqlBool>`(id = ${edition.articleId}
    or id in (select article_id from edition_articles where edition_id = ${edition.id}))`;
  const rows = await db
    .selectFrom('articles')
    .select('document')
    .where('state', 'in', ['retracted', 'corrected'])
    .where(isOfEdition)
    .where((e) => e.not(isShown))
    .orderBy('noted_at', 'desc')
    .orderBy('id')
    .execute();
  return rows.map(toArticle);
}
