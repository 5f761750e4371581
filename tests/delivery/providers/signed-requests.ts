/**
 * Requests as the mail providers send them, correctly signed, with reports in the forms that they document: the fields
 * that are read, and some that are not. People and addresses are invented.
 */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { checkBrevo } from '../../../src/delivery/providers/brevo.ts';
import { checkMailgun } from '../../../src/delivery/providers/mailgun.ts';
import { checkPostmark } from '../../../src/delivery/providers/postmark.ts';
import type { ProviderCheck, ProviderEvent, ProviderRequest } from '../../../src/delivery/providers/report-reader.ts';
import { checkSendGrid } from '../../../src/delivery/providers/sendgrid.ts';

/** What a report is about. */
interface Reported {
  token: string;
  email: string;
  /** Epoch milliseconds. */
  at: number;
  /** Distinguishes reports; the same number makes the same report. */
  number?: number;
}

interface ProviderFixture {
  /** DAYWIRE_PROVIDER_SECRET. */
  secret: string;
  check(request: ProviderRequest, settings: { secret: string }): ProviderCheck;
  /** A report of that kind, as JSON. */
  report(kind: ProviderEvent['kind'], about: Reported): Record<string, unknown>;
  /** A request with that body, signed or authenticated at that time. */
  request(body: unknown, now: number): ProviderRequest & { headers: Headers };
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

const basic = (secret: string): string => `Basic ${Buffer.from(secret).toString('base64')}`;

const UNKNOWN_USER = '550 5.1.1 The email account that you tried to reach does not exist.';
const MAILBOX_FULL = '452 4.2.2 The mailbox is full.';

const POSTMARK_SECRET = 'daywire:bounce-password';

const postmark: ProviderFixture = {
  secret: POSTMARK_SECRET,
  check: checkPostmark,
  report(kind, { token, email, at, number = 1 }) {
    const instant = new Date(at).toISOString().replace('Z', '1234Z');
    const common = { MessageID: uuid(number), MessageStream: 'broadcasts', Metadata: { daywire: token } };
    const bounce = { ...common, RecordType: 'Bounce', ID: 692_560_000 + number, Email: email, BouncedAt: instant };
    switch (kind) {
      case 'hard':
        return { ...bounce, Type: 'HardBounce', TypeCode: 1, Details: `smtp;${UNKNOWN_USER}`, CanActivate: true };
      case 'soft':
        return { ...bounce, Type: 'SoftBounce', TypeCode: 4096, Details: `smtp;${MAILBOX_FULL}`, Inactive: false };
      case 'complaint':
        return { ...bounce, RecordType: 'SpamComplaint', Type: 'SpamComplaint', TypeCode: 100_001 };
      case 'delivered':
        return { ...common, RecordType: 'Delivery', Recipient: email, DeliveredAt: instant, Details: 'smtp;250 OK' };
      case 'unsubscribe': {
        const change = { RecordType: 'SubscriptionChange', Recipient: email, ChangedAt: instant };
        return { ...common, ...change, SuppressSending: true, SuppressionReason: 'ManualSuppression' };
      }
    }
  },
  request: (body, now) => ({
    headers: new Headers({ 'content-type': 'application/json', authorization: basic(POSTMARK_SECRET) }),
    body: json(body),
    now,
  }),
};

const MAILGUN_SECRET = 'key-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
let mailgunTokens = 0;

/** @param token random; Mailgun makes a new one for each request */
export function mailgunSignature(now: number, token: string, secret: string = MAILGUN_SECRET) {
  const timestamp = String(Math.floor(now / 1_000));
  return {
    timestamp,
    token,
    signature: createHmac('sha256', secret)
      .update(timestamp + token)
      .digest('hex'),
  };
}

const mailgun: ProviderFixture = {
  secret: MAILGUN_SECRET,
  check: checkMailgun,
  report(kind, { token, email, at, number = 1 }) {
    const common = {
      id: `G9Bn5sl1TC6nu79C8C0bwg-${kind}-${number}`,
      timestamp: at / 1_000,
      recipient: email,
      message: { headers: { 'message-id': `${number}.news@example.com` }, size: 111 },
      'user-variables': { daywire: token },
    };
    const status = (code: number, message: string) => ({ 'attempt-no': 1, code, message, description: '', tls: true });
    const failed = { ...common, event: 'failed', severity: 'permanent' };
    switch (kind) {
      case 'hard':
        return { ...failed, reason: 'bounce', 'delivery-status': status(550, UNKNOWN_USER.slice(4)) };
      case 'soft':
        return { ...failed, reason: 'old', 'delivery-status': status(452, MAILBOX_FULL.slice(4)) };
      case 'complaint':
        return { ...common, event: 'complained' };
      case 'delivered':
        return { ...common, event: 'delivered', 'delivery-status': status(250, 'OK') };
      case 'unsubscribe':
        return { ...common, event: 'unsubscribed', ip: '192.0.2.7' };
    }
  },
  request(body, now) {
    mailgunTokens += 1;
    const token = `token${String(mailgunTokens).padStart(45, '0')}`;
    return {
      headers: new Headers({ 'content-type': 'application/json' }),
      body: json({ signature: mailgunSignature(now, token), 'event-data': body }),
      now,
    };
  },
};

const sendGridKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Signs a body as SendGrid does. */
export function sendGridHeaders(body: Uint8Array, now: number): Headers {
  const timestamp = String(Math.floor(now / 1_000));
  const signature = sign('sha256', Buffer.concat([Buffer.from(timestamp), body]), sendGridKeys.privateKey);
  return new Headers({
    'content-type': 'application/json',
    'x-twilio-email-event-webhook-signature': signature.toString('base64'),
    'x-twilio-email-event-webhook-timestamp': timestamp,
  });
}

const sendgrid: ProviderFixture = {
  secret: sendGridKeys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  check: checkSendGrid,
  report(kind, { token, email, at, number = 1 }) {
    const common = {
      email,
      timestamp: Math.floor(at / 1_000),
      'smtp-id': `<${number}.news@example.com>`,
      sg_event_id: `ZGVsaXZlcmVkLTAt-${kind}-${number}`,
      sg_message_id: `14c5d75ce93.dfd.64b469.filter0001.${number}`,
      daywire: token,
    };
    switch (kind) {
      case 'hard':
        return { ...common, event: 'bounce', type: 'bounce', status: '5.1.1', reason: UNKNOWN_USER, tls: 1 };
      case 'soft':
        return { ...common, event: 'bounce', type: 'blocked', status: '4.2.2', reason: MAILBOX_FULL, tls: 1 };
      case 'complaint':
        return { ...common, event: 'spamreport' };
      case 'delivered':
        return { ...common, event: 'delivered', response: '250 OK', ip: '192.0.2.9', tls: 1 };
      case 'unsubscribe':
        return { ...common, event: 'group_unsubscribe', asm_group_id: 10, useragent: 'Mozilla/5.0', ip: '192.0.2.7' };
    }
  },
  request(body, now) {
    const bytes = json(Array.isArray(body) ? body : [body]);
    return { headers: sendGridHeaders(bytes, now), body: bytes, now };
  },
};

const BREVO_SECRET = 'daywire:brevo-password';

const brevo: ProviderFixture = {
  secret: BREVO_SECRET,
  check: checkBrevo,
  report(kind, { token, email, at, number = 1 }) {
    const common = {
      id: 26_224,
      email,
      date: '2026-11-24 07:31:00',
      ts: Math.floor(at / 1_000) + 3_600,
      ts_event: Math.floor(at / 1_000) + 3_600,
      ts_epoch: at,
      'message-id': `<2026112407.${number}@smtp-relay.example.net>`,
      'X-Mailin-custom': `daywire:${token}`,
      sending_ip: '192.0.2.9',
    };
    switch (kind) {
      case 'hard':
        return { ...common, event: 'hard_bounce', reason: ` RecipientError: ${UNKNOWN_USER}` };
      case 'soft':
        return { ...common, event: 'soft_bounce', reason: MAILBOX_FULL };
      case 'complaint':
        return { ...common, event: 'spam' };
      case 'delivered':
        return { ...common, event: 'delivered' };
      case 'unsubscribe':
        return { ...common, event: 'unsubscribed' };
    }
  },
  request: (body, now) => ({
    headers: new Headers({ 'content-type': 'application/json', authorization: basic(BREVO_SECRET) }),
    body: json(body),
    now,
  }),
};

export const PROVIDER_FIXTURES = { postmark, mailgun, sendgrid, brevo };
