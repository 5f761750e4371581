/**
 * The form to subscribe: what was filled in, what is wrong with it, and how it is shown.
 */
import { parseAddress } from '../../subscribers/address.ts';
import type { WebContext } from '../server/web-context.ts';
import { chosenNewsletters, type NewsletterChoice, newsletterChoices } from './newsletter-choice.ts';
import { isOffered } from './time-zones.ts';
import { type ZoneSelect, zoneSelect } from './zone-select.ts';

export interface SubscribeFields {
  email: string;
  /** Ids. */
  newsletters: string[];
  /** IANA; empty for the publication's. */
  zone: string;
}

/** What to say beside a field. */
export interface SubscribeErrors {
  email: string | null;
  newsletters: string | null;
  zone: string | null;
}

/** The form as templates show it. */
export interface SubscribeView {
  email: string;
  zone: ZoneSelect;
  choices: NewsletterChoice[];
  errors: SubscribeErrors;
}

const NO_ERRORS: SubscribeErrors = { email: null, newsletters: null, zone: null };
const LONGEST_SHOWN = 320;

/** Whether the pages offer to subscribe. */
export function isSubscribingOpen(web: WebContext): boolean {
  return web.config.signup.enabled && web.config.newsletters.length > 0;
}

/** The empty form. Where there is one newsletter, it is chosen. */
export function emptySubscribeForm(web: WebContext): Promise<SubscribeView> {
  const { newsletters } = web.config;
  const chosen = newsletters.length === 1 ? newsletters.map(({ id }) => id) : [];
  return subscribeView(web, { email: '', newsletters: chosen, zone: '' }, NO_ERRORS);
}

/** Whether a program filled in the field that people do not see. */
export function isTrapped(fields: URLSearchParams): boolean {
  return (fields.get('website') ?? '') !== '';
}

/** Reads what was posted. Newsletters that do not exist are passed over. */
export function readSubscribeForm(
  web: WebContext,
  posted: URLSearchParams,
): { fields: SubscribeFields; errors: SubscribeErrors | null } {
  const fields = {
    email: (posted.get('email') ?? '').trim(),
    newsletters: chosenNewsletters(web, posted),
    zone: posted.get('zone') ?? '',
  };
  const errors = {
    email: emailError(fields.email),
    newsletters: fields.newsletters.length === 0 ? 'Choose a newsletter.' : null,
    zone: fields.zone === '' || isOffered(fields.zone) ? null : 'Choose a time zone of the list.',
  };
  return { fields, errors: Object.values(errors).some((error) => error !== null) ? errors : null };
}

/** The form with what was filled in, and what to say of it. */
export async function subscribeView(
  web: WebContext,
  fields: SubscribeFields,
  errors: SubscribeErrors,
): Promise<SubscribeView> {
  return {
    email: fields.email.slice(0, LONGEST_SHOWN),
    zone: await zoneSelect(web, isOffered(fields.zone) ? fields.zone : ''),
    choices: newsletterChoices(web, fields.newsletters),
    errors,
  };
}

function emailError(email: string): string | null {
  if (email === '') return 'Write your email address, such as name@example.com.';
  const address = parseAddress(email);
  return address.kind === 'valid' ? null : `This address cannot be used: ${address.reason}.`;
}
