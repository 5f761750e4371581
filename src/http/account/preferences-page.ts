/**
 * A reader's own page: newsletters, time zone, a pause.
 */
import type { Context } from 'hono';
import { localDate } from '../../lib/time.ts';
import type { SuppressionReason } from '../../store/tables.ts';
import { changePreferences, type Preferences, readPreferences } from '../../subscribers/preferences.ts';
import { isAskedToConfirm } from '../../subscribers/suppression.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import { answerError } from '../server/error-pages.ts';
import { readForm } from '../server/request-body.ts';
import type { Answers } from '../server/routes.ts';
import type { Site } from '../server/site.ts';
import { newsletterChoices } from './newsletter-choice.ts';
import { type PreferencesErrors, type PreferencesFields, pauseDays, readPreferencesForm } from './preferences-form.ts';
import { withReader } from './reader.ts';
import { isSubscribingOpen } from './subscribe-form.ts';
import { zoneSelect } from './zone-select.ts';
import { isOffered } from './zones.ts';

const NO_ERRORS: PreferencesErrors = { zone: null, paused: null };

/** Answers `/preferences/:token`. */
export function answerPreferences(site: Site): Answers {
  return {
    get: withReader(site, (c, reader) => answerForm(site, c, reader, fieldsOf(site, reader), { said: null })),
    post: withReader(site, (c, reader) => save(site, c, reader)),
  };
}

async function save(site: Site, c: Context, reader: Preferences): Promise<Response> {
  const posted = await readForm(c);
  if (posted.kind === 'refused') {
    return answerError(site, c, posted.status, { title: 'Not understood', message: posted.message });
  }
  const { db } = site.store;
  const now = site.clock();
  const read = readPreferencesForm(site, posted.fields, reader.zone, now);
  if (read.kind === 'wrong') return answerForm(site, c, reader, read.fields, { said: null, errors: read.errors });
  const { newsletters: wanted, zone } = read.fields;
  const newsletters = { offered: site.config.newsletters.map(({ id }) => id), wanted };
  const changes = { newsletters, zone: zone === '' ? null : zone, pausedUntil: read.pausedUntil };
  const source = clientAddress(c, site.config.server.trustedProxies);
  await changePreferences(db, reader.subscriberId, changes, { channel: 'preferences', source }, now);
  const changed = await readPreferences(db, reader.subscriberId);
  const said = 'Saved. This is how it stands now.';
  return answerForm(site, c, changed ?? reader, fieldsOf(site, changed ?? reader), { said });
}

/** The form as the store has it. */
function fieldsOf(site: Site, { subscriptions, zone, pausedUntil }: Preferences): PreferencesFields {
  const isPaused = pausedUntil !== null && pausedUntil > site.clock();
  return {
    newsletters: subscriptions.filter(({ state }) => state === 'confirmed').map(({ newsletter }) => newsletter),
    zone: zone ?? '',
    paused: isPaused ? localDate(pausedUntil, zone ?? site.view.zone) : '',
  };
}

async function answerForm(
  site: Site,
  c: Context,
  reader: Preferences,
  fields: PreferencesFields,
  { said, errors }: { said: string | null; errors?: PreferencesErrors },
): Promise<Response> {
  const reason = reader.suppressedReason;
  const data = {
    token: c.req.param('token'),
    email: reader.email,
    said,
    errors: errors ?? NO_ERRORS,
    suppressed: reason === null ? null : SUPPRESSED[reason],
    // Where no mail to confirm would come, the newsroom is named in place of the form.
    open: isSubscribingOpen(site) && reason !== null && isAskedToConfirm(reason),
    choices: newsletterChoices(site, fields.newsletters),
    zone: await zoneSelect(site, isOffered(fields.zone) || fields.zone === reader.zone ? fields.zone : ''),
    paused: fields.paused,
    ...pauseDays(site.clock(), reader.zone ?? site.view.zone),
  };
  const mark = errors !== undefined ? 'Error: ' : said !== null ? 'Saved: ' : '';
  const head = { title: `${mark}Your preferences`, description: 'What is sent to you, and when.', path: null };
  return c.html(await renderPage(site, 'preferences', head, data), errors === undefined ? 200 : 422);
}

const SUPPRESSED: Record<SuppressionReason, string> = {
  'hard-bounce': 'The mail server of this address said that it takes no mail.',
  'soft-bounces': 'Mail to this address came back several times in a row.',
  complaint: 'Mail to this address was reported as unwanted.',
  erased: 'The reader of this address asked to be forgotten.',
  operator: 'The newsroom has stopped it.',
};
