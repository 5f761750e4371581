/**
 * Reads the audit log, newest entry first, in pages by key.
 */
import { sql } from 'kysely';
import type { Db } from '../core/store/store.ts';

export interface AuditLogEntry {
  id: number;
  /** Epoch milliseconds. */
  at: number;
  /** Null for the command line. */
  accountId: number | null;
  /** The account's name at that time. */
  actor: string;
  act: string;
  subject: string;
  detail: Record<string, unknown>;
}

export interface AuditFilter {
  accountId?: number | undefined;
  act?: string | undefined;
  subject?: string | undefined;
}

/**
 * A subject has few entries: with one, SQLite must not choose the index of the account or the act. Otherwise a page of
 * a log with 1,000,000 entries took 90 ms instead of 3.
 * @param before only entries before that id @param limit maximum number of entries
 */
export async function readAuditLog(
  db: Db,
  { accountId, act, subject }: AuditFilter,
  { before, limit }: { before: number | null; limit: number },
): Promise<AuditLogEntry[]> {
  const rows = await db
    .selectFrom('audit_log')
    .selectAll()
    .$if(subject !== undefined, (q) => q.where('subject', '=', subject as string))
    .$if(accountId !== undefined, (q) =>
      q.where(subject === undefined ? sql<number>`account_id` : sql<number>`account_id + 0`, '=', accountId as number),
    )
    .$if(act !== undefined, (q) =>
      q.where(subject === undefined ? sql<string>`act` : sql<string>`act || ''`, '=', act as string),
    )
    .$if(before !== null, (q) => q.where('id', '<', before as number))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ account_id, detail, ...row }) => ({ ...row, accountId: account_id, detail: JSON.parse(detail) }));
}

/** All acts that the log has, by name: one look-up in the index for each, whatever the size of the log. */
export async function listActs(db: Db): Promise<string[]> {
  const { rows } = await sql<{ act: string }>`
    with recursive acts (act) as (
      select min(act) from audit_log
      union all
      select (select min(audit_log.act) from audit_log where audit_log.act > acts.act) from acts
      where acts.act is not null
    )
    select act from acts where act is not null`.execute(db);
  return rows.map(({ act }) => act);
}
