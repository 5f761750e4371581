/**
 * Copies tables between two databases of either kind, in batches of JSON that neither side parses in this process:
 * memory stays flat, however many and however long the rows are.
 */
import { type RawBuilder, sql } from 'kysely';
import { type Db, dialectOf, StoreError, type Tx } from '../store.ts';

/** A table, as the database describes it. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** Those of the columns that hold bytes. JSON has them as `\x` and hexadecimal digits. */
  readonly bytes: readonly string[];
  /** The column that the database numbers, if any. */
  readonly identity: string | undefined;
}

/** Approximate text in a batch: a row has from 100 bytes to a few megabytes. */
const BATCH_BYTES = 1024 * 1024;
const FIRST_BATCH_ROWS = 10;
const MAX_BATCH_ROWS = 5000;

/**
 * The tables of an SQLite database, each after those that its foreign keys reference, or whose rows it counts. Without
 * the index of words: each database has its own, and it is built again.
 * @throws StoreError for a cycle
 */
export async function readTables(db: Db): Promise<TableShape[]> {
  const all = await db.introspection.getTables();
  const tables = all.filter(({ name }) => !/^(?:article_terms|indexed_articles)/.test(name));
  const references = new Map<string, string[]>();
  for (const { name } of tables) {
    const { rows } = await sql<{ table: string }>`select "table" from pragma_foreign_key_list(${name})`.execute(db);
    references.set(
      name,
      rows.map((row) => row.table),
    );
  }
  const { rows: numbered } = await sql<{ name: string }>`select name from sqlite_master
    where type = 'table' and lower(sql) like '%autoincrement%'`.execute(db);
  const shapes = new Map(
    tables.map(({ name, columns }): [string, TableShape] => {
      const isNumbered = numbered.some((row) => row.name === name);
      const identity = isNumbered ? columns.find((column) => column.isAutoIncrementing)?.name : undefined;
      const bytes = columns.filter(({ dataType }) => dataType.toLowerCase() === 'blob').map((column) => column.name);
      return [name, { name, columns: columns.map((column) => column.name), bytes, identity }];
    }),
  );
  const sorted = sortByReference(references).map((name) => shapes.get(name) as TableShape);
  return [...sorted.filter((table) => !isCounts(table)), ...sorted.filter(isCounts)];
}

/** Whether triggers fill the table. It is copied last. */
function isCounts({ name }: TableShape): boolean {
  return name === 'delivery_counts' || name === 'state_counts' || name === 'growth_counts';
}

/**
 * Sorts names so that each comes after those it references. Otherwise keeps their order.
 * @throws StoreError for a cycle
 */
export function sortByReference(references: ReadonlyMap<string, readonly string[]>): string[] {
  const sorted: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (sorted.includes(name)) return;
    if (path.includes(name)) throw new StoreError(`tables reference each other: ${[...path, name].join(' → ')}`);
    for (const other of references.get(name) ?? []) if (other !== name) visit(other, [...path, name]);
    sorted.push(name);
  };
  for (const name of references.keys()) visit(name, []);
  return sorted;
}

/**
 * Copies all rows of a table, and the last number of its identity column.
 * @param onRows gets the number of rows of each batch
 * @returns the number of rows
 */
export async function copyTable(from: Tx, to: Tx, table: TableShape, onRows: (count: number) => void): Promise<number> {
  let copied = 0;
  // Deletes the counts that the target's triggers made of the rows copied so far.
  if (isCounts(table)) await sql`delete from ${sql.table(table.name)}`.execute(to);
  for await (const rows of readRows(from, table)) {
    await insertRows(to, table, `[${rows.join(',')}]`);
    copied += rows.length;
    onRows(rows.length);
  }
  if (table.identity !== undefined) {
    await writeLastNumber(to, table.name, table.identity, await readLastNumber(from, table.name, table.identity));
  }
  return copied;
}

/** All rows of a table, each as a JSON object, in batches. */
async function* readRows(db: Db, table: TableShape): AsyncGenerator<string[]> {
  const read = dialectOf(db) === 'sqlite' ? await readSqlite(db, table) : await readByCursor(db, table);
  for (let count = FIRST_BATCH_ROWS; ; ) {
    const rows = await read(count);
    if (rows.length === 0) return;
    yield rows;
    const bytes = rows.reduce((sum, row) => sum + row.length, 0);
    count = Math.min(Math.max(Math.floor((rows.length * BATCH_BYTES) / bytes), 1), MAX_BATCH_ROWS);
  }
}

type ReadRows = (count: number) => Promise<string[]>;

async function readSqlite(db: Db, table: TableShape): Promise<ReadRows> {
  const { rows } = await sql<{ name: string }>`select name from pragma_table_info(${table.name})
    where exists (select 1 from pragma_table_list where name = ${table.name} and wr = 1) and pk > 0
    order by pk`.execute(db);
  const key = rows.map(({ name }) => name);
  return key.length === 0 ? readByRowid(db, table) : readByKey(db, table, key);
}

