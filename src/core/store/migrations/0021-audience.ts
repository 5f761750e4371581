/**
 * The audience at the desk: how many joined and left each newsletter, kept by triggers; imports of uploaded files; and
 * indexes of what is suppressed.
 *
 * Growth is counted by quarters of an hour, in UTC: a day of any zone begins at one. As the counts of states, on
 * PostgreSQL each connection counts in a slot of its own.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

const QUARTER = 15 * 60 * 1_000;

export async function addAudience(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int } = columnTypes(dialect);
  const statements = [
    `create table growth_counts (
      quarter ${int} not null,
      newsletter ${text} not null,
      change ${text} not null check (change in ('joined', 'left')),
      slot ${int} not null,
      count ${int} not null,
      constraint growth_counts_key primary key (quarter, newsletter, change, slot)
    )`,
    countExisting,
    ...(dialect === 'sqlite' ? sqliteTriggers : postgresTriggers),
    'create index suppressions_by_time on suppressions (at, address_hash)',
    'create index subscribers_suppressed on subscribers (suppressed_at) where suppressed_at is not null',
    `create table subscriber_imports (
      id ${text} not null primary key,
      account_id ${int} not null,
      state ${text} not null
        check (state in ('checking', 'checked', 'refused', 'importing', 'done', 'failed', 'discarded')),
      file_name ${text} not null,
      file_hash ${text} not null,
      size ${int} not null,
      options ${text} not null,
      rows_read ${int} not null,
      rejected ${int} not null,
      bytes_read ${int} not null,
      report ${text},
      problem ${text},
      created_at ${int} not null,
      changed_at ${int} not null
    )`,
    'create index subscriber_imports_by_time on subscriber_imports (created_at, id)',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

function quarterOf(instant: string): string {
  return `${instant} - ${instant} % ${QUARTER}`;
}

/** Of subscribers who are still stored. Who unsubscribed without having confirmed has not left. */
const countExisting = `insert into growth_counts (quarter, newsletter, change, slot, count)
  select ${quarterOf('at')}, newsletter, case change when 'confirmed' then 'joined' else 'left' end, 0, count(*)
  from (
    select at, newsletter, change,
      lag(change) over (partition by subscriber_id, newsletter order by id) as before
    from consent_events where newsletter is not null and change in ('confirmed', 'unsubscribed')
  ) as changes
  where change = 'confirmed' or before = 'confirmed'
  group by 1, 2, 3`;

const ADDED = `on conflict (quarter, newsletter, change, slot) do update
  set count = growth_counts.count + excluded.count`;
const INTO = 'insert into growth_counts (quarter, newsletter, change, slot, count)';
const changeOf = (row: string): string => `case ${row}.state when 'confirmed' then 'joined' else 'left' end`;

const sqliteTriggers = [
  `create trigger subscriptions_growth_insert after insert on subscriptions when new.state = 'confirmed' begin
    ${INTO} values (${quarterOf('new.changed_at')}, new.newsletter, 'joined', 0, 1) ${ADDED};
  end`,
  `create trigger subscriptions_growth_update after update of state on subscriptions
    when new.state <> old.state and 'confirmed' in (new.state, old.state) begin
    ${INTO} values (${quarterOf('new.changed_at')}, new.newsletter, ${changeOf('new')}, 0, 1) ${ADDED};
  end`,
];

/** Sorted, so that rows are always locked in the same order. */
function postgresTrigger(event: string, tables: string, from: string): string[] {
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

const postgresTriggers = [
  ...postgresTrigger('insert', 'new table as new_rows', `new_rows n where n.state = 'confirmed'`),
  ...postgresTrigger(
    'update',
    'old table as old_rows new table as new_rows',
    `old_rows o join new_rows n
      on n.subscriber_id = o.subscriber_id and n.newsletter = o.newsletter
      where n.state <> o.state and 'confirmed' in (n.state, o.state)`,
  ),
];
