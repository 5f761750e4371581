/** A subscriber's preferences: newsletters and what to get of them, time zone, a pause. */
import type { Context, Handler } from 'hono';
import { acquirePermit, type RateLimit } from '../../core/store/rate-limits.ts';
import { maskedAddress } from '../../lib/address.ts';
import { localDate, MINUTE, SECOND, wallClock } from '../../lib/time.ts';
import { renderPage } from '../../web/pages/page.ts';
import { clientAddress } from '../../web/server/client-address.ts';
import { respondError, respondNotFound } from '../../web/server/errors.ts';
import { readForm, respondNoForm } from '../../web/server/request-body.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { changesRateKey, SHORT_LINK_LIFETIME } from '../account-links.ts';
import { consentTextOf } from '../consent/consent-text.ts';
import { changeOwnFeed, listOwnFeeds, OWN_FEED_ACTS } from '../own-feed.ts';
import { changePreferences, type Preferences, readPreferences } from '../preferences.ts';
import { isLiftedByOptIn } from '../suppression.ts';
import { preferencesToken, readPreferencesToken } from '../tokens.ts';
import { firstInstantOfDay } from '../zone.ts';
import { withSubscriberByToken } from './account-pages.ts';
import { atLeastError, type Choices, choiceTexts, choiceViews, ownChoices, readChoiceFields } from './choice-fields.ts';
import { chosenNewsletters, isSignupOpen, newsletterChoices, shownConsent, weekliesOf } from './subscribe-form.ts';
import { isOffered, zoneSelect } from './time-zones.ts';

interface PreferencesFields {
  /** Ids. */
  newsletters: string[];
  chosen: Choices;
  /** IANA; empty for the publication's. */
  zone: string;
  /** The day on which email resumes, as `2026-12-01`; empty for no pause. */
  paused: string;
}

/** What to say beside each field, in HTML. */
interface PreferencesErrors {
  zone: string | null;
  paused: string | null;
}

const NO_ERRORS: PreferencesErrors = { zone: null, paused: null };

/** A subscriber who wants a longer pause is better off without a subscription. */
const LONGEST_PAUSE = { years: 1 };

/** By one subscriber. Each change adds to the record of consent, and others may have the link. */
const CHANGES: RateLimit = { everyMs: 2 * MINUTE, burst: 30 };

/** GET of `/preferences/:token`. */
export function servePreferences(web: WebContext): Handler {
  return withSubscriberByToken(web, (c, subscriber) => respondForm(web, c, subscriber, storedFields(web, subscriber)));
}

/** GET of an address that a form of the page posts to, as when its response is loaded again. */
export function redirectToPreferences(web: WebContext): Handler {
  return (c) => {
    const token = c.req.param('token') ?? '';
    if (readPreferencesToken(web.secrets, token) === null) return respondNotFound(web, c);
    return c.redirect(`${web.base}/preferences/${token}`, 303);
  };
}

/** POST of `/preferences/:token`. */
export function handlePreferences(web: WebContext): Handler {
  return withSubscriberByToken(web, async (c, subscriber) => {
    const posted = await readForm(c);
    if (posted === null || !isOwnForm(posted)) return respondNoForm(web, c, posted === null ? 415 : 400);
    const { db } = web.store;
    const now = web.clock();
    const { fields, errors, pausedUntil } = await readPreferencesForm(web, posted, subscriber, now);
    if (errors !== null) return respondForm(web, c, subscriber, fields, errors);
    const offered = web.config.newsletters.map(({ id }) => id);
    const newsletters = { offered, wanted: fields.newsletters };
    const chosen = { newsletters, weeklies: weekliesOf(web), choices: choiceTexts(fields.chosen) };
    const changes = { ...chosen, zone: fields.zone === '' ? null : fields.zone, pausedUntil };
    const permit = await acquirePermit(db, changesRateKey(subscriber.id), CHANGES, now);
    if (permit.kind === 'refused') return respondTooManyChanges(web, c, permit.retryAt - now);
    const consent = await shownConsent(web, posted);
    const channel = { channel: 'preferences', source: clientAddress(web, c), consent } as const;
    await changePreferences(db, subscriber.id, changes, channel, now);
    const changed = (await readPreferences(db, subscriber.id)) ?? subscriber;
    return respondForm(web, c, changed, storedFields(web, changed), 'saved');
  });
}

