/**
 * When the heartbeat was called for an edition, which happens once it is delivered. Editions that closed earlier had
 * their call when they closed.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addHeartbeats(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { int } = columnTypes(dialect);
  await sql`alter table editions add column heartbeat_at ${sql.raw(int)}`.execute(db);
  await sql`update editions set heartbeat_at = closed_at`.execute(db);
  // A row has hundreds of kilobytes, and the column is at its end.
  await sql`create index editions_without_heartbeat on editions (closed_at, id) where heartbeat_at is null`.execute(db);
}
