/**
 * Published documents in the store, so that every web process answers alike; the folder of feeds is their mirror.
 */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../store/store.ts';
import { SECOND } from '../time.ts';

/** A document to publish. */
export interface Draft {
  /** Below feeds/, such as `latest.atom`. */
  path: string;
  mediaType: string;
  body: string;
}

/** A document as it was published. */
export interface FeedDocument extends Draft {
  /** SHA-256 of the body, hex. */
  hash: string;
  /**
   * Whole seconds, in epoch milliseconds: they move forward with every change of the body, even where two fall into one second
   * (newsboat drops new items where Last-Modified stands still), and so may run ahead of the clock by as many seconds as there
   * were changes within one. A server sends no Last-Modified later than its own Date (RFC 9110 §8.8.2.1).
   */
  modifiedAt: number;
}

/** The document at that path, or null. */
export async function findDocument(db: Db, path: string): Promise<FeedDocument | null> {
  const row = await db.selectFrom('documents').selectAll().where('path', '=', path).executeTakeFirst();
  if (row === undefined) return null;
  return { path, mediaType: row.media_type, body: row.body, hash: row.hash, modifiedAt: row.modified_at };
}

/** What is published, by path, without the bodies. */
export async function listDocuments(db: Db): Promise<Omit<FeedDocument, 'body'>[]> {
  const rows = await db
    .selectFrom('documents')
    .select(['path', 'media_type', 'hash', 'modified_at'])
    .orderBy('path')
    .execute();
  return rows.map((row) => ({
    path: row.path,
    mediaType: row.media_type,
    hash: row.hash,
    modifiedAt: row.modified_at,
  }));
}

/**
 * Stores those whose body differs from what is there. Two processes that store the same bodies at once store them once.
 * @returns the paths that changed
 */
export async function saveDocuments(db: Db, drafts: Draft[], now: number): Promise<string[]> {
  const hashes = new Map((await listDocuments(db)).map(({ path, hash }) => [path, hash]));
  const rows = drafts
    .map(({ path, mediaType, body }) => ({
      path,
      media_type: mediaType,
      body,
      hash: createHash('sha256').update(body).digest('hex'),
      modified_at: Math.floor(now / SECOND) * SECOND,
    }))
    .filter(({ path, hash }) => hashes.get(path) !== hash)
    // In one order everywhere, so that two transactions never wait for each other's rows.
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (rows.length === 0) return [];
  const changed = await db
    .insertInto('documents')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .column('path')
        .doUpdateSet({
          media_type: sql`excluded.media_type`,
          body: sql`excluded.body`,
          hash: sql`excluded.hash`,
          modified_at: sql`case when excluded.modified_at > documents.modified_at then excluded.modified_at
            else documents.modified_at + ${SECOND} end`,
        })
        .whereRef('documents.hash', '<>', sql.ref('excluded.hash') as never),
    )
    .returning('path')
    .execute();
  return changed.map(({ path }) => path).sort();
}

/** Withdraws every document but those. @returns the paths withdrawn */
export async function withdrawOtherDocuments(db: Db, paths: string[]): Promise<string[]> {
  const rows = await db.deleteFrom('documents').where('path', 'not in', paths).returning('path').execute();
  return rows.map(({ path }) => path).sort();
}
