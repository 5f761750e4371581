/**
 * The audit log: what accounts did. A row is written in the transaction of the act, and never changes. It holds no
 * password, token or address: subscribers are named by their id.
 */
import type { Tx } from '../store/store.ts';
import type { InTransaction } from '../store/transaction.ts';
import type { SignedInAccount } from './account.ts';

export interface AuditedAct {
  /** Such as `edition.hold`. */
  act: string;
  /** What it was done to, such as `daily-roundup/2026-11-24`. */
  subject: string;
  detail?: Record<string, string | number | boolean | null>;
}

/** Who acts; `console` for the command line. */
export type AuditActor = Pick<SignedInAccount, 'id' | 'name'> | 'console';

/** Writes the row of an act at the end of its transaction. @param now epoch milliseconds */
export function auditAct(actor: AuditActor, now: number, act: AuditedAct): InTransaction {
  return (tx) => insertAuditRow(tx, actor, now, act);
}

export async function insertAuditRow(tx: Tx, actor: AuditActor, now: number, audited: AuditedAct): Promise<void> {
  const { act, subject, detail = {} } = audited;
  const who = actor === 'console' ? { account_id: null, actor } : { account_id: actor.id, actor: actor.name };
  await tx
    .insertInto('audit_log')
    .values({ at: now, ...who, act, subject, detail: JSON.stringify(detail) })
    .execute();
}
