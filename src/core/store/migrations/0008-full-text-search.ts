/** The index of words of articles, which replaces that of headlines. A running daywire fills it, newest first. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addFullTextSearch(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int, identity } = columnTypes(dialect);
  const isSqlite = dialect === 'sqlite';
  const statements = [
    'drop table article_words',
    `create table indexed_articles (
      number ${identity},
      article_id ${text} not null unique references articles (id) on delete cascade,
      published_at ${int} not null,
      month ${int} not null${isSqlite ? '' : ',\nterms tsvector not null'}
    )`,
    'create index indexed_articles_by_month on indexed_articles (month)',
    ...(isSqlite ? SQLITE : POSTGRES),
    `insert into meta (key, value) select 'search.indexed-to', '[9007199254740991,""]'
      where exists (select 1 from articles)`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

// `ascii` takes all other characters for parts of words: terms come as they are.
const SQLITE = [
  `create virtual table article_terms using fts5 (terms, content = '', contentless_delete = 1, detail = none,
    tokenize = "ascii tokenchars ':~/-'")`,
  `create trigger indexed_articles_deleted after delete on indexed_articles begin
    delete from article_terms where rowid = old.number;
  end`,
];

// Every look-up reads the list of pending terms, in KB, which is 4 MB long by default. See `mergePending`.
const POSTGRES = [
  'create index indexed_articles_by_term on indexed_articles using gin (terms) with (gin_pending_list_limit = 256)',
];
