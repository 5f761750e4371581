/**
 * The stored state of imports of uploaded files: checked first, then imported when an account has confirmed it. Any
 * process can show it; the file is on the machine that received it.
 */
import type { Selectable } from 'kysely';
import { type Db, type InTransaction, inTransaction } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import type { SubscriberImportResult } from './import.ts';

export interface UploadOptions {
  /** Ids; for a file without a column of newsletters. */
  newsletters: string[];
  /** Name of a format, or `plain`; null: the header decides. */
  format: string | null;
  /** Headers of columns that say the status. */
  statusColumns: string[];
  /** As `--status`. */
  status: string;
  /** Headers. */
  ignore: string[];
}

export type UploadedImport = ReturnType<typeof toUpload>;

export async function insertUpload(
  db: Db,
  upload: Pick<UploadedImport, 'id' | 'accountId' | 'fileName' | 'fileHash' | 'size' | 'options'>,
  now: number,
  onCommit: InTransaction,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await tx
      .insertInto('subscriber_imports')
      .values({
        ...{ id: upload.id, account_id: upload.accountId, state: 'checking', file_name: upload.fileName },
        ...{ file_hash: upload.fileHash, size: upload.size, options: JSON.stringify(upload.options) },
        ...{ rows_read: 0, rejected: 0, bytes_read: 0, created_at: now, changed_at: now },
      })
      .execute();
    await onCommit(tx);
  });
}

/** Moves an import to another state, once. @returns false if it is no longer in the state `from` */
export function moveUpload(
  db: Db,
  id: string,
  from: UploadedImport['state'],
  to: { state: UploadedImport['state']; report?: SubscriberImportResult; problem?: string },
  now: number,
  onCommit?: InTransaction,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('subscriber_imports')
      .set({
        ...{ state: to.state, changed_at: now, problem: to.problem ?? null },
        ...(to.state === 'importing' ? { rows_read: 0, rejected: 0, bytes_read: 0 } : {}),
        ...(to.report === undefined ? {} : { report: JSON.stringify(to.report) }),
      })
      .where('id', '=', id)
      .where('state', '=', from)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return false;
    await onCommit?.(tx);
    return true;
  });
}

export async function recordUploadProgress(
  db: Db,
  id: string,
  progress: { rows: number; rejected: number; bytes: number },
  now: number,
): Promise<void> {
  await db
    .updateTable('subscriber_imports')
    .set({ rows_read: progress.rows, rejected: progress.rejected, bytes_read: progress.bytes, changed_at: now })
    .where('id', '=', id)
    .where('state', 'in', ['checking', 'importing'])
    .execute();
}

export async function findUpload(db: Db, id: string): Promise<UploadedImport | null> {
  const row = await db.selectFrom('subscriber_imports').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toUpload(row);
}

/** The newest imports of an account. */
export async function listUploads(db: Db, accountId: number, limit: number): Promise<UploadedImport[]> {
  const rows = await db
    .selectFrom('subscriber_imports')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toUpload);
}

/** Deletes imports that were begun before an instant. @returns their ids */
export async function deleteUploads(db: Db, before: number): Promise<string[]> {
  const rows = await db.deleteFrom('subscriber_imports').where('created_at', '<', before).returning('id').execute();
  return rows.map(({ id }) => id);
}

function toUpload(row: Selectable<Tables['subscriber_imports']>) {
  return {
    ...{ id: row.id, accountId: row.account_id, state: row.state },
    /** As the browser gave it, cleaned. */
    fileName: row.file_name,
    /** SHA-256, hex. */
    fileHash: row.file_hash,
    /** Bytes. */
    size: row.size,
    options: JSON.parse(row.options) as UploadOptions,
    ...{ rowsRead: row.rows_read, rejected: row.rejected, bytesRead: row.bytes_read },
    report: row.report === null ? null : (JSON.parse(row.report) as SubscriberImportResult),
    /** Why nothing can be imported, or why the import stopped. */
    problem: row.problem,
    createdAt: row.created_at,
    /** When it was last written: while it runs, every second. */
    changedAt: row.changed_at,
  };
}
