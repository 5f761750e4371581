/**
 * The initial schema. `tables.ts` documents the columns.
 *
 * Every column with a fixed set of values has a CHECK constraint. Tables that an edition or a publish fills by the
 * hundred thousand have no foreign keys: PostgreSQL would check them row by row.
 */
import { type Kysely, sql } from 'kysely';
import { articleTables } from './0001-initial/articles.ts';
import { growthTriggers, stateTriggers } from './0001-initial/counts.ts';
import { deliveryTables } from './0001-initial/deliveries.ts';
import { editionTables } from './0001-initial/editions.ts';
import { feedTables } from './0001-initial/feeds.ts';
import { operationTables } from './0001-initial/operations.ts';
import { sourceTables } from './0001-initial/sources.ts';
import { subscriberTables } from './0001-initial/subscribers.ts';
import { columnTypes } from './column-types.ts';

export async function createInitialSchema(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const types = columnTypes(dialect);
  const statements = [
    ...articleTables(types),
    ...feedTables(types),
    ...sourceTables(types),
    ...editionTables(types),
    ...subscriberTables(types),
    ...deliveryTables(types),
    ...operationTables(types),
    ...stateTriggers(dialect),
    ...growthTriggers(dialect),
    ...(dialect === 'sqlite' ? sqliteAuditLog : [...postgresAuditLog, ...uncompressed]),
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

// Rows of the audit log are never changed or deleted.
const sqliteAuditLog = ['update', 'delete'].map(
  (act) => `create trigger audit_log_no_${act} before ${act} on audit_log
    begin select raise(abort, 'the audit log is append-only'); end`,
);
const postgresAuditLog = [
  `create function refuse_audit_change() returns trigger language plpgsql as $$
    begin raise exception 'the audit log is append-only'; end $$`,
  `create trigger audit_log_append_only before update or delete or truncate on audit_log
    for each statement execute function refuse_audit_change()`,
];

// Compressed bytes, which PostgreSQL would try to compress again.
const uncompressed = [
  'alter table documents alter column gzip set storage external, alter column brotli set storage external',
  'alter table articles alter column compressed set storage external',
];
