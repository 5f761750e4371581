import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactAddresses } from '../../../src/delivery/transport/redact-addresses.ts';
import { anyText } from '../../support/any-text.ts';

const atom = fc.string({ unit: fc.constantFrom(..."abzAZ09!#$&'*+/=?^_`{}|~-%üß三я"), minLength: 1, maxLength: 8 });
// Without the characters of an atom that separate words: what precedes them would remain.
const local = fc
  .array(
    atom.filter((text) => !/[{}|]/.test(text)),
    { minLength: 1, maxLength: 3 },
  )
  .map((atoms) => `x${atoms.join('.')}`);
const label = fc.constantFrom('example', 'com', 'bücher', 'xn--bcher-kva', '三星', 'mail-1');
const domain = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
const address = fc
  .tuple(local, fc.constantFrom('@', '@', '@', '%40'), domain)
  .filter(([before]) => !before.includes('%40'))
  .map((parts) => parts.join(''));
const within = fc.constantFrom(
  ['', ''],
  ['<', '>'],
  ['<', '>:'],
  ['(', ')'],
  ['"', '",'],
  ['[', ']'],
  ['<mailto:', '>;'],
  ['', '.'],
  ['', '!'],
);
const word = anyText(12).map((text) => text.replace(/[\s@]|%40/g, '-'));

describe('redactAddresses', () => {
  it.each([
    ['554 5.7.1 <ada@example.com>: Relay access denied', '554 5.7.1 <address>: Relay access denied'],
    ['553 5.7.1 <news+babc234@example.com>: Sender address rejected', '553 5.7.1 <address>: Sender address rejected'],
    ['550 no such user ada@bücher.example.', '550 no such user <address>.'],
    ['550 <"ada lovelace"@example.com> unknown', '550 <address> unknown'],
    ["550 o'brien@example.com unknown", '550 <address> unknown'],
    ['550 ada@[192.0.2.1] and ada@[IPv6:2001:db8::1]: no', '550 <address> and <address>: no'],
    ['550 ada@old.example@relay.example', '550 <address>'],
    ['550 <ada@example.com', '550 <address>'],
    ['550 rfc822;ada@example.com', '550 rfc822;<address>'],
    [
      '550 see http://spf.example/why?s=mfrom;id=ada%40example.com;ip=192.0.2.1',
      '550 see http://spf.example/why?s=mfrom;<address>;ip=192.0.2.1',
    ],
    ['550 see http://spf.example/why/a%40b.example/c@d.example', '550 see http://spf.example/why/<address>'],
    ['/var/mail/daily/ada@example.com.eml cannot be written', '/var/mail/daily/<address> cannot be written'],
    [
      '550 5.7.1 [192.0.2.1] is blocked @ the border; 40% of it',
      '550 5.7.1 [192.0.2.1] is blocked @ the border; 40% of it',
    ],
  ])('turns %j into %j', (text, expected) => {
    expect(redactAddresses(text)).toBe(expected);
  });

  it('removes every address and keeps every other word', () => {
    const part = fc.oneof(
      word.map((text) => ({ text, expected: text })),
      fc.tuple(within, address).map(([[before, after], text]) => ({
        text: `${before}${text}${after}`,
        expected: `${before.replace(/<$/, '')}<address>${after.replace(/^>/, '')}`,
      })),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const redacted = redactAddresses(parts.map(({ text }) => text).join(' '));
        expect(redacted).toBe(parts.map(({ expected }) => expected).join(' '));
      }),
    );
  });

  it('leaves nothing that looks like an address in any text', () => {
    const text = fc
      .array(fc.oneof(anyText(10), fc.constantFrom('@', '%40', 'a', '"', '/', '.', '<', '>')))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (any) => {
        expect(redactAddresses(any)).not.toMatch(/[\p{L}\p{N}](@|%40)[\p{L}\p{N}]/u);
      }),
    );
  });
});
