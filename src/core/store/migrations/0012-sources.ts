/**
 * The sources that are polled, and what has been read of them.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createSources(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const run = (statement: string) => sql.raw(statement).execute(db);
  await run(`create table sources (
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
    state ${text} not null default 'active' check (state in
      ('active', 'moved', 'waiting', 'blocked', 'failing', 'gone', 'held', 'dormant')),
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
  )`);
  await run(`create table source_items (
    source ${text} not null,
    item ${text} not null,
    article_id ${text} not null,
    url ${text},
    published_at ${int} not null,
    modified_at ${int},
    missing ${int} not null default 0,
    withdrawal ${text} check (withdrawal in ('waiting', 'retracted', 'left')),
    primary key (source, item)
  )`);
  await run('create index source_items_by_time on source_items (source, published_at)');
  await run('create index source_items_missing on source_items (source, item) where missing > 0');
  await run('create index source_items_withdrawn on source_items (source, withdrawal) where withdrawal is not null');
}
