/**
 * Roles in words, and the fields to choose them.
 */
import { html } from 'hono/html';
import type { Html } from '../../web/desk/desk-request.ts';
import { ACCOUNT_ROLES, type AccountRole } from '../permissions.ts';

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
