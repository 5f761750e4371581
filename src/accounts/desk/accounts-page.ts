/** Accounts: the list, and invitations. */
import { html } from 'hono/html';
import type { DeskRequest, Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { respondAfter, respondMissing, respondPage } from '../../web/desk/page.ts';
import { passwordField, postButton, submitButton, textField } from '../../web/desk/parts/form.ts';
import { rowTable, type TableRow } from '../../web/desk/parts/row-table.ts';
import { statusMark } from '../../web/desk/parts/status-mark.ts';
import { fromNow, when } from '../../web/desk/parts/when.ts';
import { type Account, listAccounts } from '../account.ts';
import { type Invitation, type Invited, invite, listInvitations, withdrawInvitation } from '../invitations.ts';
import { ACCOUNT_ROLES, type AccountRole } from '../permissions.ts';

export const accountsRoutes: DeskRoute[] = [
  { method: 'GET', path: '/accounts', needs: 'accounts', handle: (request) => respondAccounts(request) },
  {
    ...{ method: 'POST', path: '/accounts/invite', needs: 'accounts', handle: handleInvite },
    confirms: { act: 'Invite a colleague', page: (request, error) => respondAccounts(request, undefined, { error }) },
  },
  { method: 'POST', path: '/accounts/invitations/:id/withdraw', needs: 'accounts', handle: handleWithdrawal },
];

async function handleInvite(request: SignedInRequest): Promise<Response> {
  const { desk, account, form, at } = request;
  const wanted = { email: form.get('email') ?? '', roles: rolesOfForm(form) };
  return respondAccounts(request, await invite(desk.app.store.db, account, wanted, at));
}

async function handleWithdrawal(request: SignedInRequest): Promise<Response> {
  const { c, desk, at } = request;
  const id = Number(c.req.param('id'));
  const audit = request.audit('account.withdraw-invitation', `invitation/${id}`);
  const isWithdrawn = Number.isSafeInteger(id) && (await withdrawInvitation(desk.app.store.db, id, at, audit));
  if (!isWithdrawn) return respondMissing(request, 'There is no such open invitation: it was used, or has expired.');
  return respondAfter(request, '/accounts', { kind: 'done', text: 'The link no longer works.' });
}

/** @param again the password is asked for again, with what was typed */
async function respondAccounts(
  request: SignedInRequest,
  invited?: Invited,
  again?: { error: string | undefined },
): Promise<Response> {
  const { desk, at } = request;
  const { db } = desk.app.store;
  const [accounts, invitations] = [await listAccounts(db), await listInvitations(db, at)];
  const body = html`${linkRegion(request, invited)}
<section id="accounts" data-region><h2>Who may sign in</h2>
${rowTable(
  'Accounts',
  ['Name', 'Email address', 'Roles', 'Status', 'Last seen'],
  accounts.map((account) => accountRow(request, account)),
)}</section>
${
  invitations.length === 0
    ? ''
    : html`<section id="invitations" data-region><h2>Open invitations</h2>
${rowTable(
  'Open invitations',
  ['For', 'Purpose', 'From', 'Works until', 'Acts'],
  invitations.map((invitation) => invitationRow(request, invitation)),
)}</section>`
}
<section id="invite-colleague"><h2>Invite a colleague</h2>
${inviteForm(request, invited, again)}</section>`;
  const status = invited?.kind === 'refused' || again?.error !== undefined ? 422 : 200;
  return respondPage(request, {
    title: 'Accounts',
    section: 'accounts',
    body,
    status,
    hasSecret: invited !== undefined,
  });
}

function accountRow(request: DeskRequest, account: Account & { lastSeenAt: number | null }): TableRow {
  const { id, name, email, roles, lastSeenAt } = account;
  const seen = lastSeenAt === null ? 'not signed in' : fromNow(request, lastSeenAt);
  const link = html`<a href="${request.desk.base}/accounts/${id}">${name}</a>`;
  return { cells: [link, email, roleNames(roles), accountStatus(request, account), seen] };
}

export function accountStatus(request: DeskRequest, { disabledAt }: Account): Html {
  if (disabledAt === null) return statusMark('good', 'may sign in');
  return html`${statusMark('off', 'disabled')} ${when(request, disabledAt)}`;
}

function invitationRow(
  request: DeskRequest,
  { id, email, roles, account, invitedBy, expiresAt }: Invitation,
): TableRow {
  const purpose = account === null ? `new account: ${roleNames(roles)}` : `new password of ${account.name}`;
  const withdraw = postButton(request, `/accounts/invitations/${id}/withdraw`, 'Withdraw', {
    ...{ id: `withdraw-${id}`, name: `Withdraw the invitation of ${email}` },
  });
  return { cells: [email, purpose, invitedBy, when(request, expiresAt), withdraw] };
}

/** The new link. It is shown once: the store has only its hash. */
export function linkRegion(request: DeskRequest, invited: Invited | undefined): Html {
  if (invited?.kind !== 'invited') return html`<section id="link" data-region></section>`;
  const { invitation, token } = invited;
  const { publication } = request.desk.app.config;
  const purpose =
    invitation.account === null ? 'an account is created' : `${invitation.account.name} gets a new password`;
  const value = `${publication.url}/desk/invitation/${token}`;
  return html`<section id="link" data-region role="status"><h2>Link for ${invitation.email}</h2>
${textField({ name: 'invitation-link', label: 'Invitation link', value, readOnly: true })}
<p>Send it to ${invitation.email} yourself, and to nobody else: with it, ${purpose}. It works once, until
${when(request, invitation.expiresAt)}, and is not shown again.</p></section>`;
}

function inviteForm({ desk, form }: DeskRequest, invited?: Invited, again?: { error: string | undefined }): Html {
  const isKept = again !== undefined || invited?.kind === 'refused';
  const refused = invited?.kind === 'refused' ? invited : undefined;
  const errorOf = (field: 'email' | 'roles') => (refused?.field === field ? refused.reason : undefined);
  return html`<form method="post" action="${desk.base}/accounts/invite">
${textField({
  ...{ name: 'email', label: 'Email address', type: 'email', autocomplete: 'off', required: true, maxLength: 254 },
  ...{ value: isKept ? (form.get('email') ?? '') : '', error: errorOf('email') },
})}
${roleFields(isKept ? rolesOfForm(form) : [], errorOf('roles'))}
${passwordField(again?.error)}
${submitButton('Make an invitation link', { primary: true, id: 'make-link' })}
</form>`;
}

/** What each role may do. */
const ROLE_MEANINGS: Record<AccountRole, string> = {
  editor: 'edits, approves and sends editions, the roundup and articles; sees no addresses',
  operator: 'pauses, resumes, settles and cancels deliveries; sees masked addresses',
  audience: 'sees, imports, exports and erases subscribers',
  admin: 'may do everything, and manages accounts',
};

/** `editor, operator`. */
export function roleNames(roles: readonly AccountRole[]): string {
  return roles.join(', ');
}

/** The roles that a form names, which may be none. */
export function rolesOfForm(form: URLSearchParams): AccountRole[] {
  return ACCOUNT_ROLES.filter((role) => form.getAll('role').includes(role));
}

/** A checkbox for each role. */
export function roleFields(checked: readonly AccountRole[], error?: string): Html {
  const described = error === undefined ? '' : html` aria-describedby="role-error"`;
  const boxes = ACCOUNT_ROLES.map(
    (role) =>
      html`<div class="choice"><input type="checkbox" id="role-${role}" name="role" value="${role}"${
        checked.includes(role) ? html` checked` : ''
      }><label for="role-${role}">${role} <span class="hint">${ROLE_MEANINGS[role]}</span></label></div>`,
  );
  return html`<fieldset${described}><legend>Roles</legend>${boxes}
${error === undefined ? '' : html`<p class="error" id="role-error">${error}</p>`}</fieldset>`;
}
