import { describe, expect, it } from 'vitest';
import { judgePtr } from '../../../src/delivery/sending-domain/judge-ptr.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';
import { OWN_SERVER } from './sending-zone.ts';

describe('the name of an IP address', () => {
  it.each(['a b.example.com', 'a\\027[31m.example.com', '*.example.com'])(
    'is quoted, but not suggested as a record, where it is no host name: %s',
    async (name) => {
      const dns = zoneResolver({ '10.2.0.192.in-addr.arpa': { PTR: [name] } });
      const judged = await judgePtr(dns, '192.0.2.10', OWN_SERVER);
      expect(judged).toMatchObject({ verdict: 'fail', message: expect.stringContaining(name) });
      expect(judged.record).toBeUndefined();
    },
  );

  it('is not known where its addresses of the same family cannot be looked up', async () => {
    const dns = zoneResolver({
      '10.2.0.192.in-addr.arpa': { PTR: ['out.example.com'] },
      'out.example.com': { AAAA: ['2001:db8::1'] },
    });
    const failing = { ...dns, a: async () => ({ kind: 'failed' as const, reason: 'no name server answered in time' }) };
    expect(await judgePtr(failing, '192.0.2.10', OWN_SERVER)).toMatchObject({
      verdict: 'unknown',
      message: 'the address of out.example.com could not be looked up: no name server answered in time',
    });
  });
});