/** For tables without rowid. @param key the columns of the primary key */
function readByKey(db: Db, table: TableShape, key: string[]): ReadRows {
  const { name } = table;
  let last: (string | number)[] | null = null;
  const fields = fieldsOf(table);
  const keys = sql.join(key.map((column) => sql.ref(column)));
  return async (count) => {
    const isNext = last === null ? sql`1 = 1` : sql`(${keys}) > (${sql.join(last)})`;
    const { rows } = await sql<{ key: string; row: string }>`select json_array(${keys}) as key,
      json_object(${fields}) as row from ${sql.table(name)} where ${isNext} order by ${keys} limit ${count}`.execute(
      db,
    );
    const after = rows.at(-1);
    if (after !== undefined) last = JSON.parse(after.key) as (string | number)[];
    return rows.map(({ row }) => row);
  };
}

function readByRowid(db: Db, table: TableShape): ReadRows {
  const { name } = table;
  let last = Number.MIN_SAFE_INTEGER;
  const fields = fieldsOf(table);
  return async (count) => {
    const { rows } = await sql<{ id: number; row: string }>`select rowid as id, json_object(${fields}) as row
      from ${sql.table(name)} where rowid > ${last} order by rowid limit ${count}`.execute(db);
    last = rows.at(-1)?.id ?? last;
    return rows.map(({ row }) => row);
  };
}

/** Names and values of the columns, for SQLite's `json_object`, which takes no bytes. */
function fieldsOf({ columns, bytes }: TableShape): RawBuilder<unknown> {
  return sql.join(
    columns.flatMap((column) => {
      const value = sql.ref(column);
      // Another type of value, from a damaged file, stays as it is, and is found where tables are compared.
      const hex = sql`iif(typeof(${value}) = 'blob', '\\x' || lower(hex(${value})), ${value})`;
      return [sql.lit(column), bytes.includes(column) ? hex : value];
    }),
  );
}

async function readByCursor(db: Db, { name, columns, bytes }: TableShape): Promise<ReadRows> {
  const cursor = sql.id(`copy_${name}`);
  const values = columns.map((column) => {
    // As PostgreSQL writes bytes by default, but a server can be configured otherwise.
    const hex = sql`'\\x' || encode(${sql.ref(column)}, 'hex') as ${sql.ref(column)}`;
    return bytes.includes(column) ? hex : sql.ref(column);
  });
  const all = sql`select ${sql.join(values)} from ${sql.table(name)}`;
  const rowsAsJson = sql`select row_to_json(t)::text as row from (${all}) t`;
  await sql`declare ${cursor} no scroll cursor for ${rowsAsJson}`.execute(db);
  return async (count) => {
    const { rows } = await sql<{ row: string }>`fetch ${sql.lit(count)} from ${cursor}`.execute(db);
    if (rows.length === 0) await sql`close ${cursor}`.execute(db);
    return rows.map(({ row }) => row);
  };
}

async function insertRows(db: Db, { name, columns, bytes }: TableShape, json: string): Promise<void> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  if (dialectOf(db) === 'sqlite') {
    const values = sql.join(
      columns.map((column) => {
        const value = sql`value ->> ${sql.lit(column)}`;
        return bytes.includes(column) ? sql`unhex(substr(${value}, 3))` : value;
      }),
    );
    await sql`insert into ${sql.table(name)} (${names}) select ${values} from json_each(${json})`.execute(db);
  } else {
    await sql`insert into ${sql.table(name)} (${names}) overriding system value
      select ${names} from json_populate_recordset(null::${sql.table(name)}, ${json}::json)`.execute(db);
  }
}

/** The highest number that an identity column ever gave, or 0: the numbers of deleted rows are not given again. */
async function readLastNumber(db: Db, table: string, column: string): Promise<number> {
  if (dialectOf(db) === 'sqlite') {
    const { rows } = await sql<{ seq: number }>`select seq from sqlite_sequence where name = ${table}`.execute(db);
    return rows[0]?.seq ?? 0;
  }
  const { rows } = await sql<{ last: number | null }>`
    select pg_sequence_last_value(pg_get_serial_sequence(${table}, ${column})::regclass) as last`.execute(db);
  return rows[0]?.last ?? 0;
}

async function writeLastNumber(db: Db, table: string, column: string, last: number): Promise<void> {
  if (last === 0) return;
  if (dialectOf(db) === 'sqlite') {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(db);
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${last})`.execute(db);
  } else {
    await sql`select setval(pg_get_serial_sequence(${table}, ${column}), ${last})`.execute(db);
  }
}

/** Skips the numbers up to `last`. A number that was given already changes nothing. */
export async function skipNumbers(db: Db, table: string, column: string, last: number): Promise<void> {
  if ((await readLastNumber(db, table, column)) < last) await writeLastNumber(db, table, column, last);
}

export async function countRows(db: Db, table: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db);
  return rows[0]?.n ?? 0;
}
