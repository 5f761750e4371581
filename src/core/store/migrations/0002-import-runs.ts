/** Runs of `daywire import`, so that one can be undone, and what first imports hold back. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addImportRuns(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int, identity, inKey } = columnTypes(dialect);
  const statements = [
    `create table import_runs (
      id ${identity},
      started_at ${int} not null,
      input ${text} not null,
      added ${int} not null,
      undone_at ${int}
    )`,
    `create table import_run_articles (
      run ${int} not null,
      article_id ${text} not null,
      constraint import_run_articles_key primary key (run, article_id)
    )${inKey}`,
    // Whether a folder or a source has brought articles before.
    'create index articles_by_origin on articles (origin, created_at)',
    `alter table rejections add column held ${int} not null default 0`,
    'create index rejections_held on rejections (source) where held = 1',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
