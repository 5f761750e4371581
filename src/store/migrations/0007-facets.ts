/**
 * Reporters, kept as tags are, and the names that stand behind the slugs of tags, kickers and reporters in the addresses of feeds.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { facetSlug } from '../../lib/facet-slug.ts';
import type { Dialect } from '../store.ts';
import { typesOf } from './column-types.ts';

/** Fills both tables for the articles that are there, batch by batch: a million take no more memory than a thousand. */
export async function facets(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text, int } = typesOf(dialect);
  // "If not exists": SQLite runs no migration in one transaction, and one that was killed half-way is run again.
  await db.schema
    .createTable('facet_names')
    .ifNotExists()
    .addColumn('facet', text, (c) => c.notNull())
    .addColumn('slug', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('facet_names_key', ['facet', 'slug', 'name'])
    .execute();
  await db.schema
    .createTable('article_reporters')
    .ifNotExists()
    .addColumn('article_id', text, (c) => c.notNull().references('articles.id').onDelete('cascade'))
    .addColumn('reporter', text, (c) => c.notNull())
    .addColumn('published_at', int, (c) => c.notNull())
    .addPrimaryKeyConstraint('article_reporters_key', ['article_id', 'reporter'])
    .execute();
  const tables = db as Kysely<FacetTables>;
  await fillReporters(tables, dialect);
  await fillNames(tables, 'tag', sql.table('article_tags'), sql.ref('tag'));
  await fillNames(tables, 'kicker', sql.table('articles'), sql.ref('kicker'));
  await sql`create index if not exists article_reporters_by_reporter
    on article_reporters (reporter, published_at, article_id)`.execute(db);
}

interface FacetTables {
  facet_names: { facet: string; slug: string; name: string };
  article_reporters: { article_id: string; reporter: string; published_at: number };
}

const ARTICLES_AT_ONCE = 1_000;
const NAMES_AT_ONCE = 1_000;

interface BylineRow {
  id: string;
  published_at: number;
  /** JSON, or null in a document that has none. */
  bylines: string | null;
}

async function fillReporters(db: Kysely<FacetTables>, dialect: Dialect): Promise<void> {
  // Taken out by the database, so that a million bodies do not pass through this process.
  const bylines =
    dialect === 'sqlite' ? sql`json_extract(document, '$.bylines')` : sql`(document::json -> 'bylines')::text`;
  for (let last = ''; ; ) {
    const { rows } = await sql<BylineRow>`select id, published_at, ${bylines} as bylines from articles
      where id > ${last} order by id limit ${ARTICLES_AT_ONCE}`.execute(db);
    if (rows.length === 0) return;
    last = rows.at(-1)?.id as string;
    const reporters = rows.flatMap((row) =>
      reportersOf(row).map(({ slug, name }) => ({
        article_id: row.id,
        reporter: slug,
        published_at: row.published_at,
        name,
      })),
    );
    const byKey = new Map(reporters.map(({ name: _, ...row }) => [`${row.article_id} ${row.reporter}`, row]));
    await insertInPieces(db, 'article_reporters', [...byKey.values()]);
    await insertNames(
      db,
      'reporter',
      reporters.map(({ name }) => name),
    );
  }
}

function reportersOf({ bylines }: BylineRow): { slug: string; name: string }[] {
  const parsed = JSON.parse(bylines ?? '[]') as { role: string; name: string }[];
  return parsed.flatMap(({ role, name }) => {
    const slug = role === 'reporter' ? facetSlug(name) : null;
    return slug === null ? [] : [{ slug, name }];
  });
}

async function fillNames(
  db: Kysely<FacetTables>,
  facet: string,
  table: RawBuilder<unknown>,
  column: RawBuilder<unknown>,
): Promise<void> {
  for (let last = ''; ; ) {
    const { rows } = await sql<{ name: string }>`select distinct ${column} as name from ${table}
      where ${column} > ${last} order by 1 limit ${NAMES_AT_ONCE}`.execute(db);
    if (rows.length === 0) return;
    last = rows.at(-1)?.name as string;
    await insertNames(
      db,
      facet,
      rows.map(({ name }) => name),
    );
  }
}

async function insertNames(db: Kysely<FacetTables>, facet: string, names: string[]): Promise<void> {
  const rows = [...new Set(names)].flatMap((name) => {
    const slug = facetSlug(name);
    return slug === null ? [] : [{ facet, slug, name }];
  });
  await insertInPieces(db, 'facet_names', rows);
}

/** Both databases limit how many values one statement binds: 32,766 and 65,535. */
const ROWS_AT_ONCE = 5_000;

async function insertInPieces<T extends keyof FacetTables>(
  db: Kysely<FacetTables>,
  table: T,
  rows: FacetTables[T][],
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    await db
      .insertInto(table)
      .values(rows.slice(from, from + ROWS_AT_ONCE) as never)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
