import { describe, expect, it } from 'vitest';
import { formatDelivery } from '../../../src/delivery/status/format-editions.ts';

const NOTHING = { submitted: 0, deferred: 0, failed: 0, suppressed: 0 };

describe('the text of a delivery report', () => {
  it.each([
    ['0 submitted', {}],
    ['4 submitted, 1 deferred, 2 failed', { submitted: 4, deferred: 1, failed: 2 }],
    ['0 submitted; service messages: 3 submitted, 1 failed', { service: { ...NOTHING, submitted: 3, failed: 1 } }],
    [
      '1 submitted; daily/2026-11-24 is paused: 550 5.7.1; stopped: 535 no',
      {
        submitted: 1,
        paused: [{ edition: 'daily/2026-11-24', editionId: 1, reason: '550 5.7.1' }],
        stopped: '535 no',
      },
    ],
  ])('is "%s"', (text, report) => {
    expect(formatDelivery({ ...NOTHING, service: NOTHING, paused: [], stopped: null, ...report })).toBe(text);
  });
});
