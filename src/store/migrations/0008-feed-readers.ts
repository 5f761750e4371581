/**
 * Who reads the feeds: requests by day, document and reader, and how many subscribers a reader says it has.
 */
import type { Kysely } from 'kysely';
import type { Dialect } from '../store.ts';
import { typesOf } from './column-types.ts';

export async function feedReaders(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text, int } = typesOf(dialect);
  await db.schema
    .createTable('feed_readers')
    .addColumn('day', text, (c) => c.notNull())
    .addColumn('path', text, (c) => c.notNull())
    .addColumn('reader', text, (c) => c.notNull())
    .addColumn('requests', int, (c) => c.notNull())
    .addColumn('unchanged', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('feed_readers_key', ['day', 'path', 'reader'])
    .execute();
  // A row for each of an aggregator's own feeds: two processes that hear of different ones could not keep their sum in one number.
  await db.schema
    .createTable('feed_reader_reports')
    .addColumn('day', text, (c) => c.notNull())
    .addColumn('path', text, (c) => c.notNull())
    .addColumn('reader', text, (c) => c.notNull())
    .addColumn('feed', text, (c) => c.notNull())
    .addColumn('subscribers', int, (c) => c.notNull())
    .addColumn('reported_at', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('feed_reader_reports_key', ['day', 'path', 'reader', 'feed'])
    .execute();
}
