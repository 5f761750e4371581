/**
 * Feeds of other outlets: how they are polled, their items, the groups of items that report one event, and what editors
 * decided about them. Of an article, the outlets that its event is credited to, and whether a rule let it in.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createRoundupSources(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int, identity } = columnTypes(dialect);
  const statements = [
    `alter table sources add column use ${text} not null default 'articles' check (use in ('articles', 'roundup'))`,
    `alter table articles add column outlets ${text}`,
    `alter table articles add column by_rule ${int} not null default 0`,
    `create table source_hosts (
      host ${text} not null primary key,
      busy_until ${int},
      free_at ${int} not null,
      written_at ${int} not null
    )`,
    `create table outlet_items (
      id ${identity},
      source ${text},
      outlet ${text} not null,
      title ${text} not null,
      summary ${text},
      url ${text} not null,
      canonical_url ${text},
      language ${text},
      image_url ${text},
      published_at ${int},
      first_seen_at ${int} not null,
      seen_at ${int} not null,
      state ${text} not null check (state in ('open', 'held', 'old', 'ignored')),
      group_id ${int}
    )`,
    'create index outlet_items_by_time on outlet_items (state, first_seen_at)',
    'create index outlet_items_by_source on outlet_items (source, first_seen_at)',
    "create index outlet_items_held on outlet_items (source) where state = 'held'",
    'create index outlet_items_by_group on outlet_items (group_id) where group_id is not null',
    'create index outlet_items_by_link on outlet_items (canonical_url)',
    `create table outlet_item_keys (
      scope ${text} not null,
      key ${text} not null,
      item ${int} references outlet_items (id) on delete cascade,
      stored_at ${int} not null,
      constraint outlet_item_keys_key primary key (scope, key)
    )`,
    'create index outlet_item_keys_by_item on outlet_item_keys (item)',
    `create table story_groups (
      id ${int} not null primary key,
      state ${text} not null check (state in ('open', 'picked', 'dropped')),
      first_item ${int},
      headline ${text},
      text ${text},
      section ${text},
      has_picture ${int} not null default 0,
      picked_by ${text} check (picked_by in ('editor', 'rule')),
      picked_at ${int},
      article_id ${text},
      credited_items ${text} not null default '[]',
      revision ${int} not null default 1,
      published_revision ${int} not null default 0,
      editor ${text} not null,
      updated_at ${int} not null
    )`,
    'create index story_groups_by_time on story_groups (updated_at)',
    'create index story_groups_unpublished on story_groups (id) where revision > published_revision',
    `create table group_suggestions (
      group_id ${int} not null,
      other_id ${int} not null,
      similarity double precision not null,
      constraint group_suggestions_key primary key (group_id, other_id)
    )`,
    `create table grouping_terms (
      day ${text} not null,
      language ${text} not null,
      group_count ${int} not null,
      terms ${text} not null,
      constraint grouping_terms_key primary key (day, language)
    )`,
    `create table roundup_views (
      editor ${text} not null primary key,
      groups_json ${text} not null,
      seen_at ${int} not null
    )`,
    `create table roundup_log (
      number ${identity},
      at ${int} not null,
      editor ${text} not null,
      command ${text} not null
    )`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
