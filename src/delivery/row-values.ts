/**
 * Many rows in one statement that both databases understand: `with r (…) as (values …) update … from r`. Rows are padded to a power of
 * two with rows of nulls, which match nothing, so that few statements are ever prepared.
 */
import { type RawBuilder, sql } from 'kysely';

type Value = number | string | null;

/**
 * The common table expression `r` alone, without `with`.
 * @param columns their names and types, in the order of each row's values
 * @param rows at least one; SQLite takes 32,766 values in all
 */
export function rowValues(columns: Record<string, 'bigint' | 'text'>, rows: readonly Value[][]): RawBuilder<unknown> {
  const names = Object.keys(columns);
  const types = Object.values(columns).map((type) => sql.raw(type));
  const nulls: Value[] = names.map(() => null);
  const [first = nulls, ...others] = rows;
  const padding = Array<Value[]>(2 ** Math.ceil(Math.log2(rows.length)) - rows.length).fill(nulls);
  // PostgreSQL cannot guess a parameter's type; it takes a column's from its first row.
  const typed = sql`(${sql.join(first.map((value, n) => sql`cast(${value} as ${types[n]})`))})`;
  const plain = [...others, ...padding].map((row) => sql`(${sql.join(row)})`);
  return sql`r (${sql.join(names.map((name) => sql.ref(name)))}) as (values ${sql.join([typed, ...plain])})`;
}
