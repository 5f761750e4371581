import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { deleteEndedSessions } from '../../src/accounts/capability.ts';
import { disableAccount } from '../../src/accounts/change-account.ts';
import { issueBrowserToken } from '../../src/accounts/known-browsers.ts';
import { isOutdatedHash } from '../../src/accounts/passwords.ts';
import { findSession } from '../../src/accounts/sessions.ts';
import { type Credentials, confirmPassword, FAILURE_LIMIT, signIn } from '../../src/accounts/sign-in.ts';
import type { Store } from '../../src/core/store/store.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { addAccount, auditRows, PASSWORD } from './fixture.ts';

const CLIENT = '192.0.2.7';
const EMAIL = 'mei@example.com';

function attempt({ db }: Store, fields: Partial<Credentials>, now = NOW) {
  const credentials = { email: EMAIL, password: 'a wrong password', client: CLIENT, browsers: [], ...fields };
  return signIn({ db, secrets: SECRETS }, credentials, now);
}

const failures = ({ db }: Store) => db.selectFrom('sign_in_failures').selectAll().execute();

forEachDatabase((open) => {
  it('signing in begins a session, is in the audit log, and stores the password with new parameters', async () => {
    const store = await open();
    const mei = await addAccount(store, 'Mei', ['editor']);
    const result = await attempt(store, { email: ' MEI@Example.com', password: PASSWORD });
    expect(result).toEqual({ kind: 'signed-in', token: expect.stringMatching(/^[\w-]{43}$/), account: mei });
    if (result.kind !== 'signed-in') return;
    expect(await findSession(store.db, result.token, NOW)).toEqual(mei);
    expect(await auditRows(store)).toEqual([[`Mei account.sign-in account/${mei.id}`, {}]]);
    const { password } = await store.db.selectFrom('accounts').select('password').executeTakeFirstOrThrow();
    expect(isOutdatedHash(password)).toBe(false);
    expect((await attempt(store, { password: PASSWORD })).kind).toBe('signed-in');
  });

  it('a wrong password, an unknown address and a disabled account get the same answer', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    const { id } = await addAccount(store, 'Ivo', ['editor']);
    await addAccount(store, 'Zoe', ['admin']);
    await disableAccount(store.db, 'console', id, NOW);
    const answers = [
      await attempt(store, {}),
      await attempt(store, { email: 'nobody@example.com' }),
      await attempt(store, { email: 'ivo@example.com', password: PASSWORD }),
      await attempt(store, { email: 'no address at all' }),
      await attempt(store, { email: '', password: '' }),
    ];
    expect(answers.map(({ kind }) => kind)).toEqual(Array(5).fill('wrong'));
    expect(await store.db.selectFrom('account_sessions').selectAll().execute()).toEqual([]);
    // Each counts.
    expect(await failures(store)).toHaveLength(5);
  });

  it('five failures in 15 minutes stop attempts for the account from that client, and from no other', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    await addAccount(store, 'Ivo', ['editor']);
    for (let n = 0; n < 5; n++) expect((await attempt(store, {}, NOW + n * MINUTE)).kind).toBe('wrong');
    const now = NOW + 5 * MINUTE;
    const retryAt = NOW + FAILURE_LIMIT.period;
    expect(await attempt(store, { password: PASSWORD }, now)).toMatchObject({ kind: 'too-many', retryAt });
    // In other spellings of the address.
    expect((await attempt(store, { email: 'MEI@example.com ', password: PASSWORD }, now)).kind).toBe('too-many');
    expect((await attempt(store, { email: 'ivo@example.com' }, now)).kind).toBe('wrong');
    expect((await attempt(store, { client: '192.0.2.8' }, now)).kind).toBe('wrong');
    expect((await attempt(store, { client: null }, now)).kind).toBe('wrong');
    // A refused attempt does not count.
    expect((await attempt(store, { password: PASSWORD }, retryAt - 1)).kind).toBe('too-many');
    expect((await attempt(store, { password: PASSWORD }, retryAt)).kind).toBe('signed-in');
    // The right password deletes them.
    expect((await attempt(store, {}, retryAt)).kind).toBe('wrong');
    expect(await deleteEndedSessions(store.db, retryAt + FAILURE_LIMIT.period)).toBeGreaterThan(0);
    expect(await failures(store)).toEqual([]);
  });

  it('an unknown address is stopped as one that has an account', async () => {
    const store = await open();
    for (let n = 0; n < 5; n++) expect((await attempt(store, { email: 'x' })).kind).toBe('wrong');
    expect((await attempt(store, { email: 'x' })).kind).toBe('too-many');
  });

  it('a client that types one address after the other has 30 attempts, and then one in 20 seconds', async () => {
    const store = await open();
    const { db } = store;
    // As 29 attempts leave it: each would take as long as a password is computed.
    await attempt(store, { email: 'first@example.com' });
    await db
      .updateTable('rate_limits')
      .set({ next_at: NOW + 30 * 20_000 })
      .execute();
    const refused = { kind: 'too-many', retryAt: NOW + 20_000 };
    expect(await attempt(store, { email: 'thirty-first@example.com' })).toMatchObject(refused);
    expect((await attempt(store, { email: 'x@example.com', client: '192.0.2.8' })).kind).toBe('wrong');
    expect((await attempt(store, { email: 'thirty-first@example.com' }, NOW + 20_000)).kind).toBe('wrong');
    const rows = JSON.stringify(await db.selectFrom('rate_limits').selectAll().execute());
    expect(rows).toContain('sign-in ');
    expect(rows).not.toContain('192.0.2');
  });

  it('of many attempts at once, five are admitted', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    const results = await Promise.all(Array.from({ length: 9 }, () => attempt(store, {})));
    expect(results.filter(({ kind }) => kind === 'wrong')).toHaveLength(5);
    expect(results.filter(({ kind }) => kind === 'too-many')).toHaveLength(4);
  });

  it('strangers share 20 guesses for an account, and then one in three minutes, whatever their addresses', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    const clientOf = (n: number) => `198.51.100.${n}`;
    for (let n = 0; n < 20; n++) expect((await attempt(store, { client: clientOf(n) })).kind).toBe('wrong');
    const refused = { kind: 'too-many', retryAt: NOW + 3 * MINUTE };
    expect(await attempt(store, { client: clientOf(20), password: PASSWORD })).toMatchObject(refused);
    expect(await attempt(store, { client: null, password: PASSWORD })).toMatchObject(refused);
    // A refused guess counts for nobody.
    expect(await failures(store)).toHaveLength(20);
    const later = NOW + 3 * MINUTE;
    expect((await attempt(store, { client: clientOf(20), password: PASSWORD }, later)).kind).toBe('signed-in');
    expect((await attempt(store, { client: clientOf(21) }, later)).kind).toBe('too-many');
    // It is the same for an address without an account.
    for (let n = 0; n < 20; n++) await attempt(store, { email: 'x', client: clientOf(n) });
    expect(await attempt(store, { email: 'x', client: clientOf(20) })).toMatchObject(refused);
  });

  it('a known browser signs in whatever strangers do, and has five guesses of its own', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    const browsers = issueBrowserToken(SECRETS, [], EMAIL, NOW);
    for (let n = 0; n < 25; n++) await attempt(store, { client: `198.51.100.${n}` });
    // From an address of the strangers, too.
    const known = { browsers, client: '198.51.100.3' };
    expect((await attempt(store, { ...known, password: PASSWORD })).kind).toBe('signed-in');
    for (let n = 0; n < 5; n++) expect((await attempt(store, known)).kind).toBe('wrong');
    const retryAt = NOW + FAILURE_LIMIT.period;
    expect(await attempt(store, { ...known, password: PASSWORD })).toMatchObject({ kind: 'too-many', retryAt });
    // It takes nothing from another browser of the account, and is known for no other account.
    const other = issueBrowserToken(SECRETS, [], EMAIL, NOW);
    expect((await attempt(store, { ...known, browsers: other, password: PASSWORD })).kind).toBe('signed-in');
    await attempt(store, { ...known, email: 'ivo@example.com' });
    const { length } = await store.db
      .selectFrom('rate_limits')
      .selectAll()
      .where('key', 'like', '% account %')
      .execute();
    expect(length).toBe(2);
  });

  it('clients with IPv6 are counted by their /64, which one client can choose from', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    for (let n = 1; n <= 5; n++) expect((await attempt(store, { client: `2001:db8::${n}` })).kind).toBe('wrong');
    expect((await attempt(store, { client: '2001:db8::6' })).kind).toBe('too-many');
    expect((await attempt(store, { client: '2001:db8:0:1::1' })).kind).toBe('wrong');
  });

  it('failures of a clock that was set back do not count', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    for (let n = 0; n < 5; n++) await attempt(store, {}, NOW + 60 * MINUTE);
    expect((await attempt(store, {}, NOW)).kind).toBe('wrong');
  });

  it('nothing that was typed is stored, nor the address of the client', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    const typed = 'my secret password';
    await attempt(store, { email: typed, password: typed });
    await attempt(store, { email: `${typed}\u0000\ud800${'x'.repeat(5_000)}`, password: typed });
    expect(await failures(store)).toHaveLength(2);
    const limits = await store.db.selectFrom('rate_limits').selectAll().execute();
    const rows = JSON.stringify([await failures(store), limits, await auditRows(store)]);
    expect(rows).not.toContain('secret');
    expect(rows).not.toContain(CLIENT);
  });

  it('confirming an act with the password has five guesses of its own', async () => {
    const store = await open();
    const mei = await addAccount(store, 'Mei', ['editor']);
    const confirm = (password: string) => confirmPassword({ db: store.db, secrets: SECRETS }, mei, password, NOW);
    for (let n = 0; n < 4; n++) expect((await confirm('a wrong one')).kind).toBe('wrong');
    expect(await confirm(PASSWORD)).toEqual({ kind: 'confirmed' });
    expect(await failures(store)).toEqual([]);
    for (let n = 0; n < 5; n++) expect(await confirm('a wrong one')).toEqual({ kind: 'wrong', accountId: mei.id });
    expect((await confirm(PASSWORD)).kind).toBe('too-many');
    // Strangers neither take them nor are refused by them.
    expect((await attempt(store, { password: PASSWORD })).kind).toBe('signed-in');
  });

  it('the audit log is append-only', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['editor']);
    await attempt(store, { password: PASSWORD });
    const change = store.db.updateTable('audit_log').set({ actor: 'somebody else' }).execute();
    await expect(change).rejects.toThrow('the audit log is append-only');
    const detail = store.db.updateTable('audit_log').set({ detail: '{"reason":"another one"}' }).execute();
    await expect(detail).rejects.toThrow('the audit log is append-only');
    await expect(store.db.deleteFrom('audit_log').execute()).rejects.toThrow('the audit log is append-only');
    await expect(sql`delete from audit_log where id = 1`.execute(store.db)).rejects.toThrow('append-only');
    expect(await auditRows(store)).toHaveLength(1);
  });
});
