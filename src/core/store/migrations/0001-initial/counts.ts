/**
 * Counts that triggers keep, so that reading them takes the same time for ten rows and for a million.
 *
 * Counts of rows by state: `count` is the current number; `entered` counts how often a row got that state, and never
 * decreases. Growth: how many joined and left each newsletter, by quarters of an hour, in UTC, since a day of any zone
 * begins at one.
 *
 * On PostgreSQL each connection has its own rows (`slot`, its process id): transactions that count at the same time
 * neither wait for each other nor deadlock. Retention adds them up in slot 0.
 */
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

/** Triggers that keep `delivery_counts` and `state_counts`. */
export function stateTriggers(dialect: 'sqlite' | 'postgres'): string[] {
  return counted.flatMap(dialect === 'sqlite' ? sqliteTriggers : postgresTriggers);
}

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

const QUARTER = 15 * 60 * 1_000;

/** Triggers that keep `growth_counts`. */
export function growthTriggers(dialect: 'sqlite' | 'postgres'): string[] {
  return dialect === 'sqlite' ? sqliteGrowthTriggers : postgresGrowthTriggers;
}

function quarterOf(instant: string): string {
  return `${instant} - ${instant} % ${QUARTER}`;
}

const ADDED = `on conflict (quarter, newsletter, change, slot) do update
  set count = growth_counts.count + excluded.count`;
const INTO = 'insert into growth_counts (quarter, newsletter, change, slot, count)';
const changeOf = (row: string): string => `case ${row}.state when 'confirmed' then 'joined' else 'left' end`;

const sqliteGrowthTriggers = [
  `create trigger subscriptions_growth_insert after insert on subscriptions when new.state = 'confirmed' begin
    ${INTO} values (${quarterOf('new.changed_at')}, new.newsletter, 'joined', 0, 1) ${ADDED};
  end`,
  `create trigger subscriptions_growth_update after update of state on subscriptions
    when new.state <> old.state and 'confirmed' in (new.state, old.state) begin
    ${INTO} values (${quarterOf('new.changed_at')}, new.newsletter, ${changeOf('new')}, 0, 1) ${ADDED};
  end`,
];

/** Sorted, so that rows are always locked in the same order. */
function postgresGrowthTrigger(event: string, tables: string, from: string): string[] {
  const name = `subscriptions_growth_${event}`;
  return [
    `create function ${name}() returns trigger language plpgsql as $$
    begin
      ${INTO}
        select quarter, newsletter, change, pg_backend_pid(), count(*) from (
          select ${quarterOf('n.changed_at')} as quarter, n.newsletter, ${changeOf('n')} as change from ${from}
        ) as changes
        group by quarter, newsletter, change order by quarter, newsletter, change
        ${ADDED};
      return null;
    end $$`,
    `create trigger ${name} after ${event} on subscriptions referencing ${tables}
      for each statement execute function ${name}()`,
  ];
}

const postgresGrowthTriggers = [
  ...postgresGrowthTrigger('insert', 'new table as new_rows', `new_rows n where n.state = 'confirmed'`),
  ...postgresGrowthTrigger(
    'update',
    'old table as old_rows new table as new_rows',
    `old_rows o join new_rows n
      on n.subscriber_id = o.subscriber_id and n.newsletter = o.newsletter
      where n.state <> o.state and 'confirmed' in (n.state, o.state)`,
  ),
];
