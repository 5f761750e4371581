/**
 * The index of headlines, and what the desk changes of articles. A running daywire fills the index for the articles
 * that are stored already: for a million of them that takes minutes, in which nothing waits.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function createArticleSearch(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const statements = [
    // Nine rows an article: on SQLite the rows are in their index alone, which is half the space.
    `create table article_words (
      month ${int} not null,
      word ${text} not null,
      published_at ${int} not null,
      article_id ${text} not null,
      constraint article_words_key primary key (month, word, published_at, article_id)
    )${dialect === 'sqlite' ? ' without rowid' : ''}`,
    `create index articles_by_rare_state on articles (state, published_at, id, kind, section)
      where state in ('draft', 'corrected', 'retracted')`,
    `alter table articles add column desk_base ${text}`,
    `create table article_edits (
      article_id ${text} not null references articles (id) on delete cascade,
      number ${int} not null,
      at ${int} not null,
      author ${text} not null,
      act ${text} not null check (act in ('edit', 'retract', 'restore', 'create', 'undo', 'import')),
      before ${text} not null,
      digest ${text} not null,
      constraint article_edits_key primary key (article_id, number)
    )`,
    `insert into meta (key, value)
      select 'articles.unindexed-before', '${NEWEST}' where exists (select 1 from articles)`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** Epoch milliseconds after those of all articles. */
const NEWEST = Number.MAX_SAFE_INTEGER;
