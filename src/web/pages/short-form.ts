/** The form to subscribe below articles and on the front page: an address, and the newsletters. */
import { consentTextOf } from '../../audience/consent/consent-text.ts';
import type { WebContext } from '../server/web-context.ts';
import { renderOnce } from './fragments.ts';

/** The newsletters, and the form as HTML; null while sign-up is closed. */
export async function shortForm(web: WebContext) {
  const { config, view, base } = web;
  const choices = view.newsletters;
  if (!config.signup.enabled || choices.length === 0) return null;
  const data = () => ({ form: { choices, consent: consentTextOf(config) }, base, privacy: view.privacy });
  return { choices, html: await renderOnce(web, 'subscribe-short', '', data) };
}
