/**
 * Drafts of editions: an editor's decisions by newsletter and slot, the log of all commands, and what each editor saw
 * last.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createDrafts(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const statements = [
    `create table drafts (
      newsletter ${text} not null,
      slot ${text} not null,
      slot_at ${int} not null,
      state ${text} not null check (state in ('automatic', 'held', 'approved', 'closed')),
      revision ${int} not null,
      document ${text} not null,
      close_at ${int},
      constraint drafts_key primary key (newsletter, slot)
    )`,
    'create index drafts_closing on drafts (close_at) where close_at is not null',
    `create table draft_log (
      newsletter ${text} not null,
      slot ${text} not null,
      number ${int} not null,
      at ${int} not null,
      editor ${text} not null,
      command ${text} not null,
      changes ${text} not null,
      undoes ${int},
      constraint draft_log_key primary key (newsletter, slot, number)
    )`,
    `create table draft_views (
      newsletter ${text} not null,
      slot ${text} not null,
      editor ${text} not null,
      revision ${int} not null,
      hash ${text} not null,
      stories ${text} not null,
      seen_at ${int} not null,
      constraint draft_views_key primary key (newsletter, slot, editor)
    )`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
