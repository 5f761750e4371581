/** The reason of an act on a person can be blanked in the audit log. Nothing else of a row changes. */
import { type Kysely, sql } from 'kysely';

export async function allowBlankedReasons(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  for (const statement of dialect === 'sqlite' ? sqlite : postgres) await sql.raw(statement).execute(db);
}

const COLUMNS = ['id', 'at', 'account_id', 'actor', 'act', 'subject'];

const sqlite = [
  'drop trigger audit_log_no_update',
  `create trigger audit_log_no_update before update on audit_log
    when ${COLUMNS.map((name) => `new.${name} is not old.${name}`).join(' or ')}
      or json(new.detail) is not json_replace(old.detail, '$.reason', '')
    begin select raise(abort, 'the audit log is append-only'); end`,
];

const postgres = [
  'drop trigger audit_log_append_only on audit_log',
  `create trigger audit_log_append_only before delete or truncate on audit_log
    for each statement execute function refuse_audit_change()`,
  `create trigger audit_log_no_update before update on audit_log for each row
    when (${COLUMNS.map((name) => `new.${name} is distinct from old.${name}`).join(' or ')}
      or new.detail::jsonb is distinct from jsonb_set(old.detail::jsonb, '{reason}', '""', false))
    execute function refuse_audit_change()`,
];
