/** The second factor of the own account. */
import { html } from 'hono/html';
import encodeQR from 'qr';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { respondAfter, respondPage } from '../../web/desk/page.ts';
import { passwordField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { sessionTokenOf } from '../../web/desk/session-cookie.ts';
import { factorSecret, factorUri, resetSecondFactor, setUpSecondFactor } from '../second-factor.ts';

const PATH = '/account/second-factor';

export const secondFactorRoutes: DeskRoute[] = [
  {
    ...{ method: 'GET', path: PATH, needs: 'desk', isBeforeSecondFactor: true },
    handle: (request: SignedInRequest) => respondFactor(request),
  },
  {
    ...{ method: 'POST', path: `${PATH}/on`, needs: 'desk', isBeforeSecondFactor: true, handle: handleSetUp },
    confirms: { act: 'Switch the second factor on', page: (request, password) => respondFactor(request, { password }) },
  },
  {
    ...{ method: 'POST', path: `${PATH}/off`, needs: 'desk' },
    confirms: { act: 'Switch the second factor off' },
    async handle(request: SignedInRequest) {
      const { c, desk, account, at } = request;
      if (!account.hasSecondFactor) return respondFactor(request);
      await resetSecondFactor(desk.app.store.db, account, account.id, at, sessionTokenOf(c));
      const text = 'The second factor is off. All other sessions have ended.';
      return respondAfter(request, PATH, { kind: 'done', text });
    },
  },
];

interface FieldErrors {
  password?: string | undefined;
  code?: string;
}

function respondFactor(request: SignedInRequest, errors: FieldErrors = {}): Promise<Response> {
  const { desk, account } = request;
  const path = desk.base + PATH;
  const body = account.hasSecondFactor
    ? html`<p>It is on: signing in needs a code of your authenticator app, too. For another app, or new recovery codes,
switch it off and on again.</p>
<form class="narrow" method="post" action="${path}/off" data-plain>
${passwordField()}
${submitButton('Switch it off', { danger: true, id: 'off' })}
</form>`
    : setUpForm(request, errors);
  const status = (errors.password ?? errors.code) === undefined ? 200 : 422;
  return respondPage(request, { title: 'Second factor', section: 'account', body, status, hasSecret: true });
}

/** Each new page has another secret. One that was posted with something wrong is shown again. */
function setUpForm({ desk, account, form }: SignedInRequest, errors: FieldErrors): Html {
  const { accounts, publication } = desk.app.config;
  const secret = factorSecret(form.get('secret'));
  const uri = factorUri(secret, account.email, publication.name);
  const picture = Buffer.from(encodeQR(uri, 'svg', { ecc: 'medium', border: 4 })).toString('base64');
  return html`<p>${accounts.require ? 'This newsroom requires a second factor: set it up to use the desk.' : ''}
With it, signing in needs a code of an authenticator app on your phone, so that a stolen password is not enough.</p>
<p>Scan the picture with the app, or type the key there. Then type the code that the app shows.</p>
<p><img class="qr" src="data:image/svg+xml;base64,${picture}" width="240" height="240" alt="QR code of the key"></p>
<form class="narrow" method="post" action="${desk.base}${PATH}/on" data-plain>
${textField({ name: 'secret', label: 'Key', value: secret, readOnly: true })}
<p class="hint"><a href="${uri}">Open the app on this device</a></p>
${codeField('Six digits.', errors.code)}
${passwordField(errors.password)}
${submitButton('Switch it on', { primary: true, id: 'on' })}
</form>`;
}

async function handleSetUp(request: SignedInRequest): Promise<Response> {
  const { c, desk, account, form, at } = request;
  const { store, keys } = desk.app;
  if (account.hasSecondFactor) return respondFactor(request);
  const signInStore = { db: store.db, secrets: await keys.signingSecrets() };
  const typed = { secret: form.get('secret') ?? '', code: form.get('code') ?? '', token: sessionTokenOf(c) ?? '' };
  const codes = await setUpSecondFactor(signInStore, account, typed, at);
  if (codes === null) return respondFactor(request, { code: 'Type the code that the app shows now for this key.' });
  const body = html`<p role="status">The second factor is on. All other sessions have ended.</p>
<p>Print these codes, or keep them with your passwords: each replaces a code of the app once, such as when the phone is
lost. They are not shown again.</p>
<pre>${codes.join('\n')}</pre>
<p><a class="button primary" href="${desk.base}">To the desk</a></p>`;
  return respondPage(request, { title: 'Recovery codes', section: 'account', body, hasSecret: true });
}

/** For a code of the app, or a recovery code. */
export function codeField(hint: string, error?: string): Html {
  return textField({
    ...{ name: 'code', label: 'Code', autocomplete: 'one-time-code', required: true, hasFocus: true, maxLength: 60 },
    // The blank as in `passwordField`.
    ...{ hint, error, placeholder: ' ' },
  });
}
