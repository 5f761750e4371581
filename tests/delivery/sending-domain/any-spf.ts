/**
 * Arbitrary SPF records that name each other, and the zone that holds them.
 */
import fc from 'fast-check';
import type { Zone } from '../../support/name-server.ts';

/** Domains with a record of their own. */
const NAMES = ['a.example.com', 'b.example.com', 'c.example.com', 'd.example.com'] as const;

const HOSTS: Zone = {
  'four.example.com': { A: ['192.0.2.1', '192.0.2.77'] },
  'both.example.com': { A: ['198.51.100.9'], AAAA: ['2001:db8::1'] },
  'mail.example.com': { MX: ['10 four.example.com', '20 both.example.com'] },
};

const name = fc.constantFrom(...NAMES, 'none.example.com');
const host = fc.constantFrom('four.example.com', 'both.example.com', 'mail.example.com', 'none.example.com');
const prefix = fc.constantFrom('', '/24', '//64', '/16//32', '/0', '/33');
const valid = fc.oneof(
  name.map((one) => `include:${one}`),
  fc.tuple(fc.constantFrom('a', 'mx', 'A', 'MX'), host, prefix).map(([kind, one, range]) => `${kind}:${one}${range}`),
  host.map((one) => `exists:${one}`),
  fc.constantFrom('a', 'mx', 'mx//48', 'ip4:192.0.2.0/24', 'ip4:192.0.2.1', 'ip6:2001:db8::/32', 'all'),
);
const invalid = fc.constantFrom(
  ...['ip4:192.0.2', 'ip6:192.0.2.1', 'include:', 'ip4', 'all:a', 'nothing', 'x=', '+x=y', 'exp=a.example.com'],
);
const mechanism = fc.oneof({ weight: 15, arbitrary: valid }, { weight: 1, arbitrary: invalid });
const directive = fc.tuple(fc.constantFrom('', '+', '-', '~', '?'), mechanism).map((parts) => parts.join(''));
const ending = fc.oneof(
  fc.constantFrom('', '-all', '~all'),
  name.map((one) => `redirect=${one}`),
);

export const anySpf = fc
  .tuple(fc.array(directive, { maxLength: 4 }), ending)
  .map(([terms, last]) => ['v=spf1', ...terms, last].join(' ').trimEnd());

const texts = fc.oneof(
  { weight: 8, arbitrary: anySpf.map((one) => [one, 'unrelated']) },
  { weight: 1, arbitrary: fc.constantFrom<string[]>([], ['v=spf10 all']) },
  { weight: 1, arbitrary: fc.tuple(anySpf, anySpf) },
);

/** Records at `a.example.com` and three others. */
export const anySpfZone: fc.Arbitrary<Zone> = fc.tuple(texts, texts, texts, texts).map((records) => ({
  ...HOSTS,
  ...Object.fromEntries(NAMES.map((one, index) => [one, { TXT: records[index] ?? [], A: ['192.0.2.1'] }])),
}));

export const anySender = fc.constantFrom('192.0.2.1', '198.51.100.9', '203.0.113.5', '2001:db8::1', '2001:db9::1');
