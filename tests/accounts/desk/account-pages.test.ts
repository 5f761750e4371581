import { TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { type AuditedAct, auditAct } from '../../../src/accounts/audit.ts';
import { findSession } from '../../../src/accounts/sessions.ts';
import { inTransaction } from '../../../src/core/store/store.ts';
import { findHeadlines } from '../../../src/editions/selection/candidates.ts';
import { openTestDesk, PASSWORD, type TestDesk } from '../../app/desk/test-desk.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openSession } from '../fixture.ts';

const NEW_PASSWORD = 'four lanterns by the quay';
const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>`;

/** Sets the second factor of an account up, as its owner does. @returns its secret and the recovery codes */
async function setUp(desk: TestDesk, role: 'editor' | 'admin'): Promise<{ secret: string; codes: string[] }> {
  const form = await desk.read(role, '/account/second-factor');
  const [, secret = ''] = /name="secret"[^>]* value="([A-Z2-7]{32})"/.exec(form) ?? [];
  const code = new TOTP({ secret }).generate({ timestamp: desk.app.now });
  const page = await desk.act(role, '/account/second-factor/on', { secret, code, password: PASSWORD });
  return { secret, codes: /<pre>([^<]+)</.exec(page)?.[1]?.split('\n') ?? [] };
}

const acts = async (desk: TestDesk): Promise<string[]> =>
  (await desk.audit()).map(({ actor, act, subject }) => `${actor}: ${act} ${subject}`);

forEachDatabase((open) => {
  describe('the own account', () => {
    it('changes its password, stays signed in, and ends its other sessions', async () => {
      const desk = await openTestDesk(await open());
      const { store, now } = desk.app;
      const { id } = desk.accounts.editor;
      const other = await openSession(store, id, now);
      const refused = await desk.post('editor', '/account/password', { password: PASSWORD, 'new-password': 'short' });
      expect([refused.status, await refused.text()]).toEqual([
        ...[422, expect.stringMatching(/id="new-password-error">Use at least 12/)],
      ]);
      const fields = { password: PASSWORD, 'new-password': NEW_PASSWORD };
      // The page that asks again does not repeat the new password.
      const wrong = await (await desk.post('editor', '/account/password', { ...fields, password: 'wrong' })).text();
      expect(wrong).not.toContain(NEW_PASSWORD);
      const changed = await desk.post('editor', '/account/password', fields);
      expect([changed.status, changed.headers.get('Location')]).toEqual([303, '/desk/account']);
      const [, token = ''] = /__Host-daywire-desk=([\w-]{43})/.exec(changed.headers.getSetCookie().join()) ?? [];
      expect(await findSession(store.db, token, now)).not.toBeNull();
      for (const ended of [other, desk.accounts.editor.token]) {
        expect(await findSession(store.db, ended, now)).toBeNull();
      }
      expect(await acts(desk)).toEqual([`Edda Moreno: account.password account/${id}`]);
    });

    it('sets up a second factor, by which it signs in then, and switches it off', async () => {
      const desk = await openTestDesk(await open());
      const path = '/account/second-factor';
      const fields = { secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', code: '12345', password: PASSWORD };
      for (const [wrong, message] of [
        [{}, /id="code-error">Type the code that the app shows now/],
        [{ password: 'wrong' }, /id="password-error">That was not your password/],
      ] as const) {
        const refused = await desk.post('editor', `${path}/on`, { ...fields, ...wrong });
        const text = await refused.text();
        expect([refused.status, text]).toEqual([422, expect.stringMatching(message)]);
        // With the same key, which the app has now.
        expect(text).toContain(`value="${fields.secret}"`);
      }
      const hostile = await desk.post('editor', `${path}/on`, { ...fields, secret: HOSTILE });
      expect([hostile.status, await hostile.text()]).toEqual([422, expect.not.stringContaining('<script>alert')]);
      const { secret, codes } = await setUp(desk, 'editor');
      expect(codes).toHaveLength(10);
      expect(await desk.read('editor', path)).toContain('It is on: ');
      expect(await desk.read('editor', path)).not.toContain(secret);

      const first = await desk.post(null, '/sign-in', {
        email: 'editor@example.com',
        password: PASSWORD,
        next: '/desk/runs',
      });
      const form = await first.text();
      expect([first.status, first.headers.getSetCookie()]).toEqual([200, []]);
      const [, step = ''] = /name="step" value="([\w-]+)"/.exec(form) ?? [];
      expect(form).toContain('name="next" value="/desk/runs"');
      const send = (code: string) => desk.post(null, '/sign-in', { step, code, next: '/desk/runs' });
      const wrong = await send('000000');
      expect([wrong.status, await wrong.text()]).toEqual([422, expect.stringContaining('The code is wrong')]);
      const right = await send(codes[0] ?? '');
      expect([right.status, right.headers.get('Location')]).toEqual([303, '/desk/runs']);
      // The browser is known only now.
      expect(wrong.headers.getSetCookie()).toEqual([]);
      expect(right.headers.getSetCookie().join()).toMatch(/__Host-daywire-desk=.*__Host-daywire-browser=/s);
      const made = await desk.post(null, '/sign-in', { step: 'made up', code: codes[1] ?? '' });
      expect([made.status, await made.text()]).toEqual([422, expect.stringContaining('That took too long')]);

      const off = await desk.act('editor', `${path}/off`, { password: PASSWORD });
      expect(off).toContain('The second factor is off.');
      const { id } = desk.accounts.editor;
      expect(await acts(desk)).toEqual(
        ['second-factor-on', 'sign-in', 'second-factor-off'].map((one) => `Edda Moreno: account.${one} account/${id}`),
      );
    });

    it('must set a second factor up where the newsroom requires it, and can do nothing else before', async () => {
      const desk = await openTestDesk(await open());
      desk.app.config.accounts.require = 'second-factor';
      for (const path of ['', '/account', '/accounts', '/runs', '/live']) {
        expect((await desk.get('admin', path)).headers.get('Location')).toBe('/desk/account/second-factor');
      }
      const act = await desk.post('admin', '/account/shortcuts', { shortcuts: 'off' });
      expect(act.headers.get('Location')).toBe('/desk/account/second-factor');
      const page = await desk.read('admin', '/account/second-factor');
      expect(page).toContain('This newsroom requires a second factor');
      expect(page).not.toContain('href="/desk/runs"');
      await setUp(desk, 'admin');
      expect((await desk.get('admin', '/account')).status).toBe(200);
      expect((await desk.post('editor', '/sign-out')).headers.get('Location')).toBe('/desk/sign-in');
    });

    it('lists its sessions with browser and address, and ends one', async () => {
      const desk = await openTestDesk(await open());
      const other = await openSession(desk.app.store, desk.accounts.editor.id, desk.app.now);
      const headers = { Cookie: `__Host-daywire-desk=${other}`, 'User-Agent': `Firefox on Linux ${HOSTILE}` };
      expect((await desk.get(null, '/account', headers)).status).toBe(200);
      const page = await desk.read('editor', '/account');
      expect(page).toContain('Firefox on Linux');
      expect(page).toContain('192.0.2.7');
      expect(page.match(/this session/g)).toHaveLength(1);
      const [, session = ''] = /name="session" value="(\w+)"/.exec(page) ?? [];
      expect(await desk.act('editor', '/account/end-sessions', { session })).toContain('One other session has ended.');
      expect(await findSession(desk.app.store.db, other, desk.app.now)).toBeNull();
    });

    it('switches single keys off and on, and signs out its other sessions', async () => {
      const desk = await openTestDesk(await open());
      expect(await desk.read('editor', '/account')).toContain('data-shortcuts');
      const off = await desk.act('editor', '/account/shortcuts', { shortcuts: 'off' });
      expect(off).toContain('Single keys are off.');
      expect(off).not.toContain('data-shortcuts');
      expect(await desk.act('editor', '/account/shortcuts', { shortcuts: 'on' })).toContain('data-shortcuts');
      expect(await desk.read('editor', '/account')).toContain('This is the only session.');
      await openSession(desk.app.store, desk.accounts.editor.id, desk.app.now);
      expect(await desk.act('editor', '/account/end-sessions')).toContain('One other session has ended.');
      expect(await desk.read('editor', '/account')).toContain('This is the only session.');
      expect(await acts(desk)).toEqual([`Edda Moreno: account.end-sessions account/${desk.accounts.editor.id}`]);
    });
  });

  describe('the accounts', () => {
    it('are invited by a link that is shown once, which can be withdrawn', async () => {
      const desk = await openTestDesk(await open());
      const path = '/accounts/invite';
      const fields: [string, string][] = [
        ['email', 'ivo@example.com'],
        ['role', 'editor'],
        ['role', 'audience'],
      ];
      const page = await desk.act('admin', path, [...fields, ['password', PASSWORD]]);
      const [, link = ''] = /value="http:\/\/127\.0\.0\.1:8080\/desk(\/invitation\/[\w-]{43})"/.exec(page) ?? [];
      expect((await desk.get(null, link)).status).toBe(200);
      expect((await desk.get('admin', path)).headers.get('Location')).toBe('/desk/accounts');
      const list = await desk.read('admin', '/accounts');
      expect(list).not.toContain('/desk/invitation/');
      expect(list).toContain('new account: editor, audience');
      expect(await desk.act('admin', '/accounts/invitations/1/withdraw')).toContain('The link no longer works.');
      expect((await desk.get(null, link)).status).toBe(404);
      expect((await desk.post('admin', '/accounts/invitations/1/withdraw')).status).toBe(404);
      expect(await acts(desk)).toEqual([
        ...['Ada Lindqvist: account.invite invitation/1', 'Ada Lindqvist: account.withdraw-invitation invitation/1'],
      ]);
    });

    it('show what is wrong with an invitation beside its field, and keep what was typed', async () => {
      const desk = await openTestDesk(await open());
      const invite = async (email: string, role: string[]) => {
        const roles = role.map((one): [string, string] => ['role', one]);
        const response = await desk.post('admin', '/accounts/invite', [
          ['email', email],
          ...roles,
          ['password', PASSWORD],
        ]);
        return [response.status, await response.text()] as const;
      };
      const [status, page] = await invite(HOSTILE, ['operator']);
      expect(status).toBe(422);
      expect(page).toMatch(/id="email-error">Enter an email address/);
      expect(page).toContain('value="&quot;&gt;&lt;script&gt;');
      expect(page).toMatch(/value="operator" checked/);
      expect(page).not.toContain('<script>alert');
      expect((await invite('ivo@example.com', ['boss']))[1]).toMatch(/id="role-error">Choose at least one role/);
      expect((await invite('editor@example.com', ['editor']))[1]).toMatch(
        /id="email-error">Edda Moreno has an account/,
      );
      expect(await acts(desk)).toEqual([]);
    });

    it('have roles that an admin changes, which signs the account out', async () => {
      const desk = await openTestDesk(await open());
      const { id } = desk.accounts.editor;
      const fields: [string, string][] = [
        ['role', 'operator'],
        ['password', PASSWORD],
      ];
      const page = await desk.act('admin', `/accounts/${id}/roles`, fields);
      expect(page).toContain('Edda Moreno is now operator, and signs in again.');
      expect(page).toMatch(/value="operator" checked/);
      expect((await desk.get('editor', '/account')).headers.get('Location')).toMatch(/^\/desk\/sign-in/);
      const none = await desk.post('admin', `/accounts/${id}/roles`, { password: PASSWORD });
      expect([none.status, await none.text()]).toEqual([422, expect.stringContaining('Choose at least one role')]);
      const admin = desk.accounts.admin.id;
      const only = await desk.post('admin', `/accounts/${admin}/disable`, { password: PASSWORD });
      expect([only.status, await only.text()]).toEqual([422, expect.stringContaining('is the only admin')]);
    });

    it('lose a second factor whose app is lost, and are signed out everywhere', async () => {
      const desk = await openTestDesk(await open());
      const { id } = desk.accounts.editor;
      const path = `/accounts/${id}/reset-second-factor`;
      const none = await desk.post('admin', path, { password: PASSWORD });
      expect([none.status, await none.text()]).toEqual([422, expect.stringContaining('has no second factor')]);
      expect(await desk.read('admin', `/accounts/${id}`)).not.toContain('Reset the second factor');
      await setUp(desk, 'editor');
      expect(await desk.read('admin', `/accounts/${id}`)).toContain('Reset the second factor');
      expect(await desk.act('admin', path, { password: PASSWORD })).toContain('signs in with the password alone');
      expect((await desk.get('editor', '/account')).status).toBe(303);
      expect((await acts(desk)).at(-1)).toBe(`Ada Lindqvist: account.second-factor-reset account/${id}`);
    });

    it('are disabled and enabled, and get a link for a new password', async () => {
      const desk = await openTestDesk(await open());
      const { id } = desk.accounts.editor;
      const password = { password: PASSWORD };
      const linked = await desk.act('admin', `/accounts/${id}/password-link`, password);
      const [, link = ''] = /\/desk(\/invitation\/[\w-]{43})"/.exec(linked) ?? [];
      expect(await (await desk.get(null, link)).text()).toContain('Choose a new password');
      const reloaded = await desk.get('admin', `/accounts/${id}/password-link`);
      expect(reloaded.headers.get('Location')).toBe(`/desk/accounts/${id}`);
      expect(await desk.act('admin', `/accounts/${id}/disable`, password)).toContain('can no longer sign in');
      expect((await desk.get('editor', '/account')).status).toBe(303);
      expect((await desk.get(null, link)).status).toBe(404);
      expect(await desk.read('admin', '/accounts')).toMatch(/disabled<\/span>/);
      expect(await desk.act('admin', `/accounts/${id}/enable`, password)).toContain('Edda Moreno may sign in again.');
      expect(await desk.act('admin', `/accounts/${id}/end-sessions`, password)).toContain('0 sessions have ended');
      expect((await desk.get('admin', '/accounts/99')).status).toBe(404);
      expect((await desk.get('admin', '/accounts/x')).status).toBe(404);
    });
  });

  it('send no page with a secret compressed', async () => {
    const desk = await openTestDesk(await open());
    const { id } = desk.accounts.editor;
    const form = await desk.read('editor', '/account/second-factor');
    const [, secret = ''] = /name="secret"[^>]* value="([A-Z2-7]{32})"/.exec(form) ?? [];
    const code = new TOTP({ secret }).generate({ timestamp: desk.app.now });
    const invited = await desk.post('admin', `/accounts/${id}/password-link`, { password: PASSWORD });
    const [, link = ''] = /\/desk(\/invitation\/[\w-]{43})"/.exec(await invited.clone().text()) ?? [];
    const responses = [
      ...[invited, await desk.get(null, link), await desk.get(null, '/sign-in'), await desk.get('editor', '/account')],
      await desk.get('editor', '/account/second-factor'),
      await desk.post('editor', '/account/second-factor/on', { secret, code, password: PASSWORD }),
      await desk.post('admin', '/accounts/invite', { email: 'ivo@example.com', role: 'editor', password: PASSWORD }),
      // It has the token of the first step.
      await desk.post(null, '/sign-in', { email: 'editor@example.com', password: PASSWORD }),
    ];
    expect(await responses[5]?.text()).toContain('Print these codes');
    for (const { status, headers } of responses) {
      expect([status, headers.get('Cache-Control')]).toEqual([200, 'no-store, no-transform']);
    }
  });

  it('name accounts, newsletters, articles and numbers in the audit log, with links to them', async () => {
    const desk = await openTestDesk(await open(), { sample: true });
    const { app, accounts } = desk;
    const { id: article, headline } = await someArticle(desk);
    const [newsletter] = app.config.newsletters;
    const entries: [act: string, subject: string, detail?: AuditedAct['detail']][] = [
      ['edition.cancel-send', `${newsletter?.id}/2026-11-24`],
      ['delivery.retry', `${newsletter?.id}/2026-11-24@1`, { kinds: ['failed', 'expired'] }],
      ['article.edit', article],
      ['edition.drop', `${newsletter?.id}/2026-11-25`, { story: article }],
      ['account.roles', `account/${accounts.editor.id}`, { roles: ['editor'], name: HOSTILE }],
      ['audience.export-end', 'newsletter/all', { rows: 104_320, isComplete: true, until: null }],
      ['subscriber.lift', 'subscriber/12', { newsletter: newsletter?.id ?? '' }],
      ['delivery.release', 'queue'],
      ['article.edit', HOSTILE],
    ];
    await inTransaction(app.store.db, async (tx) => {
      for (const [act, subject, detail = {}] of entries) {
        await auditAct(accounts.admin, app.now, { act, subject, detail })(tx);
      }
    });
    const page = await desk.read('admin', '/audit');
    expect(page).not.toContain('<script>alert');
    const cells = [...page.matchAll(/<td data-label="(?:Who|Act|Subject|Detail)">(.*?)<\/td>/gs)].map(([, cell = '']) =>
      cell
        .replaceAll(/ dir="auto"|<\/?(?:bdi|div)>|<span class="nowrap">|(?<=^<span class="nowrap">[^<]*)<\/span>/g, '')
        .replaceAll(/<span class="soft">([^<]*)<\/span>/g, '$1'),
    );
    const rows = entries.map((_, index) => cells.slice(4 * index, 4 * index + 4).slice(1)).toReversed();
    const title = newsletter?.title;
    const edition = `/desk/editions/${newsletter?.id}`;
    expect(rows.slice(0, 8)).toEqual([
      ['Edition: cancel send', `<a href="${edition}/2026-11-24/draft">${title}, 2026-11-24</a>`, ''],
      [
        'Delivery: retry',
        `<a href="${edition}/2026-11-24">${title}, 2026-11-24, revision 1</a>`,
        'kinds: failed, expired',
      ],
      ['Article: edit', `<a href="/desk/articles/${article}">${headline}</a>`, ''],
      ['Edition: drop', `<a href="${edition}/2026-11-25/draft">${title}, 2026-11-25</a>`, `story: ${headline}`],
      ['Account: roles', `<a href="/desk/accounts/${accounts.editor.id}">Edda Moreno</a>`, expect.any(String)],
      ['Audience: export end', '<a href="/desk/audience">All newsletters</a>', 'rows: 104,320complete: yesuntil: none'],
      ['Subscriber: lift', '<a href="/desk/audience/12">Subscriber 12</a>', `newsletter: ${title}`],
      ['Delivery: release', '<a href="/desk/deliveries">The queue</a>', ''],
    ]);
    expect(cells[0]).toBe(`<a href="/desk/accounts/${accounts.admin.id}">Ada Lindqvist</a>`);
  });
});

async function someArticle({ app }: TestDesk): Promise<{ id: string; headline: string }> {
  const { id } = await app.store.db.selectFrom('articles').select('id').orderBy('id').executeTakeFirstOrThrow();
  const headline = (await findHeadlines(app.store.db, [id])).get(id) ?? '';
  expect(headline).toMatch(/^[^&<>'"]+$/);
  return { id, headline };
}
