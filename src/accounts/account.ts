/** Accounts: who may sign in to the desk. An account is never deleted, because logs name it, but it can be disabled. */
import { type Selectable, sql } from 'kysely';
import { type Db, dialectOf, type Tx } from '../core/store/store.ts';
import type { Tables } from '../core/store/tables.ts';
import { parseAddress } from '../lib/address.ts';
import { cleanLine, hasVisibleCharacter } from '../lib/text/clean-text.ts';
import type { AccountRole } from './permissions.ts';

export interface Account {
  id: number;
  /** Shown to colleagues, and the editor's name in logs. Unique, regardless of case. */
  name: string;
  email: string;
  roles: readonly AccountRole[];
  /** Whether single keys act on pages. */
  hasShortcuts: boolean;
  /** Whether signing in needs a code as well. */
  hasSecondFactor: boolean;
  createdAt: number;
  /** Epoch milliseconds; null if it may sign in. */
  disabledAt: number | null;
}

/** An account behind a valid session. */
export type SignedInAccount = Readonly<Omit<Account, 'createdAt' | 'disabledAt'>>;

/** The name of those who use the command line, in the audit log. No account can have it. */
export const CONSOLE = 'console';
export const NAME_LIMIT = 60;
/** Longer than any valid address. */
const TYPED_ADDRESS_LIMIT = 320;

/** Whether anyone may sign in or accept an invitation; otherwise there is no desk. */
export async function hasAccounts(db: Db, now: number): Promise<boolean> {
  const { rows } = await sql<{ found: number }>`
    select 1 as found from accounts
    union all select 1 from account_invitations where used_at is null and expires_at > ${now} limit 1`.execute(db);
  return rows.length > 0;
}

export async function findAccount(db: Db, id: number): Promise<Account | null> {
  const row = await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toAccount(row);
}

/** The account with an address as somebody typed it. */
export async function findAccountByEmail(db: Db, typed: string): Promise<Account | null> {
  const row = await db.selectFrom('accounts').selectAll().where('email_key', '=', emailKey(typed)).executeTakeFirst();
  return row === undefined ? null : toAccount(row);
}

/** All accounts by name. There are as many as people in the newsroom. */
export async function listAccounts(db: Db): Promise<(Account & { lastSeenAt: number | null })[]> {
  const lastSeenAt = sql<number | null>`(
    select max(seen_at) from account_sessions where account_sessions.account_id = accounts.id)`;
  const rows = await db
    .selectFrom('accounts')
    .selectAll()
    .select(lastSeenAt.as('last_seen_at'))
    .orderBy('name_key')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ ...toAccount(row), lastSeenAt: row.last_seen_at }));
}

/** Reads an account, and lets no other transaction change it until this one ends. */
export async function lockAccountRow(tx: Tx, id: number): Promise<AccountRow | undefined> {
  const query = tx.selectFrom('accounts').selectAll().where('id', '=', id);
  return query.$if(dialectOf(tx) === 'postgres', (q) => q.forUpdate()).executeTakeFirst();
}

/** Switches the single keys of an account on or off. */
export async function setShortcuts(db: Db, id: number, hasShortcuts: boolean): Promise<void> {
  await db
    .updateTable('accounts')
    .set({ has_shortcuts: hasShortcuts ? 1 : 0 })
    .where('id', '=', id)
    .execute();
}

export function toAccount(row: AccountRow): Account {
  return {
    ...{ id: row.id, name: row.name, email: row.email, roles: JSON.parse(row.roles) },
    ...{ hasShortcuts: row.has_shortcuts === 1, createdAt: row.created_at, disabledAt: row.disabled_at },
    hasSecondFactor: row.second_factor !== null,
  };
}

export function toSignedInAccount(row: AccountRow): SignedInAccount {
  const { createdAt, disabledAt, ...account } = toAccount(row);
  return account;
}

export type AccountRow = Selectable<Tables['accounts']>;

/** Equal for addresses that presumably reach the same mailbox. Any text has a key, bounded. @param typed any text */
export function emailKey(typed: string): string {
  const parsed = parseAddress(typed.slice(0, TYPED_ADDRESS_LIMIT));
  return parsed.kind === 'valid' ? parsed.key : cleanLine(typed.slice(0, TYPED_ADDRESS_LIMIT)).toLowerCase();
}

/** Equal for names that readers of a log could confuse. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** @returns the name as it is stored, or what would be right, to be shown beneath the field */
export function parseAccountName(typed: string): { kind: 'valid'; name: string } | { kind: 'invalid'; reason: string } {
  const invalid = (reason: string) => ({ kind: 'invalid', reason }) as const;
  if (typed.length > 4 * NAME_LIMIT) return invalid(`Use at most ${NAME_LIMIT} characters.`);
  const name = cleanLine(typed);
  if (!hasVisibleCharacter(name)) return invalid('Enter the name that colleagues know you by.');
  if (name.length > NAME_LIMIT) return invalid(`Use at most ${NAME_LIMIT} characters.`);
  if (nameKey(name) === CONSOLE) return invalid(`"${CONSOLE}" is the command line. Use another name.`);
  return { kind: 'valid', name };
}
