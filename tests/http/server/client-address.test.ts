import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressBlock,
  clientKey,
  forwardedAddress,
  widerBlock,
  widerClientKey,
} from '../../../src/http/server/client-address.ts';
import { SECRETS } from '../../support/sample.ts';

describe('the address of a client', () => {
  it('is the socket’s without trusted proxies, whatever the header says', () => {
    expect(forwardedAddress('192.0.2.7', '198.51.100.1', 0)).toBe('192.0.2.7');
    expect(forwardedAddress('::ffff:192.0.2.7', null, 0)).toBe('192.0.2.7');
    expect(forwardedAddress('fe80::1%eth0', null, 0)).toBe('fe80::1');
    expect(forwardedAddress(null, '198.51.100.1', 0)).toBeNull();
  });

  it('is as many entries from the right as there are proxies, so that the client cannot forge it', () => {
    const spoofed = '203.0.113.66, 198.51.100.1';
    expect(forwardedAddress('10.0.0.1', spoofed, 1)).toBe('198.51.100.1');
    expect(forwardedAddress('10.0.0.1', `${spoofed}, 10.0.0.2`, 2)).toBe('198.51.100.1');
    expect(forwardedAddress('10.0.0.1', '198.51.100.1', 2)).toBe('198.51.100.1');
  });

  it('is read with a port, in brackets and with white space around it', () => {
    expect(forwardedAddress('10.0.0.1', ' 198.51.100.1:4711 ', 1)).toBe('198.51.100.1');
    expect(forwardedAddress('10.0.0.1', '[2001:db8::1]:4711', 1)).toBe('2001:db8::1');
    expect(forwardedAddress('10.0.0.1', '198.51.100.9,\t2001:db8::1', 1)).toBe('2001:db8::1');
  });

  it('is the proxy’s if the header has no address at that position', () => {
    for (const header of [null, '', 'unknown', '_hidden', '198.51.100.1, <script>', '198.51.100.1,', '999.1.1.1']) {
      expect([header, forwardedAddress('10.0.0.1', header, 1)]).toEqual([header, '10.0.0.1']);
    }
  });

  it('never comes from the entries before the proxy’s own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.ipV4(), (written, seen) => {
        expect(forwardedAddress('10.0.0.1', `${written}, ${seen}`, 1)).toBe(seen);
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
