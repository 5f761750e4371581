import { sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isSignedBy,
  parseSnsMessage,
  readSigningCertificate,
  type SnsMessage,
  snsHost,
  stringToSign,
  whyForeignCertificate,
  whyForeignConfirmation,
} from '../../../src/delivery/providers/sns-signature.ts';
import { makeCertificate } from '../transport/certificate.ts';
import {
  bodyOf,
  CERTIFICATE_URL,
  confirmation,
  notification,
  SNS_CERTIFICATE,
  SNS_HOST,
  type SnsFields,
  signed,
  TOPIC,
  WEAK_CERTIFICATE,
} from './sns-requests.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);
const certificate = new X509Certificate(SNS_CERTIFICATE);

function read(fields: SnsFields): SnsMessage {
  const message = parseSnsMessage(bodyOf(fields));
  if (message === null) throw new Error('not a message of SNS');
  return message;
}

describe('the string that Amazon SNS signs', () => {
  it('is of the documented lines for a notification, with a subject or without', () => {
    const fields: SnsFields = { ...notification('Hello\nworld', NOW), Signature: '' };
    const lines = ['Message', 'Hello\nworld', 'MessageId', fields.MessageId, 'Timestamp', '2026-11-24T07:30:00.000Z'];
    const end = ['TopicArn', TOPIC, 'Type', 'Notification', ''];
    expect(stringToSign(read(fields))).toBe([...lines, ...end].join('\n'));
    const subject = ['Subject', 'Amazon SES'];
    const withSubject = [...lines.slice(0, 4), ...subject, ...lines.slice(4), ...end].join('\n');
    expect(stringToSign(read({ ...fields, Subject: 'Amazon SES' }))).toBe(withSubject);
  });

  it('covers token and address of a confirmation', () => {
    const fields = { ...confirmation('SubscriptionConfirmation', NOW), Signature: '' };
    expect(
      stringToSign(read(fields))
        .split('\n')
        .filter((_, n) => n % 2 === 0),
    ).toEqual(['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type', '']);
  });
});

describe('the signature of Amazon SNS', () => {
  it('is accepted with SHA1 (version 1) and SHA256 (version 2), made by openssl alone', () => {
    for (const version of ['1', '2']) {
      expect(isSignedBy(read(signed(notification('{}', NOW, { SignatureVersion: version }))), certificate)).toBe(true);
    }
    // Not by way of stringToSign, which could be wrong in both places.
    const key = readFileSync(join(import.meta.dirname, 'fixtures/sns-test-key.pem'), 'utf8');
    const text = `Message\nA\nMessageId\nB\nTimestamp\n2026-11-24T07:30:00.000Z\nTopicArn\n${TOPIC}\nType\nNotification\n`;
    const fields = { ...notification('A', NOW, { MessageId: 'B' }), Signature: '' };
    const signature = sign('sha256', Buffer.from(text), key).toString('base64');
    expect(isSignedBy(read({ ...fields, Signature: signature }), certificate)).toBe(true);
  });

  it('is refused after any change of a signed field, and in another version', () => {
    const fields = signed(notification('{"eventType":"Delivery"}', NOW));
    const changes: SnsFields[] = [
      { Message: '{"eventType":"Complaint"}' },
      { MessageId: 'another' },
      { Timestamp: new Date(NOW + 1).toISOString() },
      { TopicArn: `${TOPIC}x` },
      { Subject: 'added' },
      { SignatureVersion: '1' },
      { SignatureVersion: '3' },
      { SignatureVersion: 'toString' },
      { Signature: '' },
      { Signature: 'bm90IGEgc2lnbmF0dXJl' },
    ];
    for (const change of changes)
      expect(isSignedBy(read({ ...fields, ...change }), certificate), JSON.stringify(change)).toBe(false);
    const confirming = signed(confirmation('SubscriptionConfirmation', NOW));
    expect(isSignedBy(read(confirming), certificate)).toBe(true);
    expect(isSignedBy(read({ ...confirming, SubscribeURL: 'https://example.com/' }), certificate)).toBe(false);
  });
});

