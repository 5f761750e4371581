import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../../../src/delivery/providers/report-reader.ts';
import { readSesRecord } from '../../../src/delivery/providers/ses.ts';
import { parseSnsMessage } from '../../../src/delivery/providers/sns-signature.ts';
import {
  bounceOf,
  COMPLAINT,
  DELAY,
  DELIVERY,
  HAPPENED,
  PERMANENT,
  RECIPIENT,
  sesRecord,
} from './fixtures/ses-records.ts';

const TOKEN = `b${'a2'.repeat(19)}7`;
const SENT_AT = Date.parse(HAPPENED) + 500;

function read(record: object): ProviderEvent[] {
  return readSesRecord({ text: JSON.stringify(record), sentAt: SENT_AT });
}

/** The kinds of event that a record gives. */
function kinds(type: string, part: object): string[] {
  return read(sesRecord(type, part, { token: TOKEN })).map(({ kind }) => kind);
}

describe('a record of Amazon SES', () => {
  it('gives a bounce with recipient, status, reply, instant and token', () => {
    const [event, ...others] = read(sesRecord('Bounce', PERMANENT, { token: TOKEN }));
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      kind: 'hard',
      token: TOKEN,
      email: RECIPIENT,
      status: '5.1.1',
      detail: 'smtp; 550 5.1.1 user unknown',
      at: Date.parse(HAPPENED),
    });
  });

  it('is read in the older form, with the token of the header or of the return path', () => {
    for (const tokenIn of ['header', 'return-path'] as const) {
      const [event] = read(sesRecord('Bounce', PERMANENT, { token: TOKEN, tokenIn, old: true }));
      expect(event, tokenIn).toMatchObject({ kind: 'hard', token: TOKEN });
    }
    expect(read(sesRecord('Bounce', PERMANENT))[0]?.token).toBeNull();
  });

  it('is a hard bounce only if nobody can be reached at the address', () => {
    const report = (status: string, diagnosticCode: string) => ({ action: 'failed', status, diagnosticCode });
    expect(kinds('Bounce', bounceOf('Permanent', 'NoEmail'))).toEqual(['hard']);
    expect(kinds('Bounce', bounceOf('Permanent', 'Suppressed', report('5.1.1', 'suppressed')))).toEqual(['hard']);
    expect(kinds('Bounce', bounceOf('Permanent', 'OnAccountSuppressionList'))).toEqual(['hard']);
    expect(kinds('Bounce', bounceOf('Permanent', 'General', report('5.7.1', 'smtp; 550 5.7.1 blocked')))).toEqual([
      'soft',
    ]);
    for (const subType of ['MailboxFull', 'MessageTooLarge', 'ContentRejected', 'AttachmentRejected']) {
      expect(kinds('Bounce', bounceOf('Transient', subType)), subType).toEqual(['soft']);
    }
    expect(kinds('Bounce', bounceOf('Transient', 'General', report('4.4.7', 'smtp; expired')))).toEqual(['soft']);
  });

  it('is no bounce without a delivery report, such as the reply of a person who is out of office', () => {
    expect(kinds('Bounce', bounceOf('Transient', 'General'))).toEqual([]);
    expect(kinds('Bounce', bounceOf('Undetermined', 'Undetermined'))).toEqual([]);
  });

  it('is no bounce while SES goes on trying', () => {
    expect(kinds('DeliveryDelay', DELAY)).toEqual([]);
  });

  it('is a complaint unless its feedback says otherwise', () => {
    const of = (complaintFeedbackType: string | undefined) =>
      kinds('Complaint', { complaint: { ...COMPLAINT.complaint, complaintFeedbackType } });
    expect([of('abuse'), of('fraud'), of('other'), of(undefined)].flat()).toEqual(Array(4).fill('complaint'));
    expect([of('not-spam'), of('auth-failure'), of('virus')].flat()).toEqual([]);
  });

  it('is a delivery, or a rejected message', () => {
    expect(kinds('Delivery', DELIVERY)).toEqual(['delivered']);
    expect(kinds('Reject', { reject: { reason: 'Bad content' } })).toEqual(['soft']);
  });

  it('gives an event for each recipient, and one that is malformed does not stop the others', () => {
    const [first] = PERMANENT.bounce.bouncedRecipients;
    const bouncedRecipients = [first, null, { ...first, emailAddress: 'ben@example.com' }];
    const events = read(sesRecord('Bounce', { bounce: { ...PERMANENT.bounce, bouncedRecipients } }));
    expect(events.map(({ email }) => email)).toEqual([RECIPIENT, null, 'ben@example.com']);
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
  });

  it('has the same id when it is published again, and another one for another event', () => {
    const id = (type: string, part: object): string | undefined => read(sesRecord(type, part))[0]?.id;
    const ids = [id('Bounce', PERMANENT), id('Complaint', COMPLAINT), id('Delivery', DELIVERY)];
    expect(new Set(ids).size).toBe(3);
    expect([id('Bounce', PERMANENT), id('Complaint', COMPLAINT), id('Delivery', DELIVERY)]).toEqual(ids);
  });

  it('gives nothing for what is not about the fate of a message', () => {
    expect(kinds('Send', { send: {} })).toEqual([]);
    expect(kinds('Open', { open: {} })).toEqual([]);
    expect(kinds('Rendering Failure', { failure: { errorMessage: 'x', templateName: 'y' } })).toEqual([]);
    expect(kinds('AmazonSnsSubscriptionSucceeded', {})).toEqual([]);
    const text = 'Successfully validated SNS topic for Amazon SES event publishing.';
    expect(readSesRecord({ text, sentAt: SENT_AT })).toEqual([]);
  });

  it('never throws, whatever it holds', () => {
    const types = fc.constantFrom('Bounce', 'Complaint', 'Delivery', 'Reject', 'constructor');
    const parts = fc.constantFrom('bounce', 'complaint', 'delivery', 'reject', 'subscription', 'mail');
    const record = fc
      .dictionary(parts, fc.jsonValue())
      .chain((value) => types.map((eventType) => ({ eventType, ...value })));
    fc.assert(
      fc.property(fc.oneof(record, fc.jsonValue(), fc.string()), (value) => {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        expect(Array.isArray(readSesRecord({ text, sentAt: SENT_AT }))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(parseSnsMessage(bytes)).toBeNull();
      }),
    );
  });
});
