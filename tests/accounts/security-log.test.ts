import { describe, expect, it } from 'vitest';
import { accountsCapability } from '../../src/accounts/capability.ts';
import { shipSecurityLog } from '../../src/accounts/security-log.ts';
import { DAY, MINUTE } from '../../src/lib/time.ts';
import { openTestDesk, PASSWORD, type TestDesk } from '../app/desk/test-desk.ts';
import { forEachDatabase } from '../support/databases.ts';

const EMAIL = 'editor@example.com';

const entries = async ({ app }: TestDesk) => {
  const rows = await app.store.db.selectFrom('security_log').selectAll().orderBy('id').execute();
  return rows.map(({ actor, act, subject, client }) => `${actor}: ${act} ${subject} from ${client}`);
};

/** Messages and details of lines with the marker. */
async function ship({ app }: TestDesk) {
  const lines: { security: { id: number; at: number; client: string | null } }[] = [];
  const log = { ...app.log, info: (details: object) => lines.push(details as (typeof lines)[number]) };
  await shipSecurityLog({ store: app.store, log });
  return lines;
}

forEachDatabase((open) => {
  describe('the security log', () => {
    it('has sign-ins and failures, changes of accounts and exports, with the address of the client', async () => {
      const desk = await openTestDesk(await open(), { sample: true });
      const { id } = desk.accounts.editor;
      await desk.post(null, '/sign-in', { email: EMAIL, password: 'a wrong password' });
      await desk.post(null, '/sign-in', { email: 'a typed password', password: 'x' });
      await desk.post(null, '/sign-in', { email: EMAIL, password: PASSWORD });
      await desk.post('admin', `/accounts/${id}/disable`, { password: 'not mine' });
      await desk.post('admin', `/accounts/${id}/roles`, [
        ['role', 'operator'],
        ['password', PASSWORD],
      ]);
      await desk.post('admin', '/account/shortcuts', { shortcuts: 'off' });
      await (await desk.post('admin', '/audience/export', { newsletter: '', password: PASSWORD })).text();
      const admin = desk.accounts.admin.id;
      expect(await entries(desk)).toEqual(
        [
          `unknown: account.sign-in-failed account/${id}`,
          'unknown: account.sign-in-failed no account',
          `Edda Moreno: account.sign-in account/${id}`,
          `unknown: account.confirm-failed account/${admin}`,
          `Ada Lindqvist: account.roles account/${id}`,
          'Ada Lindqvist: audience.export newsletter/all',
          'Ada Lindqvist: audience.export-end newsletter/all',
        ].map((entry) => `${entry} from 192.0.2.7`),
      );
      const stored = await desk.app.store.db.selectFrom('security_log').selectAll().execute();
      expect(JSON.stringify(stored)).not.toMatch(/password|@/);
      // What is no act of this kind is in the audit log alone.
      expect((await desk.audit()).length).toBeLessThan(stored.length);
    });

    it('has refused attempts, one for an account and a client in five minutes', async () => {
      const desk = await openTestDesk(await open());
      const attempt = async (email: string, client?: string) =>
        (await desk.post(null, '/sign-in', { email, password: 'x' }, client ? { 'X-Forwarded-For': client } : {}))
          .status;
      for (let n = 0; n < 5; n++) expect(await attempt(EMAIL)).toBe(422);
      for (let n = 0; n < 40; n++) expect(await attempt(EMAIL)).toBe(429);
      const refused = async () => (await entries(desk)).filter((entry) => entry.includes('refused'));
      const entry = `unknown: account.sign-in-refused account/${desk.accounts.editor.id} from 192.0.2.7`;
      expect(await refused()).toEqual([entry]);
      expect(await ship(desk)).toHaveLength(6);
      desk.app.now += 5 * MINUTE;
      expect(await attempt(EMAIL)).toBe(429);
      expect(await refused()).toEqual([entry, entry]);
    });

    it('is shown to admins, with filters', async () => {
      const desk = await openTestDesk(await open());
      await desk.post(null, '/sign-in', { email: EMAIL, password: 'a wrong password' });
      await desk.post(null, '/sign-in', { email: EMAIL, password: PASSWORD });
      const all = await desk.read('admin', '/audit/security');
      expect(all).toMatch(/<h1>Security log<\/h1>/);
      expect(all.match(/>192\.0\.2\.7</g)).toHaveLength(2);
      expect(all).toContain('value="account.sign-in-failed"');
      const failed = await desk.read('admin', '/audit/security?act=account.sign-in-failed');
      expect(failed.match(/>192\.0\.2\.7</g)).toHaveLength(1);
      expect(await desk.read('admin', '/audit/security?act=account.roles')).toContain('No entry matches.');
      await desk.app.store.db.updateTable('security_log').set({ client: '2001:db8::7' }).where('id', '=', 1).execute();
      const both = await desk.read('admin', '/audit/security');
      const [, link = ''] = /href="\/desk(\/audit\/security\?client=2001[^"]*)"/.exec(both) ?? [];
      const one = await desk.read('admin', link);
      expect(one.match(/scope="row"/g)).toHaveLength(1);
      expect(one).toContain('>2001:db8::7</a>');
      expect(one).toMatch(/name="client" [^>]*value="2001:db8::7"/);
      const hostile = await desk.read('admin', '/audit/security?client=%22%3E%3Cb%3E');
      expect(hostile).toContain('value="&quot;&gt;&lt;b&gt;"');
      expect(hostile).toContain('No entry matches.');
      const { editor, operator } = desk.accounts;
      const ofEditor = await desk.read('admin', `/audit/security?account=${editor.id}`);
      expect(ofEditor.match(/scope="row"/g)).toHaveLength(2);
      expect(await desk.read('admin', `/audit/security?account=${operator.id}`)).toContain('No entry matches.');
      expect(await desk.read('admin', '/audit?client=x')).not.toContain('No entry matches.');
      expect((await desk.get('operator', '/audit/security')).status).toBe(403);
      expect(await desk.read('admin', '/audit')).not.toContain('192.0.2.7');
    });

    it('is in the log of the process once, also with several processes', async () => {
      const desk = await openTestDesk(await open());
      for (let n = 0; n < 3; n++) await desk.post(null, '/sign-in', { email: 'x@example.com', password: 'x' });
      const [one, two] = await Promise.all([ship(desk), ship(desk)]);
      const lines = [...one, ...two].toSorted((a, b) => a.security.id - b.security.id);
      const at = desk.app.now;
      const entry = { at, accountId: null, actor: 'unknown', act: 'account.sign-in-failed', subject: 'no account' };
      expect(lines).toEqual([1, 2, 3].map((id) => ({ security: { id, ...entry, detail: {}, client: '192.0.2.7' } })));
      expect(await ship(desk)).toEqual([]);
    });

    it('is deleted after 90 days; the audit log is not', async () => {
      const desk = await openTestDesk(await open());
      await desk.post(null, '/sign-in', { email: EMAIL, password: PASSWORD });
      const { app } = desk;
      const run = (now: number) => accountsCapability.runRetention?.(app, now);
      await run(app.now + 90 * DAY);
      expect(await entries(desk)).toHaveLength(1);
      await run(app.now + 90 * DAY + MINUTE);
      expect(await entries(desk)).toEqual([]);
      expect(await desk.audit()).toHaveLength(1);
    });
  });
});
