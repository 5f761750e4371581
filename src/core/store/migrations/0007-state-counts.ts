/**
 * Counts of rows by state, kept by triggers, so that reading them takes the same time for ten rows and for a million.
 * `count` is the current number; `entered` counts how often a row got that state, and never decreases.
 *
 * On PostgreSQL each connection has its own rows (`slot`, its process id): transactions that count at the same time
 * neither wait for each other nor deadlock. Retention adds them up in slot 0.
 */
import { type Kysely, sql } from 'kysely';
import { type ColumnTypes, columnTypes } from './column-types.ts';

interface Counted {
  table: string;
  into: 'delivery_counts' | 'state_counts';
  /** The key columns of the counts, as expressions on a row. */
  key: (row: string) => Record<string, string>;
  /** The primary key of the table. */
  id: string[];
  /** The column whose change moves a row from one count to another; null where rows keep their state. */
  state: string | null;
  /** Whether inserted rows are counted by a trigger. */
  inserts: boolean;
}

const counted: Counted[] = [
  {
    table: 'deliveries',
    into: 'delivery_counts',
    key: (row) => ({ edition_id: `${row}.edition_id`, state: `${row}.state` }),
    id: ['edition_id', 'subscriber_id'],
    state: 'state',
    // On SQLite a trigger runs row by row: it made queueing an edition half as slow again. `queueDeliveries` counts.
    inserts: false,
  },
  simple('subscriptions', 'newsletter', 'state', ['subscriber_id', 'newsletter']),
  simple('service_messages', "''", 'state', ['id']),
  simple('runs', 'schedule', 'state', ['schedule', 'slot_at']),
  { ...simple('bounces', "''", 'kind', ['id']), state: null },
  simple('suppressions', "''", 'reason', ['address_hash']),
  { ...simple('rejections', "''", 'stage', ['key']), state: null },
];

function simple(table: string, scope: string, state: string, id: string[]): Counted {
  const key = (row: string) => ({
    subject: `'${table}'`,
    scope: scope === "''" ? scope : `${row}.${scope}`,
    state: `${row}.${state}`,
  });
  return { table, into: 'state_counts', key, id, state, inserts: true };
}

export async function countStates(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const statements = [
    ...createTables(columnTypes(dialect)),
    ...counted.flatMap(countExisting),
    ...countDeleted,
    ...counted.flatMap(dialect === 'sqlite' ? sqliteTriggers : postgresTriggers),
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

function createTables({ text, int }: ColumnTypes): string[] {
  return [
    `create table delivery_counts (
      edition_id ${int} not null,
      state ${text} not null check (state in ('pending', 'submitting', 'submitted', 'failed', 'suppressed')),
      slot ${int} not null,
      count ${int} not null,
      entered ${int} not null,
      constraint delivery_counts_key primary key (edition_id, state, slot)
    )`,
    `create table state_counts (
      subject ${text} not null check (subject in ('subscriptions', 'service_messages', 'runs', 'bounces',
        'suppressions', 'rejections', 'feed_requests')),
      scope ${text} not null,
      state ${text} not null,
      slot ${int} not null,
      count ${int} not null,
      entered ${int} not null,
      constraint state_counts_key primary key (subject, scope, state, slot)
    )`,
    // Uncertain deliveries are among these few. Without it they are searched in all open ones.
    `create index deliveries_submitting on deliveries (edition_id, subscriber_id) where state = 'submitting'`,
  ];
}

function countExisting({ table, into, key }: Counted): string {
  const columns = Object.entries(key('t'));
  const names = columns.map(([name]) => name).join(', ');
  const keys = columns.map(([name, value]) => `${value} as ${name}`).join(', ');
  return `insert into ${into} (${names}, slot, count, entered)
    select ${names}, 0, count(*), count(*) from (select ${keys} from ${table} t) as keys group by ${names}`;
}

/** Rows that retention has replaced by totals were in their states, too. */
const countDeleted = [
  `insert into delivery_counts (edition_id, state, slot, count, entered)
    select edition_id, state, 0, 0, count from delivery_totals where true
    on conflict (edition_id, state, slot) do update set entered = delivery_counts.entered + excluded.entered`,
  `insert into state_counts (subject, scope, state, slot, count, entered)
    select 'runs', schedule, state, 0, 0, count from run_totals where true
    on conflict (subject, scope, state, slot) do update set entered = state_counts.entered + excluded.entered`,
];

function addTo(into: string, columns: string[], source: string): string {
  return `insert into ${into} (${columns.join(', ')}, slot, count, entered) ${source}
    on conflict (${columns.join(', ')}, slot) do update
    set count = ${into}.count + excluded.count, entered = ${into}.entered + excluded.entered`;
}

function sqliteTriggers({ table, into, key, state, inserts }: Counted): string[] {
  const add = (row: 'new' | 'old', count: number, entered: number): string => {
    const columns = key(row);
    return addTo(into, Object.keys(columns), `values (${Object.values(columns).join(', ')}, 0, ${count}, ${entered})`);
  };
  const trigger = (event: string, on: string, ...actions: string[]): string =>
    `create trigger ${table}_counted_${event} after ${on} begin ${actions.join('; ')}; end`;
  return [
    ...(inserts ? [trigger('insert', `insert on ${table}`, add('new', 1, 1))] : []),
    trigger('delete', `delete on ${table}`, add('old', -1, 0)),
    ...(state === null
      ? []
      : [
          trigger(
            'update',
            `update of ${state} on ${table} when new.${state} <> old.${state}`,
            add('old', -1, 0),
            add('new', 1, 1),
          ),
        ]),
  ];
}

/** Triggers per statement. Sorted, so that rows are always locked in the same order. */
function postgresTriggers({ table, into, key, id, state, inserts }: Counted): string[] {
  const change = (row: string, from: string, count: number, entered: number): string => {
    const columns = Object.entries(key(row)).map(([name, value]) => `${value} as ${name}`);
    return `select ${columns.join(', ')}, ${count} as count, ${entered} as entered from ${from}`;
  };
  const names = Object.keys(key('r'));
  const trigger = (event: string, tables: string, changes: string[]): string[] => {
    const list = names.join(', ');
    const source = `select ${list}, pg_backend_pid(), sum(count), sum(entered)
      from (${changes.join(' union all ')}) as changes group by ${list} order by ${list}`;
    const name = `${table}_counted_${event}`;
    return [
      `create function ${name}() returns trigger language plpgsql as $$
      begin
        ${addTo(into, names, source)};
        return null;
      end $$`,
      `create trigger ${name} after ${event} on ${table} referencing ${tables}
        for each statement execute function ${name}()`,
    ];
  };
  const joined = `old_rows o join new_rows n on ${id.map((column) => `n.${column} = o.${column}`).join(' and ')}`;
  const moved = `${joined} where n.${state} <> o.${state}`;
  return [
    ...(inserts ? trigger('insert', 'new table as new_rows', [change('r', 'new_rows r', 1, 1)]) : []),
    ...trigger('delete', 'old table as old_rows', [change('r', 'old_rows r', -1, 0)]),
    ...(state === null
      ? []
      : trigger('update', 'old table as old_rows new table as new_rows', [
          change('o', moved, -1, 0),
          change('n', moved, 1, 1),
        ])),
  ];
}
