/**
 * Signed requests as Amazon SNS sends them, with a certificate that was made for these tests.
 */
import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSnsMessage, stringToSign } from '../../../src/delivery/providers/sns-signature.ts';
import type { FetchClient } from '../../../src/lib/guarded-fetch/fetch-client.ts';

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

/** Issued to sns.amazonaws.com, for the year 2026 to 2125. */
export const SNS_CERTIFICATE = fixture('sns-test-certificate.pem');
/** As `SNS_CERTIFICATE`, with a key of 1024 bits. */
export const WEAK_CERTIFICATE = fixture('sns-weak-certificate.pem');
const KEY = fixture('sns-test-key.pem');

export const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:mail-events';
export const SNS_HOST = 'sns.eu-west-1.amazonaws.com';
export const CERTIFICATE_URL = `https://${SNS_HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem`;

export type SnsFields = Record<string, string>;

/** The fields of a notification, without its signature. @param message a record, or the text itself */
export function notification(message: object | string, now: number, changes: SnsFields = {}): SnsFields {
  return {
    Type: 'Notification',
    MessageId: '5b7fd1a0-6a52-5c54-9f4e-8f0b6f3a1c11',
    TopicArn: TOPIC,
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    Timestamp: new Date(now).toISOString(),
    SignatureVersion: '2',
    SigningCertURL: CERTIFICATE_URL,
    UnsubscribeURL: `https://${SNS_HOST}/?Action=Unsubscribe&SubscriptionArn=${TOPIC}:0f6d`,
    ...changes,
  };
}

/** The fields of a confirmation of a subscription, or of its end. */
export function confirmation(
  type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation',
  now: number,
  changes: SnsFields = {},
): SnsFields {
  const token = '2336412f37fb687f5d51e6e2425c004a';
  return {
    ...notification(`You have chosen to subscribe to the topic ${TOPIC}.`, now),
    Type: type,
    MessageId: `9c2b6b0c-${type}`,
    Token: token,
    SubscribeURL: `https://${SNS_HOST}/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=${token}`,
    ...changes,
  };
}

/** Signs the fields as they are. */
export function signed(fields: SnsFields): SnsFields {
  const message = parseSnsMessage(Buffer.from(JSON.stringify({ ...fields, Signature: '' })));
  if (message === null) throw new Error('not a message of SNS');
  const hash = fields.SignatureVersion === '1' ? 'sha1' : 'sha256';
  const signature = sign(hash, Buffer.from(stringToSign(message)), KEY).toString('base64');
  return { ...fields, Signature: signature };
}

export function bodyOf(fields: SnsFields): Uint8Array {
  return Buffer.from(JSON.stringify(fields));
}

/** A client that answers for Amazon SNS. @param answer default: the certificate, and 200 for a confirmation */
export function snsClient(
  answer: (url: string) => { status?: number; body?: string } = () => ({ body: SNS_CERTIFICATE }),
): {
  client: FetchClient;
  requested: string[];
} {
  const requested: string[] = [];
  const client: FetchClient = {
    async fetch({ url }) {
      requested.push(url);
      const { status = 200, body = '' } = answer(url);
      return { kind: 'answered', status, url, movedTo: null, headers: {}, body: Buffer.from(body) };
    },
  };
  return { client, requested };
}
