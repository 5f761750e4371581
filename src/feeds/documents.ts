/** Published documents in the store, so that all web processes serve the same. The folder of feeds mirrors them. */
import { sql } from 'kysely';
import type { Db, Tx } from '../core/store/store.ts';
import { ConcurrencyLimit } from '../lib/concurrency/bounded-queue.ts';
import { TurnTimer } from '../lib/concurrency/turn-timer.ts';
import { sha256 } from '../lib/sha256.ts';
import { SECOND } from '../lib/time.ts';
import { type Codings, compress, decompress } from './compress.ts';

/** A document that has not been stored. */
export interface RenderedDocument<Body extends string | Buffer = string> {
  /** Below feeds/, such as `latest.atom`. */
  path: string;
  mediaType: string;
  /** Text, or its UTF-8. */
  body: Body;
}

/** A document ready to be stored: compressed, or with its body if the stored one was the same at that time. */
export type PreparedDocument = Omit<RenderedDocument, 'body'> & {
  /** SHA-256 of the body, hex. */
  hash: string;
  /** Bytes. */
  size: number;
} & ({ codings: Codings } | { codings: null; body: Buffer });

/** A stored document without its body. */
export interface DocumentInfo {
  path: string;
  mediaType: string;
  /** SHA-256 of the body, hex. */
  hash: string;
  /** Whole seconds, in epoch milliseconds; grows with every change of the body. */
  modifiedAt: number;
  /** Bytes. */
  size: number;
}

/** A document in its compressed forms. */
export interface PackedDocument extends DocumentInfo {
  codings: Codings;
}

/** A stored document. */
export interface FeedDocument extends PackedDocument {
  /** UTF-8. */
  body: Buffer;
}

export async function findPackedDocument(db: Db, path: string): Promise<PackedDocument | null> {
  const row = await documentHeads(db).select(['gzip', 'brotli']).where('path', '=', path).executeTakeFirst();
  if (row === undefined) return null;
  const { gzip, brotli, ...info } = row;
  return { ...info, codings: { gzip: asBuffer(gzip), br: asBuffer(brotli) } };
}

export async function findDocument(db: Db, path: string): Promise<FeedDocument | null> {
  const packed = await findPackedDocument(db, path);
  return packed && { ...packed, body: await decompress(packed.codings.gzip, packed.size) };
}

/** The same bytes, which are not copied. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

export async function hasDocument(db: Db, path: string): Promise<boolean> {
  const row = await db.selectFrom('documents').select('path').where('path', '=', path).executeTakeFirst();
  return row !== undefined;
}

/** Lists the stored documents by path. */
export function listDocuments(db: Db): Promise<DocumentInfo[]> {
  return documentHeads(db).execute();
}

/** The stored documents among these, by path. */
export async function findDocumentInfo(db: Db, paths: readonly string[]): Promise<DocumentInfo[]> {
  if (paths.length === 0) return [];
  return documentHeads(db)
    .where('path', 'in', [...paths])
    .execute();
}

function documentHeads(db: Db) {
  return db
    .selectFrom('documents')
    .select(['path', 'media_type as mediaType', 'hash', 'modified_at as modifiedAt', 'size'])
    .orderBy('path');
}

/**
 * Hashes documents, and compresses those that differ from the stored ones. Done before the transaction that stores
 * them, because others wait for that one.
 */
export async function compressChanged(
  db: Db,
  documents: RenderedDocument<string | Buffer>[],
): Promise<PreparedDocument[]> {
  const timer = new TurnTimer({ inBackground: true });
  const hashed: (RenderedDocument<Buffer> & { hash: string })[] = [];
  for (const document of documents) {
    await timer.rest();
    const body = typeof document.body === 'string' ? Buffer.from(document.body) : document.body;
    hashed.push({ ...document, body, hash: sha256(body) });
  }
  const changed = new Set((await findChanged(db, hashed)).map(({ path }) => path));
  return Promise.all(
    hashed.map(async ({ body, ...document }) => {
      const sized = { ...document, size: body.length };
      if (!changed.has(document.path)) return { ...sized, codings: null, body };
      return { ...sized, codings: await compressors.run(() => compress(body)) };
    }),
  );
}

/**
 * One document at a time, in both codings: two of the four threads that Node has for such work. The others are left to
 * the pages that visitors wait for. Each compressor takes about ten megabytes as soon as it is requested.
 */
const compressors = new ConcurrencyLimit(1);

/** The documents whose body differs from the stored one. */
export async function findChanged<T extends Pick<PreparedDocument, 'path' | 'hash'>>(
  db: Db,
  documents: T[],
): Promise<T[]> {
  if (documents.length === 0) return [];
  const paths = documents.map(({ path }) => path);
  const stored = await db.selectFrom('documents').select(['path', 'hash']).where('path', 'in', paths).execute();
  const hashes = new Map(stored.map(({ path, hash }) => [path, hash]));
  return documents.filter(({ path, hash }) => hashes.get(path) !== hash);
}

/**
 * Stores documents whose body differs from the stored one.
 * @param tx holds the lock of the feed version if other processes publish at the same time
 * @param now when they change, epoch milliseconds
 * @returns the paths that changed
 */
export async function saveDocuments(tx: Tx, documents: PreparedDocument[], now: number): Promise<string[]> {
  const modifiedAt = Math.floor(now / SECOND) * SECOND;
  const changed = await findChanged(tx, documents);
  for (const document of changed) {
    const { path, mediaType, hash, size } = document;
    // Not compressed if it was the same when compressChanged looked.
    const { gzip, br } = document.codings ?? (await compress(document.body));
    const row = { media_type: mediaType, hash, modified_at: modifiedAt, size, gzip, brotli: br };
    await tx
      .insertInto('documents')
      .values({ path, ...row })
      .onConflict((conflict) =>
        conflict.column('path').doUpdateSet({
          ...row,
          // Grows even if the clock has been set back. A server does not state a Last-Modified later than its Date.
          modified_at: sql`case when documents.modified_at < ${modifiedAt} then ${modifiedAt}
            else documents.modified_at + ${SECOND} end`,
        }),
      )
      .execute();
  }
  return changed.map(({ path }) => path).sort();
}

/** Finds the documents whose paths are not listed. */
export async function findUnlistedDocuments(db: Db, paths: string[]): Promise<string[]> {
  const rows = await db.selectFrom('documents').select('path').where('path', 'not in', paths).orderBy('path').execute();
  return rows.map(({ path }) => path);
}

export async function deleteDocuments(db: Db, paths: string[]): Promise<void> {
  if (paths.length > 0) await db.deleteFrom('documents').where('path', 'in', paths).execute();
}
