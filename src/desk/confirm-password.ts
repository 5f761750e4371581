/**
 * Asks for the account's password before an act that needs it again.
 */
import { html } from 'hono/html';
import { confirmPassword } from '../accounts/sign-in.ts';
import { clientAddress } from '../http/server/client-address.ts';
import { MINUTE } from '../lib/time.ts';
import type { Html, SignedInRequest } from './desk-request.ts';
import { respondPage } from './page.ts';
import { hiddenFields, passwordField, submitButton } from './parts/form.ts';

/** Fields that no page repeats. */
const PASSWORDS = ['password', 'new-password'];

/** Null if the form has the password; otherwise the page that asks for it, with the form's other fields. */
export async function askForPassword(request: SignedInRequest): Promise<Response | null> {
  const { desk, form, account, at, c } = request;
  const password = form.get('password');
  if (password === null) return respondQuestion(request, undefined);
  const { store, keys, log } = desk.app;
  const accounts = { db: store.db, secrets: await keys.signingSecrets() };
  const typed = { password, client: clientAddress(desk.web, c) };
  const outcome = await confirmPassword(accounts, account, typed, at);
  switch (outcome.kind) {
    case 'confirmed':
      return null;
    case 'wrong':
      log.warn({ account: account.id }, 'wrong password for an act at the desk');
      return respondQuestion(request, 'This is not your password. Nothing was done.');
    case 'too-many': {
      const minutes = Math.max(1, Math.ceil((outcome.retryAt - at) / MINUTE));
      return respondQuestion(request, `Too many wrong passwords. Nothing was done: try again in ${minutes} min.`);
    }
    case 'busy':
      return respondQuestion(request, 'Too many passwords are being checked. Nothing was done: try again.');
  }
}

function respondQuestion(request: SignedInRequest, error: string | undefined): Promise<Response> {
  const { c, form } = request;
  const fields: Html[] = [...form].flatMap(([name, value]) =>
    PASSWORDS.includes(name) ? [] : hiddenFields({ [name]: value }),
  );
  return respondPage(request, {
    title: 'Confirm with your password',
    section: null,
    status: error === undefined ? 200 : 422,
    body: html`<p>This act needs your password again. It has not been done yet.</p>
<form method="post" action="${c.req.path}" data-plain>${fields}${passwordField(error)}
${submitButton('Confirm', { primary: true, id: 'confirm' })}</form>`,
  });
}
