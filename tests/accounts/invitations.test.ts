import { expect, it } from 'vitest';
import { findAccount, hasAccounts } from '../../src/accounts/account.ts';
import { deleteEndedSessions } from '../../src/accounts/capability.ts';
import { changePassword, changeRoles, disableAccount } from '../../src/accounts/change-account.ts';
import {
  acceptInvitation,
  findInvitation,
  invite,
  listInvitations,
  withdrawInvitation,
} from '../../src/accounts/invitations.ts';
import type { AccountRole } from '../../src/accounts/permissions.ts';
import { findSession } from '../../src/accounts/sessions.ts';
import { signIn } from '../../src/accounts/sign-in.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY } from '../../src/lib/time.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { addAccount, auditRows, openSession } from './fixture.ts';

const NEW_PASSWORD = 'four lanterns by the quay';

async function link({ db }: Store, email: string, roles: AccountRole[], now = NOW): Promise<string> {
  const invited = await invite(db, 'console', { email, roles }, now);
  if (invited.kind === 'refused') throw new Error(invited.reason);
  return invited.token;
}

function accept({ db }: Store, token: string, fields: { name?: string; password?: string } = {}, now = NOW) {
  const acceptance = { name: 'Ivo Marchetti', password: NEW_PASSWORD, publication: 'Harbour Gazette', ...fields };
  return acceptInvitation(db, token, acceptance, now);
}

