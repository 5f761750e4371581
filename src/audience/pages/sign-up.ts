/**
 * A sign-up by a posted form, on the site's own pages and on other sites. The result is the same for a new, a known and
 * a suppressed address: the email that follows says the rest.
 */
import type { Context } from 'hono';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { acquirePermits, type KeyedLimit } from '../../core/store/rate-limits.ts';
import { HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import { clientAddress, clientKey, widerClientKey } from '../../web/server/client-address.ts';
import { readForm } from '../../web/server/request-body.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { requestSubscription } from '../consent/opt-in.ts';
import { raiseSignupAlert, signupOptions } from '../consent/signup-limits.ts';
import { choiceTexts } from './choice-fields.ts';
import {
  isSignupOpen,
  isTrapped,
  readSubscribeForm,
  type SubscribeErrors,
  type SubscribeFields,
  shownConsent,
} from './subscribe-form.ts';

export type SignupResult =
  | { kind: 'check-inbox'; fields: SubscribeFields }
  | { kind: 'invalid'; fields: SubscribeFields; errors: SubscribeErrors }
  /** `message`: in words for the visitor. `retryAfter`: seconds (RFC 9110 §10.2.3). */
  | { kind: 'too-many'; message: string; retryAfter: string }
  | { kind: 'closed' }
  /** The body is of another type. */
  | { kind: 'no-form' };

/** @param errorsAs how errors of fields are written @param origin of the page with the form, to record it */
export async function signUp(
  web: WebContext,
  c: Context,
  errorsAs: 'html' | 'text',
  origin?: string,
): Promise<SignupResult> {
  if (!isSignupOpen(web)) return { kind: 'closed' };
  const posted = await readForm(c);
  if (posted === null) return { kind: 'no-form' };
  const { fields, errors } = await readSubscribeForm(web, posted, errorsAs);
  if (errors !== null) return { kind: 'invalid', fields, errors };
  // Do not tell the program that it was recognised.
  if (isTrapped(posted)) return { kind: 'check-inbox', fields };
  const { config, secrets } = web;
  const { db } = web.store;
  const now = web.clock();
  const source = clientAddress(web, c);
  const rate = await acquirePermits(db, limitsOfClient(secrets, source), now);
  if (rate.kind === 'refused') return tooMany(web, 'signup.tooMany.network', rate.retryAt - now);
  const { email, newsletters, zone, chosen } = fields;
  const requested = await requestSubscription(
    db,
    secrets,
    { email, newsletters, choices: choiceTexts(chosen), ...(zone === '' ? {} : { zone }) },
    { channel: 'form', source, consent: await shownConsent(web, posted), origin },
    signupOptions(config.signup),
    now,
  );
  if (requested.kind === 'limited') {
    if (requested.scope === 'all') await raiseSignupAlert(db, config.signup.perHour, now);
    const message = requested.scope === 'all' ? 'signup.tooMany.all' : 'signup.tooMany.provider';
    return tooMany(web, message, requested.retryAt - now);
  }
  if (requested.kind === 'refused') throw new Error(`the form accepted a request that is invalid: ${requested.reason}`);
  return { kind: 'check-inbox', fields };
}

/** Families and small offices share an address. */
const PER_CLIENT_PER_HOUR = 10;
/**
 * A client with IPv6 can send each request from another /64 of its /48. Less than the 30 requests an hour for one
 * domain: one site alone must not be able to use that up.
 */
const WIDER_FACTOR = 2;

function limitsOfClient(secrets: SigningSecrets, address: string | null): KeyedLimit[] {
  const wider = PER_CLIENT_PER_HOUR * WIDER_FACTOR;
  return [
    { key: clientKey(secrets, address), everyMs: HOUR / PER_CLIENT_PER_HOUR, burst: PER_CLIENT_PER_HOUR },
    { key: widerClientKey(secrets, address), everyMs: Math.ceil(HOUR / wider), burst: wider },
  ];
}

/** @param name of a message, with `minutes` */
function tooMany({ locale }: WebContext, name: string, waitMs: number): SignupResult {
  const minutes = Math.max(1, Math.ceil(waitMs / MINUTE));
  const retryAfter = String(Math.max(1, Math.ceil(waitMs / SECOND)));
  return { kind: 'too-many', message: locale.text(name, { minutes }), retryAfter };
}
