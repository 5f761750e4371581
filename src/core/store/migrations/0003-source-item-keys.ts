/** What identifies the items of the newsroom's own feeds, when they were seen, and which wait for a decision. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addSourceItemKeys(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const statements = [
    `create table source_item_keys (
      scope ${text} not null,
      key ${text} not null,
      item ${text},
      stored_at ${int} not null,
      constraint source_item_keys_key primary key (scope, key)
    )`,
    'create index source_item_keys_by_item on source_item_keys (item)',
    `alter table source_items add column first_seen_at ${int}`,
    `alter table source_items add column seen_at ${int}`,
    `alter table source_items add column hold ${text} check (hold in ('held', 'accepted', 'ignored'))`,
    `alter table source_items add column record ${text}`,
    'create index source_items_on_hold on source_items (source, hold) where hold is not null',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
