/**
 * Signing in and out.
 */
import { html } from 'hono/html';
import { SECOND } from '../../lib/time.ts';
import type { DeskRequest, Html } from '../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { respondPage } from '../../web/desk/page.ts';
import { hiddenFields, submitButton, textField } from '../../web/desk/parts/form.ts';
import { when } from '../../web/desk/parts/when.ts';
import { deleteSessionCookie, replaceSession, sessionTokenOf } from '../../web/desk/session-cookie.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { pathAfterSignIn } from '../next-path.ts';
import { endSession } from '../sessions.ts';
import { type SignInRefusal, signIn } from '../sign-in.ts';

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
    async handle({ c, desk }) {
      const token = sessionTokenOf(c);
      if (token !== null) await endSession(desk.app.store.db, token);
      deleteSessionCookie(c);
      return c.redirect(`${desk.base}/sign-in`, 303);
    },
  },
];

async function handleSignIn(request: DeskRequest): Promise<Response> {
  const { c, desk, form, at } = request;
  const { store, keys, log } = desk.app;
  const next = form.get('next');
  const credentials = { email: form.get('email') ?? '', password: form.get('password') ?? '' };
  const client = clientAddress(desk.web, c);
  const signInStore = { db: store.db, secrets: await keys.signingSecrets() };
  const result = await signIn(signInStore, { ...credentials, client }, at);
  if (result.kind !== 'signed-in') {
    if (result.kind === 'wrong') log.warn({ account: result.accountId ?? 'unknown' }, 'sign-in failed');
    else log.warn({ reason: result.kind }, 'sign-in refused');
    return respondForm(request, next, result);
  }
  await replaceSession(request, result.token);
  return c.redirect(pathAfterSignIn(next, desk.base), 303);
}

function respondForm(request: DeskRequest, next: string | null, refusal?: SignInRefusal): Promise<Response> {
  const { desk, form, at, c } = request;
  if (refusal?.kind === 'too-many') c.header('Retry-After', String(Math.ceil((refusal.retryAt - at) / SECOND)));
  const target = pathAfterSignIn(next, desk.base);
  const body = html`<form method="post" action="${desk.base}/sign-in" data-plain>
${refusal === undefined ? '' : html`<p class="error" id="refusal" role="alert">${refusalText(request, refusal)}</p>`}
${hiddenFields(target === desk.base ? {} : { next: target })}
${textField({
  ...{ name: 'email', label: 'Email address', type: 'email', autocomplete: 'username', required: true },
  value: form.get('email')?.slice(0, SHOWN_LIMIT),
})}
${textField({
  ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true },
})}
${submitButton('Sign in', { primary: true, id: 'sign-in' })}
</form>`;
  const status = refusal === undefined ? 200 : STATUS[refusal.kind];
  return respondPage(request, { title: 'Sign in', section: null, body, status });
}

/** Longer than any address. */
const SHOWN_LIMIT = 320;
const STATUS = { wrong: 422, 'too-many': 429, busy: 503 } as const;

function refusalText(request: DeskRequest, refusal: SignInRefusal): Html {
  switch (refusal.kind) {
    case 'wrong':
      return html`The address or the password is wrong, or the account is disabled. An admin can make a link for a new
password.`;
    case 'too-many':
      return html`Too many attempts. The next one is possible ${when(request, refusal.retryAt)}.`;
    case 'busy':
      return html`Many people sign in right now. Try again in a few seconds.`;
  }
}
