/**
 * Revisions of an edition: a row for each, with the same slot and number. `superseded_by` is the id of the next
 * revision's row. An article can be omitted because an editor has dropped it.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

const BY_SLOT = ['unique (newsletter, slot)', 'unique (newsletter, slot, revision)'] as const;
const BY_NUMBER = ['unique (newsletter, number)', 'unique (newsletter, number, revision)'] as const;
const REASONS = ["('aged-out', 'did-not-fit')", "('aged-out', 'did-not-fit', 'dropped')"] as const;

export async function addEditionRevisions(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { int } = columnTypes(dialect);
  const run = (statement: string) => sql.raw(statement).execute(db);
  await run(`alter table editions add column revision ${int} not null default 1`);
  await run(`alter table editions add column superseded_by ${int}`);
  if (dialect === 'sqlite') await copyTables(db);
  else {
    for (const [name, [, constraint]] of [
      ['editions_by_slot', BY_SLOT],
      ['editions_by_number', BY_NUMBER],
    ] as const) {
      await run(`alter table editions drop constraint ${name}`);
      await run(`alter table editions add constraint ${name} ${constraint}`);
    }
    await run('alter table edition_omissions drop constraint edition_omissions_reason_check');
    await run(
      `alter table edition_omissions add constraint edition_omissions_reason_check check (reason in ${REASONS[1]})`,
    );
  }
  // A row has hundreds of kilobytes, and the column is at its end: lists of editions must not read it.
  await run('create index editions_newest on editions (slot_at, id) where superseded_by is null');
  await run('create index editions_newest_by_number on editions (newsletter, number) where superseded_by is null');
}

/** `editions`, and the tables that reference it, each with the constraints that change. */
const TABLES: readonly { name: string; constraints: readonly (readonly [before: string, after: string])[] }[] = [
  { name: 'editions', constraints: [BY_SLOT, BY_NUMBER] },
  { name: 'edition_articles', constraints: [] },
  { name: 'edition_omissions', constraints: [REASONS] },
  { name: 'edition_corrections', constraints: [] },
  { name: 'edition_retractions', constraints: [] },
];

/**
 * SQLite cannot change a constraint: copies the tables, with all their columns, to ones with the new constraints. A
 * table that others reference cannot be dropped while they have rows, so that they are copied as well.
 */
async function copyTables(db: Kysely<unknown>): Promise<void> {
  const { rows: numbers } = await sql<{ seq: number }>`
    select seq from sqlite_sequence where name = 'editions'`.execute(db);
  const others: string[] = [];
  for (const { name, constraints } of TABLES) {
    const { rows: schema } = await sql<{ type: string; sql: string }>`
      select type, sql from sqlite_master where tbl_name = ${name} and sql is not null`.execute(db);
    let table = schema.find(({ type }) => type === 'table')?.sql ?? '';
    for (const [before, after] of constraints) {
      if (!table.includes(before)) throw new Error(`the table ${name} has no constraint ${before}`);
      table = table.replace(before, after);
    }
    table = table.replace(name, `new_${name}`).replace(/\breferences "?editions"?/g, 'references new_editions');
    await sql.raw(table).execute(db);
    await sql`insert into ${sql.table(`new_${name}`)} select * from ${sql.table(name)}`.execute(db);
    others.push(...schema.filter(({ type }) => type !== 'table').map((one) => one.sql));
  }
  for (const { name } of TABLES.toReversed()) await sql`drop table ${sql.table(name)}`.execute(db);
  // SQLite changes the references to a table that it renames.
  for (const { name } of TABLES) {
    await sql`alter table ${sql.table(`new_${name}`)} rename to ${sql.table(name)}`.execute(db);
  }
  for (const statement of others) await sql.raw(statement).execute(db);
  // The numbers of deleted rows are not given again: tokens have them.
  await sql`delete from sqlite_sequence where name in ('editions', 'new_editions')`.execute(db);
  for (const { seq } of numbers) {
    await sql`insert into sqlite_sequence (name, seq) values ('editions', ${seq})`.execute(db);
  }
}
