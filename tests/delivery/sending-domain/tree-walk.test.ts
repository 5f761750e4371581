import { describe, expect, it } from 'vitest';
import { organizationalDomain, policyStep, walkDmarc } from '../../../src/delivery/sending-domain/dmarc/tree-walk.ts';
import type { Zone } from '../../support/name-server.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';

const dmarc = (tags: string) => ({ TXT: [`v=DMARC1; ${tags}`] });

async function walk(domain: string, zone: Zone) {
  const found = await walkDmarc(zoneResolver(zone), domain);
  return { organization: organizationalDomain(found), policy: policyStep(found)?.domain ?? null };
}

describe('the walk up the DNS tree (RFC 9989 §4.10)', () => {
  it.each<[string, string, Zone, string | null, string | null]>([
    [
      'takes the highest record for the organization',
      'a.b.example.com',
      { '_dmarc.b.example.com': dmarc('p=none'), '_dmarc.example.com': dmarc('p=none') },
      'example.com',
      'example.com',
    ],
    [
      'takes the own record for the policy',
      'a.example.com',
      { '_dmarc.a.example.com': dmarc('p=none'), '_dmarc.example.com': dmarc('p=none') },
      'example.com',
      'a.example.com',
    ],
    [
      'ends at psd=n',
      'a.b.example.com',
      { '_dmarc.b.example.com': dmarc('p=none; psd=n'), '_dmarc.example.com': dmarc('p=none') },
      'b.example.com',
      'b.example.com',
    ],
    [
      'ends below psd=y',
      'a.b.example.com',
      { '_dmarc.example.com': dmarc('p=reject; psd=y') },
      'b.example.com',
      'example.com',
    ],
    [
      'ignores psd=y of the domain itself',
      'example.com',
      { '_dmarc.example.com': dmarc('p=reject; psd=y') },
      'example.com',
      'example.com',
    ],
    ['finds no policy without a record', 'a.example.com', {}, 'a.example.com', null],
    ['knows nothing after a failed look-up', 'a.example.com', { '_dmarc.com': 'SERVFAIL' }, null, 'com'],
  ])('%s', async (_, domain, zone, organization, policy) => {
    expect(await walk(domain, zone)).toEqual({ organization, policy });
  });

  it('skips to seven labels, so that a long name costs eight look-ups', async () => {
    const asked: string[] = [];
    const dns = zoneResolver({});
    const record = (name: string) => {
      asked.push(name);
      return dns.txt(name);
    };
    const counting = { ...dns, txt: record };
    await walkDmarc(counting, 'a.b.c.d.e.f.g.h.example.com');
    expect(asked).toEqual([
      '_dmarc.a.b.c.d.e.f.g.h.example.com',
      '_dmarc.d.e.f.g.h.example.com',
      ...['_dmarc.e.f.g.h.example.com', '_dmarc.f.g.h.example.com', '_dmarc.g.h.example.com', '_dmarc.h.example.com'],
      ...['_dmarc.example.com', '_dmarc.com'],
    ]);
  });
});
