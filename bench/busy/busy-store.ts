/**
 * Looks into the store of a newsroom from outside, in a way that fits earlier versions too.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';

export interface BusyStore {
  /** The digest of an article's content, which changes with each edit; null if it is not stored. */
  digestOf(id: string): Promise<string | null>;
  /** Bytes of the store, and of the index of headlines in it. SQLite: once no process has the store open. */
  bytes(): Promise<{ all: number; search: number }>;
  close(): Promise<void>;
}

/** Tables of the index of headlines, as any version names them. */
const SEARCH = '^article_(words|search|titles?|terms)';
const DIGEST = 'select digest from articles where id = ';

/** Opens the SQLite file when it is there. */
export function watchSqlite(file: string): BusyStore {
  let database: DatabaseSync | null = null;
  const open = (): DatabaseSync | null => {
    if (database === null && existsSync(file)) database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    return database;
  };
  return {
    async digestOf(id) {
      return (open()?.prepare(`${DIGEST}?`).get(id)?.digest as string | undefined) ?? null;
    },
    async bytes() {
      database?.close();
      const whole = new DatabaseSync(file);
      // What is in the log belongs to the store.
      whole.exec('pragma wal_checkpoint(truncate)');
      const sum = (from: string): number => Number(whole.prepare(`select ${from}`).get()?.bytes ?? 0);
      const all = sum('page_count * page_size as bytes from pragma_page_count, pragma_page_size');
      const names = whole
        .prepare('select name, tbl_name from sqlite_schema')
        .all()
        .filter(({ tbl_name }) => new RegExp(SEARCH).test(String(tbl_name)));
      const search = names.reduce(
        (bytes, { name }) => bytes + sum(`sum(pgsize) as bytes from dbstat where name = '${String(name)}'`),
        0,
      );
      whole.close();
      database = null;
      return { all, search };
    },
    async close() {
      database?.close();
      database = null;
    },
  };
}

/** @param url of an empty database: what it takes empty does not count */
export async function watchPostgres(url: string): Promise<BusyStore> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const size = async (): Promise<number> => {
    const { rows } = await client.query('select pg_database_size(current_database()) as bytes');
    return Number(rows[0].bytes);
  };
  const empty = await size();
  return {
    async digestOf(id) {
      const { rows } = await client.query({ name: 'digest', text: `${DIGEST}$1`, values: [id] });
      return rows[0]?.digest ?? null;
    },
    async bytes() {
      await client.query('checkpoint');
      const { rows } = await client.query(
        `select coalesce(sum(pg_total_relation_size(oid)), 0) as bytes from pg_class
         where relkind = 'r' and relname ~ $1`,
        [SEARCH],
      );
      return { all: (await size()) - empty, search: Number(rows[0].bytes) };
    },
    close: () => client.end(),
  };
}
