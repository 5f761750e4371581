/**
 * Published documents with their compressed forms, and one row that says when feeds last changed.
 */
import type { Kysely } from 'kysely';
import type { Dialect } from '../store.ts';
import { typesOf } from './column-types.ts';

/** The documents themselves are made anew by the first publish, which every start and every import begins with. */
export async function documents(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text, int } = typesOf(dialect);
  await db.schema.dropTable('documents').execute();
  await db.schema
    .createTable('documents')
    .addColumn('path', text, (c) => c.primaryKey().notNull())
    .addColumn('media_type', text, (c) => c.notNull())
    .addColumn('hash', text, (c) => c.notNull())
    .addColumn('modified_at', int, (c) => c.notNull())
    .addColumn('size', int, (c) => c.notNull())
    // Base64, since a backup carries rows as JSON.
    .addColumn('gzip', text, (c) => c.notNull())
    .addColumn('brotli', text, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('publish_stamp')
    .addColumn('id', int, (c) => c.primaryKey().notNull())
    .addColumn('version', int, (c) => c.notNull())
    .addColumn('modified_at', int, (c) => c.notNull())
    .execute();
}
