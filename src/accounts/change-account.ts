/** Changes to accounts by an admin, and of the own password. Each ends the sessions of the account. */
import { type Db, inTransaction, lockName, type Tx } from '../core/store/store.ts';
import { type Account, lockAccountRow, type SignedInAccount, toAccount } from './account.ts';
import { type AuditActor, accountSubject, auditAct } from './audit.ts';
import { ordered, replacePassword, withdrawInvitationsOf, withdrawPasswordLinks } from './invitations.ts';
import { hashPassword, passwordProblem } from './passwords.ts';
import type { AccountRole } from './permissions.ts';
import { beginSession, endSessions } from './sessions.ts';

/** Its message tells the person who gave the command what would be right. */
export class AccountError extends Error {
  override name = 'AccountError';
  /** What is wrong in the form of an account; null for the act as a whole. */
  readonly field: 'role' | null;

  constructor(message: string, field: AccountError['field'] = null) {
    super(message);
    this.field = field;
  }
}

/**
 * Changes the roles. An account that is no longer an admin loses the open links that it has made.
 * @throws AccountError if there is no such account, or no admin would be left
 */
export async function changeRoles(
  db: Db,
  actor: AuditActor,
  { id, roles }: { id: number; roles: readonly AccountRole[] },
  now: number,
): Promise<void> {
  const wanted = ordered(roles);
  if (wanted.length === 0) throw new AccountError('Choose at least one role, or disable the account.', 'role');
  await changeAccount(db, id, async (tx, account) => {
    if (JSON.stringify(wanted) === JSON.stringify(account.roles)) return;
    if (!wanted.includes('admin')) await requireAnotherAdmin(tx, account);
    await tx
      .updateTable('accounts')
      .set({ roles: JSON.stringify(wanted) })
      .where('id', '=', id)
      .execute();
    await endSessions(tx, id);
    const withdrawn = wanted.includes('admin') ? 0 : await withdrawInvitationsOf(tx, account);
    const detail = { name: account.name, roles: wanted, before: account.roles, ...(withdrawn > 0 && { withdrawn }) };
    await auditAct(actor, now, { act: 'account.roles', subject: accountSubject(id), detail })(tx);
  });
}

/**
 * Disabling ends the sessions of the account, the links for it, and the links that it has made for others.
 * @throws AccountError as `changeRoles`
 */
export async function disableAccount(db: Db, actor: AuditActor, id: number, now: number): Promise<void> {
  await changeAccount(db, id, async (tx, account) => {
    if (account.disabledAt !== null) return;
    await requireAnotherAdmin(tx, account);
    await tx.updateTable('accounts').set({ disabled_at: now }).where('id', '=', id).execute();
    await endSessions(tx, id);
    await withdrawPasswordLinks(tx, id);
    const withdrawn = await withdrawInvitationsOf(tx, account);
    const detail = { name: account.name, ...(withdrawn > 0 && { withdrawn }) };
    await auditAct(actor, now, { act: 'account.disable', subject: accountSubject(id), detail })(tx);
  });
}

/** @throws AccountError if there is no such account */
export async function enableAccount(db: Db, actor: AuditActor, id: number, now: number): Promise<void> {
  await changeAccount(db, id, async (tx, account) => {
    if (account.disabledAt === null) return;
    await tx.updateTable('accounts').set({ disabled_at: null }).where('id', '=', id).execute();
    const entry = { act: 'account.enable', subject: accountSubject(id), detail: { name: account.name } };
    await auditAct(actor, now, entry)(tx);
  });
}

export type PasswordChange =
  /** With the token of a new session, for the browser that changed it. */
  | { kind: 'changed'; token: string }
  | { kind: 'refused'; reason: string }
  /** Too many passwords wait. */
  | { kind: 'busy' };

/**
 * Sets the own password, ends all sessions, and begins a new one. The caller has confirmed the old password.
 * @param publication the publication's name
 * @throws AccountError if the account was disabled meanwhile
 */
export async function changePassword(
  db: Db,
  account: SignedInAccount,
  { password, publication }: { password: string; publication: string },
  now: number,
): Promise<PasswordChange> {
  const reason = passwordProblem(password, { ...account, publication });
  if (reason !== null) return { kind: 'refused', reason };
  const hash = await hashPassword(password);
  if (hash === null) return { kind: 'busy' };
  return inTransaction(db, async (tx) => {
    if ((await replacePassword(tx, account.id, hash)) === null) throw new AccountError('The account is disabled.');
    await auditAct(account, now, { act: 'account.password', subject: accountSubject(account.id) })(tx);
    return { kind: 'changed', token: await beginSession(tx, account.id, now) };
  });
}

/**
 * Ends sessions of an account: one, or all.
 * @param except token of one that goes on @param only id of the one
 * @returns their number
 */
export async function endSessionsOf(
  db: Db,
  actor: AuditActor,
  { id, except, only }: { id: number; except: string | null; only: string | null },
  now: number,
): Promise<number> {
  return inTransaction(db, async (tx) => {
    const count = await endSessions(tx, id, except, only);
    const act = { act: 'account.end-sessions', subject: accountSubject(id), detail: { count } };
    if (count > 0) await auditAct(actor, now, act)(tx);
    return count;
  });
}

async function changeAccount(db: Db, id: number, change: (tx: Tx, account: Account) => Promise<void>): Promise<void> {
  await inTransaction(db, async (tx) => {
    // Two admins could each take the role from the other.
    await lockName(tx, 'admins');
    const row = await lockAccountRow(tx, id);
    if (row === undefined) throw new AccountError('There is no such account.');
    await change(tx, toAccount(row));
  });
}

async function requireAnotherAdmin(tx: Tx, account: Account): Promise<void> {
  if (!account.roles.includes('admin') || account.disabledAt !== null) return;
  const rows = await tx.selectFrom('accounts').selectAll().where('disabled_at', 'is', null).execute();
  const isAdmin = ({ id, roles }: Account): boolean => id !== account.id && roles.includes('admin');
  if (rows.map(toAccount).some(isAdmin)) return;
  throw new AccountError(`${account.name} is the only admin: make somebody else an admin first.`);
}
