/**
 * The audit log: what accounts did. A row is written in the transaction of the act, and never changes. It holds no
 * password, token or address: subscribers are named by their id. Long texts are cut.
 */
import type { InTransaction, Tx } from '../core/store/store.ts';
import { boundedLine } from '../lib/text/clean-text.ts';
import { CONSOLE, type SignedInAccount } from './account.ts';

type DetailValue = string | number | boolean | null;

export interface AuditedAct {
  /** Such as `edition.hold`. */
  act: string;
  /** What it was done to, such as `daily-roundup/2026-11-24`. */
  subject: string;
  detail?: Record<string, DetailValue | readonly DetailValue[]>;
}

/** Who acts; `console` for the command line. */
export type AuditActor = Pick<SignedInAccount, 'id' | 'name'> | typeof CONSOLE;

/** Writes the row of an act at the end of its transaction. @param now epoch milliseconds */
export function auditAct(actor: AuditActor, now: number, act: AuditedAct): InTransaction {
  return (tx) => insertAuditRow(tx, actor, now, act);
}

async function insertAuditRow(tx: Tx, actor: AuditActor, now: number, audited: AuditedAct): Promise<void> {
  const { act, subject, detail = {} } = audited;
  const who = actor === CONSOLE ? { account_id: null, actor } : { account_id: actor.id, actor: actor.name };
  const row = { at: now, ...who, act, subject: boundedLine(subject, SUBJECT_LIMIT), detail: toJson(detail) };
  await tx.insertInto('audit_log').values(row).execute();
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

function toJson(detail: NonNullable<AuditedAct['detail']>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, bounded(value)])));
}

function bounded(value: DetailValue | readonly DetailValue[]): unknown {
  if (typeof value === 'string') return boundedLine(value, TEXT_LIMIT);
  return Array.isArray(value) ? value.slice(0, LIST_LIMIT).map(bounded) : value;
}
