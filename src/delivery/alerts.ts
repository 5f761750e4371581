/** The alerts about deliveries: what they are about, and how the desk shows them. Pure. */
import type { Action } from '../core/actions.ts';
import type { AlertId, AlertKind, AlertSubject } from '../core/alerts/alert-kind.ts';

/** A server that rejects everything. */
export const DELIVERY_STOPPED: AlertId = { kind: 'delivery', subject: {} };

/** Ends the hold of a restored store. */
export const RELEASE_QUEUE: Action = {
  to: 'release it',
  command: 'queue release',
  desk: '“Release the queue” under Deliveries',
};

/** A server that refuses the service messages to everyone. */
export const SERVICE_MESSAGES_REFUSED: AlertId = { kind: 'service-messages', subject: {} };

/** An edition whose deliveries the server defers again and again. */
export function deferralAlert(edition: number): AlertId {
  return { kind: 'deferred', subject: { edition } };
}

/** Service messages of one kind that cannot be built, such as after a mistake in their template. */
export function unbuildableAlert(template: string): AlertId {
  return { kind: 'service-messages', subject: { template } };
}

/** An edition that was paused because of the server's replies. */
export function pauseAlert(edition: number): AlertId {
  return { kind: 'edition', subject: { edition } };
}

/** An edition that was paused because of a retraction. */
export function retractionAlert(edition: number): AlertId {
  return { kind: 'retraction', subject: { edition } };
}

/** An edition that ended with too many failures. */
export function undeliveredAlert(edition: number): AlertId {
  return { kind: 'undelivered', subject: { edition } };
}

const deliveriesPage = () => ({ label: 'Deliveries', path: '/deliveries', needs: 'deliveries.read' as const });

const deliveryPage = ({ edition }: AlertSubject) =>
  edition === undefined
    ? deliveriesPage()
    : { label: 'Its delivery', path: `/deliveries/${edition}`, needs: 'deliveries.read' as const };

export const DELIVERY_ALERT_KINDS: Record<string, AlertKind> = {
  edition: { title: 'Delivery is paused', page: deliveryPage },
  retraction: { title: 'Delivery is paused: a story was retracted', page: deliveryPage },
  deferred: { title: 'The mail server defers many messages', page: deliveryPage },
  undelivered: { title: 'Many deliveries failed', page: deliveryPage },
  complaints: { title: 'People complain', page: deliveriesPage },
  bounces: { title: 'Many addresses cannot be reached', page: deliveriesPage },
  'provider-held': { title: 'Messages to a mailbox provider wait', page: deliveriesPage },
  'sending-domain': { title: 'The records of the sending domain have become worse' },
  delivery: { title: 'Delivery waits', page: deliveriesPage },
  'service-messages': { title: 'Confirmations and other service messages wait', page: deliveriesPage },
  expiring: { title: 'Deliveries will expire', page: deliveriesPage },
  uncertain: { title: 'Deliveries are uncertain', page: deliveriesPage },
  unconfigured: { title: 'A newsletter is missing from the configuration', page: deliveriesPage },
  'mail-provider-ended': { title: 'No reports of the mail provider arrive' },
  'mail-provider-unconfirmed': { title: 'No reports of the mail provider arrive' },
  heartbeat: { title: 'The heartbeat failed', hint: 'Look at the service that DAYWIRE_HEARTBEAT_URL names.' },
};
