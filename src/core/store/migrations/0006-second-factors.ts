/** Second factors of accounts, where a session was begun, and the security log, which has its own retention. */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

export async function addSecondFactors(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text, int, identity } = columnTypes(dialect);
  const statements = [
    `alter table accounts add column second_factor ${text}`,
    `alter table accounts add column second_factor_step ${int}`,
    `alter table accounts add column recovery_codes ${text}`,
    `alter table account_sessions add column browser ${text}`,
    `alter table account_sessions add column client ${text}`,
    `create table security_log (
      id ${identity},
      at ${int} not null,
      account_id ${int},
      actor ${text} not null,
      act ${text} not null,
      subject ${text} not null,
      detail ${text} not null,
      client ${text},
      is_shipped ${int} not null default 0 check (is_shipped in (0, 1))
    )`,
    'create index security_log_by_act on security_log (act, id)',
    'create index security_log_unshipped on security_log (id) where is_shipped = 0',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
