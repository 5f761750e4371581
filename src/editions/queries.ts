/** Reads closed editions. */
import type { Selectable } from 'kysely';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

/** A closed edition without its content. */
export interface EditionSummary {
  id: number;
  newsletter: string;
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  slot: string;
  slotAt: number;
  cutoffAt: number;
  number: number;
  /** Not shortened: `Tech Roundup: first item, second item`. */
  headline: string;
  /** The roundup article that represents it in feeds. */
  articleId: string;
  closedAt: number;
}

/** A closed edition. `html` and `text` contain personal placeholders, marked with `nonce`. */
export interface Edition extends EditionSummary {
  subject: string;
  preheader: string;
  nonce: string;
  html: string;
  text: string;
  archiveHtml: string;
}

/** Finds an edition by newsletter and slot label. */
export async function findEdition(db: Db, newsletter: string, slot: string): Promise<Edition | null> {
  const row = await db
    .selectFrom('editions')
    .selectAll()
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .executeTakeFirst();
  return row === undefined ? null : toEdition(row);
}

/** Finds an edition by id. */
export async function findEditionById(db: Db, id: number): Promise<Edition | null> {
  const row = await db.selectFrom('editions').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toEdition(row);
}

/** Lists the editions of a newsletter, or of all newsletters if it is null; newest slot first. */
export async function listEditions(
  db: Db,
  newsletter: string | null,
  limit: number,
  offset = 0,
): Promise<EditionSummary[]> {
  const rows = await db
    .selectFrom('editions')
    .select(SUMMARY_COLUMNS)
    .$if(newsletter !== null, (q) => q.where('newsletter', '=', newsletter as string))
    .orderBy('slot_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.map(toSummary);
}

/** Lists a newsletter's last editions by number, highest first. */
export async function lastEditions(db: Db, newsletter: string, limit: number): Promise<EditionSummary[]> {
  const rows = await db
    .selectFrom('editions')
    .select(SUMMARY_COLUMNS)
    .where('newsletter', '=', newsletter)
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toSummary);
}

/** Finds a newsletter's last edition by number; null before its first. */
export async function lastEdition(db: Db, newsletter: string): Promise<EditionSummary | null> {
  return (await lastEditions(db, newsletter, 1))[0] ?? null;
}

/** The articles that were eligible for these editions and did not enter, by edition and article id. */
export function listOmissions(
  db: Db,
  editionIds: number[],
): Promise<{ editionId: number; articleId: string; reason: 'aged-out' | 'did-not-fit' }[]> {
  return db
    .selectFrom('edition_omissions')
    .select(['edition_id as editionId', 'article_id as articleId', 'reason'])
    .where('edition_id', 'in', editionIds)
    .orderBy('edition_id')
    .orderBy('article_id')
    .execute();
}

/** The articles of an edition, in its order. */
export function listEditionArticles(db: Db, editionId: number): Promise<{ id: string; block: string }[]> {
  return db
    .selectFrom('edition_articles')
    .select(['article_id as id', 'block'])
    .where('edition_id', '=', editionId)
    .orderBy('position')
    .execute();
}

const SUMMARY_COLUMNS = [
  'id',
  'newsletter',
  'slot',
  'slot_at',
  'cutoff_at',
  'number',
  'headline',
  'article_id',
  'closed_at',
] as const;

type Row = Selectable<Tables['editions']>;

function toSummary(row: Pick<Row, (typeof SUMMARY_COLUMNS)[number]>): EditionSummary {
  return {
    id: row.id,
    newsletter: row.newsletter,
    slot: row.slot,
    slotAt: row.slot_at,
    cutoffAt: row.cutoff_at,
    number: row.number,
    headline: row.headline,
    articleId: row.article_id,
    closedAt: row.closed_at,
  };
}

function toEdition(row: Row): Edition {
  return {
    ...toSummary(row),
    subject: row.subject,
    preheader: row.preheader,
    nonce: row.nonce,
    html: row.html,
    text: row.text,
    archiveHtml: row.archive_html,
  };
}
