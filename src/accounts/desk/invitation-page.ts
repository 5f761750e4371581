/**
 * Accepting an invitation: a new colleague chooses a name and a password; a person with an account, a new password.
 * The link is the permission.
 */
import { html } from 'hono/html';
import type { DeskRequest } from '../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { respondAfter, respondPage, respondProblem } from '../../web/desk/page.ts';
import { errorSummary, type FormErrors, formStatus, submitButton, textField } from '../../web/desk/parts/form.ts';
import { when } from '../../web/desk/parts/when.ts';
import { replaceSession } from '../../web/desk/session-cookie.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { CONSOLE, NAME_LIMIT } from '../account.ts';
import { acceptInvitation, findInvitation, type Invitation } from '../invitations.ts';
import { PASSWORD_LENGTH } from '../passwords.ts';

export const BUSY = 'Many people sign in right now. Try again in a few seconds.';

export const invitationRoutes: DeskRoute[] = [
  {
    method: 'GET',
    path: '/invitation/:token',
    needs: null,
    async handle(request) {
      const invitation = await invitationOf(request);
      return invitation === null ? respondClosed(request) : respondForm(request, invitation);
    },
  },
  { method: 'POST', path: '/invitation/:token', needs: null, handle: handleAcceptance },
];

async function handleAcceptance(request: DeskRequest): Promise<Response> {
  const { c, desk, form, at } = request;
  const invitation = await invitationOf(request);
  if (invitation === null) return respondClosed(request);
  const acceptance = {
    ...{ name: form.get('name') ?? '', password: form.get('new-password') ?? '' },
    ...{ publication: desk.app.config.publication.name, client: clientAddress(desk.web, c) },
  };
  const result = await acceptInvitation(desk.app.store.db, c.req.param('token') ?? '', acceptance, at);
  if (result.kind === 'busy') return respondForm(request, invitation, { '': BUSY });
  if (result.kind === 'closed') return respondClosed(request);
  if (result.kind === 'refused') {
    const field = result.field === 'name' ? 'name' : 'new-password';
    return respondForm(request, invitation, { [field]: result.reason });
  }
  if (result.token === null) {
    const text = 'The new password is set. Sign in with it, and with a code.';
    return respondAfter(request, '/sign-in', { kind: 'done', text });
  }
  await replaceSession(request, result.token, result.account.email);
  const text =
    invitation.account === null ? `your account is made. Welcome, ${result.account.name}.` : 'The new password is set.';
  return respondAfter(request, '', { kind: 'done', text });
}

function invitationOf({ c, desk, at }: DeskRequest): Promise<Invitation | null> {
  return findInvitation(desk.app.store.db, c.req.param('token') ?? '', at);
}

function respondClosed(request: DeskRequest): Promise<Response> {
  const message = 'It was used, replaced by a newer one, withdrawn, or has expired. Ask an admin for a new link.';
  return respondProblem(request, 404, 'This link no longer works', message);
}

function respondForm(
  request: DeskRequest,
  { email, account, invitedBy, expiresAt }: Invitation,
  errors: FormErrors = {},
): Promise<Response> {
  const { c, desk, form } = request;
  const isNew = account === null;
  const body = html`<p>${isNew ? 'The account is for' : `${account.name} signs in with`} ${email}. The link is from
${invitedBy === CONSOLE ? 'the command line' : invitedBy}, and works once, until ${when(request, expiresAt)}.</p>
<form method="post" action="${desk.base}/invitation/${c.req.param('token')}" data-plain novalidate>
${errorSummary(errors)}
<input type="text" hidden autocomplete="username" value="${email}">
${
  isNew
    ? textField({
        ...{ name: 'name', label: 'Your name', autocomplete: 'name', required: true, maxLength: NAME_LIMIT },
        ...{ hint: 'Colleagues see it, and logs name you by it.', error: errors.name },
        value: form.get('name')?.slice(0, NAME_LIMIT),
      })
    : ''
}
${newPasswordField(isNew ? 'Password' : 'New password', errors['new-password'])}
${submitButton(isNew ? 'Create the account' : 'Set the password', { primary: true, id: 'accept' })}
</form>`;
  return respondPage(request, {
    ...{ title: isNew ? 'Join the desk' : 'Choose a new password', section: null, body, status: formStatus(errors) },
  });
}

/** Never filled in again after an error. */
export function newPasswordField(label: string, error?: string) {
  return textField({
    ...{ name: 'new-password', label, type: 'password', autocomplete: 'new-password', required: true, error },
    ...{ hint: `At least ${PASSWORD_LENGTH.min} characters. Several words are easy to remember.` },
  });
}
