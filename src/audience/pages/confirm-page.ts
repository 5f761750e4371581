/**
 * The page behind the link of a confirmation email. POST confirms; GET shows the button for it, since link scanners
 * open every link.
 */
import type { Context, Handler } from 'hono';
import { renderPage } from '../../web/pages/page.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { respondNotFound } from '../../web/server/errors.ts';
import { readForm } from '../../web/server/request-body.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { SHORT_LINK_LIFETIME } from '../account-links.ts';
import { consentTextOf } from '../consent/consent-text.ts';
import { type Confirmation, confirmRequest, findRequest, type RequestState } from '../consent/opt-in.ts';
import { CONFIRM_WITHIN_HOURS } from '../consent/signup-limits.ts';
import { preferencesToken, readMessageToken, type ServiceMessageKey } from '../tokens.ts';
import { isSignupOpen, type NewsletterChoice, newsletterChoices, shownConsent } from './subscribe-form.ts';

type ConfirmPage = Confirmation | RequestState;

/** Names of messages. */
const TITLES: Record<ConfirmPage['kind'], string> = {
  open: 'signup.confirm.title',
  confirmed: 'signup.confirm.doneTitle',
  done: 'signup.confirm.doneTitle',
  expired: 'signup.expired.title',
  unknown: 'signup.unknown.title',
};

/** GET of `/confirm/:token`. */
export function serveConfirmPage(web: WebContext): Handler {
  return withToken(web, async (key) => {
    const request = await findRequest(web.store.db, key, web.clock());
    return request ?? { kind: 'unknown' };
  });
}

/** POST of `/confirm/:token`. */
export function handleConfirm(web: WebContext): Handler {
  return withToken(web, async (key, c) => {
    const posted = await readForm(c);
    const consent = posted === null ? null : await shownConsent(web, posted);
    const change = { channel: 'confirmation', source: clientAddress(web, c), consent } as const;
    return confirmRequest(web.store.db, web.secrets, key, change, web.clock());
  });
}

function withToken(web: WebContext, act: (key: ServiceMessageKey, c: Context) => Promise<ConfirmPage>): Handler {
  return async (c) => {
    const key = readMessageToken(web.secrets, 'confirm', c.req.param('token') ?? '');
    if (key === null) return respondNotFound(web, c);
    const page = await act(key, c);
    const { kind } = page;
    const title = web.locale.text(TITLES[kind]);
    const data = {
      title: TITLES[kind],
      kind,
      newsletters: 'newsletters' in page ? describeNewsletters(web, page.newsletters) : [],
      preferences: page.kind === 'confirmed' ? preferencesLink(web, page) : null,
      consent: page.kind === 'open' ? (page.consent ?? consentTextOf(web.config)) : null,
      hours: CONFIRM_WITHIN_HOURS,
      canSubscribe: isSignupOpen(web),
    };
    const html = await renderPage(web, 'confirm', { title, description: title, path: null }, data);
    return c.html(html, kind === 'expired' || kind === 'unknown' ? 410 : 200);
  };
}

/** Only for the response to the confirmation itself: a used link must not open the preferences. */
function preferencesLink(web: WebContext, key: { subscriberId: number; version: number }): string {
  const expiresAt = web.clock() + SHORT_LINK_LIFETIME;
  return preferencesToken(web.secrets, { subscriberId: key.subscriberId, version: key.version, expiresAt });
}

/** Titles and schedules; the id of a newsletter that is no longer in the configuration. */
function describeNewsletters(web: WebContext, ids: string[]): Pick<NewsletterChoice, 'title' | 'language'>[] {
  const choices = newsletterChoices(web, []);
  const { language } = web.view;
  return ids.map((id) => choices.find((choice) => choice.id === id) ?? { title: id, language, schedule: null });
}