/** POST of `/preferences/:token/feed`, for the private feed of a newsletter. */
export function handleOwnFeed(web: WebContext): Handler {
  return withSubscriberByToken(web, async (c, subscriber) => {
    const posted = await readForm(c);
    if (posted === null) return respondNoForm(web, c, 415);
    const [newsletter] = chosenNewsletters(web, posted);
    const act = OWN_FEED_ACTS.find((one) => one === posted.get('act'));
    if (newsletter === undefined || act === undefined) return respondNoForm(web, c, 400);
    const [{ db }, { id: subscriberId }, now] = [web.store, subscriber, web.clock()];
    const permit = await acquirePermit(db, changesRateKey(subscriberId), CHANGES, now);
    if (permit.kind === 'refused') return respondTooManyChanges(web, c, permit.retryAt - now);
    const consent = await shownConsent(web, posted);
    const channel = { channel: 'preferences', source: clientAddress(web, c), consent } as const;
    await changeOwnFeed(db, { subscriberId, newsletter }, act, channel, now);
    const changed = (await readPreferences(db, subscriberId)) ?? subscriber;
    return c.redirect(`${web.base}/preferences/${nextToken(web, c, changed)}#feeds`, 303);
  });
}

/**
 * Whether the fields are those of the page's form, which always has both. Without its check boxes it ends all
 * subscriptions, and an empty POST, such as a link scanner's, must not.
 */
function isOwnForm(posted: URLSearchParams): boolean {
  return posted.has('zone') && posted.has('paused');
}

async function respondTooManyChanges(web: WebContext, c: Context, waitMs: number): Promise<Response> {
  c.header('Retry-After', String(Math.max(1, Math.ceil(waitMs / SECOND))));
  const { locale } = web;
  const message = locale.text('preferences.tooMany.text');
  return respondError(web, c, 429, { title: locale.text('preferences.tooMany.title'), message });
}

function storedFields(web: WebContext, { subscriptions, zone, pausedUntil }: Preferences): PreferencesFields {
  const isPaused = pausedUntil !== null && pausedUntil > web.clock();
  return {
    newsletters: subscriptions.filter(({ state }) => state === 'confirmed').map(({ newsletter }) => newsletter),
    chosen: ownChoices(subscriptions),
    zone: zone ?? '',
    paused: isPaused ? localDate(pausedUntil, zone ?? web.view.zone) : '',
  };
}

/**
 * Reads what was posted.
 * @param own the subscriber's zone and choices, which are valid even if they are not offered
 * @returns `pausedUntil`: the first instant of the day on which the pause ends, by the calendar of the chosen zone
 */
async function readPreferencesForm(
  web: WebContext,
  posted: URLSearchParams,
  own: Pick<Preferences, 'zone' | 'subscriptions'>,
  now: number,
): Promise<{ fields: PreferencesFields; errors: PreferencesErrors | null; pausedUntil: number | null }> {
  const fields = {
    newsletters: chosenNewsletters(web, posted),
    chosen: await readChoiceFields(web, posted, ownChoices(own.subscriptions)),
    zone: posted.get('zone') ?? '',
    paused: (posted.get('paused') ?? '').trim().slice(0, 20),
  };
  const isKnownZone = fields.zone === '' || fields.zone === own.zone || isOffered(fields.zone);
  const zone = isKnownZone && fields.zone !== '' ? fields.zone : web.view.zone;
  const pausedUntil = fields.paused === '' ? null : pauseEnd(fields.paused, zone, now);
  const isKnownDay = fields.paused === '' || pausedUntil !== null;
  const isFit = [...fields.chosen.values()].every((choice) => atLeastError(web, choice) === null);
  if (isKnownZone && isKnownDay && isFit) return { fields, errors: null, pausedUntil };
  const { tomorrow, latest } = pauseDays(now, zone);
  const longDate = (day: string): string => web.locale.date(Date.parse(day), 'UTC', { dateStyle: 'long' });
  const values = { first: longDate(tomorrow), last: longDate(latest), example: tomorrow };
  const errors = {
    zone: isKnownZone ? null : web.locale.html('form.zoneUnknown'),
    paused: isKnownDay ? null : web.locale.html('preferences.pause.unknown', values),
  };
  return { fields, errors, pausedUntil: null };
}

