import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localInstants, withoutAddresses } from '../../../../src/web/desk/parts/operator-text.ts';
import { processorTime } from '../../../support/processor-time.ts';

// 20:00 on Tuesday, November 24, 2026 in Shanghai.
const NOW = Date.UTC(2026, 10, 24, 12);

describe('sentences for operators', () => {
  it('have their instants in the zone of the publication', () => {
    const text =
      'It has failed since 2026-11-24T01:30:00Z, and is tried at 2026-11-24T16:05:00Z; see 2026-13-99T00:00:00Z.';
    expect(localInstants(text, NOW, 'Asia/Shanghai')).toBe(
      'It has failed since today 09:30, and is tried at tomorrow 00:05; see 2026-13-99T00:00:00Z.',
    );
  });

  it('have no email address, and keep the names of revisions', () => {
    const text =
      'Resume it with "daywire editions resume daily/2026-11-24@1": <ann@example.org> refused, and b@c.example.';
    expect(withoutAddresses(text)).toBe(
      'Resume it with "daywire editions resume daily/2026-11-24@1": <address> refused, and <address>.',
    );
    expect(withoutAddresses('daily/2026-11-24@example.org')).not.toContain('example.org');
  });

  it('have no address whatever surrounds it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(withoutAddresses(`${before} ann@example.org ${after}`)).not.toContain('ann@example.org');
      }),
    );
  });

  it('take linear time', () => {
    const long = 'a/2026-11-24@'.repeat(20_000);
    const time = processorTime(() => {
      withoutAddresses(long);
      localInstants('2026-11-24T01:30:00'.repeat(20_000), NOW, 'UTC');
    });
    expect(time).toBeLessThan(2_000);
  });
});
