import type { ColumnTypes } from '../column-types.ts';

/** Polled sources, items of other outlets, and story groups. */
export function sourceTables({ text, int, identity }: ColumnTypes): string[] {
  return [
    `create table sources (
      id ${text} not null primary key,
      url ${text} not null,
      configured_api ${text} not null,
      rules ${text} not null,
      api ${text} check (api in ('wordpress', 'ghost', 'feed')),
      endpoint ${text},
      etag ${text},
      last_modified ${text},
      read_to ${int},
      repaired ${int} not null default 0,
      due_at ${int} not null,
      requested_at ${int},
      lease_until ${int},
      fence ${int} not null default 0,
      polled_at ${int},
      succeeded_at ${int},
      failures ${int} not null default 0,
      failing_since ${int},
      paused_at ${int},
      swept_at ${int},
      fully_swept_at ${int},
      use ${text} not null default 'articles' check (use in ('articles', 'roundup')),
      state ${text} not null default 'active'
        check (state in ('active', 'moved', 'waiting', 'blocked', 'failing', 'gone', 'held', 'dormant')),
      state_since ${int} not null default 0,
      reason ${text},
      moved_to ${text},
      moved_since ${int},
      moved_polls ${int} not null default 0,
      moved_known ${int} not null default 0,
      not_found_since ${int},
      news_at ${int},
      item_gap ${int},
      usual_new double precision,
      hints ${text},
      items_read_at ${int}
    )`,

    `create table source_items (
      source ${text} not null,
      item ${text} not null,
      article_id ${text} not null,
      url ${text},
      published_at ${int} not null,
      modified_at ${int},
      missing ${int} not null default 0,
      withdrawal ${text} check (withdrawal in ('waiting', 'retracted', 'left')),
      primary key (source, item)
    )`,
    'create index source_items_by_time on source_items (source, published_at)',
    'create index source_items_missing on source_items (source, item) where missing > 0',
    'create index source_items_withdrawn on source_items (source, withdrawal) where withdrawal is not null',

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
    // With the state: without it, SQLite reads the items of a few groups by scanning all open items.
    'create index outlet_items_by_group on outlet_items (group_id, state) where group_id is not null',
    'create index outlet_items_by_link on outlet_items (canonical_url)',
    'create index outlet_items_by_source on outlet_items (source, first_seen_at)',
    'create index outlet_items_by_time on outlet_items (state, first_seen_at)',
    "create index outlet_items_held on outlet_items (source) where state = 'held'",

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

    `create table roundup_log (
      number ${identity},
      at ${int} not null,
      editor ${text} not null,
      command ${text} not null
    )`,
  ];
}
