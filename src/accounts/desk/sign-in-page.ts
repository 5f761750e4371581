/** Signing in and out. */
import { html } from 'hono/html';
import { SECOND } from '../../lib/time.ts';
import type { DeskRequest } from '../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { KEPT_ADDRESS, keptFields } from '../../web/desk/kept-form.ts';
import { respondPage } from '../../web/desk/page.ts';
import {
  errorSummary,
  type FormErrors,
  formStatus,
  hiddenFields,
  submitButton,
  textField,
} from '../../web/desk/parts/form.ts';
import { whenText } from '../../web/desk/parts/when.ts';
import { browserTokensOf, deleteSessionCookie, replaceSession, sessionTokenOf } from '../../web/desk/session-cookie.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { recordFailure } from '../security-log.ts';
import { endSession } from '../sessions.ts';
import { finishSignIn, recordRefusal, type SignIn, signIn } from '../sign-in.ts';
import { BUSY } from './invitation-page.ts';
import { codeField } from './second-factor-page.ts';

export const signInRoutes: DeskRoute[] = [
  {
    method: 'GET',
    path: '/sign-in',
    needs: null,
    handle(request) {
      const { c, desk, account } = request;
      const next = c.req.query('next') ?? null;
      if (account !== null) return c.redirect(pathAfterSignIn(next, desk.base), 303);
      return respondForm(request, next);
    },
  },
  { method: 'POST', path: '/sign-in', needs: null, handle: handleSignIn },
  {
    method: 'POST',
    path: '/sign-out',
    needs: 'desk',
    isBeforeSecondFactor: true,
    async handle({ c, desk }) {
      const token = sessionTokenOf(c);
      if (token !== null) await endSession(desk.app.store.db, token);
      deleteSessionCookie(c);
      return c.redirect(`${desk.base}/sign-in`, 303);
    },
  },
];

/** The address and the password, or the code after them. */
async function handleSignIn(request: DeskRequest): Promise<Response> {
  const { c, desk, form, at } = request;
  const { store, keys, log } = desk.app;
  const [next, step] = [form.get('next'), form.get('step') ?? undefined];
  const typed = (name: string): string => form.get(name) ?? '';
  const [client, browsers] = [clientAddress(desk.web, c), browserTokensOf(c)];
  const missing = missingFields(request, step);
  if (formStatus(missing) !== 200) return respondForm(request, next, missing, step);
  const signInStore = { db: store.db, secrets: await keys.signingSecrets() };
  const result =
    step === undefined
      ? await signIn(signInStore, { email: typed('email'), password: typed('password'), client, browsers }, at)
      : await finishSignIn(signInStore, { step, code: typed('code'), client }, at);
  if (result.kind === 'second-factor') return respondForm(request, next, {}, result.step);
  if (result.kind === 'signed-in') {
    await replaceSession(request, result.token, result.account.email);
    // 307: the browser posts what it had kept to its own address, which shows it (RFC 9110 §15.4.8).
    const kept = form.get(KEPT_ADDRESS);
    if (kept !== null) return c.redirect(pathAfterSignIn(kept, desk.base), 307);
    return c.redirect(pathAfterSignIn(next, desk.base), 303);
  }
  const what = `account.${step === undefined ? 'sign-in' : 'code'}`;
  if (result.kind === 'wrong') {
    await recordFailure(store.db, { act: `${what}-failed`, accountId: result.accountId, client }, at);
    log.warn({ account: result.accountId ?? 'unknown' }, 'sign-in failed');
  } else if (result.kind === 'too-many') {
    await recordRefusal(signInStore, { act: `${what}-refused`, accountId: result.accountId, client }, at);
  } else log.debug({ reason: result.kind }, 'sign-in refused');
  if (result.kind === 'too-many') c.header('Retry-After', String(Math.ceil((result.retryAt - at) / SECOND)));
  const field = result.kind !== 'wrong' ? '' : step === undefined ? 'password' : 'code';
  const errors = { [field]: refusalText(request, result, step) };
  return respondForm(request, next, errors, result.kind === 'expired' ? undefined : step, STATUS[result.kind]);
}

