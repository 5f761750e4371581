/**
 * Published documents in the store, so that every web process answers alike; the folder of feeds is their mirror.
 */
import { createHash } from 'node:crypto';
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import { SECOND } from '../lib/time.ts';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { type Codings, compress, decompress } from './compress.ts';

/** A document to publish. */
export interface RenderedDocument {
  /** Below feeds/, such as `latest.atom`. */
  path: string;
  mediaType: string;
  body: string;
}

/** A draft with its hash, and compressed where it has to be stored. */
export interface CompressedDocument extends RenderedDocument {
  /** SHA-256 of the body, hex. */
  hash: string;
  codings: Codings | null;
}

/** A document as it was published, without its bytes. */
export interface DocumentInfo {
  path: string;
  mediaType: string;
  /** SHA-256 of the body, hex. */
  hash: string;
  /** Whole seconds, in epoch milliseconds; they move forward with every change of the body. */
  modifiedAt: number;
  /** Bytes. */
  size: number;
}

/** A document as it was published. */
export interface FeedDocument extends DocumentInfo {
  body: string;
  codings: Codings;
}

/** The document at that path, or null. */
export async function findDocument(db: Db, path: string): Promise<FeedDocument | null> {
  const row = await db.selectFrom('documents').selectAll().where('path', '=', path).executeTakeFirst();
  if (row === undefined) return null;
  const codings = { gzip: Buffer.from(row.gzip, 'base64'), br: Buffer.from(row.brotli, 'base64') };
  return {
    path,
    mediaType: row.media_type,
    hash: row.hash,
    modifiedAt: row.modified_at,
    size: row.size,
    body: (await decompress(codings.gzip)).toString(),
    codings,
  };
}

export async function hasDocument(db: Db, path: string): Promise<boolean> {
  const row = await db.selectFrom('documents').select('path').where('path', '=', path).executeTakeFirst();
  return row !== undefined;
}

/** What is published, by path. */
export async function listDocuments(db: Db): Promise<DocumentInfo[]> {
  const rows = await db
    .selectFrom('documents')
    .select(['path', 'media_type', 'hash', 'modified_at', 'size'])
    .orderBy('path')
    .execute();
  return rows.map((row) => ({
    path: row.path,
    mediaType: row.media_type,
    hash: row.hash,
    modifiedAt: row.modified_at,
    size: row.size,
  }));
}

/**
 * Hashes drafts and compresses those that differ from what is published: before the transaction that stores them, which others
 * wait for.
 */
export async function compressChanged(db: Db, drafts: RenderedDocument[]): Promise<CompressedDocument[]> {
  const packed = drafts.map((draft) => ({ ...draft, hash: sha256(draft.body) }));
  const differing = new Set((await findChanged(db, packed)).map(({ path }) => path));
  const all: CompressedDocument[] = [];
  for (const draft of packed) {
    // One after the other: each compressor takes some ten megabytes from the moment it is asked for.
    all.push({ ...draft, codings: differing.has(draft.path) ? await compress(Buffer.from(draft.body)) : null });
  }
  return all;
}

/** Those whose body is not what is published at their path. */
export async function findChanged<T extends Pick<CompressedDocument, 'path' | 'hash'>>(
  db: Db,
  drafts: T[],
): Promise<T[]> {
  if (drafts.length === 0) return [];
  const paths = drafts.map(({ path }) => path);
  const published = await db.selectFrom('documents').select(['path', 'hash']).where('path', 'in', paths).execute();
  const hashes = new Map(published.map(({ path, hash }) => [path, hash]));
  return drafts.filter(({ path, hash }) => hashes.get(path) !== hash);
}

/**
 * Stores those whose body differs from what is there.
 * @param db a transaction that holds the lock of the stamp, where others may publish at the same time
 * @param now when they change; whole seconds count
 * @returns the paths that changed
 */
export async function saveDocuments(
  db: Db,
  drafts: (RenderedDocument | CompressedDocument)[],
  now: number,
): Promise<string[]> {
  const modifiedAt = Math.floor(now / SECOND) * SECOND;
  const hashed = drafts.map((draft) =>
    'hash' in draft ? draft : { ...draft, hash: sha256(draft.body), codings: null },
  );
  const changed = await findChanged(db, hashed);
  for (const draft of changed) {
    const { path, body } = draft;
    const codings = draft.codings ?? (await compress(Buffer.from(body)));
    const row = {
      media_type: draft.mediaType,
      hash: draft.hash,
      modified_at: modifiedAt,
      size: Buffer.byteLength(body),
      gzip: codings.gzip.toString('base64'),
      brotli: codings.br.toString('base64'),
    };
    await db
      .insertInto('documents')
      .values({ path, ...row })
      .onConflict((conflict) =>
        conflict.column('path').doUpdateSet({
          ...row,
          // Forward, whatever the clock has done since. A server says no Last-Modified later than its own Date.
          modified_at: sql`case when documents.modified_at < ${modifiedAt} then ${modifiedAt} else documents.modified_at + ${SECOND} end`,
        }),
      )
      .execute();
  }
  return changed.map(({ path }) => path).sort();
}

/** The paths of all documents but those, and but archives, which go by their own rules. */
export async function findUnlistedDocuments(db: Db, paths: string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('documents')
    .select('path')
    .where('path', 'not in', paths)
    .where((e) => e.not(isWithin(e, ARCHIVE_FOLDER)))
    .orderBy('path')
    .execute();
  return rows.map(({ path }) => path);
}

/** Withdraws documents: their addresses lead nowhere from then on. */
export async function withdrawDocuments(db: Db, paths: string[]): Promise<void> {
  if (paths.length > 0) await db.deleteFrom('documents').where('path', 'in', paths).execute();
}

/** Withdraws all documents in a folder. @param folder with a slash at its end */
export async function withdrawFolder(db: Db, folder: string): Promise<void> {
  await db
    .deleteFrom('documents')
    .where((e) => isWithin(e, folder))
    .execute();
}

/** Where archives stand among the documents. */
export const ARCHIVE_FOLDER = 'archive/';

/** As a range, which an index answers; `0` is the character after the slash. */
function isWithin(
  e: ExpressionBuilder<Tables, 'documents'>,
  folder: string,
): ExpressionWrapper<Tables, 'documents', SqlBool> {
  return e.and([e('path', '>=', folder), e('path', '<', `${folder.slice(0, -1)}0`)]);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
