/** The form to subscribe below articles and on the front page: an address, and the newsletters. */
import type { Config } from '../core/config/config.ts';
import type { SiteView } from '../core/config/site-view.ts';
import { consentTextOf } from './consent/consent-text.ts';

/** What `pages/parts/subscribe-short.liquid` shows; null while sign-up is closed. @param choices newsletters */
export function shortForm(config: Config, choices: SiteView['newsletters']) {
  if (!config.signup.enabled || choices.length === 0) return null;
  return { choices, consent: consentTextOf(config) };
}