/** Without these, nothing is tried. */
function missingFields({ form }: DeskRequest, step: string | undefined): FormErrors {
  const missing = (name: string, message: string) => (form.get(name)?.trim() ? undefined : message);
  if (step !== undefined) return { code: missing('code', 'Type the code.') };
  return { email: missing('email', 'Type your email address.'), password: missing('password', 'Type your password.') };
}

type Refused = Exclude<SignIn, { kind: 'signed-in' | 'second-factor' }>;

/** @param step asks for a code, after the right password */
function respondForm(
  request: DeskRequest,
  next: string | null,
  errors: FormErrors = {},
  step?: string,
  status: 200 | (typeof STATUS)[Refused['kind']] = formStatus(errors),
): Promise<Response> {
  const { desk, form } = request;
  const target = pathAfterSignIn(next, desk.base);
  const fields =
    step === undefined
      ? html`${textField({
          ...{ name: 'email', label: 'Email address', type: 'email', autocomplete: 'username', required: true },
          ...{ value: form.get('email')?.slice(0, SHOWN_LIMIT), error: errors.email, hasFocus: true },
        })}
${textField({
  ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true },
  error: errors.password,
})}`
      : html`${hiddenFields({ step })}
${codeField(CODE_HINT, errors.code)}`;
  const kept = !form.has(KEPT_ADDRESS)
    ? ''
    : html`<p class="notice problem">Your session has ended, and nothing was saved. What you typed is in this
page alone: sign in, and it is shown again.</p>`;
  const body = html`${kept}<form method="post" action="${desk.base}/sign-in" data-plain novalidate>
${errorSummary(errors)}
${hiddenFields(target === desk.base ? {} : { next: target })}${keptFields(form)}
${fields}
${submitButton('Sign in', { primary: true, id: 'sign-in' })}
</form>`;
  return respondPage(request, { title: step === undefined ? 'Sign in' : 'Your code', section: null, body, status });
}

/** Longer than any address. */
const SHOWN_LIMIT = 320;
const CODE_HINT = 'Six digits of your authenticator app, or a recovery code. An admin can reset a lost second factor.';
const WRONG =
  'The address or the password is wrong, or the account is disabled. An admin can make a link for a new password.';
const STATUS = { wrong: 422, expired: 422, 'too-many': 429, busy: 503 } as const;

function refusalText({ desk, at }: DeskRequest, refusal: Refused, step?: string): string {
  const { zone } = desk.app.config.publication;
  switch (refusal.kind) {
    case 'wrong':
      if (step !== undefined) return 'The code is wrong, or was used. Wait for the next one.';
      return WRONG;
    case 'expired':
      return 'That took too long. Sign in again.';
    case 'too-many':
      return `Too many attempts. The next one is possible ${whenText(refusal.retryAt, at, zone)}.`;
    case 'busy':
      return BUSY;
  }
}

const MAX_NEXT_LENGTH = 2_000;
/** A path and a query of characters that no browser changes or reads as another host (RFC 3986 §3.3, §3.4). */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+\/?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$/;

/**
 * The address to go to: `next` if it is a page of the desk, otherwise the desk's first page. `next` comes from a link
 * that anyone can write, so it must not lead to another site.
 * @param next a path with a query, as the browser sent it
 * @param base path of the desk without a slash at its end, such as `/desk`
 */
export function pathAfterSignIn(next: string | null, base: string): string {
  if (next === null || next.length > MAX_NEXT_LENGTH || !PLAIN_PATH.test(next)) return base;
  // As a browser reads it: dots and encoded dots go to a folder above.
  const { pathname } = new URL(next, 'http://desk.invalid');
  return pathname === base || pathname.startsWith(`${base}/`) ? next : base;
}
