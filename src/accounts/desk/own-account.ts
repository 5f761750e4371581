/** The own account: password, single keys, other sessions. */
import { html } from 'hono/html';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { respondAfter, respondPage, respondProblem } from '../../web/desk/page.ts';
import { passwordField, postButton, submitButton } from '../../web/desk/parts/form.ts';
import { rowTable } from '../../web/desk/parts/row-table.ts';
import { fromNow, when } from '../../web/desk/parts/when.ts';
import { sessionTokenOf, setSessionCookie } from '../../web/desk/session-cookie.ts';
import { setShortcuts } from '../account.ts';
import { changePassword, endSessionsOf } from '../change-account.ts';
import { listSessions } from '../sessions.ts';
import { roleNames } from './accounts-page.ts';
import { newPasswordField } from './invitation-page.ts';
import { secondFactorRoutes } from './second-factor-page.ts';

export const ownAccountRoutes: DeskRoute[] = [
  ...secondFactorRoutes,
  { method: 'GET', path: '/account', needs: 'desk', handle: (request) => respondOwnAccount(request) },
  {
    ...{ method: 'POST', path: '/account/password', needs: 'desk', handle: handlePassword },
    confirms: {
      act: 'Change your password',
      page: (request, current) => respondOwnAccount(request, { current }),
    },
  },
  {
    method: 'POST',
    path: '/account/shortcuts',
    needs: 'desk',
    async handle(request) {
      const isOn = request.form.get('shortcuts') === 'on';
      await setShortcuts(request.desk.app.store.db, request.account.id, isOn);
      return respondAfter(request, '/account', { kind: 'done', text: `Single keys are ${isOn ? 'on' : 'off'}.` });
    },
  },
  {
    method: 'POST',
    path: '/account/end-sessions',
    needs: 'desk',
    async handle(request) {
      const { account, desk, c, form, at } = request;
      const which = { id: account.id, except: sessionTokenOf(c), only: form.get('session') };
      const ended = await endSessionsOf(desk.app.store.db, account, which, at);
      const text = ended === 1 ? 'One other session has ended.' : `${ended} other sessions have ended.`;
      return respondAfter(request, '/account', { kind: 'done', text });
    },
  },
];

async function handlePassword(request: SignedInRequest): Promise<Response> {
  const { c, desk, account, form, at } = request;
  const { store, config } = desk.app;
  const wanted = { password: form.get('new-password') ?? '', publication: config.publication.name };
  const result = await changePassword(store.db, account, wanted, at);
  if (result.kind === 'busy') {
    return respondProblem(request, 503, 'Try again in a few seconds', 'Many people sign in right now.');
  }
  if (result.kind === 'refused') return respondOwnAccount(request, { wanted: result.reason });
  setSessionCookie(c, result.token);
  const text = 'The password is changed. All other sessions have ended.';
  return respondAfter(request, '/account', { kind: 'done', text });
}

/** @param errors of the two password fields */
async function respondOwnAccount(
  request: SignedInRequest,
  errors: { current?: string | undefined; wanted?: string } = {},
): Promise<Response> {
  const { account, desk, at } = request;
  const sessions = await listSessions(desk.app.store.db, account.id, at, sessionTokenOf(request.c) ?? '');
  const rows = sessions.map(({ id, browser, client, begunAt, seenAt, isCurrent }) => {
    const options = { fields: { session: id }, name: `End the session of ${browser}` };
    const end = isCurrent ? 'this session' : postButton(request, '/account/end-sessions', 'End', options);
    return { cells: [browser, client ?? '', when(request, begunAt), fromNow(request, seenAt), end] };
  });
  const body = html`<dl class="pairs">
<dt>Email address</dt><dd>${account.email}</dd>
<dt>Roles</dt><dd>${roleNames(account.roles)}</dd>
</dl>
<section id="own-password"><h2>Password</h2>
<form method="post" action="${desk.base}/account/password">
<input type="text" hidden autocomplete="username" value="${account.email}">
${passwordField(errors.current)}
${newPasswordField('New password', errors.wanted)}
${submitButton('Change the password', { primary: true, id: 'change-password' })}
</form></section>
<section id="second-factor"><h2>Second factor</h2>
<p>Signing in needs ${account.hasSecondFactor ? 'a code of your authenticator app, too' : 'only the password'}.
<a href="${desk.base}/account/second-factor">${account.hasSecondFactor ? 'Change it' : 'Set up a second factor'}</a></p>
</section>
<section id="single-keys" data-region><h2>Single keys</h2>
<p>${
    account.hasShortcuts
      ? 'Single keys act on the story or row that has the focus. Switch them off if you speak to your computer.'
      : 'Single keys do nothing. All acts have buttons.'
  }</p>
<div class="buttons">${postButton(
    request,
    '/account/shortcuts',
    account.hasShortcuts ? 'Switch single keys off' : 'Switch single keys on',
    {
      fields: { shortcuts: account.hasShortcuts ? 'off' : 'on' },
      id: 'shortcuts',
    },
  )}</div></section>
<section id="sessions" data-region><h2>Sessions</h2>
${rowTable('Sessions', ['Browser', 'Address', 'Signed in', 'Last used', 'Acts'], rows)}
${
  sessions.length > 1
    ? postButton(request, '/account/end-sessions', 'Sign out all other sessions', { id: 'end-sessions' })
    : html`<p class="hint">This is the only session.</p>`
}</section>`;
  const status = (errors.current ?? errors.wanted) === undefined ? 200 : 422;
  return respondPage(request, { title: account.name, section: 'account', body, status, hasSecret: true });
}
