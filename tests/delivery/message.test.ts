import fc from 'fast-check';
import { type ParsedMail, simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { cleanLine } from '../../src/articles/clean.ts';
import type { OutgoingMessage } from '../../src/delivery/connection.ts';
import type { Signer } from '../../src/delivery/dkim.ts';
import { prepareMessages } from '../../src/delivery/message.ts';
import type { Edition } from '../../src/editions/queries.ts';
import { readMailboxToken, readPreferencesToken, readUnsubscribeToken } from '../../src/subscribers/tokens.ts';
import { expectGolden } from '../golden.ts';
import { ed25519Signer, rsaSigner, verify } from './dkim-keys.ts';
import { NOW, SECRETS, testConfig, testEdition } from './fixture.ts';

const ADA = { subscriberId: 7, email: 'Ada@bücher.example' };
const { nonce: NONCE } = testEdition();

interface Changes {
  edition?: Partial<Edition>;
  title?: string;
  fromName?: string;
  url?: string;
  replyTo?: string;
  bounces?: string;
  signers?: Signer[];
}

function makerOf(changes: Changes = {}) {
  const config = testConfig(changes);
  const sample = config.newsletters[0]!;
  const newsletter = {
    ...sample,
    title: changes.title ?? sample.title,
    from: { ...sample.from, name: changes.fromName ?? sample.from.name },
    replyTo: changes.replyTo,
  };
  const withBounces = { ...config, bounces: { ...config.bounces, address: changes.bounces } };
  return prepareMessages(testEdition(changes.edition), newsletter, withBounces, SECRETS, changes.signers ?? []);
}

function rawOf({ chunks }: OutgoingMessage): Buffer {
  return Buffer.concat(chunks);
}

async function rawMessage(changes: Changes = {}, recipient = ADA): Promise<Buffer> {
  return rawOf(await makerOf(changes)(recipient));
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
  'From',
  'Subject',
  'Date',
  'MIME-Version',
  'Content-Type',
  'List-ID',
  'Auto-Submitted',
  'X-Auto-Response-Suppress',
  'Precedence',
  'Feedback-ID',
  'To',
  'Message-ID',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
];

describe('a message', () => {
  it('is the same to the byte on every try, and what it always was', async () => {
    const changes = { bounces: 'bounces@example.com', edition: withBothLinks() };
    const raw = await rawMessage(changes);
    expect(await rawMessage(changes)).toEqual(raw);
    expectGolden('delivery/message.eml', raw.toString('latin1'));
  });

  it('has the text first and the HTML second, each with the recipient’s own links', async () => {
    const raw = await rawMessage({ edition: withBothLinks() });
    const mail = await simpleParser(raw);
    const types = [...raw.toString('latin1').matchAll(/^Content-Type: ([a-z/]+)/gm)].map((m) => m[1]);
    expect(types).toEqual(['multipart/alternative', 'text/plain', 'text/html']);
    for (const words of [mail.text ?? '', mail.html || '']) {
      const [, unsubscribe = ''] = /https:\/\/news\.example\/unsubscribe\/(\S+?)(?=["\s])/.exec(words) ?? [];
      const [, preferences = ''] = /https:\/\/news\.example\/preferences\/(\S+?)(?=["\s])/.exec(words) ?? [];
      expect(readUnsubscribeToken(SECRETS, unsubscribe)).toEqual({ subscriberId: 7, newsletter: 'daily-roundup' });
      expect(readPreferencesToken(SECRETS, preferences)).toBe(7);
    }
    expect(mail.html).toContain('<h1>Ünter & 三星</h1>');
    expect(mail.text).toContain('\n.A line that begins with a dot.\n');
  });

  it('goes out of an edition that was closed before there was a slot for preferences', async () => {
    expect((await parsed()).text).toMatch(/Unsubscribe: https:/);
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
    expect(headersOf(await rawMessage())).toContain('Feedback-ID: 2026-11-24:daily-roundup:daywire:example.com');
  });

  it('asks for one click only over https (RFC 8058)', async () => {
    expect(headersOf(await rawMessage())).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    const plain = headersOf(await rawMessage({ url: 'http://127.0.0.1:8080' }));
    expect(plain.join('\n')).not.toContain('List-Unsubscribe-Post');
    expect(plain.join('\n')).toMatch(/^List-Unsubscribe: <http:\/\/127\.0\.0\.1:8080\/unsubscribe\/v1\.[^>]+>$/m);
  });

  it('comes back to an address of its own, and can be unsubscribed from by mail, where a mailbox takes bounces', async () => {
    const message = await makerOf({ bounces: `${'b'.repeat(23)}@bücher.example` })(ADA);
    const [local = '', domain] = message.from.split('@');
    expect(domain).toBe('xn--bcher-kva.example');
    expect(local.length).toBe(64);
    const token = local.slice(local.lastIndexOf('+') + 1);
    expect(readMailboxToken(SECRETS, token)).toEqual({ purpose: 'bounce', editionId: 1, subscriberId: 7 });
    const list = headersOf(rawOf(message)).find((line) => line.startsWith('List-Unsubscribe: ')) ?? '';
    const mailto = /, <mailto:b+\+(\w+)@xn--bcher-kva\.example\?subject=unsubscribe>$/.exec(list)?.[1] ?? '';
    expect(readMailboxToken(SECRETS, mailto)).toEqual({ purpose: 'unsubscribe', editionId: 1, subscriberId: 7 });
  });

  it('comes back to its sender where none does', async () => {
    const message = await makerOf()(ADA);
    expect([message.from, message.to]).toEqual(['roundup@example.com', 'Ada@xn--bcher-kva.example']);
    expect(rawOf(message).toString()).not.toContain('mailto:');
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

  it('shows the nonce of its edition nowhere', async () => {
    expect((await rawMessage()).toString()).not.toContain(NONCE);
  });

  it('fails to be made where the edition lacks the unsubscribe link', async () => {
    await expect(rawMessage({ edition: { html: '<p>No way out</p>' } })).rejects.toThrow('unsubscribe');
    await expect(rawMessage({ edition: { text: 'No way out' } })).rejects.toThrow('unsubscribe');
  });

  it('fails to be made for an address that is none', async () => {
    for (const email of [
      '',
      'eve',
      'a@b.example\r\nBcc: eve@example.com',
      'a b@example.com',
      'a@example.com, eve@example.com',
    ]) {
      await expect(rawMessage({}, { subscriberId: 1, email })).rejects.toThrow('address');
    }
  });

  it('shares what is the same in all copies, and says how large it is', async () => {
    const long = 'Battery makers cut prices. '.repeat(900);
    const { html, text } = testEdition();
    const make = makerOf({ edition: { html: html.replace('<a', `<p>${long}</p><a`), text: long + text } });
    const [one, two] = await Promise.all([make(ADA), make({ subscriberId: 123_456, email: 'bob@example.com' })]);
    const shared = one.chunks.filter((chunk) => two.chunks.includes(chunk));
    expect(shared.reduce((sum, chunk) => sum + chunk.length, 0)).toBeGreaterThan(2 * long.length);
    expect(one.size - shared.reduce((sum, chunk) => sum + chunk.length, 0)).toBeLessThan(3_000);
    expect(one.size).toBe(rawOf(one).length);
    expect(rawOf(one)).not.toEqual(rawOf(two));
  });

  it.each([
    ['Latin', 'é'.repeat(200), 'quoted-printable'],
    ['Chinese', '电池降价'.repeat(200), 'base64'],
  ])('keeps lines short in %s too', async (_name, words, encoding) => {
    const html = `<p>${words.repeat(20)}${'x'.repeat(60_000)}</p>%%${NONCE}:unsubscribe%%`;
    const raw = await rawMessage({ edition: { html: encoding === 'base64' ? html.replace(/x+/, '') : html } });
    const lines = raw.toString('latin1').split('\r\n');
    const long = lines.filter((line) => line.length > 76);
    // Nothing can be folded within it.
    expect(long.every((line) => line.startsWith('List-Unsubscribe: '))).toBe(true);
    expect(raw.toString('latin1')).toContain(`Content-Transfer-Encoding: ${encoding}`);
    expect((await simpleParser(raw)).html).toContain(words);
  });
});

describe('a signed message', () => {
  it('is verified by another’s hand, under both kinds of keys, with all that matters covered', async () => {
    const message = await makerOf({
      bounces: 'bounces@example.com',
      replyTo: 'desk@example.com',
      edition: { ...withBothLinks(), subject: `A “long” subject: ${'三星 Battery '.repeat(20)}` },
      signers: [rsaSigner(), ed25519Signer()],
    })(ADA);
    const verdicts = await verify(message);
    expect(verdicts.map(({ algorithm, result, aligned }) => [algorithm, result, aligned])).toEqual([
      ['rsa-sha256', 'pass', true],
      ['ed25519-sha256', 'pass', true],
    ]);
    const names = headersOf(rawOf(message)).map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
    const sent = names.filter((name) => name !== 'dkim-signature');
    for (const { covers } of verdicts) expect(covers).toEqual(expect.arrayContaining(sent));
  });

  it('is the same to the byte on every try', async () => {
    const changes = { signers: [rsaSigner(), ed25519Signer()] };
    expect(await rawMessage(changes)).toEqual(await rawMessage(changes));
  });
});

function withBothLinks(): Pick<Edition, 'html' | 'text'> {
  const { html, text } = testEdition();
  return {
    html: html.replace('<a', `<a href="%%${NONCE}:preferences%%">Preferences</a> <a`),
    text: text.replace('Unsubscribe', `Preferences: %%${NONCE}:preferences%%\nUnsubscribe`),
  };
}

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
        const lines = text.split('\r\n');
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
        expect(lines.filter((line) => line.startsWith('.'))).toEqual([]);
        expect(text.endsWith('--\r\n')).toBe(true);
      }),
      { numRuns: 80 },
    );
  });

  it('the subject reads as it was written, on one line', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (subject) => {
        const mail = await parsed({ edition: { subject: `S ${subject} E` } });
        expect(mail.subject).toBe(cleanLine(`S ${subject} E`));
      }),
      { numRuns: 80 },
    );
  });
});

