import { describe, expect, it, vi } from 'vitest';
import { invite } from '../../../src/accounts/invitations.ts';
import { findSession, SESSION_IDLE } from '../../../src/accounts/sessions.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import { openTestDesk, PASSWORD, type TestDesk } from '../../app/desk/test-desk.ts';
import { article, saveAll } from '../../support/articles.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';

const EMAIL = 'editor@example.com';
const NEW_PASSWORD = 'four lanterns by the quay';

/** The token of the session that a response begins. */
function tokenOf(response: Response): string | undefined {
  const cookies = response.headers.getSetCookie();
  return cookies.map((cookie) => /^__Host-daywire-desk=([\w-]{43});/.exec(cookie)?.[1]).find((token) => token);
}

async function link({ app }: TestDesk, email: string): Promise<string> {
  const roles = email === EMAIL ? [] : (['editor'] as const);
  const invited = await invite(app.store.db, 'console', { email, roles }, app.now);
  if (invited.kind === 'refused') throw new Error(invited.reason);
  return `/invitation/${invited.token}`;
}

forEachDatabase((open) => {
  describe('signing in', () => {
    it('sets a cookie that only this host gets, and leads to the page that was asked for', async () => {
      const desk = await openTestDesk(await open());
      expect(await (await desk.get(null, '/sign-in?next=%2Fdesk%2Faudit%3Fact%3Da')).text()).toContain(
        '<input type="hidden" name="next" value="/desk/audit?act=a">',
      );
      const fields = { email: EMAIL, password: PASSWORD, next: '/desk/account' };
      const response = await desk.post(null, '/sign-in', fields);
      expect([response.status, response.headers.get('Location')]).toEqual([303, '/desk/account']);
      const [cookie = ''] = response.headers.getSetCookie();
      expect(cookie).toMatch(
        /^__Host-daywire-desk=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      const Cookie = cookie.split(';', 1)[0] ?? '';
      expect(await (await desk.get(null, '/account', { Cookie })).text()).toContain('Edda Moreno');
      const evil = await desk.post(null, '/sign-in', { ...fields, next: '//evil.example' });
      expect(evil.headers.get('Location')).toBe('/desk');
      // Whoever has signed in needs no form.
      const again = await desk.get(null, '/sign-in?next=/desk/account', { Cookie });
      expect([again.status, again.headers.get('Location')]).toEqual([303, '/desk/account']);
    });

    it('says the same for a wrong password and an unknown address, and when it can be tried again', async () => {
      const desk = await openTestDesk(await open());
      const texts = [];
      for (const fields of [
        { email: EMAIL, password: 'a wrong password' },
        { email: 'nobody@example.com', password: PASSWORD },
      ]) {
        const response = await desk.post(null, '/sign-in', fields);
        const text = await response.text();
        expect([response.status, tokenOf(response)]).toEqual([422, undefined]);
        expect(text).not.toContain('a wrong password');
        texts.push(/id="password-error">([^<]*)</.exec(text)?.[1]);
      }
      expect(new Set(texts)).toEqual(new Set([expect.stringContaining('address or the password is wrong')]));
      // What is missing is no attempt.
      for (let n = 0; n < 9; n++) await desk.post(null, '/sign-in', { email: EMAIL, password: '' });
      for (let n = 1; n < 5; n++) await desk.post(null, '/sign-in', { email: EMAIL, password: `wrong ${n}` });
      const stopped = await desk.post(null, '/sign-in', { email: EMAIL, password: PASSWORD });
      expect([stopped.status, stopped.headers.get('Retry-After')]).toEqual([429, '900']);
      expect(await stopped.text()).toContain('Too many attempts.');
    });

    it('makes the browser known for the account, also after signing out, and for that account only', async () => {
      const desk = await openTestDesk(await open());
      const signIn = (email: string, password: string, Cookie = '') =>
        desk.post(null, '/sign-in', { email, password }, { Cookie });
      const response = await signIn(EMAIL, PASSWORD);
      const cookie = response.headers.getSetCookie().find((text) => text.startsWith('__Host-daywire-browser')) ?? '';
      expect(cookie).toMatch(
        /^__Host-daywire-browser=[\w.-]{74,}; Max-Age=31536000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      const known = cookie.split(';', 1)[0];
      for (const email of [EMAIL, 'audience@example.com']) {
        for (let n = 0; n < 5; n++) expect((await signIn(email, `wrong ${n}`)).status).toBe(422);
      }
      expect((await signIn(EMAIL, PASSWORD)).status).toBe(429);
      expect((await signIn('audience@example.com', PASSWORD, known)).status).toBe(429);
      expect((await signIn(EMAIL, PASSWORD, known)).status).toBe(303);
    });

    it('ends the session that the browser had before', async () => {
      const desk = await openTestDesk(await open());
      const { store, now } = desk.app;
      const { token } = desk.accounts.audience;
      const response = await desk.post('audience', '/sign-in', { email: EMAIL, password: PASSWORD });
      expect(await findSession(store.db, token, now)).toBeNull();
      expect(await findSession(store.db, tokenOf(response) ?? '', now)).toMatchObject({ email: EMAIL });
    });

    it('ends with signing out, which removes the cookie', async () => {
      const desk = await openTestDesk(await open());
      const response = await desk.post('editor', '/sign-out');
      expect([response.status, response.headers.get('Location')]).toEqual([303, '/desk/sign-in']);
      expect(response.headers.getSetCookie()).toEqual(['__Host-daywire-desk=; Max-Age=0; Path=/; Secure']);
      expect((await desk.get('editor', '/account')).status).toBe(303);
    });
  });

  describe('an invitation', () => {
    it('lets a new colleague choose name and password, and signs them in', async () => {
      const desk = await openTestDesk(await open());
      const path = await link(desk, 'ivo@example.com');
      const form = await (await desk.get(null, path)).text();
      expect(form).toContain('Join the desk');
      expect(form).toContain('ivo@example.com');
      // Reading the link uses nothing up.
      expect((await desk.get(null, path)).status).toBe(200);
      const refused = await desk.post(null, path, { name: 'ada LINDQVIST', 'new-password': NEW_PASSWORD });
      const text = await refused.text();
      expect(refused.status).toBe(422);
      expect(text).toMatch(/id="name-error">[^<]*has an account already/);
      expect(text).toContain('value="ada LINDQVIST"');
      expect(text).not.toContain(NEW_PASSWORD);
      const short = await desk.post(null, path, { name: 'Ivo', 'new-password': 'short' });
      expect(await short.text()).toMatch(/id="new-password-error">Use at least 12/);
      const accepted = await desk.post(null, path, { name: 'Ivo', 'new-password': NEW_PASSWORD });
      expect([accepted.status, accepted.headers.get('Location')]).toEqual([303, '/desk']);
      expect(await findSession(desk.app.store.db, tokenOf(accepted) ?? '', desk.app.now)).toMatchObject({
        name: 'Ivo',
      });
      const used = await desk.get(null, path);
      expect([used.status, await used.text()]).toEqual([404, expect.stringContaining('This link no longer works')]);
      expect((await desk.post(null, path, { name: 'Eve', 'new-password': NEW_PASSWORD })).status).toBe(404);
    });

    it('for an account asks for a new password only', async () => {
      const desk = await openTestDesk(await open());
      const path = await link(desk, EMAIL);
      const form = await (await desk.get(null, path)).text();
      expect(form).toContain('Choose a new password');
      expect(form).not.toContain('name="name"');
      expect((await desk.post('audience', path, { 'new-password': NEW_PASSWORD })).status).toBe(303);
      // The former sessions have ended, and that of a colleague whose browser it is.
      for (const role of ['editor', 'audience'] as const) expect((await desk.get(role, '/account')).status).toBe(303);
      expect((await desk.post(null, '/sign-in', { email: EMAIL, password: NEW_PASSWORD })).status).toBe(303);
    });
  });
});

describe('the log of a process', () => {
  it('names an account by its number, and has no address and no password; nor has the audit log', async () => {
    const desk = await openTestDesk(await openMigrated());
    const warn = vi.spyOn(desk.app.log, 'warn');
    for (const email of [EMAIL, 'nobody@example.com', 'my secret password']) {
      await desk.post(null, '/sign-in', { email, password: 'another secret' });
    }
    const { id } = desk.accounts.editor;
    expect(warn.mock.calls.map(([details]) => details)).toEqual([
      ...[{ account: id }, { account: 'unknown' }, { account: 'unknown' }],
    ]);
    expect(await desk.audit()).toEqual([]);
    expect(JSON.stringify(warn.mock.calls)).not.toMatch(/secret|@|192\.0\.2/);
  });
});

/** The hidden fields of the sign-in page, as a browser posts them. */
function hiddenFieldsOf(page: string): Record<string, string> {
  const plain = (text = ''): string =>
    text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  const found = page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g);
  return Object.fromEntries([...found].map(([, name, value]) => [plain(name), plain(value)]));
}

describe('a form that is posted after its session has ended', () => {
  const HOSTILE = `"></textarea><script>alert(1)</script> & more`;

  it('is shown after signing in with its text, and is carried out only when it is sent again', async () => {
    const desk = await openTestDesk(await openMigrated());
    await saveAll(desk.app.store, [article('one')]);
    const shown = hiddenFieldsOf(await desk.read('editor', '/articles/one/edit'));
    const typed = {
      ...shown,
      headline: HOSTILE,
      body: 'Line 1\n\nLine 2',
      kicker: '',
      notice: 'silent',
      unsaved: 'd1',
    };
    const asked = await desk.post(null, '/articles/one/edit', typed);
    expect([asked.status, asked.headers.get('Cache-Control')]).toEqual([200, 'no-store, no-transform']);
    const page = await asked.text();
    expect(page).toContain('nothing was saved');
    expect(page).not.toContain('<script>alert');

    const wrong = await desk.post(null, '/sign-in', { ...hiddenFieldsOf(page), email: EMAIL, password: 'not this' });
    const kept = { ...hiddenFieldsOf(await wrong.text()), email: EMAIL, password: PASSWORD };
    const signedIn = await desk.post(null, '/sign-in', kept);
    expect([signedIn.status, signedIn.headers.get('Location')]).toEqual([307, '/desk/articles/one/edit']);
    const again = await desk.post('editor', '/articles/one/edit', kept);
    const form = await again.text();
    const stored = await findArticle(desk.app.store.db, 'one');
    expect([again.status, stored?.headline]).toEqual([200, 'Headline of one']);
    expect(form).toContain('You are signed in as Edda Moreno. Nothing has been saved yet.');
    expect(form).toContain('value="&quot;&gt;&lt;/textarea&gt;&lt;script&gt;');
    expect(form).toContain('Line 1\n\nLine 2</textarea>');
    expect(form).toContain('data-sent="d1"');
    expect(form).not.toMatch(/kept-|correct horse|<script>alert/);
    expect(hiddenFieldsOf(form).seen).toBe(shown.seen);
    expect((await desk.audit()).map(({ act }) => act)).toEqual(['account.sign-in']);
    expect(await desk.act('editor', '/articles/one/edit', typed)).toContain('data-saved="d1"');
  });

  it('is shown for an article whose id needs encoding in its address', async () => {
    const desk = await openTestDesk(await openMigrated());
    await saveAll(desk.app.store, [article('fähre 1?')]);
    const path = `/articles/${encodeURIComponent('fähre 1?')}/edit`;
    const kept = hiddenFieldsOf(await (await desk.post(null, path, { body: 'Typed' })).text());
    const signedIn = await desk.post(null, '/sign-in', { ...kept, email: EMAIL, password: PASSWORD });
    expect(signedIn.headers.get('Location')).toBe(`/desk${path}`);
    expect(await (await desk.post('editor', path, kept)).text()).toContain('Typed</textarea>');
    // Its page is loaded again without a session.
    const reloaded = await (await desk.post(null, path, { ...kept, email: EMAIL, password: PASSWORD })).text();
    expect(hiddenFieldsOf(reloaded)).toEqual(kept);
    expect(reloaded).not.toContain(PASSWORD);
  });

  it('never repeats a password or a code', async () => {
    const desk = await openTestDesk(await openMigrated());
    const typed = { 'new-password': 'first secret', password: 'second secret', code: '123456', note: 'text' };
    const page = await (await desk.post(null, '/account/password', typed)).text();
    expect(hiddenFieldsOf(page)).toEqual({ kept: '/desk/account/password', 'kept-note': 'text' });
    expect(page).not.toMatch(/secret|123456/);
  });

  it('shows another act with a button, and its text alone to an account that may not do it', async () => {
    const desk = await openTestDesk(await openMigrated());
    await saveAll(desk.app.store, [article('one')]);
    const path = '/articles/one/retract';
    const page = await (await desk.post(null, path, { seen: 'x', note: 'It was wrong.' })).text();
    const asEditor = await (await desk.post('editor', path, hiddenFieldsOf(page))).text();
    expect(asEditor).toContain('<pre>It was wrong.</pre>');
    const tie = { 'page-account': String(desk.accounts.editor.id) };
    expect(hiddenFieldsOf(asEditor)).toEqual({ ...tie, seen: 'x', note: 'It was wrong.' });
    expect(asEditor).toContain('id="send-again"');
    const asOther = await desk.post('audience', path, hiddenFieldsOf(page));
    expect(asOther.status).toBe(403);
    const text = await asOther.text();
    expect(text).toContain('It was wrong.');
    expect(text).toContain('You are signed in as Auden Vale. Your role is audience');
    expect(text).not.toContain('send-again');
  });

  it('says whose page it was to another account that signs in, and is sent only in the name of that one', async () => {
    const desk = await openTestDesk(await openMigrated());
    await saveAll(desk.app.store, [article('one')]);
    const { editor, admin } = desk.accounts;
    const told = 'This page was opened by Edda Moreno, and you are signed in as Ada Lindqvist.';
    const edit = hiddenFieldsOf(await desk.read('editor', '/articles/one/edit'));
    expect(edit['page-account']).toBe(String(editor.id));
    for (const [path, form, typed] of [
      ['/articles/one/edit', { ...edit, headline: 'Of Edda', notice: 'silent' }, 'value="Of Edda"'],
      [
        '/articles/one/retract',
        { 'page-account': edit['page-account'] ?? '', seen: 'x', note: 'Of Edda' },
        '<pre>Of Edda</pre>',
      ],
    ] as const) {
      const kept = hiddenFieldsOf(await (await desk.post(null, path, form)).text());
      // With and without the sign-in between.
      for (const fields of [kept, form]) {
        const page = await (await desk.post('admin', path, fields)).text();
        expect([page, page]).toEqual([expect.stringContaining(told), expect.stringContaining(typed)]);
        expect(page).toContain('send it only if it should be done in your name');
        expect(hiddenFieldsOf(page)['page-account']).toBe(String(admin.id));
      }
    }
    const unknown = { 'page-account': '1e400', seen: 'x', note: 'Of nobody' };
    const page = await desk.post('admin', '/articles/one/retract', unknown);
    expect(page.status).toBe(409);
    const text = await page.text();
    expect(text).toContain('This page was opened by another account');
    expect(text).toContain('>Send it as Ada Lindqvist</button>');
    expect(await desk.audit()).toEqual([]);
  });

  it('leads to no other site, and is not kept for a request of another site', async () => {
    const desk = await openTestDesk(await openMigrated());
    const fields = { email: EMAIL, password: PASSWORD, kept: '//evil.example/x', 'kept-note': 'text' };
    expect((await desk.post(null, '/sign-in', fields)).headers.get('Location')).toBe('/desk');
    const foreign = { 'Sec-Fetch-Site': 'cross-site' };
    const response = await desk.post(null, '/articles/one/edit', { headline: 'Planted' }, foreign);
    expect([response.status, (await response.text()).includes('Planted')]).toEqual([403, false]);
    expect(await (await desk.get(null, '/sign-in?kept=/desk/x&kept-note=Planted')).text()).not.toContain('Planted');
  });

  it('is kept up to half a megabyte and 2,000 fields', async () => {
    const desk = await openTestDesk(await openMigrated());
    const post = (length: number) => desk.post(null, '/articles/one/edit', { body: 'x'.repeat(length) });
    expect((await post(500_000)).status).toBe(200);
    const long = await post(530_000);
    expect([long.status, await long.text()]).toEqual([413, expect.stringContaining('Sign in in another tab, go back')]);
    const fields = Array.from({ length: 2_001 }, (): [string, string] => ['kept-a', '1']);
    expect((await desk.post(null, '/articles/one/edit', fields)).headers.get('Location')).toBe('/desk/sign-in');
    // Nobody has to go through the first page.
    const page = await (await desk.post(null, '/sign-in', [['kept', '/desk/x'], ...fields, ...fields])).text();
    expect(page.match(/name="kept-a"/g)).toHaveLength(2_000);
  });

  it('with a file says that the file has to be chosen again', async () => {
    const desk = await openTestDesk(await openMigrated());
    const response = await desk.post(null, '/audience/import');
    expect(response.headers.get('Location')).toBe('/desk/sign-in');
    const [cookie = ''] = response.headers.getSetCookie();
    const page = await (await desk.get(null, '/sign-in', { Cookie: cookie.split(';', 1)[0] ?? '' })).text();
    expect(page).toContain('The file was not read: sign in, and choose it again.');
  });
});

describe('a session', () => {
  it('leads to the sign-in page when it has ended', async () => {
    const desk = await openTestDesk(await openMigrated());
    desk.app.now += SESSION_IDLE;
    const response = await desk.get('editor', '/account');
    expect(response.headers.get('Location')).toBe('/desk/sign-in?next=%2Fdesk%2Faccount');
  });
});
