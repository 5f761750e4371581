/**
 * The audit log: what accounts did. A row is written in the transaction of the act, and never changes, but for the
 * reason of an act on a person who is erased. It holds no password, token or address: subscribers are named by their
 * id. Long texts are cut.
 */
import { type Selectable, sql } from 'kysely';
import type { Db, InTransaction, Tx } from '../core/store/store.ts';
import type { Tables } from '../core/store/tables.ts';
import { boundedLine } from '../lib/text/clean-text.ts';
import { CONSOLE, type SignedInAccount } from './account.ts';

type DetailValue = string | number | boolean | null;

export interface AuditedAct {
  /** Such as `edition.hold`. */
  act: string;
  /** Object of the act, such as `daily-roundup/2026-11-24`. */
  subject: string;
  detail?: Record<string, DetailValue | readonly DetailValue[]>;
}

/** The account that acts, with the address of its client; `console` for the command line. */
export type AuditActor =
  | (Pick<SignedInAccount, 'id' | 'name'> & { client?: string | null | undefined })
  | typeof CONSOLE;

/** Acts that are in the security log, too. */
const SECURITY_ACT = /^account\.|\.export/;

/** Writes the row of an act at the end of its transaction. @param now epoch milliseconds */
export function auditAct(actor: AuditActor, now: number, act: AuditedAct): InTransaction {
  return (tx) => insertAuditRow(tx, actor, now, act);
}

async function insertAuditRow(tx: Tx, actor: AuditActor, now: number, audited: AuditedAct): Promise<void> {
  const { act, subject, detail = {} } = audited;
  const who = actor === CONSOLE ? { account_id: null, actor } : { account_id: actor.id, actor: actor.name };
  const stored = JSON.stringify(
    Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, bounded(value)])),
  );
  const row = { at: now, ...who, act, subject: boundedLine(subject, SUBJECT_LIMIT), detail: stored };
  await tx.insertInto('audit_log').values(row).execute();
  if (!SECURITY_ACT.test(act)) return;
  const entry = { ...row, client: actor === CONSOLE ? null : (actor.client ?? null) };
  await tx.insertInto('security_log').values(entry).execute();
}

/** Blanks what was typed about people. @param subjects that name them */
export async function blankReasons(tx: Tx, subjects: readonly string[]): Promise<void> {
  const rows = await tx
    .selectFrom('audit_log')
    .select(['id', 'detail'])
    .where('subject', 'in', subjects)
    .where('detail', 'like', '%"reason":%')
    .execute();
  for (const { id, detail } of rows) {
    const blanked = JSON.stringify({ ...JSON.parse(detail), reason: '' });
    await tx.updateTable('audit_log').set({ detail: blanked }).where('id', '=', id).execute();
  }
}

/** How the log names an account as subject. */
export function accountSubject(id: number): string {
  return `account/${id}`;
}

/** In UTF-16 units. */
const SUBJECT_LIMIT = 200;
const TEXT_LIMIT = 300;
/** Values of a list. */
const LIST_LIMIT = 100;

function bounded(value: DetailValue | readonly DetailValue[]): unknown {
  if (typeof value === 'string') return boundedLine(value, TEXT_LIMIT);
  return Array.isArray(value) ? value.slice(0, LIST_LIMIT).map(bounded) : value;
}

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
  /** IP address, in the security log. */
  client?: string | null;
}

export function toLogEntry(row: Selectable<Tables['security_log']>): AuditLogEntry {
  const { account_id: accountId, detail, is_shipped, ...entry } = row;
  return { ...entry, accountId, detail: JSON.parse(detail) };
}

export interface AuditFilter {
  accountId?: number | undefined;
  act?: string | undefined;
  subject?: string | undefined;
  /** IP address, in the security log. */
  client?: string | undefined;
}

/** The security log has the same columns, and one of the client. */
export type LogTable = 'audit_log' | 'security_log';

/**
 * A subject has few entries: with one, SQLite must not choose the index of the account or the act. Otherwise a page of
 * a log with 1,000,000 entries took 90 ms instead of 3.
 * @param before only entries before that id @param limit maximum number of entries
 */
export async function readAuditLog(
  db: Db,
  { accountId, act, subject, client }: AuditFilter,
  { before, limit, table = 'audit_log' }: { before: number | null; limit: number; table?: LogTable },
): Promise<AuditLogEntry[]> {
  const rows = await db
    .selectFrom(table as 'security_log')
    .selectAll()
    .$if(subject !== undefined, (q) => q.where('subject', '=', subject as string))
    .$if(accountId !== undefined, (q) =>
      q.where(subject === undefined ? sql<number>`account_id` : sql<number>`account_id + 0`, '=', accountId as number),
    )
    .$if(act !== undefined, (q) =>
      q.where(subject === undefined ? sql<string>`act` : sql<string>`act || ''`, '=', act as string),
    )
    .$if(client !== undefined, (q) => q.where('client', '=', client as string))
    .$if(before !== null, (q) => q.where('id', '<', before as number))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toLogEntry);
}

/** All acts that the log has, by name: one look-up in the index for each, for a log of any size. */
export async function listActs(db: Db, table: LogTable = 'audit_log'): Promise<string[]> {
  const log = sql.table(table);
  const { rows } = await sql<{ act: string }>`
    with recursive acts (act) as (
      select min(act) from ${log}
      union all
      select (select min(log.act) from ${log} as log where log.act > acts.act) from acts
      where acts.act is not null
    )
    select act from acts where act is not null`.execute(db);
  return rows.map(({ act }) => act);
}
