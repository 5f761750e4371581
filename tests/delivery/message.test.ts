import fc from 'fast-check';
import { type ParsedMail, simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { cleanLine } from '../../src/articles/clean.ts';
import { prepareMessages } from '../../src/delivery/message.ts';
import type { Edition } from '../../src/editions/queries.ts';
import { readUnsubscribeToken } from '../../src/subscribers/tokens.ts';
import { expectGolden } from '../golden.ts';
import { NOW, SECRET, testConfig, testEdition } from './fixture.ts';

const ADA = { subscriberId: 7, email: 'Ada@bücher.example' };

function rawMessage(
  changes: { edition?: Partial<Edition>; title?: string; fromName?: string; url?: string; replyTo?: string } = {},
  recipient = ADA,
): Promise<Buffer> {
  const config = testConfig(changes);
  const sample = config.newsletters[0]!;
  const newsletter = {
    ...sample,
    title: changes.title ?? sample.title,
    from: { ...sample.from, name: changes.fromName ?? sample.from.name },
    replyTo: changes.replyTo,
  };
  const make = prepareMessages(testEdition(changes.edition), newsletter, config, SECRET);
  return make(recipient).then((message) => message.raw);
}

async function parsed(...args: Parameters<typeof rawMessage>): Promise<ParsedMail> {
  return simpleParser(await rawMessage(...args));
}

/** The header lines, unfolded, as any reader splits them. */
function headersOf(raw: Buffer): string[] {
  const head = raw.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  return head.replace(/\r\n[ \t]/g, ' ').split('\r\n');
}

const NAMES = [
  'Subject',
  'List-ID',
  'Auto-Submitted',
  'Precedence',
  'X-Auto-Response-Suppress',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'From',
  'To',
  'Message-ID',
  'Date',
  'MIME-Version',
  'Content-Type',
];

describe('a message', () => {
  it('is the same to the byte on every try, and what it always was', async () => {
    const raw = await rawMessage();
    expect(await rawMessage()).toEqual(raw);
    expectGolden('delivery/message.eml', raw.toString('latin1'));
  });

  it('has the text first and the HTML second, each with the recipient’s own link', async () => {
    const mail = await parsed();
    const types = [...(await rawMessage()).toString('latin1').matchAll(/^Content-Type: ([a-z/]+)/gm)].map((m) => m[1]);
    expect(types).toEqual(['multipart/alternative', 'text/plain', 'text/html']);
    const link = /https:\/\/news\.example\/unsubscribe\/(\S+?)(?=["\s])/;
    const [inText, inHtml] = [link.exec(mail.text ?? '')?.[1], link.exec(mail.html || '')?.[1]];
    expect(inHtml).toBe(inText);
    expect(readUnsubscribeToken(SECRET, inText ?? '')).toEqual({ subscriberId: 7, newsletter: 'daily-roundup' });
    expect(mail.html).toContain('<h1>Ünter & 三星</h1>');
    expect(mail.text).toContain('\n.A line that begins with a dot.\n');
  });

  it('names its sender, recipient, list and time', async () => {
    const mail = await parsed({ replyTo: 'desk@example.com' });
    expect(mail.from?.value).toEqual([{ name: 'The Meridian Wire', address: 'roundup@example.com' }]);
    expect(mail.to).toMatchObject({ value: [{ name: '', address: 'Ada@bücher.example' }] });
    expect(headersOf(await rawMessage())).toContain('To: Ada@xn--bcher-kva.example');
    expect(mail.replyTo?.value).toEqual([{ name: '', address: 'desk@example.com' }]);
    expect(mail.date?.getTime()).toBe(NOW);
    expect(mail.headers.get('list')).toMatchObject({
      id: { name: 'The Daily Roundup', id: 'daily-roundup.example.com' },
      unsubscribe: { url: expect.stringMatching(/^https:\/\/news\.example\/unsubscribe\/v1\./) },
      'unsubscribe-post': { name: 'List-Unsubscribe=One-Click' },
    });
  });

  it('asks for one click only over https (RFC 8058)', async () => {
    expect(headersOf(await rawMessage())).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    const plain = headersOf(await rawMessage({ url: 'http://127.0.0.1:8080' }));
    expect(plain.join('\n')).not.toContain('List-Unsubscribe-Post');
    expect(plain.join('\n')).toMatch(/^List-Unsubscribe: <http:\/\/127\.0\.0\.1:8080\/unsubscribe\/v1\.[^>]+>$/m);
  });

  it('has a Message-ID that each recipient and edition has to itself and that shows neither', async () => {
    const ids = await Promise.all([
      parsed(),
      parsed({}, { subscriberId: 8, email: ADA.email }),
      parsed({ edition: { slot: '2026-11-25' } }),
    ]);
    expect(new Set(ids.map((mail) => mail.messageId)).size).toBe(3);
    for (const { messageId } of ids) expect(messageId).toMatch(/^<[0-9a-f]{40}@example\.com>$/);
  });

  it('fails to be made where the edition lacks the unsubscribe link', async () => {
    await expect(rawMessage({ edition: { html: '<p>No way out</p>' } })).rejects.toThrow('unsubscribe');
  });

  it.each([
    ['Latin', 'é'.repeat(200), 'quoted-printable'],
    ['Chinese', '电池降价'.repeat(200), 'base64'],
  ])('keeps lines short in %s too', async (_name, words, encoding) => {
    const html = `<p>${words.repeat(20)}${'x'.repeat(60_000)}</p>%%0123456789abcdef:unsubscribe%%`;
    const raw = await rawMessage({ edition: { html: encoding === 'base64' ? html.replace(/x+/, '') : html } });
    const [head = '', ...body] = raw.toString('latin1').split('\r\n\r\n');
    const lines = [
      ...head.split('\r\n').filter((line) => !line.startsWith('List-Unsubscribe:')),
      ...body.join('\r\n').split('\r\n'),
    ];
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
    expect(raw.toString('latin1')).toContain(`Content-Transfer-Encoding: ${encoding}`);
    expect((await simpleParser(raw)).html).toContain(words);
  });
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  fc.constantFrom(
    'Breaking\r\nBcc: everyone@example.com\r\n\r\n<script>',
    'a\nb\rc\u0085d\u2028e',
    '=?utf-8?B?QmNjOiBldmU=?=',
    '=?utf-8?Q?broken',
    'x'.repeat(2_000),
    '三星'.repeat(500),
    '🚀'.repeat(300),
    '"quoted" <eve@example.com>, other',
    '\u0000\ud800',
    'Vec<T> & AT&T “三星” 🚀',
  ),
);

describe('whatever the subject and the names hold', () => {
  it('no header is added, none is lost, and no line is too long', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (subject, title, name) => {
        const fromName = name.slice(0, 300);
        fc.pre(cleanLine(fromName) !== '');
        const raw = await rawMessage({ edition: { subject: `S ${subject}` }, title: `T ${title}`, fromName });
        const names = headersOf(raw).map((line) => /^([A-Za-z-]+): /.exec(line)?.[1] ?? line);
        expect(names).toEqual(NAMES);
        const text = raw.toString('latin1');
        expect(text).not.toMatch(/[^\t\r\n\u0020-\u007e]/);
        expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        expect(Math.max(...text.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
      }),
      { numRuns: 150 },
    );
  });

  it('the subject reads as it was written, on one line', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (subject) => {
        const mail = await parsed({ edition: { subject: `S ${subject} E` } });
        expect(mail.subject).toBe(cleanLine(`S ${subject} E`));
      }),
      { numRuns: 150 },
    );
  });
});