describe('the host of Amazon SNS', () => {
  it('follows from the ARN of a topic', () => {
    expect(snsHost(TOPIC)).toBe(SNS_HOST);
    expect(snsHost('arn:aws-cn:sns:cn-north-1:123456789012:mail')).toBe('sns.cn-north-1.amazonaws.com.cn');
    expect(snsHost('arn:aws-us-gov:sns:us-gov-west-1:123456789012:mail')).toBe('sns.us-gov-west-1.amazonaws.com');
    for (const other of ['', 'mail', 'arn:aws:sqs:eu-west-1:123456789012:mail', 'arn:aws:sns:s3:123456789012:mail']) {
      expect(snsHost(other)).toBeNull();
    }
  });
});

describe('the address of a signing certificate', () => {
  it('is that of a PEM file on the host of SNS', () => {
    expect(whyForeignCertificate(CERTIFICATE_URL, SNS_HOST)).toBeNull();
  });

  it('is refused on any other host, port, scheme or path', () => {
    const path = '/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem';
    const forged = [
      `http://${SNS_HOST}${path}`,
      `https://${SNS_HOST}:444${path}`,
      `https://${SNS_HOST}:443${path}`,
      `https://user@${SNS_HOST}${path}`,
      `https://${SNS_HOST}.example.com${path}`,
      `https://example.com/${SNS_HOST}${path}`,
      `https://example.com#${SNS_HOST}${path}`,
      `https://example.com\\@${SNS_HOST}${path}`,
      `https://${SNS_HOST}\\@example.com${path}`,
      `https://sns.us-east-1.amazonaws.com${path}`,
      // A bucket named sns.
      `https://sns.s3.amazonaws.com${path}`,
      `https://sns.s3-eu-west-1.amazonaws.com${path}`,
      `https://sns.eu-west-1.amazonaws.com.cn${path}`,
      `https://${SNS_HOST.toUpperCase()}${path}`,
      ` https://${SNS_HOST}${path}`,
      `https://${SNS_HOST}/other.pem`,
      `https://${SNS_HOST}/?x=${path}`,
      `https://${SNS_HOST}${path}?x=1`,
      `https://${SNS_HOST}${path}#x`,
      `https://${SNS_HOST}/a/..${path}x`,
      'not an address',
      '',
    ];
    for (const address of forged) expect(whyForeignCertificate(address, SNS_HOST), address).toContain('SigningCertURL');
  });
});

describe('the address that confirms a subscription', () => {
  const { SubscribeURL = '' } = confirmation('SubscriptionConfirmation', NOW);
  const where = { host: SNS_HOST, topic: TOPIC };

  it('is that of the topic on the host of SNS', () => {
    expect(whyForeignConfirmation(SubscribeURL, where)).toBeNull();
  });

  it('is refused on another host, with another action, or for another topic', () => {
    const forged = [
      SubscribeURL.replace(SNS_HOST, 'example.com'),
      SubscribeURL.replace('https:', 'http:'),
      SubscribeURL.replace('/?', '/SimpleNotificationService-1.pem?'),
      SubscribeURL.replace('ConfirmSubscription', 'DeleteTopic'),
      SubscribeURL.replace(TOPIC, `${TOPIC}-other`),
      `https://${SNS_HOST}/`,
    ];
    for (const address of forged) expect(whyForeignConfirmation(address, where), address).toContain('SubscribeURL');
  });
});

describe('a signing certificate', () => {
  const check = (pem: string, host = SNS_HOST, now = NOW) => {
    const result = readSigningCertificate(pem, host, now);
    return typeof result === 'string' ? result : 'valid';
  };

  it('is accepted if it is issued to SNS and valid', () => {
    expect(check(SNS_CERTIFICATE)).toBe('valid');
  });

  it('is refused outside of its validity, for another host, with a weak key, or if it is none', () => {
    expect(check(SNS_CERTIFICATE, SNS_HOST, Date.UTC(2025, 0, 1))).toContain('not valid yet');
    expect(check(SNS_CERTIFICATE, SNS_HOST, Date.UTC(2126, 0, 2))).toContain('expired');
    expect(check(SNS_CERTIFICATE, 'sns.cn-north-1.amazonaws.com.cn')).toContain('not one of Amazon SNS');
    expect(check(makeCertificate(NOW).cert)).toContain('not one of Amazon SNS');
    expect(check(WEAK_CERTIFICATE)).toContain('no RSA key of at least 2048 bits');
    expect(check('<html>')).toContain('not in PEM');
  });
});
