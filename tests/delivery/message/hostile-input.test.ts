import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { ed25519Signer, rsaSigner, verify } from '../../../scripts/dkim-verifier.ts';
import { readMailboxToken } from '../../../src/audience/tokens.ts';
import { headerText } from '../../../src/delivery/message/header-field.ts';
import { parseAddress, wireAddress } from '../../../src/lib/address.ts';
import { cleanLine } from '../../../src/lib/text/clean-text.ts';
import { graphemesOf } from '../../../src/lib/text/shorten.ts';
import { runs } from '../../support/run-scope.ts';
import { SECRETS } from '../../support/sample.ts';
import { ADA, headersOf, makerOf, NONCE, parsed, rawMessage, rawOf } from './messages.ts';

const NAMES = [
  'From',
  'Subject',
  'MIME-Version',
  'Content-Type',
  'List-ID',
  'Auto-Submitted',
  'X-Auto-Response-Suppress',
  'Precedence',
  'Feedback-ID',
  'Date',
  'To',
  'Message-ID',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
];

/** What was split at the wrong place would show as broken characters or as other words. */
const SCRIPTS = [
  '👩‍👩‍👧‍👦🏳️‍🌈👍🏽',
  'Größenänderungsverfahren',
  'e\u0301te\u0301 cœur',
  'क्षत्रियों की कीमतें',
  'ราคาน้ำมันเพิ่มขึ้น',
  '広東省が、電力の供給を',
  '各국의 한국어 소식',
  'أخبارُ الشَّرِكات',
  'שָׁלוֹם עולם',
  'Coração à noção',
  '電力供應趨緊',
  '\u2067Apple تطلق\u2069',
];

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

describe('a copy with any subject and names', () => {
  it('has exactly its own header fields and no line that is too long', async () => {
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
      { numRuns: runs(80) },
    );
  });

  it('shows the subject as it was written, on one line', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (subject) => {
        const mail = await parsed({ edition: { subject: `S ${subject} E` } });
        expect(mail.subject).toBe(cleanLine(`S ${subject} E`));
      }),
      { numRuns: runs(80) },
    );
  });
});

describe('a copy for any valid address', () => {
  const dotAtom = fc
    .array(fc.constantFrom(..."abcXYZ019!#$%&'*+/=?^_`{|}~-."), { minLength: 1, maxLength: 64 })
    .map((letters) => letters.join(''));
  const label = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.constantFrom('bücher', '例え', 'straße', 'ＡＢＣ', 'xn--bcher-kva', 'a'.repeat(63)),
  );
  const domain = fc
    .array(label, { minLength: 1, maxLength: 4 })
    .chain((labels) => fc.constantFrom('example', 'рф', '中国').map((top) => [...labels, top].join('.')));
  const LONGEST = `${'x'.repeat(64)}@${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(59)}.example`;
  const address = fc.oneof(
    fc.tuple(dotAtom, domain).map((parts) => parts.join('@')),
    fc.constantFrom(LONGEST, "o'brien+{news}@example.com", '{|}~!#$%&@bücher.example', '-@example.com'),
  );

  it('has only that recipient in envelope and header, a valid signature and its own return path', async () => {
    const signers = [rsaSigner(), ed25519Signer()];
    const make = makerOf({ bounces: `${'b'.repeat(23)}@example.com`, signers });
    await fc.assert(
      fc.asyncProperty(address, fc.nat({ max: 2 ** 31 - 1 }), async (email, subscriberId) => {
        fc.pre(parseAddress(email).kind === 'valid');
        const message = await make({ subscriberId, email, tokenVersion: 1, expiresAt: null, now: 0 });
        const wire = wireAddress(email);
        expect(message.to).toBe(wire);
        expect(message.to).toMatch(/^[!-~]{3,254}$/);
        expect(headersOf(rawOf(message)).filter((line) => /^(To|Cc|Bcc):/i.test(line))).toEqual([`To: ${wire}`]);
        const [local = ''] = message.from.split('@');
        expect(local.length).toBeLessThanOrEqual(64);
        expect(readMailboxToken(SECRETS, local.split('+')[1] ?? '')).toMatchObject({ purpose: 'bounce', subscriberId });
        expect((await verify(message)).map(({ result }) => result)).toEqual(['pass', 'pass']);
      }),
      { numRuns: runs(60), examples: [[LONGEST, 1]] },
    );
    expect(LONGEST.length).toBe(254);
  });
});

describe('a copy with any articles', () => {
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

  it('shows text and HTML as they were written, with a valid signature', async () => {
    const signers = [ed25519Signer()];
    await fc.assert(
      fc.asyncProperty(article, article, article, async (before, between, after) => {
        const texts = [before, between, after].map((part) => part.toWellFormed().replace(/\r\n?/g, '\n'));
        const [first, second, third] = texts as [string, string, string];
        const compiled = `${first}[%%${NONCE}:preferences%%]${second}[%%${NONCE}:unsubscribe%%]${third}`;
        const message = await makerOf({ edition: { html: compiled, text: compiled }, signers })(ADA);
        const mail = await simpleParser(rawOf(message), { skipImageLinks: true });
        const [one, two, three] = texts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
        const [preferences, unsubscribe] = ['preferences', 'unsubscribe'].map(
          (page) => `\\[https://news\\.example/${page}/v[12]\\.[\\w-]+\\]`,
        );
        const expected = new RegExp(`^${one}${preferences}${two}${unsubscribe}${three}$`);
        expect(mail.text).toMatch(expected);
        expect(mail.html).toMatch(expected);
        const lines = rawOf(message).toString('latin1').split('\r\n');
        expect(lines.filter((line) => line.startsWith('.') || line.length > 998 || /[\r\n]/.test(line))).toEqual([]);
        expect(await verify(message)).toMatchObject([{ result: 'pass' }]);
      }),
      { numRuns: runs(60) },
    );
  });
});

it('splits encoded words between graphemes, and gives back the text', () => {
  const text = fc.array(fc.constantFrom(...SCRIPTS, ' ', 'plain words '), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(text, (parts) => {
      const line = cleanLine(parts.join(''));
      const words = headerText(line).split(' ');
      if (!words.every((word) => word.startsWith('=?'))) return;
      for (const word of words) expect(word.length).toBeLessThanOrEqual(66);
      const decoded = words.map((word) => decodeWord(word));
      expect(decoded.join('')).toBe(line);
      expect(decoded.flatMap(graphemesOf)).toEqual(graphemesOf(line));
    }),
    { numRuns: 300 },
  );
  expect(
    headerText(`x${'\u0301'.repeat(200)}`)
      .split(' ')
      .map(decodeWord)
      .join(''),
  ).toBe(`x${'\u0301'.repeat(200)}`);
});

function decodeWord(word: string): string {
  const [, , encoding, content = ''] = word.split('?');
  if (encoding === 'B') return Buffer.from(content, 'base64').toString();
  const bytes = content
    .replaceAll('_', ' ')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
