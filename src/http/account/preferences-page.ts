/**
 * A reader's own page: newsletters, time zone, a pause.
 */
import type { Context } from 'hono';
import { localDate } from '../../lib/time.ts';
import type { SuppressionReason } from '../../store/tables.ts';
import { changePreferences, type Preferences, readPreferences } from '../../subscribers/preferences.ts';
import { isLiftedByOptIn } from '../../subscribers/suppression.ts';
import { renderPage } from '../pages/page.ts';
import { clientAddress } from '../server/client-address.ts';
import { respondError } from '../server/errors.ts';
import { readForm } from '../server/request-body.ts';
import type { Answers } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import { newsletterChoices } from './newsletter-choice.ts';
import { type PreferencesErrors, type PreferencesFields, pauseDays, readPreferencesForm } from './preferences-form.ts';
import { isSubscribingOpen } from './subscribe-form.ts';
import { withReader } from './subscriber-by-token.ts';
import { isOffered } from './time-zones.ts';
import { zoneSelect } from './zone-select.ts';

const NO_ERRORS: PreferencesErrors = { zone: null, paused: null };

/** Answers `/preferences/:token`. */
export function answerPreferences(web: WebContext): Answers {
  return {
    get: withReader(web, (c, reader) => answerForm(web, c, reader, fieldsOf(web, reader), { said: null })),
    post: withReader(web, (c, reader) => save(web, c, reader)),
  };
}

async function save(web: WebContext, c: Context, reader: Preferences): Promise<Response> {
  const posted = await readForm(c);
  if (posted.kind === 'refused') {
    return respondError(web, c, posted.status, { title: 'Not understood', message: posted.message });
  }
  const { db } = web.store;
  const now = web.clock();
  const read = readPreferencesForm(web, posted.fields, reader.zone, now);
  if (read.kind === 'wrong') return answerForm(web, c, reader, read.fields, { said: null, errors: read.errors });
  const { newsletters: wanted, zone } = read.fields;
  const newsletters = { offered: web.config.newsletters.map(({ id }) => id), wanted };
  const changes = { newsletters, zone: zone === '' ? null : zone, pausedUntil: read.pausedUntil };
  const source = clientAddress(c, web.config.server.trustedProxies);
  await changePreferences(db, reader.subscriberId, changes, { channel: 'preferences', source }, now);
  const changed = await readPreferences(db, reader.subscriberId);
  const said = 'Saved. This is how it stands now.';
  return answerForm(web, c, changed ?? reader, fieldsOf(web, changed ?? reader), { said });
}

/** The form as the store has it. */
function fieldsOf(web: WebContext, { subscriptions, zone, pausedUntil }: Preferences): PreferencesFields {
  const isPaused = pausedUntil !== null && pausedUntil > web.clock();
  return {
    newsletters: subscriptions.filter(({ state }) => state === 'confirmed').map(({ newsletter }) => newsletter),
    zone: zone ?? '',
    paused: isPaused ? localDate(pausedUntil, zone ?? web.view.zone) : '',
  };
}

async function answerForm(
  web: WebContext,
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
    open: isSubscribingOpen(web) && reason !== null && isLiftedByOptIn(reason),
    choices: newsletterChoices(web, fields.newsletters),
    zone: await zoneSelect(web, isOffered(fields.zone) || fields.zone === reader.zone ? fields.zone : ''),
    paused: fields.paused,
    ...pauseDays(web.clock(), reader.zone ?? web.view.zone),
  };
  const mark = errors !== undefined ? 'Error: ' : said !== null ? 'Saved: ' : '';
  const head = { title: `${mark}Your preferences`, description: 'What is sent to you, and when.', path: null };
  return c.html(await renderPage(web, 'preferences', head, data), errors === undefined ? 200 : 422);
}

const SUPPRESSED: Record<SuppressionReason, string> = {
  'hard-bounce': 'The mail server of this address said that it takes no mail.',
  'soft-bounces': 'Mail to this address came back several times in a row.',
  complaint: 'Mail to this address was reported as unwanted.',
  erased: 'The reader of this address asked to be forgotten.',
  operator: 'The newsroom has stopped it.',
};
