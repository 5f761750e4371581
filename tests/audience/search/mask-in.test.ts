import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maskIn } from '../../../src/audience/search/mask-in.ts';
import { processorTime } from '../../support/processor-time.ts';

const ADDRESS = 'Jun.Li@bücher.example';

it('masks the address in a reply, as it was given, in A-labels and in any case', () => {
  expect(maskIn('550 5.1.1 <jun.li@xn--bcher-kva.example>: no such user', ADDRESS)).toBe(
    '550 5.1.1 <J…@bücher.example>: no such user',
  );
  expect(maskIn('550 JUN.LI@BÜCHER.EXAMPLE unknown', ADDRESS)).toBe('550 J…@bücher.example unknown');
  expect(maskIn('550 mailbox jun.li is full', ADDRESS)).toBe('550 mailbox J… is full');
});

it('masks other addresses, such as that to which mail is forwarded, and leaves the rest', () => {
  expect(maskIn('552 forwarded to=<j.li@home.example.com> (full)', ADDRESS)).toBe(
    '552 forwarded to=<j…@home.example.com> (full)',
  );
  const reply = '421 4.7.0 mx.example.com: try again later, see https://example.com/help';
  expect(maskIn(reply, ADDRESS)).toBe(reply);
});

it.each([
  ['550 https://postmaster.example/why?rcpt=joe%40example.com', '550 https:/…@example.com'],
  ['554 SRS0=Ab1=T7=home.example=joe@example.com', '554 S…@example.com'],
  ['554 from bounce+joe=home.example@list.example.com', '554 from b…@list.example.com'],
])('masks an address within a link or a return path: %s', (reply, masked) => {
  expect(maskIn(reply, 'li@example.net')).toBe(masked);
});

it('never leaves the address in any text, and takes no long time', () => {
  const text = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('jun.li@xn--bcher-kva.example')));
  fc.assert(
    fc.property(text, (parts) => {
      expect(maskIn(parts.join(' '), ADDRESS).toLowerCase()).not.toContain('jun.li');
    }),
  );
  for (const long of ['a'.repeat(100_000), 'a@'.repeat(50_000)]) {
    expect(processorTime(() => void maskIn(long, ADDRESS))).toBeLessThan(2_000);
  }
});
