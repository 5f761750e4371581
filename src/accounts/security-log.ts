/**
 * The security log: acts of the audit log that auditors ask for, and failures, each with the address of the client. It
 * has its own retention, since addresses are personal data, and is in the log of the process as well.
 */
import type { AppContext } from '../core/app-context.ts';
import { type Db, inTransaction } from '../core/store/store.ts';
import { accountSubject, toLogEntry } from './audit.ts';

export interface Failure {
  act: string;
  /** Null if there is no such account. */
  accountId: number | null;
  /** IP address. */
  client: string | null;
}

/** Records a wrong password or code. Nothing that was typed is stored. */
export async function recordFailure(db: Db, { act, accountId, client }: Failure, now: number): Promise<void> {
  const subject = accountId === null ? 'no account' : accountSubject(accountId);
  const row = { at: now, account_id: accountId, actor: 'unknown', act, subject, detail: '{}', client };
  await db.insertInto('security_log').values(row).execute();
}

/** Writes new entries to the log of the process, with the field `security`: once, also with several processes. */
export async function shipSecurityLog({ store, log }: Pick<AppContext, 'store' | 'log'>): Promise<void> {
  // A transaction of nothing would keep the writer busy at rest.
  const isNew = await store.db.selectFrom('security_log').select('id').where('is_shipped', '=', 0).limit(1).execute();
  if (isNew.length === 0) return;
  await inTransaction(store.db, async (tx) => {
    const unshipped = tx.updateTable('security_log').set({ is_shipped: 1 }).where('is_shipped', '=', 0);
    const rows = await unshipped.returningAll().execute();
    for (const row of rows.toSorted((a, b) => a.id - b.id)) log.info({ security: toLogEntry(row) }, row.act);
  });
}
