import { describe, expect, it } from 'vitest';
import { findAccount, listAccounts } from '../../src/accounts/account.ts';
import { auditAct, listActs, readAuditLog } from '../../src/accounts/audit.ts';
import { changePassword, changeRoles, disableAccount, enableAccount } from '../../src/accounts/change-account.ts';
import { findSession } from '../../src/accounts/sessions.ts';
import { signIn } from '../../src/accounts/sign-in.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { addAccount, auditRows, openSession, PASSWORD } from './fixture.ts';

forEachDatabase((open) => {
  describe('an account', () => {
    it('loses its sessions when its roles change, and the audit log has both', async () => {
      const store = await open();
      const zoe = await addAccount(store, 'Zoe', ['admin']);
      const mei = await addAccount(store, 'Mei', ['editor']);
      const token = await openSession(store, mei.id);
      await changeRoles(store.db, zoe, { id: mei.id, roles: ['editor'] }, NOW);
      expect(await findSession(store.db, token, NOW)).not.toBeNull();
      expect(await auditRows(store)).toEqual([]);
      await changeRoles(store.db, zoe, { id: mei.id, roles: ['audience', 'editor'] }, NOW);
      expect(await findSession(store.db, token, NOW)).toBeNull();
      expect((await findAccount(store.db, mei.id))?.roles).toEqual(['editor', 'audience']);
      expect(await auditRows(store)).toEqual([
        ['Zoe account.roles account/2', { name: 'Mei', roles: ['editor', 'audience'], before: ['editor'] }],
      ]);
      await expect(changeRoles(store.db, zoe, { id: mei.id, roles: [] }, NOW)).rejects.toThrow('at least one role');
      await expect(changeRoles(store.db, zoe, { id: 99, roles: ['editor'] }, NOW)).rejects.toThrow('no such account');
    });

    it('loses its sessions when it is disabled, and signs in again when it is enabled', async () => {
      const store = await open();
      const zoe = await addAccount(store, 'Zoe', ['admin']);
      const mei = await addAccount(store, 'Mei', ['editor']);
      const token = await openSession(store, mei.id);
      await disableAccount(store.db, zoe, mei.id, NOW);
      await disableAccount(store.db, zoe, mei.id, NOW + 1);
      expect(await findSession(store.db, token, NOW)).toBeNull();
      // A session that began meanwhile.
      expect(await findSession(store.db, await openSession(store, mei.id), NOW)).toBeNull();
      const attempt = () =>
        signIn(
          { db: store.db, secrets: SECRETS },
          { email: mei.email, password: PASSWORD, client: null, browsers: [] },
          NOW,
        );
      expect((await attempt()).kind).toBe('wrong');
      await enableAccount(store.db, zoe, mei.id, NOW);
      await enableAccount(store.db, zoe, mei.id, NOW);
      expect((await attempt()).kind).toBe('signed-in');
      expect((await auditRows(store)).map(([row]) => row)).toEqual([
        ...['Zoe account.disable account/2', 'Zoe account.enable account/2', 'Mei account.sign-in account/2'],
      ]);
    });

    it('remains an admin while it is the only one who can sign in', async () => {
      const store = await open();
      const zoe = await addAccount(store, 'Zoe', ['admin']);
      const ivo = await addAccount(store, 'Ivo', ['admin']);
      await disableAccount(store.db, zoe, ivo.id, NOW);
      const message = 'Zoe is the only admin: make somebody else an admin first.';
      await expect(disableAccount(store.db, 'console', zoe.id, NOW)).rejects.toThrow(message);
      await expect(changeRoles(store.db, zoe, { id: zoe.id, roles: ['editor'] }, NOW)).rejects.toThrow(message);
      await enableAccount(store.db, zoe, ivo.id, NOW);
      // Each takes the role from the other.
      const results = await Promise.allSettled([
        changeRoles(store.db, zoe, { id: ivo.id, roles: ['editor'] }, NOW),
        changeRoles(store.db, ivo, { id: zoe.id, roles: ['editor'] }, NOW),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('gets a new session when it changes its password, and all others end', async () => {
      const store = await open();
      const mei = await addAccount(store, 'Mei', ['editor']);
      const before = [await openSession(store, mei.id), await openSession(store, mei.id)];
      const change = (password: string) =>
        changePassword(store.db, mei, { password, publication: 'Harbour Gazette' }, NOW);
      expect(await change('too short')).toMatchObject({
        kind: 'refused',
        reason: expect.stringMatching(/at least 12/),
      });
      const changed = await change('four lanterns by the quay');
      expect(changed.kind).toBe('changed');
      for (const token of before) expect(await findSession(store.db, token, NOW)).toBeNull();
      expect(changed.kind === 'changed' && (await findSession(store.db, changed.token, NOW))).toEqual(mei);
      expect(await auditRows(store)).toEqual([['Mei account.password account/1', {}]]);
    });

    it('is listed by name, with its last request', async () => {
      const store = await open();
      await addAccount(store, 'zoe', ['admin']);
      const mei = await addAccount(store, 'Mei', ['editor']);
      await openSession(store, mei.id, NOW - MINUTE);
      await openSession(store, mei.id, NOW);
      const listed = await listAccounts(store.db);
      expect(listed.map(({ name, lastSeenAt }) => [name, lastSeenAt])).toEqual([
        ['Mei', NOW],
        ['zoe', null],
      ]);
    });
  });

  describe('the audit log', () => {
    it('is read newest first, in pages, of an account, an act or a subject', async () => {
      const store = await open();
      const mei = await addAccount(store, 'Mei', ['editor']);
      const zoe = await addAccount(store, 'Zoe', ['admin']);
      expect(await listActs(store.db)).toEqual([]);
      await store.db.transaction().execute(async (tx) => {
        for (let n = 1; n <= 6; n++) {
          const act = n % 2 === 0 ? 'edition.hold' : 'edition.approve';
          await auditAct(n > 3 ? zoe : mei, NOW + n, { act, subject: `daily/${n}`, detail: { n } })(tx);
        }
        await auditAct('console', NOW, { act: 'account.disable', subject: 'account/1' })(tx);
      });
      const read = async (filter: object, before: number | null = null, limit = 10) =>
        (await readAuditLog(store.db, filter, { before, limit })).map(({ id }) => id);
      expect(await read({}, null, 3)).toEqual([7, 6, 5]);
      expect(await read({}, 5, 3)).toEqual([4, 3, 2]);
      expect(await read({ accountId: mei.id })).toEqual([3, 2, 1]);
      expect(await read({ act: 'edition.hold' }, 6)).toEqual([4, 2]);
      expect(await read({ subject: 'daily/5' })).toEqual([5]);
      expect(await read({ subject: 'daily/5', act: 'edition.hold' })).toEqual([]);
      expect(await listActs(store.db)).toEqual(['account.disable', 'edition.approve', 'edition.hold']);
      expect((await readAuditLog(store.db, {}, { before: null, limit: 1 }))[0]).toEqual({
        ...{
          id: 7,
          at: NOW,
          accountId: null,
          actor: 'console',
          act: 'account.disable',
          subject: 'account/1',
          detail: {},
        },
      });
    });

    it('has long and hostile texts cut and cleaned', async () => {
      const store = await open();
      const detail = { text: `\u0000\ud800${'x'.repeat(5_000)}`, list: Array.from({ length: 500 }, (_, n) => n) };
      const write = auditAct('console', NOW, { act: 'article.edit', subject: 'y'.repeat(5_000), detail });
      await store.db.transaction().execute(write);
      const [row] = await store.db.selectFrom('audit_log').selectAll().execute();
      expect([row?.subject.length, row?.detail.length]).toEqual([200, expect.any(Number)]);
      expect(row?.detail.length).toBeLessThan(1_000);
    });

    it('has a row only if the transaction of the act is committed', async () => {
      const store = await open();
      const failed = store.db.transaction().execute(async (tx) => {
        await auditAct('console', NOW, { act: 'edition.hold', subject: 'daily/1' })(tx);
        throw new Error('the act failed');
      });
      await expect(failed).rejects.toThrow('the act failed');
      expect(await auditRows(store)).toEqual([]);
    });
  });
});
