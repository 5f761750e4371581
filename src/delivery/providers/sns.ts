/** Requests of Amazon SNS, which carries the events of Amazon SES. */
import type { FetchClient } from '../../lib/guarded-fetch/fetch-client.ts';
import { DAY, MINUTE } from '../../lib/time.ts';
import { type ProviderCheck, type ProviderRequest, unsigned, whyUntimely } from './report-reader.ts';
import { readSesRecord } from './ses.ts';
import {
  isSignedBy,
  parseSnsMessage,
  readSigningCertificate,
  type SnsMessage,
  snsHost,
  whyForeignCertificate,
  whyForeignConfirmation,
} from './sns-signature.ts';

export type SnsCheck =
  | ProviderCheck
  /** SNS asks whether the topic may send here. `address` is on its own host. */
  | { kind: 'subscription'; id: string; topic: string; address: string }
  /** Somebody has ended the subscription of the topic. */
  | { kind: 'ended'; id: string; topic: string }
  /** It cannot be verified now: 503, so that SNS sends it again. */
  | { kind: 'unavailable'; reason: string };

/**
 * Verifies a request, then reads it. Only the certificate is requested from elsewhere, and only after the topic and the
 * address of the certificate were checked.
 * @param settings.topics ARNs whose messages count: anyone can sign a message with a topic of their own
 */
export async function checkSns(
  { headers, body, now }: ProviderRequest,
  settings: { topics: readonly string[]; certificates: Pick<SigningCertificates, 'find'> },
): Promise<SnsCheck> {
  if (headers.get('x-amz-sns-rawdelivery')?.toLowerCase() === 'true') return unsigned(RAW_DELIVERY);
  const message = parseSnsMessage(body);
  if (message === null) return unsigned('the body is not a message of Amazon SNS in JSON');
  const topic = message.TopicArn;
  const host = snsHost(topic);
  if (host === null || !settings.topics.includes(topic)) return unsigned('its topic is not one of delivery.ses.topics');
  const foreign = whyForeignCertificate(message.SigningCertURL, host);
  if (foreign !== null) return unsigned(foreign);
  const found = await settings.certificates.find(message.SigningCertURL, now);
  if (found.kind === 'unavailable') return found;
  const certificate = readSigningCertificate(found.pem, host, now);
  if (typeof certificate === 'string') return unsigned(certificate);
  if (!isSignedBy(message, certificate)) return unsigned('its signature is not valid');
  const sentAt = Date.parse(message.Timestamp);
  const untimely = whyUntimely(sentAt, now);
  if (untimely === null) return read(message, { host, sentAt });
  // SNS cannot date a message into the future: our clock is slow. It must send the message again once that is set.
  return sentAt > now
    ? { kind: 'unavailable', reason: `${untimely}: set the clock of this machine` }
    : unsigned(untimely);
}

const RAW_DELIVERY =
  'raw message delivery is on, and raw messages are not signed: ' +
  'switch "Enable raw message delivery" off in the subscription of Amazon SNS';

/** @param message verified */
function read(message: SnsMessage, { host, sentAt }: { host: string; sentAt: number }): SnsCheck {
  const { MessageId: id, TopicArn: topic } = message;
  switch (message.Type) {
    case 'Notification':
      return { kind: 'events', events: readSesRecord({ text: message.Message, sentAt }), nonce: null };
    case 'UnsubscribeConfirmation':
      return { kind: 'ended', id, topic };
    case 'SubscriptionConfirmation': {
      const reason = whyForeignConfirmation(message.SubscribeURL, { host, topic });
      if (reason !== null) return { kind: 'malformed', reason };
      return { kind: 'subscription', id, topic, address: message.SubscribeURL };
    }
  }
}

/** Confirms a subscription. @returns why it failed, or null */
export async function confirmSubscription(client: FetchClient, address: string): Promise<string | null> {
  const result = await client.fetch({ url: address, maxBytes: MAX_BYTES });
  if (result.kind !== 'answered') return result.reason;
  return result.status === 200 ? null : `Amazon SNS answers with status ${result.status}`;
}

const MAX_BYTES = 64 * 1024;

type CertificateResult = { kind: 'found'; pem: string } | { kind: 'unavailable'; reason: string };

/** Requests in a minute: anyone can send a message that names the address of a certificate. */
const MAX_REQUESTS = 10;
/** Callers that wait for a certificate, each with the body of its request. */
const MAX_WAITING = 50;

/** The signing certificates of Amazon SNS. A region has one at a time, for about a year. */
export class SigningCertificates {
  readonly #client: FetchClient;
  /** By address: those of the last minute, and those that were found in the last day. */
  readonly #requests = new Map<string, { result: Promise<CertificateResult>; at: number; keep: number }>();
  #waiting = 0;

  constructor(client: FetchClient) {
    this.#client = client;
  }

  /** A certificate is kept for a day, a failure for a minute. @param address that was checked */
  async find(address: string, now: number): Promise<CertificateResult> {
    for (const [key, { at, keep }] of this.#requests) {
      // Also one from before the clock was set back.
      if (now < at || now >= at + keep) this.#requests.delete(key);
    }
    const unavailable = (reason: string): CertificateResult => ({ kind: 'unavailable', reason });
    let request = this.#requests.get(address);
    if (request?.keep === DAY) return request.result;
    if (this.#waiting >= MAX_WAITING) return unavailable('too many requests wait for a certificate of Amazon SNS');
    if (request === undefined) {
      const lately = [...this.#requests.values()].filter(({ at }) => now - at < MINUTE).length;
      if (lately >= MAX_REQUESTS) return unavailable('too many certificates of Amazon SNS were requested in a minute');
      request = { result: requestCertificate(this.#client, address), at: now, keep: MINUTE };
      this.#requests.set(address, request);
    }
    this.#waiting += 1;
    try {
      const result = await request.result;
      if (result.kind === 'found') request.keep = DAY;
      return result;
    } finally {
      this.#waiting -= 1;
    }
  }
}

async function requestCertificate(client: FetchClient, url: string): Promise<CertificateResult> {
  const result = await client.fetch({ url, maxBytes: MAX_BYTES });
  if (result.kind === 'answered' && result.status === 200)
    return { kind: 'found', pem: result.body.toString('latin1') };
  const problem = result.kind === 'answered' ? `status ${result.status}` : result.reason;
  return { kind: 'unavailable', reason: `the certificate of Amazon SNS cannot be read: ${problem}` };
}
