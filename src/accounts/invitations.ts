/**
 * Invitations: links that work once. With one, a new colleague chooses a name and a password, and the owner of an
 * account chooses a new password. The store holds only a hash of the link's token.
 */
import { sql } from 'kysely';
import { type Db, type InTransaction, inTransaction, lockName, type Tx } from '../core/store/store.ts';
import { maskLocalPart, parseAddress } from '../lib/address.ts';
import { DAY } from '../lib/time.ts';
import {
  type Account,
  CONSOLE,
  emailKey,
  lockAccountRow,
  nameKey,
  parseAccountName,
  type SignedInAccount,
  toAccount,
  toSignedInAccount,
} from './account.ts';
import { type AuditActor, type AuditedAct, accountSubject, auditAct } from './audit.ts';
import { hashPassword, passwordProblem } from './passwords.ts';
import { ACCOUNT_ROLES, type AccountRole } from './permissions.ts';
import { beginSession, endSessions, hashOfToken, newSecretToken } from './sessions.ts';

const LIFETIME = 7 * DAY;
/** Lifetime of the link for the first account, which an operator opens at once. */
const FIRST_LIFETIME = DAY;

export interface Invitation {
  id: number;
  email: string;
  /** Roles of a new account. */
  roles: readonly AccountRole[];
  /** The account that gets a new password; null for a new account. */
  account: Pick<Account, 'id' | 'name'> | null;
  invitedBy: string;
  expiresAt: number;
}

export type Invited =
  | { kind: 'invited'; token: string; invitation: Invitation }
  | { kind: 'refused'; field: 'email' | 'roles'; reason: string };

/**
 * Makes a link for an address. It replaces an earlier one for the same address. For an address that has an account, the
 * link sets a new password, and the roles stay as they are.
 * @param roles of a new account; empty for an account that exists
 */
export async function invite(
  db: Db,
  actor: AuditActor,
  { email: typed, roles }: { email: string; roles: readonly AccountRole[] },
  now: number,
): Promise<Invited> {
  const parsed = parseAddress(typed);
  if (parsed.kind === 'invalid') return refused('email', `Enter an email address: ${parsed.reason}.`);
  return inTransaction(db, async (tx) => {
    await lockName(tx, `invitation ${parsed.key}`);
    const row = await tx.selectFrom('accounts').selectAll().where('email_key', '=', parsed.key).executeTakeFirst();
    const account = row === undefined ? null : toAccount(row);
    const isFirst = account === null && !(await hasAnyAccount(tx));
    const problem = account === null ? newAccountProblem(roles, isFirst) : accountProblem(account, roles);
    if (problem !== null) return problem;
    await tx
      .deleteFrom('account_invitations')
      .where('email_key', '=', parsed.key)
      .where('used_at', 'is', null)
      .execute();
    const { token, hash } = newSecretToken();
    const invited = {
      ...{ email: account?.email ?? parsed.email, expires_at: now + (isFirst ? FIRST_LIFETIME : LIFETIME) },
      invited_by: actor === CONSOLE ? actor : actor.name,
    };
    const { id } = await tx
      .insertInto('account_invitations')
      .values({
        ...{ ...invited, token_hash: hash, account_id: account?.id ?? null, email_key: parsed.key },
        ...{ roles: JSON.stringify(account === null ? ordered(roles) : []), created_at: now },
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const entry: AuditedAct =
      account === null
        ? { act: 'account.invite', subject: `invitation/${id}`, detail: { to: maskLocalPart(parsed.email), roles } }
        : { act: 'account.password-link', subject: accountSubject(account.id), detail: { name: account.name } };
    await auditAct(actor, now, entry)(tx);
    const invitation: Invitation = {
      ...{ id, email: invited.email, roles: account === null ? ordered(roles) : [], account },
      ...{ invitedBy: invited.invited_by, expiresAt: invited.expires_at },
    };
    return { kind: 'invited', token, invitation };
  });
}

function newAccountProblem(roles: readonly AccountRole[], isFirst: boolean): Invited | null {
  if (roles.length === 0) return refused('roles', 'Choose at least one role.');
  if (isFirst && !roles.includes('admin')) return refused('roles', 'The first account must be an admin.');
  return null;
}

function accountProblem({ name, disabledAt }: Account, roles: readonly AccountRole[]): Invited | null {
  if (disabledAt !== null) return refused('email', `${name} has an account, which is disabled: enable it first.`);
  if (roles.length === 0) return null;
  return refused('email', `${name} has an account: change its roles, or make a link for a new password.`);
}

function refused(field: 'email' | 'roles', reason: string): Invited {
  return { kind: 'refused', field, reason };
}

async function hasAnyAccount(tx: Tx): Promise<boolean> {
  return (await tx.selectFrom('accounts').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** Each role once, in the order of `ACCOUNT_ROLES`. */
export function ordered(roles: readonly AccountRole[]): AccountRole[] {
  return ACCOUNT_ROLES.filter((role) => roles.includes(role));
}

/** The invitation of a link; null if it was used, replaced or withdrawn, or has expired. */
export async function findInvitation(db: Db, token: string, now: number): Promise<Invitation | null> {
  const hash = hashOfToken(token);
  if (hash === null) return null;
  const row = await selectOpen(db, now).where('invitation.token_hash', '=', hash).executeTakeFirst();
  return row === undefined ? null : toInvitation(row);
}

/** Invitations that can be accepted, newest first. */
export async function listInvitations(db: Db, now: number): Promise<Invitation[]> {
  const rows = await selectOpen(db, now).orderBy('invitation.id', 'desc').execute();
  return rows.map(toInvitation);
}

/** Makes a link useless. @returns false if there is no such open invitation */
export async function withdrawInvitation(db: Db, id: number, now: number, onCommit?: InTransaction): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom('account_invitations')
      .where('id', '=', id)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) return false;
    await onCommit?.(tx);
    return true;
  });
}

