/** Asks for the account's password before an act that needs it again. */
import { html } from 'hono/html';
import { recordFailure } from '../../accounts/security-log.ts';
import { confirmPassword, recordRefusal } from '../../accounts/sign-in.ts';
import { MINUTE } from '../../lib/time.ts';
import type { Html, SignedInRequest } from './desk-request.ts';
import type { Confirmed } from './desk-route.ts';
import { respondPage } from './page.ts';
import { errorSummary, formStatus, hiddenFields, passwordField, submitButton } from './parts/form.ts';

/** Fields that no page repeats. */
const SECRETS = ['password', 'new-password', 'code', 'secret'];

/** The fields of a form that a page may repeat. */
export function repeatableFields(form: URLSearchParams): [string, string][] {
  return [...form].filter(([name]) => !SECRETS.includes(name));
}

/** Null if the form has the password; otherwise the page that asks for it, with what else was typed. */
export async function askForPassword(request: SignedInRequest, confirmed: Confirmed): Promise<Response | null> {
  const { desk, form, account, at } = request;
  const password = form.get('password');
  if (password === null) return respondQuestion(request, confirmed, undefined);
  if (password === '') return respondQuestion(request, confirmed, 'Type your password.');
  const { store, keys, log } = desk.app;
  const accounts = { db: store.db, secrets: await keys.signingSecrets() };
  const outcome = await confirmPassword(accounts, account, password, at);
  switch (outcome.kind) {
    case 'confirmed':
      return null;
    case 'wrong':
      await recordFailure(store.db, { ...account, act: 'account.confirm-failed', accountId: account.id }, at);
      log.warn({ account: account.id }, 'wrong password for an act at the desk');
      return respondQuestion(request, confirmed, 'That was not your password: nothing was done.');
    case 'too-many': {
      await recordRefusal(accounts, { ...account, act: 'account.confirm-refused', accountId: account.id }, at);
      const minutes = Math.max(1, Math.ceil((outcome.retryAt - at) / MINUTE));
      const text = `Too many wrong passwords. Nothing was done: try again in ${minutes} min.`;
      return respondQuestion(request, confirmed, text);
    }
    case 'busy':
      return respondQuestion(request, confirmed, 'Too many passwords are being checked. Nothing was done: try again.');
  }
}

/** The link back has the act's own address, which leads to the page of its form. */
function respondQuestion(
  request: SignedInRequest,
  { act, page }: Confirmed,
  error: string | undefined,
): Promise<Response> {
  if (page !== undefined) return page(request, error);
  const { c, form } = request;
  const typed = repeatableFields(form).filter(([, value]) => value !== '');
  const fields: Html[] = typed.flatMap(([name, value]) => hiddenFields({ [name]: value }));
  const shown = typed.map(([name, value]) => html`<dt>${fieldWords(name)}</dt><dd dir="auto">${value}</dd>`);
  return respondPage(request, {
    title: `${act}: your password again`,
    section: null,
    status: formStatus({ password: error }),
    body: html`<p>It has not been done yet.</p>
${shown.length === 0 ? '' : html`<dl class="pairs">${shown}</dl>`}
<form class="narrow download" method="post" action="${c.req.path}" data-plain novalidate>
${errorSummary({ password: error })}${fields}${passwordField(error)}
<div class="buttons">${submitButton(act, { primary: true, id: 'confirm' })}
<a class="button" href="${c.req.path}">Back, without doing it</a></div></form>`,
  });
}

/** `extend-by` as `Extend by`. */
export function fieldWords(name: string): string {
  const words = name.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