forEachDatabase((open) => {
  it('the first account is an admin, and its link works for a day', async () => {
    const store = await open();
    const { db } = store;
    expect(await invite(db, 'console', { email: 'ivo@example.com', roles: ['editor'] }, NOW)).toEqual({
      ...{ kind: 'refused', field: 'roles', reason: 'The first account must be an admin.' },
    });
    const token = await link(store, ' Ivo@example.com', ['editor', 'admin']);
    expect(await hasAccounts(db, NOW)).toBe(true);
    expect(await findInvitation(db, token, NOW + DAY - 1)).toEqual({
      ...{ id: 1, email: 'Ivo@example.com', roles: ['editor', 'admin'], account: null, invitedBy: 'console' },
      expiresAt: NOW + DAY,
    });
    expect(await findInvitation(db, token, NOW + DAY)).toBeNull();
    expect(await hasAccounts(db, NOW + DAY)).toBe(false);
    const stored = JSON.stringify(await db.selectFrom('account_invitations').selectAll().execute());
    expect(stored).not.toContain(token);
  });

  it('accepting a link creates the account and a session, once; the audit log has it without the address', async () => {
    const store = await open();
    const token = await link(store, 'ivo@example.com', ['admin', 'editor', 'admin']);
    const accepted = await accept(store, token);
    const account = { id: 1, name: 'Ivo Marchetti', email: 'ivo@example.com', roles: ['editor', 'admin'] };
    expect(accepted).toMatchObject({ kind: 'accepted', account: { ...account, hasShortcuts: true } });
    if (accepted.kind !== 'accepted') return;
    expect(await findSession(store.db, accepted.token ?? '', NOW)).toMatchObject(account);
    expect(await accept(store, token, { name: 'Somebody Else' })).toEqual({ kind: 'closed' });
    const credentials = { email: 'IVO@example.com', password: NEW_PASSWORD, client: null, browsers: [] };
    expect(await signIn({ db: store.db, secrets: SECRETS }, credentials, NOW)).toMatchObject({ kind: 'signed-in' });
    const rows = await auditRows(store);
    expect(rows.slice(0, 2)).toEqual([
      ['console account.invite invitation/1', { to: 'i…@example.com', roles: ['admin', 'editor', 'admin'] }],
      [
        'Ivo Marchetti account.create account/1',
        { name: 'Ivo Marchetti', roles: ['editor', 'admin'], invitedBy: 'console' },
      ],
    ]);
    expect(JSON.stringify(rows)).not.toContain('ivo@');
  });

  it('of two requests with one link, one is accepted', async () => {
    const store = await open();
    const token = await link(store, 'ivo@example.com', ['admin']);
    const results = await Promise.all([accept(store, token), accept(store, token, { name: 'Ivo the Second' })]);
    expect(results.map(({ kind }) => kind).sort()).toEqual(['accepted', 'closed']);
    expect(await store.db.selectFrom('accounts').select('id').execute()).toHaveLength(1);
  });

  it('a link is for a name that nobody has, and an acceptable password; it works after a mistake', async () => {
    const store = await open();
    await addAccount(store, 'Mei Lindqvist', ['admin']);
    const token = await link(store, 'ivo@example.com', ['editor']);
    const refusals: [object, string, RegExp][] = [
      [{ name: ' ' }, 'name', /^Enter the name/],
      [{ name: '\u200b\u2060' }, 'name', /^Enter the name/],
      [{ name: 'Console' }, 'name', /"console" is the command line/],
      [{ name: 'x'.repeat(61) }, 'name', /at most 60/],
      [{ name: 'x'.repeat(100_000) }, 'name', /at most 60/],
      [{ name: 'MEI  lindqvist' }, 'name', /has an account already/],
      [{ password: 'short' }, 'password', /at least 12/],
      [{ password: 'ivo marchetti' }, 'password', /other than the name/],
      [{ password: 'Ivo@Example.com' }, 'password', /other than the email/],
      [{ password: 'harbour gazette' }, 'password', /name of the publication/],
    ];
    for (const [fields, field, reason] of refusals) {
      expect([fields, await accept(store, token, fields)]).toEqual([
        fields,
        { kind: 'refused', field, reason: expect.stringMatching(reason) },
      ]);
    }
    expect((await accept(store, token)).kind).toBe('accepted');
  });

  it('a new link replaces the one before, and a link can be withdrawn', async () => {
    const store = await open();
    await addAccount(store, 'Mei', ['admin']);
    const first = await link(store, 'ivo@example.com', ['editor']);
    const second = await link(store, 'IVO@example.com', ['operator']);
    expect(await accept(store, first)).toEqual({ kind: 'closed' });
    const [invitation, ...others] = await listInvitations(store.db, NOW);
    expect([invitation?.roles, others]).toEqual([['operator'], []]);
    const id = invitation?.id ?? 0;
    const failing = async () => {
      throw new Error('no row');
    };
    await expect(withdrawInvitation(store.db, id, NOW, failing)).rejects.toThrow('no row');
    expect(await findInvitation(store.db, second, NOW)).not.toBeNull();
    expect(await withdrawInvitation(store.db, id, NOW)).toBe(true);
    expect(await withdrawInvitation(store.db, id, NOW, failing)).toBe(false);
    expect(await accept(store, second)).toEqual({ kind: 'closed' });
  });

  it('a link for an account sets a new password, ends its sessions, and leaves name and roles', async () => {
    const store = await open();
    const mei = await addAccount(store, 'Mei', ['admin']);
    const session = await openSession(store, mei.id);
    expect(await invite(store.db, 'console', { email: mei.email, roles: ['editor'] }, NOW)).toMatchObject({
      ...{ kind: 'refused', field: 'email', reason: expect.stringContaining('Mei has an account') },
    });
    const token = await link(store, mei.email, []);
    expect((await findInvitation(store.db, token, NOW + 6 * DAY))?.account).toMatchObject({ id: mei.id, name: 'Mei' });
    const accepted = await accept(store, token, { name: 'Ignored' });
    expect(accepted).toMatchObject({ kind: 'accepted', account: mei });
    expect(await findSession(store.db, session, NOW)).toBeNull();
    const credentials = { email: mei.email, password: NEW_PASSWORD, client: null, browsers: [] };
    expect(await signIn({ db: store.db, secrets: SECRETS }, credentials, NOW)).toMatchObject({ kind: 'signed-in' });
    expect((await auditRows(store)).map(([row]) => row).slice(0, 2)).toEqual([
      'console account.password-link account/1',
      'Mei account.password account/1',
    ]);
  });

  it('links that an account has made stop working when it is disabled, or is no admin any more', async () => {
    const store = await open();
    const zoe = await addAccount(store, 'Zoe', ['admin']);
    for (const leave of [
      (id: number) => disableAccount(store.db, zoe, id, NOW),
      (id: number) => changeRoles(store.db, zoe, { id, roles: ['editor'] }, NOW),
    ]) {
      const ada = await addAccount(store, `Ada ${leave.toString().length}`, ['admin']);
      const invited = await invite(store.db, ada, { email: 'back@example.net', roles: ['admin'] }, NOW);
      const kept = await link(store, 'ivo@example.com', ['editor']);
      if (invited.kind === 'refused') throw new Error(invited.reason);
      expect(await findInvitation(store.db, invited.token, NOW)).not.toBeNull();
      await leave(ada.id);
      expect(await accept(store, invited.token)).toEqual({ kind: 'closed' });
      expect(await findInvitation(store.db, kept, NOW)).not.toBeNull();
      expect((await auditRows(store)).at(-1)?.[1]).toMatchObject({ withdrawn: 1 });
    }
  });

  it('a link for a new password stops working when the password is changed without it', async () => {
    const store = await open();
    const mei = await addAccount(store, 'Mei', ['editor']);
    const token = await link(store, mei.email, []);
    const other = await link(store, 'ivo@example.com', ['editor']);
    await changePassword(store.db, mei, { password: NEW_PASSWORD, publication: 'Harbour Gazette' }, NOW);
    expect(await accept(store, token)).toEqual({ kind: 'closed' });
    expect(await findInvitation(store.db, other, NOW)).not.toBeNull();
  });

  it('a disabled account gets no link, and those that it has stop working', async () => {
    const store = await open();
    await addAccount(store, 'Zoe', ['admin']);
    const mei = await addAccount(store, 'Mei', ['editor']);
    const token = await link(store, mei.email, []);
    await disableAccount(store.db, 'console', mei.id, NOW);
    expect(await accept(store, token)).toEqual({ kind: 'closed' });
    expect(await invite(store.db, 'console', { email: mei.email, roles: [] }, NOW)).toMatchObject({
      reason: 'Mei has an account, which is disabled: enable it first.',
    });
    expect((await findAccount(store.db, mei.id))?.disabledAt).toBe(NOW);
  });

  it('an address is checked, and a new account has a role', async () => {
    const store = await open();
    await addAccount(store, 'Zoe', ['admin']);
    for (const email of ['', 'nobody', 'a@b', 'a b@example.com', `${'x'.repeat(100_000)}@example.com`]) {
      expect(await invite(store.db, 'console', { email, roles: ['editor'] }, NOW)).toMatchObject({
        ...{ kind: 'refused', field: 'email', reason: expect.stringMatching(/^Enter an email address: /) },
      });
    }
    expect(await invite(store.db, 'console', { email: 'ivo@example.com', roles: [] }, NOW)).toMatchObject({
      ...{ kind: 'refused', field: 'roles' },
    });
    expect(await auditRows(store)).toEqual([]);
  });

  it('what is not the token of a link opens nothing', async () => {
    const store = await open();
    await link(store, 'ivo@example.com', ['admin']);
    for (const token of ['', 'x'.repeat(43), '\u0000', 'x'.repeat(10_000)]) {
      expect(await accept(store, token)).toEqual({ kind: 'closed' });
    }
  });

  it('retention deletes invitations a month after they have expired', async () => {
    const store = await open();
    await link(store, 'ivo@example.com', ['admin']);
    expect(await deleteEndedSessions(store.db, NOW + 31 * DAY)).toBe(0);
    expect(await deleteEndedSessions(store.db, NOW + 31 * DAY + 1)).toBe(1);
  });
});
