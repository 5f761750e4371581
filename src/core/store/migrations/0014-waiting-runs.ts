/**
 * The state `waiting` of runs: a slot that has come, and whose job is not ready.
 */
import { type Kysely, sql } from 'kysely';

const OLD_STATES = "check (state in ('running', 'done', 'skipped', 'late', 'failed'))";
const STATES = "check (state in ('waiting', 'running', 'done', 'skipped', 'late', 'failed'))";

export async function addWaitingRuns(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db);
  for (const table of ['runs', 'run_totals']) {
    if (dialect === 'sqlite') await replaceStates(db, table);
    else {
      await run(`alter table ${table} drop constraint ${table}_state_check`);
      await run(`alter table ${table} add constraint ${table}_state_check ${STATES}`);
    }
  }
}

/**
 * SQLite cannot change a constraint: copies the table, with all its columns, to one with the new constraint. The
 * triggers that count states are created after the copy, and dropping a table runs none, so the counts stay.
 */
async function replaceStates(db: Kysely<unknown>, name: string): Promise<void> {
  const { rows: schema } = await sql<{ type: string; sql: string }>`
    select type, sql from sqlite_master where tbl_name = ${name} and sql is not null`.execute(db);
  const table = schema.find((one) => one.type === 'table')?.sql ?? '';
  if (!table.includes(OLD_STATES)) throw new Error(`the table ${name} has no constraint ${OLD_STATES}`);
  await sql.raw(table.replace(name, `new_${name}`).replace(OLD_STATES, STATES)).execute(db);
  await sql`insert into ${sql.table(`new_${name}`)} select * from ${sql.table(name)}`.execute(db);
  await sql`drop table ${sql.table(name)}`.execute(db);
  await sql`alter table ${sql.table(`new_${name}`)} rename to ${sql.table(name)}`.execute(db);
  for (const { type, sql: statement } of schema) if (type !== 'table') await sql.raw(statement).execute(db);
}
