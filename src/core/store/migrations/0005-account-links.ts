/**
 * Links that are mailed for one act: their messages, when they were used, and the version of a subscriber's links to
 * the preferences, which revokes older ones when it grows. Retention finds the addresses of clients by an index.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

const OLD_KINDS = "check (kind in ('confirm', 'already'))";
const KINDS = "check (kind in ('confirm', 'already', 'preferences', 'export', 'erase'))";

export async function addAccountLinks(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { int } = columnTypes(dialect);
  const run = (statement: string) => sql.raw(statement).execute(db);
  await run(`alter table subscribers add column token_version ${int} not null default 1`);
  if (dialect === 'sqlite') await replaceKinds(db);
  else {
    await run('alter table service_messages drop constraint service_messages_kind_check');
    await run(`alter table service_messages add constraint service_messages_kind_check ${KINDS}`);
  }
  await run(`alter table service_messages add column used_at ${int}`);
  await run(`create index consent_events_with_address on consent_events (at) where source is not null
    and channel in ('form', 'confirmation', 'preferences', 'unsubscribe-page', 'one-click')`);
}

/** SQLite cannot change a constraint: copies the table, with all its columns, to one with the new constraint. */
async function replaceKinds(db: Kysely<unknown>): Promise<void> {
  const { rows: schema } = await sql<{ type: string; sql: string }>`
    select type, sql from sqlite_master where tbl_name = 'service_messages' and sql is not null`.execute(db);
  const table = schema.find((one) => one.type === 'table')?.sql ?? '';
  if (!table.includes(OLD_KINDS)) throw new Error(`the table service_messages has no constraint ${OLD_KINDS}`);
  const changed = table.replace('service_messages', 'new_service_messages').replace(OLD_KINDS, KINDS);
  const { rows: numbers } = await sql<{ seq: number }>`
    select seq from sqlite_sequence where name = 'service_messages'`.execute(db);
  await sql.raw(changed).execute(db);
  await sql`insert into new_service_messages select * from service_messages`.execute(db);
  await sql`drop table service_messages`.execute(db);
  await sql`alter table new_service_messages rename to service_messages`.execute(db);
  for (const { type, sql: statement } of schema) if (type !== 'table') await sql.raw(statement).execute(db);
  // The numbers of deleted rows are not given again: tokens have them.
  await sql`delete from sqlite_sequence where name = 'service_messages'`.execute(db);
  for (const { seq } of numbers) {
    await sql`insert into sqlite_sequence (name, seq) values ('service_messages', ${seq})`.execute(db);
  }
}
