/** Accounts for tests. */
import { argon2Sync } from 'node:crypto';
import { emailKey, nameKey, type SignedInAccount } from '../../src/accounts/account.ts';
import type { AccountRole } from '../../src/accounts/permissions.ts';
import { beginSession } from '../../src/accounts/sessions.ts';
import type { Store } from '../../src/core/store/store.ts';
import { NOW } from '../support/clock.ts';

export const PASSWORD = 'seven herons at dawn';

/** A hash that takes no time to compare. A sign-in with it computes a new one, which takes 80 ms. */
const CHEAP_HASH = (() => {
  const nonce = Buffer.alloc(16, 7);
  const tag = argon2Sync('argon2id', {
    ...{ message: PASSWORD, nonce, tagLength: 32, memory: 8, passes: 1, parallelism: 1 },
  });
  const [salt, text] = [nonce, tag].map((bytes) => bytes.toString('base64').replace(/=+$/, ''));
  return `$argon2id$v=19$m=8,t=1,p=1$${salt}$${text}`;
})();

/** Adds an account with the password above. @param name also the part before the @ of its address */
export async function addAccount(
  { db }: Pick<Store, 'db'>,
  name: string,
  roles: AccountRole[],
  { password = CHEAP_HASH }: { password?: string } = {},
): Promise<SignedInAccount> {
  const email = `${name.toLowerCase().replaceAll(' ', '.')}@example.com`;
  const { id } = await db
    .insertInto('accounts')
    .values({
      ...{ email, email_key: emailKey(email), name, name_key: nameKey(name), password },
      ...{ roles: JSON.stringify(roles), created_at: NOW, disabled_at: null },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id, name, email, roles, hasShortcuts: true, hasSecondFactor: false };
}

/** Begins a session of an account. @returns its token */
export function openSession({ db }: Pick<Store, 'db'>, accountId: number, now = NOW): Promise<string> {
  return db.transaction().execute((tx) => beginSession(tx, accountId, now));
}

/** The audit log, oldest row first: `actor act subject`, and the detail. */
export async function auditRows({ db }: Pick<Store, 'db'>): Promise<[string, Record<string, unknown>][]> {
  const rows = await db.selectFrom('audit_log').selectAll().orderBy('id').execute();
  return rows.map(({ actor, act, subject, detail }) => [`${actor} ${act} ${subject}`, JSON.parse(detail)]);
}
