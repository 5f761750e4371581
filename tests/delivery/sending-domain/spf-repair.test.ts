import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateSpf, type SpfResult } from '../../../src/delivery/sending-domain/spf/spf-evaluation.ts';
import { addToSpf, endWithSoftFail, mergeSpf } from '../../../src/delivery/sending-domain/spf/spf-repair.ts';
import { loadSpf } from '../../../src/delivery/sending-domain/spf/spf-tree.ts';
import type { Zone } from '../../support/name-server.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';
import { anySender, anySpf, anySpfZone } from './any-spf.ts';

/** The result of a record for a sender, where other records are those of the zone. */
async function resultOf(zone: Zone, text: string, sender: string): Promise<SpfResult['kind']> {
  const dns = zoneResolver({ ...zone, 'new.example.com': { TXT: [text], A: ['192.0.2.1'] } });
  return evaluateSpf(await loadSpf(dns, 'new.example.com'), sender).kind;
}

const NEW = '203.0.113.99';

describe('a suggested SPF record', () => {
  it.each([
    ['v=spf1 -all', 'v=spf1 ip4:203.0.113.99 -all'],
    ['v=spf1  a mx ~ALL', 'v=spf1 a mx ip4:203.0.113.99 ~ALL'],
    ['v=spf1 a -ip4:203.0.113.0/24 mx -all', 'v=spf1 a ip4:203.0.113.99 -ip4:203.0.113.0/24 mx -all'],
    ['v=spf1 a redirect=b.example.com', 'v=spf1 a ip4:203.0.113.99 redirect=b.example.com'],
    ['v=spf1 a', 'v=spf1 a ip4:203.0.113.99'],
    ['V=SPF1', 'v=spf1 ip4:203.0.113.99'],
  ])('adds a sender to "%s" as late as it counts', (before, after) => {
    expect(addToSpf(before, [`ip4:${NEW}`])).toBe(after);
  });

  it('authorises the sender that was added, and changes nothing for others', async () => {
    let authorised = 0;
    await fc.assert(
      fc.asyncProperty(anySpfZone, anySpf, anySender, async (zone, before, other) => {
        const after = addToSpf(before, [`ip4:${NEW}`]);
        expect(await resultOf(zone, after, other)).toBe(await resultOf(zone, before, other));
        const result = await resultOf(zone, after, NEW);
        // An invalid record, its own or an included one, is reported by itself.
        if (result !== 'permerror') expect(result).toBe('pass');
        if (result === 'pass') authorised += 1;
      }),
      { numRuns: 100 },
    );
    expect(authorised).toBeGreaterThan(10);
  });

  it('made of two authorises everyone whom one of them does', async () => {
    let authorised = 0;
    await fc.assert(
      fc.asyncProperty(anySpfZone, anySpf, anySpf, anySender, async (zone, one, another, sender) => {
        const results = [await resultOf(zone, one, sender), await resultOf(zone, another, sender)];
        const merged = await resultOf(zone, mergeSpf([one, another], []), sender);
        const isOpen = [one, another].some((text) => /(^| )\+?all( |$)/.test(text));
        if (merged === 'permerror' || isOpen || !results.includes('pass')) return;
        expect(merged).toBe('pass');
        authorised += 1;
      }),
      { numRuns: 200 },
    );
    expect(authorised).toBeGreaterThan(5);
  });

  it.each([
    [['v=spf1 a -all', 'v=spf1 a mx -all'], 'v=spf1 a mx -all'],
    [['v=spf1 a -all', 'v=spf1 mx'], 'v=spf1 a mx ~all'],
    [['v=spf1 +all', 'v=spf1 mx -all'], 'v=spf1 mx ~all'],
    [
      ['v=spf1 -ip4:192.0.2.1 a ~all', 'v=spf1 mx redirect=b.example.com'],
      'v=spf1 a mx include:b.example.com -ip4:192.0.2.1 ~all',
    ],
    [['v=spf1 a -all redirect=b.example.com mx', 'v=spf1 -all exp=c.example.com'], 'v=spf1 a -all'],
  ])('merges %j', (texts, merged) => {
    expect(mergeSpf(texts, [])).toBe(merged);
  });

  it.each([
    ['v=spf1 a +all', 'v=spf1 a ~all'],
    ['v=spf1 a', 'v=spf1 a ~all'],
    // What comes after all has never counted.
    ['v=spf1 a ?all ip4:0.0.0.0/0 redirect=b.example.com', 'v=spf1 a ~all'],
  ])('ends "%s" without letting everyone send', (before, after) => {
    expect(endWithSoftFail(before)).toBe(after);
  });
});