/** The days on which a pause may end, such as `2026-11-25` to `2027-11-24`, by the calendar of `zone`. */
function pauseDays(now: number, zone: string): { tomorrow: string; latest: string } {
  const today = wallClock(now, zone).toPlainDate();
  return { tomorrow: today.add({ days: 1 }).toString(), latest: today.add(LONGEST_PAUSE).toString() };
}

/** The first instant of a day on which a pause may end; null for anything else. */
function pauseEnd(text: string, zone: string, now: number): number | null {
  const { tomorrow, latest } = pauseDays(now, zone);
  // Dates in this form compare as text.
  return text < tomorrow || text > latest ? null : firstInstantOfDay(text, zone);
}

/**
 * The token for the next form. Leaving every newsletter revokes that of the page, which may be by mistake: the page
 * then has one that works for an hour, and no longer than its own.
 */
function nextToken(web: WebContext, c: Context, { id: subscriberId, tokenVersion: version }: Preferences): string {
  const token = c.req.param('token') ?? '';
  const key = readPreferencesToken(web.secrets, token);
  if (key === null || key.version === version) return token;
  const expiresAt = Math.min(key.expiresAt, web.clock() + SHORT_LINK_LIFETIME);
  return preferencesToken(web.secrets, { subscriberId, version, expiresAt });
}

async function respondForm(
  web: WebContext,
  c: Context,
  subscriber: Preferences,
  fields: PreferencesFields,
  result: PreferencesErrors | 'saved' | null = null,
): Promise<Response> {
  const reason = subscriber.suppressedReason;
  const errors = result === 'saved' ? null : result;
  const ownFeeds = await listOwnFeeds(web.store.db, web.config, web.secrets, subscriber.id);
  const read = ownFeeds.flatMap(({ newsletter, address }) => (address === null ? [] : newsletter));
  const views = await choiceViews(web, fields.chosen, [...fields.newsletters, ...read]);
  const data = {
    token: nextToken(web, c, subscriber),
    email: maskedAddress(subscriber.email),
    isSaved: result === 'saved',
    errors: errors ?? NO_ERRORS,
    // Not why: others may have this link, and the export tells the subscriber.
    isSuppressed: reason !== null,
    // Without a confirmation email the newsroom's address is the only way back.
    canSubscribe: isSignupOpen(web) && reason !== null && isLiftedByOptIn(reason),
    choices: newsletterChoices(web, fields.newsletters, views),
    zone: await zoneSelect(web, isOffered(fields.zone) || fields.zone === subscriber.zone ? fields.zone : ''),
    paused: fields.paused,
    consent: consentTextOf(web.config),
    ownFeeds,
    ...pauseDays(web.clock(), subscriber.zone ?? web.view.zone),
  };
  const { locale } = web;
  const saved = result === 'saved' ? 'preferences.savedTitle' : 'preferences.title';
  const title = locale.text(errors === null ? saved : 'preferences.errorTitle');
  const head = { title, description: locale.text('preferences.description'), path: null };
  return c.html(await renderPage(web, 'preferences', head, data), errors === null ? 200 : 422);
}