describe('whatever the articles hold', () => {
  const article = fc.oneof(
    fc.array(hostile, { maxLength: 8 }).map((parts) => parts.join('\n')),
    fc.constantFrom(
      '.\n..\n.\n',
      'From the desk\nFrom ',
      'a \n\tb\t\n ',
      '--=_daywire_0\n',
      '%%0123456789abcdeF:unsubscribe%%',
      '=\n=3D',
    ),
  );

  it('text and HTML read as they were written, and the signature holds', async () => {
    const signers = [ed25519Signer()];
    await fc.assert(
      fc.asyncProperty(article, article, article, async (before, between, after) => {
        const words = [before, between, after].map((part) => part.toWellFormed().replace(/\r\n?/g, '\n'));
        const [first, second, third] = words as [string, string, string];
        const compiled = `${first}[%%${NONCE}:preferences%%]${second}[%%${NONCE}:unsubscribe%%]${third}`;
        const message = await makerOf({ edition: { html: compiled, text: compiled }, signers })(ADA);
        const mail = await simpleParser(rawOf(message), { skipImageLinks: true });
        const pattern = (text: string): string => {
          const [one, two, three] = words.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
          return `^${one}\\[https://news\\.example/preferences/v1\\.[\\w-]+\\]${two}\\[https://news\\.example/unsubscribe/v1\\.[\\w-]+\\]${three}${text}$`;
        };
        expect(mail.text).toMatch(new RegExp(pattern('')));
        expect(mail.html).toMatch(new RegExp(pattern('')));
        const lines = rawOf(message).toString('latin1').split('\r\n');
        expect(lines.filter((line) => line.startsWith('.') || line.length > 998 || /[\r\n]/.test(line))).toEqual([]);
        expect(await verify(message)).toMatchObject([{ result: 'pass' }]);
      }),
      { numRuns: 60 },
    );
  });
});
