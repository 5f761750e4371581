import fc from 'fast-check';
import { spf } from 'mailauth/lib/spf/index.js';
import { describe, expect, it } from 'vitest';
import { evaluateSpf } from '../../../src/delivery/sending-domain/spf/spf-evaluation.ts';
import { loadSpf } from '../../../src/delivery/sending-domain/spf/spf-tree.ts';
import type { Zone } from '../../support/name-server.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';
import { anySender, anySpfZone } from './any-spf.ts';

describe('the evaluation of SPF', () => {
  it('has the results of another implementation', async () => {
    const results = new Set<string>();
    await fc.assert(
      fc.asyncProperty(anySpfZone, anySender, async (zone, ip) => {
        const ours = evaluateSpf(await loadSpf(zoneResolver(zone), 'a.example.com'), ip);
        const theirs = await spf({
          ip,
          sender: 'x@a.example.com',
          helo: 'x.example',
          resolver: ask(zone),
          maxResolveCount: 200,
          maxVoidCount: 200,
          strict: true,
        });
        results.add(ours.kind);
        expect(ours.kind).toBe(theirs.status.result);
      }),
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
