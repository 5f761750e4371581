/** The webhook by which the mail provider reports what became of messages. */
import type { Context, Handler } from 'hono';
import type { AlertId } from '../../core/alerts/alert-kind.ts';
import { raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { MailProvider } from '../../core/config/config.ts';
import { openServiceClient } from '../../core/config/fetching.ts';
import { BoundedQueue } from '../../lib/concurrency/bounded-queue.ts';
import type { FetchClient } from '../../lib/guarded-fetch/fetch-client.ts';
import { QuietPeriod } from '../../lib/quiet-period.ts';
import { MINUTE } from '../../lib/time.ts';
import { limitBytes } from '../../web/server/request-body.ts';
import type { AddRoutes, WebContext } from '../../web/server/web-context.ts';
import { checkBrevo } from '../providers/brevo.ts';
import { checkMailgun } from '../providers/mailgun.ts';
import { checkPostmark } from '../providers/postmark.ts';
import { noteProviderEvent, recordOnce, recordProviderEvents } from '../providers/record-events.ts';
import { eventId, type ProviderCheck, type ProviderRequest } from '../providers/report-reader.ts';
import { checkSendGrid } from '../providers/sendgrid.ts';
import { checkSns, confirmSubscription, SigningCertificates, type SnsCheck } from '../providers/sns.ts';

/** SendGrid and Brevo send up to a thousand events at once, and are authenticated before the body is parsed. */
const MAX_BYTES = 2 * 1024 * 1024;
/**
 * Their signature is inside the body, which must be parsed first, so a stranger's is: 2 MiB of brackets take 350 ms.
 * Amazon SNS sends at most 256 KiB, with escapes, and Mailgun one event.
 */
const MAX_BYTES_TO_PARSE = 512 * 1024;
/** Verified requests of one process. Several are recorded at once, since the database server answers from elsewhere. */
const QUEUE = { running: 4, admitted: 500, size: 16 * 1024 * 1024 };
const NOTED_EVERY = 10 * MINUTE;
const REFUSALS_LOGGED_EVERY = MINUTE;
/** Seconds. */
const RETRY_AFTER = '60';
const NO_STORE = { 'Cache-Control': 'no-store' };

type ReportingProvider = Exclude<MailProvider, 'none'>;

const CHECKS = { postmark: checkPostmark, mailgun: checkMailgun, sendgrid: checkSendGrid, brevo: checkBrevo };
/** They send a user name and a password. */
const BASIC: ReportingProvider[] = ['postmark', 'brevo'];

/** Adds `/webhooks/<provider>` for the configured mail provider, and none for the others. */
export const addProviderWebhook: AddRoutes = (site, web) => {
  const { provider } = web.config.delivery;
  if (provider === 'none') return;
  const maxBytes = provider === 'ses' || provider === 'mailgun' ? MAX_BYTES_TO_PARSE : MAX_BYTES;
  site.post(`/webhooks/${provider}`, limitBytes(maxBytes), handleProviderWebhook(web, provider));
};

/**
 * Brevo drops a report that is answered with 4xx or 5xx, except 429
 * (https://developers.brevo.com/docs/retry-mechanism). The others send one again that is answered with 500 or 503.
 */
function isRepeatedOnlyAfter429(provider: ReportingProvider): boolean {
  return provider === 'brevo';
}

/**
 * 200 when the events are recorded, or were before: Mailgun and Postmark repeat what is answered with another status.
 * 401 if they are not from the mail provider, 400 if they are malformed. 500 or 503, to Brevo 429, if they cannot be
 * recorded now: then the mail provider sends them again.
 */
function handleProviderWebhook(web: WebContext, provider: ReportingProvider): Handler {
  const client = web.serviceClient ?? openServiceClient(web.config);
  const check = openCheck(web, provider, client);
  const recording = new BoundedQueue(QUEUE);
  const refusals = new QuietPeriod();
  const unavailable = isRepeatedOnlyAfter429(provider) ? 429 : 503;
  const refuse = (c: Context, status: 400 | 401 | 429 | 503, reason: string): Response => {
    const now = web.clock();
    // Strangers can send as many as they like.
    if (!refusals.lasts(now)) {
      refusals.begin(now, REFUSALS_LOGGED_EVERY);
      web.log?.warn({ provider, status, reason }, 'report of the mail provider refused');
    }
    if (status === 401 && BASIC.includes(provider)) c.header('WWW-Authenticate', 'Basic realm="webhook"');
    if (status === unavailable) c.header('Retry-After', RETRY_AFTER);
    return c.text(`${reason}\n`, status, NO_STORE);
  };
  const record = openRecorder(web, provider);
  return async (c) => {
    const now = web.clock();
    const body = new Uint8Array(await c.req.arrayBuffer());
    const checked = await check({ headers: c.req.raw.headers, body, now });
    if (checked.kind === 'unsigned') return refuse(c, 401, checked.reason);
    if (checked.kind === 'malformed') return refuse(c, 400, checked.reason);
    if (checked.kind === 'unavailable') return refuse(c, unavailable, checked.reason);
    const done = recording.run(body.length, async (): Promise<string | null> => {
      switch (checked.kind) {
        case 'subscription':
          return confirmTopic(web, client, checked, now);
        case 'ended':
          await reportEndOfTopic(web, checked, now);
          return null;
        case 'events':
          await record(checked, now);
          return null;
      }
    });
    if (done === null) return refuse(c, unavailable, 'too many reports wait to be recorded');
    try {
      const problem = await done;
      return problem === null ? c.text('recorded\n', 200, NO_STORE) : refuse(c, unavailable, problem);
    } catch (error) {
      if (!isRepeatedOnlyAfter429(provider)) throw error;
      web.log?.error({ provider, error: String(error) }, 'reports of the mail provider not recorded');
      return refuse(c, 429, 'the store failed');
    }
  };
}

type Check = (request: ProviderRequest) => SnsCheck | Promise<SnsCheck>;

function openCheck({ config }: WebContext, provider: ReportingProvider, client: FetchClient): Check {
  if (provider === 'ses') {
    const { topics = [] } = config.delivery.ses ?? {};
    const certificates = new SigningCertificates(client);
    return (request) => checkSns(request, { topics, certificates });
  }
  const { providerSecret: secret } = config.secrets;
  if (secret === undefined) return () => ({ kind: 'unavailable', reason: 'DAYWIRE_PROVIDER_SECRET is not set' });
  return (request) => CHECKS[provider](request, { secret });
}

function openRecorder(web: WebContext, provider: ReportingProvider) {
  const { store, config, secrets, log } = web;
  const noted = new QuietPeriod();
  return async (checked: Extract<ProviderCheck, { kind: 'events' }>, now: number): Promise<void> => {
    const counts = await recordProviderEvents(store, { config, secrets, provider }, checked, now);
    if (checked.events.length > 0 && !noted.lasts(now)) {
      await noteProviderEvent(store.db, provider, now);
      noted.begin(now, NOTED_EVERY);
    }
    const { hard, soft, complaint, unsubscribed, foreign } = counts;
    // Most reports are of one message that has arrived.
    const isUsual = hard + soft + complaint + unsubscribed + foreign === 0;
    log?.[isUsual ? 'debug' : 'info']({ provider, ...counts }, 'mail provider reported');
  };
}

type OfTopic<Kind extends SnsCheck['kind']> = Extract<SnsCheck, { kind: Kind }>;

const endedAlert = (topic: string): AlertId => ({ kind: 'mail-provider-ended', subject: { topic } });
const unconfirmedAlert = (topic: string): AlertId => ({ kind: 'mail-provider-unconfirmed', subject: { topic } });

/** Confirms a subscription, and raises an alert if that fails. @returns why it failed, or null */
async function confirmTopic(
  { store, log }: Pick<WebContext, 'store' | 'log'>,
  client: FetchClient,
  { topic, address }: OfTopic<'subscription'>,
  now: number,
): Promise<string | null> {
  const problem = await confirmSubscription(client, address);
  if (problem === null) {
    log?.info({ topic }, 'subscription of Amazon SNS confirmed');
    await resolveAlerts(store.db, [endedAlert(topic), unconfirmedAlert(topic)], now);
    return null;
  }
  log?.warn({ topic, problem }, 'subscription of Amazon SNS not confirmed');
  const message =
    `The subscription of ${topic} could not be confirmed: ${problem}. Until it is, no bounce or complaint arrives. ` +
    'Amazon SNS asks again for an hour; after that, request the confirmation in its console.';
  await raiseAlert(store.db, { ...unconfirmedAlert(topic), message }, now);
  return `the subscription could not be confirmed: ${problem}`;
}

/** Raises an alert, once for each end. */
async function reportEndOfTopic(
  { store, log, config }: Pick<WebContext, 'store' | 'log' | 'config'>,
  { id, topic }: OfTopic<'ended'>,
  now: number,
): Promise<void> {
  const message =
    `The subscription of ${topic} was ended in Amazon SNS: bounces and complaints no longer arrive. ` +
    `To begin again, subscribe ${config.publication.url}/webhooks/ses to the topic. ` +
    'If none of you ended it, find out who did.';
  const isNew = await recordOnce(store.db, 'ses', eventId('ended', id), now, (tx) =>
    raiseAlert(tx, { ...endedAlert(topic), message }, now),
  );
  if (isNew) log?.warn({ topic }, 'subscription of Amazon SNS ended');
}
