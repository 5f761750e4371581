import { isIP, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interfaceAddresses, openAddressGuard } from '../../../src/lib/guarded-fetch/address-guard.ts';

const guard = openAddressGuard();

describe('the address guard', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.170',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '::ffff:0:8.8.8.8',
    '64:ff9b::10.0.0.1',
    '64:ff9b::',
    '64:ff9b:1::8.8.8.8',
    '100::1',
    '2001::1',
    '2001:2::1',
    '2001:20::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '2002:808:808::1',
    '2620:4f:8000::1',
    '3fff::1',
    '4000::1',
    '5f00::1',
    'fc00::1',
    'fdff::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
  ])('refuses %s', (address) => {
    expect(guard(address, 443)).toBe('its address is not public');
  });

  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '11.0.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2001:200::1',
    '2606:4700:4700::1111',
    '2a00:1450::1',
  ])('allows %s', (address) => {
    expect(guard(address, 443)).toBeNull();
  });

  it('refuses what is not an IP address', () => {
    for (const text of ['', 'localhost', '127.1', '0x7f.1', '2130706433']) {
      expect(guard(text, 443)).toBe('it is not an IP address');
    }
  });

  it('refuses privileged ports other than those of the web', () => {
    expect(guard('8.8.8.8', 25)).toBe('its port 25 is not a web port');
    for (const port of [80, 443, 1024, 8080, 65_535]) expect(guard('8.8.8.8', port)).toBeNull();
  });

  it('allows only the ranges of the operator, on the same ports and in any notation', () => {
    const own = openAddressGuard({ allowed: ['10.1.0.0/16', 'fd00:1::/32', '::1/128'] });
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd00:1::7', '::1']) {
      for (const port of [80, 443, 1024, 8080]) expect(own(address, port)).toBeNull();
      expect(own(address, 25)).toBe('its port 25 is not a web port');
    }
    for (const address of ['10.2.0.1', '127.0.0.1', 'fd00:2::1', '::2']) expect(own(address, 443)).not.toBeNull();
  });

  it("refuses this machine's own addresses in any notation, public ones and those of allowed ranges too", () => {
    const ownAddresses = () => ['8.8.8.8', '10.1.0.5', '2606:4700:4700::1111'];
    const own = openAddressGuard({ allowed: ['10.1.0.0/16'], ownAddresses });
    const refused = ['8.8.8.8', '10.1.0.5', '::ffff:8.8.8.8', '64:ff9b::808:808', '64:ff9b::a01:5'];
    for (const address of [...refused, '2606:4700:4700:0::1111']) {
      expect(own(address, 443)).toBe('its address is one of this machine');
    }
    for (const address of ['8.8.8.9', '10.1.0.6', '2606:4700:4700::1112']) expect(own(address, 443)).toBeNull();
  });

  it('lists the addresses of the interfaces without loopback', () => {
    const listed = interfaceAddresses();
    for (const address of listed) expect(isIP(address)).not.toBe(0);
    expect(listed.filter((address) => address === '::1' || address.startsWith('127.'))).toEqual([]);
  });

  it('treats all notations of an IPv4 address alike', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }), (address, port) => {
        const hex = address
          .split('.')
          .map((byte) => Number(byte).toString(16).padStart(2, '0'))
          .join('');
        const groups = `${hex.slice(0, 4)}:${hex.slice(4)}`;
        const reason = guard(address, port);
        for (const form of [
          `::ffff:${address}`,
          `::FFFF:${groups}`,
          `0:0:0:0:0:ffff:${groups}`,
          `64:ff9b::${groups}`,
        ]) {
          expect(guard(form, port)).toBe(reason);
        }
      }),
    );
  });

  it('allows no IPv6 address outside of global unicast, except for embedded IPv4', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        if (guard(address, 443) !== null) return;
        const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
        expect(host).toMatch(/^(?:[23][0-9a-f]{3}:|::ffff:|64:ff9b::)/);
        expect(isIPv4(host)).toBe(false);
      }),
    );
  });
});
