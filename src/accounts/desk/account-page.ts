/** One account, as admins see it: its roles, a link for a new password, and whether it may sign in. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { respondAfter, respondMissing, respondPage } from '../../web/desk/page.ts';
import { passwordField } from '../../web/desk/parts/form.ts';
import { queryText } from '../../web/desk/parts/pager.ts';
import { when } from '../../web/desk/parts/when.ts';
import { type Account, findAccount } from '../account.ts';
import { accountSubject } from '../audit.ts';
import { AccountError, changeRoles, disableAccount, enableAccount, endSessionsOf } from '../change-account.ts';
import { type Invited, invite } from '../invitations.ts';
import { resetSecondFactor } from '../second-factor.ts';
import { accountStatus, linkRegion, roleFields, roleNames, rolesOfForm } from './accounts-page.ts';

type ChangeAccount = (request: SignedInRequest, account: Account) => Promise<string>;

export const accountRoutes: DeskRoute[] = [
  {
    method: 'GET',
    path: '/accounts/:id',
    needs: 'accounts',
    handle: (request) => withAccount(request, (account) => respondAccount(request, account)),
  },
  act('/accounts/:id/roles', 'Change the roles', async ({ desk, account: actor, form, at }, { id, name }) => {
    const roles = rolesOfForm(form);
    await changeRoles(desk.app.store.db, actor, { id, roles }, at);
    return `${name} is now ${roleNames(roles)}, and signs in again.`;
  }),
  act('/accounts/:id/disable', 'Disable the account', async ({ desk, account: actor, at }, { id, name }) => {
    await disableAccount(desk.app.store.db, actor, id, at);
    return `${name} can no longer sign in: all sessions have ended, and open links that ${name} made no longer work.`;
  }),
  act('/accounts/:id/enable', 'Enable the account', async ({ desk, account: actor, at }, { id, name }) => {
    await enableAccount(desk.app.store.db, actor, id, at);
    return `${name} may sign in again.`;
  }),
  act('/accounts/:id/end-sessions', 'End all sessions', async ({ desk, account: actor, at }, { id, name }) => {
    const count = await endSessionsOf(desk.app.store.db, actor, { id, except: null, only: null }, at);
    return `${name} is signed out: ${count} sessions have ended.`;
  }),
  act('/accounts/:id/reset-second-factor', 'Reset the second factor', async (request, { id, name }) => {
    await resetSecondFactor(request.desk.app.store.db, request.account, id, request.at);
    return `${name} signs in with the password alone, and is signed out everywhere.`;
  }),
  {
    method: 'POST',
    path: '/accounts/:id/password-link',
    needs: 'accounts',
    confirms: { act: 'Make a link for a new password' },
    handle: (request) =>
      withAccount(request, async (account) => {
        const { desk, account: actor, at } = request;
        const invited = await invite(desk.app.store.db, actor, { email: account.email, roles: [] }, at);
        return respondAccount(request, account, { invited });
      }),
  },
];

/** A route that changes an account; what is wrong is said above its forms. */
function act(path: string, name: string, change: ChangeAccount): DeskRoute {
  return {
    method: 'POST',
    path,
    needs: 'accounts',
    confirms: { act: name },
    handle: (request) =>
      withAccount(request, async (account) => {
        try {
          const text = await change(request, account);
          return respondAfter(request, `/accounts/${account.id}`, { kind: 'done', text });
        } catch (error) {
          if (!(error instanceof AccountError)) throw error;
          return respondAccount(request, account, { problem: error.message });
        }
      }),
  };
}

async function withAccount(
  request: SignedInRequest,
  respond: (account: Account) => Promise<Response>,
): Promise<Response> {
  const { c, desk } = request;
  const id = Number(c.req.param('id'));
  const account = Number.isSafeInteger(id) ? await findAccount(desk.app.store.db, id) : null;
  return account === null ? respondMissing(request, 'There is no such account.') : respond(account);
}

function respondAccount(
  request: SignedInRequest,
  account: Account,
  { problem, invited }: { problem?: string; invited?: Invited } = {},
): Promise<Response> {
  const { name, email, roles, id, createdAt } = account;
  const error = problem ?? (invited?.kind === 'refused' ? invited.reason : undefined);
  const log = `${request.desk.base}/audit`;
  const body = html`${linkRegion(request, invited)}
${error === undefined ? '' : html`<p class="error" role="alert">${error}</p>`}
<dl class="pairs">
<dt>Email address</dt><dd>${email}</dd>
<dt>Roles</dt><dd>${roleNames(roles)}</dd>
<dt>Second factor</dt><dd>${account.hasSecondFactor ? 'on' : 'off'}</dd>
<dt>Status</dt><dd>${accountStatus(request, account)}</dd>
<dt>Since</dt><dd>${when(request, createdAt)}</dd>
</dl>
<p><a href="${log + queryText({ account: String(id) })}">What ${name} did</a>,
<a href="${log + queryText({ subject: accountSubject(id) })}">what was done to the account</a></p>
${changeForm(request, account)}`;
  return respondPage(request, {
    ...{ title: name, section: 'accounts', body, status: error === undefined ? 200 : 422 },
    hasSecret: invited !== undefined,
  });
}

/** One form, so that the password is typed once; each button posts it to the route of its act. */
function changeForm(
  { desk, account }: SignedInRequest,
  { id, name, roles, disabledAt, hasSecondFactor }: Account,
): Html {
  const path = `${desk.base}/accounts/${id}`;
  const button = (act: string, label: string, look = ''): Html =>
    html`<button type="submit" id="${act}" formaction="${path}/${act}" class="${look}">${label}</button>`;
  const effect = id === account.id ? 'You are signed out when they change.' : 'All sessions end when they change.';
  const content =
    disabledAt === null
      ? html`${roleFields(roles)}
<p class="hint">${effect}</p>
${passwordField()}
<p class="buttons">${button('roles', 'Change the roles', 'primary')}
${button('password-link', 'Make a link for a new password')}
${hasSecondFactor ? button('reset-second-factor', 'Reset the second factor') : ''}
${button('end-sessions', 'End all sessions')}
${button('disable', `Disable ${name}`, 'danger')}</p>`
      : html`<p>${name} cannot sign in.</p>
${passwordField()}
<p class="buttons">${button('enable', `Enable ${name}`, 'primary')}</p>`;
  return html`<section id="change"><h2>Change this account</h2>
<form method="post" action="${path}/${disabledAt === null ? 'roles' : 'enable'}">
${content}
</form></section>`;
}
