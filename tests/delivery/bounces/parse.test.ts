import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MailContent, parseIncomingMail } from '../../../src/delivery/bounces/parse.ts';
import { bounceMessage, leaveToken, returnToken } from './bounce-fixture.ts';

const ABOUT = { editionId: 7, subscriberId: 11 };

async function contentOf(name: string): Promise<string> {
  const { content } = await parseIncomingMail(bounceMessage(name, ABOUT));
  return shown(content);
}

function shown(content: MailContent): string {
  switch (content.kind) {
    case 'bounce':
      return `${content.severity} ${content.status ?? '-'}`;
    case 'complaint':
      return `complaint ${content.detail}`;
    case 'no-action':
    case 'unclear':
      return `${content.kind}: ${content.reason}`;
    case 'personal':
      return 'personal';
  }
}

describe('parseIncomingMail', () => {
  it.each([
    ['postfix-unknown-user', 'hard 5.1.1'],
    ['postfix-genuine', 'hard 5.1.1'],
    ['postfix-expired', 'soft 4.4.1'],
    ['postfix-delayed', 'no-action: the report says "delayed", not "failed"'],
    ['exim-unrouteable', 'soft 5.0.0'],
    ['exim-remote-unknown-user', 'hard 5.0.0'],
    ['exim-old-text', 'soft -'],
    ['exchange-not-found', 'hard 5.1.10'],
    ['exchange-mailbox-full', 'soft 5.2.2'],
    ['exchange-old-text', 'hard 5.1.1'],
    ['gmail-no-such-user', 'hard 5.1.1'],
    ['gmail-over-quota', 'soft 5.2.2'],
    ['policy-blocked', 'soft 5.7.1'],
    ['amazon-like', 'hard 5.1.1'],
    ['qmail', 'hard 5.1.1'],
    ['qmail-gave-up', 'soft -'],
    ['alias-one-of-two', 'soft 4.2.2'],
    ['yahoo-like-complaint', 'complaint abuse'],
    ['complaint-redacted-header', 'complaint abuse'],
    ['not-spam', 'no-action: a feedback report of type not-spam'],
    ['vacation', 'no-action: an automatic reply (Auto-Submitted)'],
    ['outlook-out-of-office', 'no-action: an automatic reply, by its subject'],
    ['unsigned-holiday-note', 'unclear: it has no return path and reports no failure'],
    ['read-receipt', 'no-action: a read receipt (RFC 8098)'],
    ['mailto-unsubscribe', 'personal'],
    ['mailto-unsubscribe-by-provider', 'personal'],
    ['letter-to-return-path', 'personal'],
  ])('recognises %s as %s', async (name, content) => {
    expect(await contentOf(name)).toBe(content);
  });

  it('keeps the diagnostic code of the refusing server, unfolded and without its type', async () => {
    const { content } = await parseIncomingMail(bounceMessage('postfix-unknown-user', ABOUT));
    expect(content).toMatchObject({
      detail: '550 5.1.1 <reader@example.com>: Recipient address rejected: User unknown in virtual mailbox table',
    });
  });

  it('keeps the text around the status of a bounce without a report', async () => {
    const { content } = await parseIncomingMail(bounceMessage('qmail', ABOUT));
    expect(content).toMatchObject({ detail: expect.stringContaining('Sorry, no mailbox here by that name. (#5.1.1)') });
  });

  it('finds the recipients of a report and our message in it', async () => {
    const report = await parseIncomingMail(bounceMessage('postfix-unknown-user', ABOUT));
    expect(report.recipients).toContain(`bounces+${returnToken(ABOUT)}@news.example`);
    expect(report.quoted).toContain(`bounces+${leaveToken(ABOUT)}@news.example`);
  });

  it('finds our return path in a report that does not quote our message', async () => {
    const withoutCopy = (name: string): string => {
      const text = bounceMessage(name, ABOUT).toString();
      return text.slice(0, text.search(/\r?\n--\S+\r?\nContent-Type: message\/rfc822/));
    };
    const complaint = withoutCopy('yahoo-like-complaint').replace('+redacted@', `+${returnToken(ABOUT)}@`);
    expect((await parseIncomingMail(Buffer.from(complaint))).quoted).toContain(`+${returnToken(ABOUT)}@`);
    const refusal = withoutCopy('amazon-like').replace(/^Status: /m, `X-Sender: rfc822; b+${returnToken(ABOUT)}@x\n$&`);
    expect((await parseIncomingMail(Buffer.from(refusal))).quoted).toContain(`+${returnToken(ABOUT)}@`);
  });

  it('does not treat a number in a message as a hard bounce because it lacks a return path', async () => {
    const note = bounceMessage('unsigned-holiday-note', ABOUT)
      .toString()
      .replace('Monday', 'Monday. Sent from OS 5.1.1');
    expect(shown((await parseIncomingMail(Buffer.from(note))).content)).toBe('soft 5.1.1');
    const bounce = note.replace(/^From: .*$/m, 'From: MAILER-DAEMON@example.com');
    expect(shown((await parseIncomingMail(Buffer.from(bounce))).content)).toBe('hard 5.1.1');
  });

  it('ignores the line that a mail server prepends for a pipe', async () => {
    const message = bounceMessage('postfix-unknown-user', ABOUT);
    const piped = Buffer.concat([Buffer.from('From MAILER-DAEMON  Tue Nov 24 07:31:02 2026\n'), message]);
    expect(shown((await parseIncomingMail(piped)).content)).toBe('hard 5.1.1');
  });

  it('parses a message with LF line ends, and a truncated one', async () => {
    const text = bounceMessage('postfix-unknown-user', ABOUT).toString();
    expect(shown((await parseIncomingMail(Buffer.from(text.replaceAll('\r\n', '\n')))).content)).toBe('hard 5.1.1');
    const cut = text.slice(0, text.indexOf('Content-Description: Undelivered Message'));
    expect(shown((await parseIncomingMail(Buffer.from(cut))).content)).toBe('hard 5.1.1');
  });

  it('does not treat a delay warning of an old server as a bounce', async () => {
    const warning = [
      'Return-Path: <>',
      'From: Mail Delivery System <Mailer-Daemon@mx.example.com>',
      `To: bounces+${returnToken(ABOUT)}@news.example`,
      'Subject: Warning: message 1tF3aB delayed 24 hours',
      '',
      'It failed so far, and will be tried again.',
    ].join('\r\n');
    expect(shown((await parseIncomingMail(Buffer.from(warning))).content)).toBe('no-action: the message is delayed');
  });

  it('returns unclear for a report without recipients and for a complaint without a type', async () => {
    const of = (type: string, body: string): Buffer =>
      Buffer.from(
        `Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: ${type}\r\n\r\n${body}\r\n--b--\r\n`,
      );
    expect(shown((await parseIncomingMail(of('message/delivery-status', 'Reporting-MTA: dns; x'))).content)).toContain(
      'unclear',
    );
    expect(shown((await parseIncomingMail(of('message/feedback-report', 'Version: 1'))).content)).toContain('unclear');
  });

  it('never throws, whatever the input', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'From ',
        '\r\n',
        '\r\n\r\n',
        'Return-Path: <>\r\n',
        'From: MAILER-DAEMON\r\n',
        'Content-Type: multipart/report; boundary=b\r\n\r\n',
        '--b\r\nContent-Type: message/delivery-status\r\n\r\n',
        '--b\r\nContent-Type: message/rfc822\r\n\r\n',
        'Action: failed\r\n',
        'Status: 5.1.1\r\n',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
        expect((await parseIncomingMail(Buffer.from(pieces.join('')))).content.kind).toBeTypeOf('string');
      }),
      { numRuns: 100 },
    );
  });

  it('parses two megabytes of hostile input', async () => {
    const head = 'Return-Path: <>\r\nFrom: MAILER-DAEMON@x\r\nSubject: failure notice\r\n\r\n';
    for (const filler of ['-', 'user ', '5.1', '>\r\n', 'does not have a']) {
      // In linear time, 2 s for all of them.
      const { content } = await parseIncomingMail(Buffer.from(head + filler.repeat(2_000_000 / filler.length)));
      expect(content.kind).toBeTypeOf('string');
    }
  });
});
