/** The subscriptions of Amazon SNS to this webhook: their confirmation, and their end. */
import type { AlertId } from '../../core/alerts/alert-kind.ts';
import { raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { FetchClient } from '../../lib/guarded-fetch/fetch-client.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { recordOnce } from '../providers/record-events.ts';
import { eventId } from '../providers/report-reader.ts';
import { confirmSubscription, type SnsCheck } from '../providers/sns.ts';

type OfTopic<Kind extends SnsCheck['kind']> = Extract<SnsCheck, { kind: Kind }>;

const endedAlert = (topic: string): AlertId => ({ kind: 'mail-provider-ended', subject: { topic } });
const unconfirmedAlert = (topic: string): AlertId => ({ kind: 'mail-provider-unconfirmed', subject: { topic } });

/** Confirms a subscription, and raises an alert if that fails. @returns why it failed, or null */
export async function confirmTopic(
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
export async function reportEndOfTopic(
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
