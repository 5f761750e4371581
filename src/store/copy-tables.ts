/**
 * Copies tables between two databases of either kind, in batches of JSON that neither side takes apart: the memory stays flat
 * however many rows there are and however long each is.
 */
import { sql } from 'kysely';
import { type Db, type Dialect, StoreError } from './store.ts';

/** A table of the schema, as the database itself describes it. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** The column that numbers its rows by itself, if any. */
  readonly identity: string | undefined;
}

/** What a copy reads from, or writes to. */
export interface End {
  readonly db: Db;
  readonly dialect: Dialect;
}

/** A batch holds about so much text: a row takes 100 bytes to a few megabytes. */
const BATCH_BYTES = 1024 * 1024;
const FIRST_BATCH_ROWS = 10;
const MOST_BATCH_ROWS = 5000;

/**
 * The tables of an SQLite database, each after those its foreign keys refer to.
 * @throws StoreError where they refer to each other in a circle
 */
export async function readTables(db: Db): Promise<TableShape[]> {
  const tables = await db.introspection.getTables();
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
      return [name, { name, columns: columns.map((column) => column.name), identity }];
    }),
  );
  return inOrderOfReference(references).map((name) => shapes.get(name) as TableShape);
}

/**
 * Names, each after those it refers to, otherwise in their own order.
 * @throws StoreError where they refer to each other in a circle
 */
export function inOrderOfReference(references: ReadonlyMap<string, readonly string[]>): string[] {
  const ordered: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (ordered.includes(name)) return;
    if (path.includes(name)) throw new StoreError(`tables refer to each other: ${[...path, name].join(' → ')}`);
    for (const other of references.get(name) ?? []) if (other !== name) visit(other, [...path, name]);
    ordered.push(name);
  };
  for (const name of references.keys()) visit(name, []);
  return ordered;
}

/**
 * Copies all rows of a table, and the last number its identity column gave. Both ends are transactions.
 * @param onRows is told how many rows each batch had
 * @returns how many rows there were
 */
export async function copyTable(
  from: End,
  to: End,
  table: TableShape,
  onRows: (count: number) => void,
): Promise<number> {
  let copied = 0;
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
async function* readRows(from: End, table: TableShape): AsyncGenerator<string[]> {
  const read = from.dialect === 'sqlite' ? readByRowid(from.db, table) : await readByCursor(from.db, table);
  for (let count = FIRST_BATCH_ROWS; ; ) {
    const rows = await read(count);
    if (rows.length === 0) return;
    yield rows;
    const bytes = rows.reduce((sum, row) => sum + row.length, 0);
    count = Math.min(Math.max(Math.floor((rows.length * BATCH_BYTES) / bytes), 1), MOST_BATCH_ROWS);
  }
}

type ReadRows = (count: number) => Promise<string[]>;

function readByRowid(db: Db, { name, columns }: TableShape): ReadRows {
  let last = Number.MIN_SAFE_INTEGER;
  const fields = sql.join(columns.flatMap((column) => [sql.lit(column), sql.ref(column)]));
  return async (count) => {
    const { rows } = await sql<{ place: number; row: string }>`select rowid as place, json_object(${fields}) as row
      from ${sql.table(name)} where rowid > ${last} order by rowid limit ${count}`.execute(db);
    last = rows.at(-1)?.place ?? last;
    return rows.map(({ row }) => row);
  };
}

async function readByCursor(db: Db, { name }: TableShape): Promise<ReadRows> {
  const cursor = sql.id(`copy_${name}`);
  await sql`declare ${cursor} no scroll cursor for select row_to_json(t)::text as row from ${sql.table(name)} t`.execute(
    db,
  );
  return async (count) => {
    const { rows } = await sql<{ row: string }>`fetch ${sql.lit(count)} from ${cursor}`.execute(db);
    if (rows.length === 0) await sql`close ${cursor}`.execute(db);
    return rows.map(({ row }) => row);
  };
}

async function insertRows({ db, dialect }: End, { name, columns }: TableShape, json: string): Promise<void> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  if (dialect === 'sqlite') {
    const values = sql.join(columns.map((column) => sql`value ->> ${sql.lit(column)}`));
    await sql`insert into ${sql.table(name)} (${names}) select ${values} from json_each(${json})`.execute(db);
  } else {
    await sql`insert into ${sql.table(name)} (${names}) overriding system value
      select ${names} from json_populate_recordset(null::${sql.table(name)}, ${json}::json)`.execute(db);
  }
}

/** The highest number an identity column ever gave: rows that are gone must not lend theirs to new ones. 0 where it gave none. */
async function readLastNumber({ db, dialect }: End, table: string, column: string): Promise<number> {
  if (dialect === 'sqlite') {
    const { rows } = await sql<{ seq: number }>`select seq from sqlite_sequence where name = ${table}`.execute(db);
    return rows[0]?.seq ?? 0;
  }
  const { rows } = await sql<{ last: number | null }>`
    select pg_sequence_last_value(pg_get_serial_sequence(${table}, ${column})::regclass) as last`.execute(db);
  return rows[0]?.last ?? 0;
}

async function writeLastNumber({ db, dialect }: End, table: string, column: string, last: number): Promise<void> {
  if (last === 0) return;
  if (dialect === 'sqlite') {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(db);
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${last})`.execute(db);
  } else {
    await sql`select setval(pg_get_serial_sequence(${table}, ${column}), ${last})`.execute(db);
  }
}

/** How many rows a table has. */
export async function countRows(db: Db, table: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db);
  return rows[0]?.n ?? 0;
}
