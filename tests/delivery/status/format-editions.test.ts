import { describe, expect, it } from 'vitest';
import {
  formatDelivery,
  formatLevels,
  formatProviderReports,
  formatRates,
  formatReports,
} from '../../../src/delivery/status/format-editions.ts';

const NONE = {
  delivered: null,
  complaints: 0,
  complaintPercent: 0,
  bounces: 0,
  bouncePercent: 0,
  rejected: 0,
  softBounces: 0,
};

it('says what was reported of an edition, and nothing where nothing was', () => {
  expect(formatReports(NONE)).toBe('');
  const some = { ...NONE, complaints: 9, complaintPercent: 0.3, bounces: 24, bouncePercent: 5.0001 };
  expect(formatReports({ ...some, delivered: 2_990, rejected: 20, softBounces: 1 })).toBe(
    '2990 delivered, 9 complaints (0.3 %), 24 bounces (5 %; 20 rejected at once), 1 soft bounce',
  );
  expect(formatRates(some)).toEqual(['9 complaints (0.3 %)', '24 bounces (5 %)']);
});

it('lists levels and mailbox providers', () => {
  const level = { percent: 0.3, messages: 3_000, noticed: '2026-11-24T08:00:00Z' };
  expect(
    formatLevels([
      { ...level, kind: 'complaint', level: 'pause', mailboxProvider: null },
      { ...level, kind: 'bounce', level: 'alert', mailboxProvider: 'Gmail' },
    ]),
  ).toEqual([
    '2026-11-24T08:00:00Z: complaints, 0.3 % of 3,000 messages: pause',
    '2026-11-24T08:00:00Z: bounces at Gmail, 0.3 % of 3,000 messages: alert',
  ]);
  const counts = { submitted: 1_200, complaints: 0, bounces: 1, softBounces: 0, senderBounces: 2, waiting: 3 };
  expect(formatProviderReports([{ mailboxProvider: 'Gmail', id: 'gmail', ...counts }])).toEqual([
    'Gmail: 1200 submitted, 1 bounce, 2 bounces because of the sender, 3 subscribers wait with a hard bounce',
  ]);
});

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
