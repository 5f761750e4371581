/** The form to subscribe: what was entered, what is wrong with it, and how it is shown. */
import { EVERYTHING } from '../../articles/choice.ts';
import { scheduleZone } from '../../core/config/config.ts';
import { parseAddress } from '../../lib/address.ts';
import type { Locale } from '../../lib/locale/locale.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { type ConsentText, consentTextOf, findConsentText } from '../consent/consent-text.ts';
import { atLeastError, type Choices, type ChoiceView, choiceViews, readChoiceFields } from './choice-fields.ts';
import { scheduleText } from './schedule-text.ts';
import { isOffered, zoneSelect } from './time-zones.ts';

export interface SubscribeFields {
  email: string;
  /** Ids. */
  newsletters: string[];
  /** IANA; empty for the publication's. */
  zone: string;
  chosen: Choices;
}

/** Message beside each field: HTML, or plain text for programs. */
export interface SubscribeErrors {
  email: string | null;
  newsletters: string | null;
  zone: string | null;
  /** By name of the field, such as `atLeast:daily`. */
  choices: Readonly<Record<string, string>> | null;
}

/** The form as templates show it. */
export type SubscribeView = Awaited<ReturnType<typeof subscribeView>>;

/** A newsletter with its checkbox. */
export type NewsletterChoice = ReturnType<typeof newsletterChoices>[number];

const NO_ERRORS: SubscribeErrors = { email: null, newsletters: null, zone: null, choices: null };
const MAX_EMAIL_SHOWN = 320;

/** Whether the site offers to subscribe. */
export function isSignupOpen({ config }: WebContext): boolean {
  return config.signup.enabled && config.newsletters.length > 0;
}

/** The empty form. A single newsletter is checked. */
export function emptySubscribeForm(web: WebContext): Promise<SubscribeView> {
  const ids = web.config.newsletters.map(({ id }) => id);
  const fields = { email: '', newsletters: ids.length === 1 ? ids : [], zone: '', chosen: new Map() };
  return subscribeView(web, fields, NO_ERRORS);
}

/** Milliseconds from opening a page to submitting its form. People take longer. */
const MIN_ELAPSED = 1_500;

/**
 * Whether a program filled in the field that people do not see, or submitted the form too soon. Only templates/pages/
 * subscribe.js sends `elapsed`, so this stops programs that run the scripts of a page, and no others.
 */
export function isTrapped(posted: URLSearchParams): boolean {
  const elapsed = posted.get('elapsed');
  const isTooSoon = elapsed !== null && !(/^\d{1,12}$/.test(elapsed) && Number(elapsed) >= MIN_ELAPSED);
  return isTooSoon || (posted.get('website') ?? '') !== '';
}

/** Reads what was posted. Ignores newsletters that do not exist. @param errorsAs how errors are written */
export async function readSubscribeForm(
  web: WebContext,
  posted: URLSearchParams,
  errorsAs: 'html' | 'text',
): Promise<{ fields: SubscribeFields; errors: SubscribeErrors | null }> {
  const fields = {
    email: (posted.get('email') ?? '').trim(),
    newsletters: chosenNewsletters(web, posted),
    zone: posted.get('zone') ?? '',
    chosen: await readChoiceFields(web, posted, new Map()),
  };
  const wrong = fields.newsletters.flatMap((id) => {
    const error = atLeastError(web, fields.chosen.get(id) ?? EVERYTHING, errorsAs);
    return error === null ? [] : [[`atLeast:${id}`, error]];
  });
  const errors = {
    email: emailError(fields.email, web.locale, errorsAs),
    newsletters: fields.newsletters.length === 0 ? web.locale[errorsAs]('form.newsletterMissing') : null,
    zone: fields.zone === '' || isOffered(fields.zone) ? null : web.locale[errorsAs]('form.zoneUnknown'),
    choices: wrong.length === 0 ? null : Object.fromEntries(wrong),
  };
  return { fields, errors: Object.values(errors).some((error) => error !== null) ? errors : null };
}

/** The form with what was entered, and what is wrong with it. */
export async function subscribeView(web: WebContext, fields: SubscribeFields, errors: SubscribeErrors) {
  return {
    email: fields.email.slice(0, MAX_EMAIL_SHOWN),
    zone: await zoneSelect(web, isOffered(fields.zone) ? fields.zone : ''),
    choices: newsletterChoices(web, fields.newsletters, await choiceViews(web, fields.chosen)),
    errors,
    consent: consentTextOf(web.config),
  };
}

/** All newsletters. @param checked ids @param views what can be chosen of each, where the form has it */
export function newsletterChoices(
  { config, locale }: WebContext,
  checked: readonly string[],
  views: ReadonlyMap<string, ChoiceView> = new Map(),
) {
  const { newsletters, publication } = config;
  return newsletters.map(({ id, title, description, language, schedule, deliverAt }) => ({
    ...{ id, title, description, language: language ?? publication.language },
    /** When it is delivered, in words. */
    schedule:
      schedule === null
        ? locale.text('schedule.atOnce')
        : scheduleText(schedule.cron, scheduleZone(schedule, publication), locale, deliverAt),
    checked: checked.includes(id),
    choose: views.get(id) ?? null,
  }));
}

/** The newsletters that have a weekly. */
export function weekliesOf({ config }: WebContext): [daily: string, weekly: string][] {
  return config.newsletters.flatMap(({ id, weeklyOf }) => (weeklyOf === undefined ? [] : [[weeklyOf, id]]));
}

/** The newsletters that were chosen. */
export function chosenTitles(web: WebContext, { newsletters }: SubscribeFields): NewsletterChoice[] {
  return newsletterChoices(web, newsletters).filter(({ checked }) => checked);
}

/** The wording that the form of `pages/parts/consent.liquid` showed; null if it showed none that is known. */
export function shownConsent({ store, config }: WebContext, posted: URLSearchParams): Promise<ConsentText | null> {
  return findConsentText(store.db, consentTextOf(config), posted.get('consent'));
}

/** The ids in a form's field `newsletter` that are newsletters. */
export function chosenNewsletters({ config }: WebContext, posted: URLSearchParams): string[] {
  const chosen = new Set(posted.getAll('newsletter'));
  return config.newsletters.map(({ id }) => id).filter((id) => chosen.has(id));
}

function emailError(email: string, locale: Locale, errorsAs: 'html' | 'text'): string | null {
  const address = parseAddress(email);
  if (address.kind === 'valid') return null;
  const { problem, part } = address;
  return locale[errorsAs]('form.wrongAddress', { problem, part });
}
