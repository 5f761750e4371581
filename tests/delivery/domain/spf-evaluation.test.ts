import fc from 'fast-check';
import { spf } from 'mailauth/lib/spf/index.js';
import { describe, expect, it } from 'vitest';
import { evaluateSpf } from '../../../src/delivery/domain/spf/spf-evaluation.ts';
import { loadSpf } from '../../../src/delivery/domain/spf/spf-tree.ts';
import type { Zone } from '../../support/name-server.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';

const NAMES = ['a.example.com', 'b.example.com', 'c.example.com', 'd.example.com'];

const HOSTS: Zone = {
  'four.example.com': { A: ['192.0.2.1', '192.0.2.77'] },
  'both.example.com': { A: ['198.51.100.9'], AAAA: ['2001:db8::1'] },
  'mail.example.com': { MX: ['10 four.example.com', '20 both.example.com'] },
};

const name = fc.constantFrom(...NAMES, 'none.example.com');
const host = fc.constantFrom('four.example.com', 'both.example.com', 'mail.example.com', 'none.example.com');
const prefix = fc.constantFrom('', '/24', '//64', '/16//32', '/0', '/33');
const mechanism = fc.oneof(
  name.map((one) => `include:${one}`),
  fc.tuple(fc.constantFrom('a', 'mx', 'A', 'MX'), host, prefix).map(([kind, one, range]) => `${kind}:${one}${range}`),
  host.map((one) => `exists:${one}`),
  fc.constantFrom('a', 'mx', 'mx//48', 'ip4:192.0.2.0/24', 'ip4:192.0.2.1', 'ip4:192.0.2', 'ip6:2001:db8::/32', 'all'),
  fc.constantFrom('ip6:192.0.2.1', 'include:', 'ip4', 'all:a', 'nothing', 'x=', '+x=y', 'exp=a.example.com'),
);
const directive = fc.tuple(fc.constantFrom('', '+', '-', '~', '?'), mechanism).map((parts) => parts.join(''));
const ending = fc.oneof(
  fc.constantFrom('', '-all', '~all'),
  name.map((one) => `redirect=${one}`),
);
const record = fc
  .tuple(fc.array(directive, { maxLength: 4 }), ending)
  .map(([terms, last]) => ['v=spf1', ...terms, last].join(' ').trimEnd());
const texts = fc.oneof(
  { weight: 8, arbitrary: record.map((one) => [one, 'unrelated']) },
  { weight: 1, arbitrary: fc.constantFrom<string[]>([], ['v=spf10 all']) },
  { weight: 1, arbitrary: fc.tuple(record, record) },
);

describe('the evaluation of SPF', () => {
  it('has the results of another implementation', async () => {
    const results = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(texts, texts, texts, texts),
        fc.constantFrom('192.0.2.1', '198.51.100.9', '203.0.113.5', '2001:db8::1', '2001:db9::1'),
        async (records, ip) => {
          const zone: Zone = { ...HOSTS };
          for (const [index, one] of NAMES.entries()) zone[one] = { TXT: records[index] ?? [], A: ['192.0.2.1'] };
          const ours = evaluateSpf(await loadSpf(zoneResolver(zone), 'a.example.com'), ip);
          const limits = { maxResolveCount: 200, maxVoidCount: 200, strict: true };
          const theirs = await spf({
            ip,
            sender: 'x@a.example.com',
            helo: 'x.example',
            resolver: ask(zone),
            ...limits,
          });
          results.add(ours.kind);
          expect(ours.kind, `${JSON.stringify(records)} ${ip}`).toBe(theirs.status.result);
        },
      ),
      { numRuns: 150 },
    );
    expect([...results].sort()).toEqual(['fail', 'neutral', 'none', 'pass', 'permerror', 'softfail']);
  });
});

/** The zone as that implementation asks for it. */
function ask(zone: Zone) {
  return async (domain: string, type: string): Promise<string[] | string[][]> => {
    const node = zone[domain];
    const found = typeof node === 'object' ? (node[type as 'TXT'] ?? []) : [];
    if (found.length === 0) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
    if (type === 'TXT') return found.map((text) => [text].flat());
    if (type !== 'MX') return found.map(String);
    // Its types do not know records of MX.
    return found.map((text) => {
      const [priority, exchange] = String(text).split(' ');
      return { priority: Number(priority), exchange } as never;
    });
  };
}
