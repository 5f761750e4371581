/**
 * Alerts as data: their kind, what they are about, and what can be done about it. Those that are open keep their key.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addAlertData(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text } = columnTypes(dialect);
  for (const [column, value] of [
    ['kind', ''],
    ['subject', '{}'],
    ['actions', '[]'],
  ]) {
    await sql.raw(`alter table alerts add column ${column} ${text} not null default '${value}'`).execute(db);
  }
  const { rows } = await sql<{ key: string }>`select key from alerts`.execute(db);
  for (const { key } of rows) {
    const at = key.indexOf(':');
    const [kind, subject] = at === -1 ? [key, {}] : [key.slice(0, at), { of: key.slice(at + 1) }];
    await sql`update alerts set kind = ${kind}, subject = ${JSON.stringify(subject)} where key = ${key}`.execute(db);
  }
}
