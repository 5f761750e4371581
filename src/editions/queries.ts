/**
 * Reads closed editions.
 */
import type { Selectable } from 'kysely';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

/** A closed edition: what it was called, when, and by what number. Frozen. */
export interface EditionHead {
  id: number;
  newsletter: string;
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  slot: string;
  slotAt: number;
  cutoffAt: number;
  number: number;
  /** Whole: `Tech Roundup: first item, second item`. */
  headline: string;
  /** The roundup article that stands for it in feeds. */
  articleId: string;
  closedAt: number;
}

/** A closed edition with what is sent and shown. `html` and `text` hold the personal slots that `nonce` marks. */
export interface Edition extends EditionHead {
  subject: string;
  preheader: string;
  nonce: string;
  html: string;
  text: string;
  archiveHtml: string;
}

/** The edition of that newsletter and slot label, or null. */
export async function findEdition(db: Db, newsletter: string, slot: string): Promise<Edition | null> {
  const row = await db
    .selectFrom('editions')
    .selectAll()
    .where('newsletter', '=', newsletter)
    .where('slot', '=', slot)
    .executeTakeFirst();
  return row === undefined ? null : toEdition(row);
}

/** The edition of that id, or null. */
export async function findEditionById(db: Db, id: number): Promise<Edition | null> {
  const row = await db.selectFrom('editions').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toEdition(row);
}

/** The newest editions of one newsletter, or of all where it is null; newest slot first, from the `offset`th on. */
export async function listEditions(
  db: Db,
  newsletter: string | null,
  limit: number,
  offset = 0,
): Promise<EditionHead[]> {
  const rows = await db
    .selectFrom('editions')
    .select(HEAD)
    .$if(newsletter !== null, (q) => q.where('newsletter', '=', newsletter as string))
    .orderBy('slot_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.map(toHead);
}

/** The newsletter's last editions by number, the last one first. */
export async function lastEditions(db: Db, newsletter: string, limit: number): Promise<EditionHead[]> {
  const rows = await db
    .selectFrom('editions')
    .select(HEAD)
    .where('newsletter', '=', newsletter)
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toHead);
}

/** The newsletter's last edition by number, or null before its first. */
export async function lastEdition(db: Db, newsletter: string): Promise<EditionHead | null> {
  return (await lastEditions(db, newsletter, 1))[0] ?? null;
}

const HEAD = [
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

function toHead(row: Pick<Row, (typeof HEAD)[number]>): EditionHead {
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
    ...toHead(row),
    subject: row.subject,
    preheader: row.preheader,
    nonce: row.nonce,
    html: row.html,
    text: row.text,
    archiveHtml: row.archive_html,
  };
}