/** Makes the open links that an account has made useless: it may no longer invite. @returns their number */
export async function withdrawInvitationsOf(tx: Tx, { name }: Pick<Account, 'name'>): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('account_invitations')
    .where('invited_by', '=', name)
    .where('used_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Makes the open links for a new password of an account useless. */
export async function withdrawPasswordLinks(tx: Tx, accountId: number): Promise<void> {
  await tx.deleteFrom('account_invitations').where('account_id', '=', accountId).where('used_at', 'is', null).execute();
}

export interface Acceptance {
  /** Name of a new account; ignored for one that exists. */
  name: string;
  password: string;
  /** The name of the publication, which must not be the password. */
  publication: string;
  /** IP address, for the security log. */
  client?: string | null;
}

export type Accepted =
  /** Without a session where the account has a second factor: its owner signs in with both. */
  | { kind: 'accepted'; token: string | null; account: SignedInAccount }
  | { kind: 'refused'; field: 'name' | 'password'; reason: string }
  /** The link no longer works. */
  | { kind: 'closed' }
  /** Too many passwords wait. */
  | { kind: 'busy' };

/** Creates the account of a link, or sets its new password and ends its sessions; then begins a session. */
export async function acceptInvitation(
  db: Db,
  token: string,
  { name: typed, password, publication, client = null }: Acceptance,
  now: number,
): Promise<Accepted> {
  const invitation = await findInvitation(db, token, now);
  if (invitation === null) return { kind: 'closed' };
  const parsed =
    invitation.account === null ? parseAccountName(typed) : { kind: 'valid' as const, ...invitation.account };
  if (parsed.kind === 'invalid') return { kind: 'refused', field: 'name', reason: parsed.reason };
  const { name } = parsed;
  const reason = passwordProblem(password, { email: invitation.email, name, publication });
  if (reason !== null) return { kind: 'refused', field: 'password', reason };
  // Not within the transaction: it takes tens of milliseconds, and may wait.
  const hash = await hashPassword(password);
  if (hash === null) return { kind: 'busy' };
  return inTransaction(db, async (tx) => {
    if (invitation.account === null && (await isNameTaken(tx, name))) {
      return { kind: 'refused', field: 'name', reason: `${name} has an account already. Add something to the name.` };
    }
    if (!(await useInvitation(tx, invitation.id, now))) return { kind: 'closed' };
    const account =
      invitation.account === null
        ? await createAccount(tx, { name, hash, invitation }, now)
        : await replacePassword(tx, invitation.account.id, hash);
    if (account === null) return { kind: 'closed' };
    const act = invitation.account === null ? 'account.create' : 'account.password';
    const detail = { name, roles: account.roles, invitedBy: invitation.invitedBy };
    await auditAct({ ...account, client }, now, { act, subject: accountSubject(account.id), detail })(tx);
    const session = account.hasSecondFactor ? null : await beginSession(tx, account.id, now);
    return { kind: 'accepted', token: session, account };
  });
}

async function isNameTaken(tx: Tx, name: string): Promise<boolean> {
  const key = nameKey(name);
  // Two links may be accepted at once.
  await lockName(tx, `account name ${key}`);
  return (await tx.selectFrom('accounts').select('id').where('name_key', '=', key).executeTakeFirst()) !== undefined;
}

/** @returns false if it was used since it was read */
async function useInvitation(tx: Tx, id: number, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('account_invitations')
    .set({ used_at: now })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

async function createAccount(
  tx: Tx,
  { name, hash, invitation }: { name: string; hash: string; invitation: Invitation },
  now: number,
): Promise<SignedInAccount> {
  const { email, roles } = invitation;
  const { id } = await tx
    .insertInto('accounts')
    .values({
      ...{ email, email_key: emailKey(email), name, name_key: nameKey(name) },
      ...{ password: hash, roles: JSON.stringify(roles), created_at: now, disabled_at: null },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id, name, email, roles, hasShortcuts: true, hasSecondFactor: false };
}

/** Sets the password of an account that is not disabled, and ends its sessions and open links for another one. */
export async function replacePassword(tx: Tx, id: number, hash: string): Promise<SignedInAccount | null> {
  const row = await lockAccountRow(tx, id);
  if (row === undefined || row.disabled_at !== null) return null;
  await tx.updateTable('accounts').set({ password: hash }).where('id', '=', id).execute();
  await endSessions(tx, id);
  await withdrawPasswordLinks(tx, id);
  return toSignedInAccount(row);
}

function selectOpen(db: Db, now: number) {
  return db
    .selectFrom('account_invitations as invitation')
    .leftJoin('accounts', 'accounts.id', 'invitation.account_id')
    .select(['invitation.id', 'invitation.email', 'invitation.roles', 'invitation.account_id', 'accounts.name'])
    .select(['invitation.invited_by', 'invitation.expires_at'])
    .where('invitation.used_at', 'is', null)
    .where('invitation.expires_at', '>', now)
    .where(sql<boolean>`(invitation.account_id is null or accounts.disabled_at is null)`);
}

function toInvitation(row: Awaited<ReturnType<ReturnType<typeof selectOpen>['execute']>>[number]): Invitation {
  return {
    ...{ id: row.id, email: row.email, roles: JSON.parse(row.roles) },
    account: row.account_id === null ? null : { id: row.account_id, name: row.name ?? '' },
    ...{ invitedBy: row.invited_by, expiresAt: row.expires_at },
  };
}
