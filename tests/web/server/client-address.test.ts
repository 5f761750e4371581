import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBlock, openRanges, widerBlock } from '../../../src/lib/cidr.ts';
import { clientKey, forwardedAddress, widerClientKey } from '../../../src/web/server/client-address.ts';
import { SECRETS } from '../../support/sample.ts';

const isTrusted = openRanges(['10.0.0.0/8', '127.0.0.0/8', '::1/128', 'fd00::/8']);

describe('the address of a client', () => {
  it('is the peer’s if that is not a trusted proxy, whatever the header says', () => {
    expect(forwardedAddress('192.0.2.7', '198.51.100.1', isTrusted)).toBe('192.0.2.7');
    expect(forwardedAddress('192.0.2.7', null, isTrusted)).toBe('192.0.2.7');
    expect(forwardedAddress(null, '198.51.100.1', isTrusted)).toBeNull();
  });

  it('is the rightmost one that is not a trusted proxy’s, so that the client cannot forge it', () => {
    const spoofed = '203.0.113.66, 198.51.100.1';
    expect(forwardedAddress('10.0.0.1', spoofed, isTrusted)).toBe('198.51.100.1');
    expect(forwardedAddress('10.0.0.1', `${spoofed}, 10.0.0.2`, isTrusted)).toBe('198.51.100.1');
    expect(forwardedAddress('::1', `${spoofed}, 10.0.0.2, fd00::7`, isTrusted)).toBe('198.51.100.1');
    // A visitor in the network of the proxies.
    expect(forwardedAddress('127.0.0.1', '10.0.0.9, 10.0.0.2', isTrusted)).toBe('10.0.0.9');
  });

  it('is read with a port, in brackets, with white space, a zone, or as an IPv4-mapped address', () => {
    for (const [entry, address] of [
      [' 198.51.100.1:4711 ', '198.51.100.1'],
      ['[2001:db8::1]:4711', '2001:db8::1'],
      ['198.51.100.9,\t2001:DB8:0:0::1', '2001:db8::1'],
      ['::ffff:198.51.100.1', '198.51.100.1'],
      ['[::FFFF:c633:6401]', '198.51.100.1'],
      ['fe80::1%eth0', 'fe80::1'],
      ['198.51.100.1, ::ffff:10.0.0.2', '198.51.100.1'],
    ] as const) {
      expect([entry, forwardedAddress('10.0.0.1', entry, isTrusted)]).toEqual([entry, address]);
    }
  });

  it('is that of the last proxy which named no address', () => {
    for (const header of [null, '', 'unknown', '_hidden', '198.51.100.1, <script>', '198.51.100.1,', '999.1.1.1']) {
      expect([header, forwardedAddress('10.0.0.1', header, isTrusted)]).toEqual([header, '10.0.0.1']);
    }
    expect(forwardedAddress('10.0.0.1', '198.51.100.1, unknown, 10.0.0.2', isTrusted)).toBe('10.0.0.2');
  });

  it('depends on nothing left of an address that is not trusted, and only trusted ones are right of it', () => {
    const proxies = fc.array(fc.constantFrom('10.0.0.1', '127.0.0.1', '::1', 'fd00::7', '::ffff:10.9.8.7'));
    const stranger = fc.oneof(fc.ipV4(), fc.ipV6()).filter((address) => {
      const plain = forwardedAddress('10.0.0.1', address, isTrusted);
      return plain !== null && !isTrusted(plain);
    });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), stranger, proxies, (written, client, chain) => {
        const plain = forwardedAddress('10.0.0.1', client, isTrusted);
        expect(forwardedAddress('10.0.0.1', [written, client, ...chain].join(', '), isTrusted)).toBe(plain);
        expect(forwardedAddress('10.0.0.1', [client, ...chain].join(','), isTrusted)).toBe(plain);
        expect(forwardedAddress(plain, [written, ...chain].join(', '), isTrusted)).toBe(plain);
      }),
    );
  });

  it('has a rate limit for its /64 with IPv6, and for itself with IPv4', () => {
    expect(addressBlock('192.0.2.7')).toBe('192.0.2.7');
    expect(addressBlock('2001:db8:0:7:1:2:3:4')).toBe('2001:db8:0:7');
    expect(addressBlock('2001:0DB8:0000:0007::9')).toBe('2001:db8:0:7');
    expect(addressBlock('2001:db8::1')).toBe('2001:db8:0:0');
    expect(addressBlock('::1')).toBe('0:0:0:0');
    expect(addressBlock('::')).toBe('0:0:0:0');
    expect(addressBlock('64:ff9b::192.0.2.7')).toBe('64:ff9b:0:0');
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect(addressBlock(address)).toMatch(/^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){3}$/);
      }),
    );
  });

  it('belongs to a wider block: an IPv4 /24 or an IPv6 /48', () => {
    expect(widerBlock('192.0.2.7')).toBe('192.0.2');
    expect(widerBlock('2001:db8:0:7:1:2:3:4')).toBe('2001:db8:0');
    expect(widerBlock('::1')).toBe('0:0:0');
    const key = widerClientKey(SECRETS, '2001:db8:0:7::1');
    expect(widerClientKey(SECRETS, '2001:db8:0:8::1')).toBe(key);
    expect(widerClientKey(SECRETS, '2001:db8:1:7::1')).not.toBe(key);
    // No client shares its key with a block.
    expect([null, '2001:db8:0:7::1', '192.0.2.7'].map((one) => clientKey(SECRETS, one))).not.toContain(
      widerClientKey(SECRETS, null),
    );
  });

  it('is stored as a keyed hash, which differs between clients', () => {
    const key = clientKey(SECRETS, '2001:db8:0:7::1');
    expect(key).toMatch(/^client [\w-]{43}$/);
    expect(clientKey(SECRETS, '2001:db8:0:7:ffff::2')).toBe(key);
    expect(clientKey(SECRETS, '2001:db8:0:8::1')).not.toBe(key);
    expect(clientKey(['another secret, as long as the first one'], '2001:db8:0:7::1')).not.toBe(key);
    expect(clientKey(SECRETS, null)).toBe(clientKey(SECRETS, null));
  });
});
