import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DailyLimit } from '../../../src/delivery/limits/daily-limit.ts';
import { ClaimBuffer } from '../../../src/delivery/queue/claim-buffer.ts';
import { type Clock, MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { queueConfirmation, testConfig } from '../fixture.ts';

function openBuffer(
  store: Store,
  {
    clock = () => NOW,
    mayClaim = async () => true,
    perDay,
  }: { clock?: Clock; mayClaim?: () => Promise<boolean>; perDay?: number } = {},
): ClaimBuffer {
  const dailyLimit = perDay === undefined ? null : DailyLimit.open(testConfig({ delivery: { perDay } }));
  const callbacks = { mayClaim, onClaimed: () => {}, onServiceExpired: () => {} };
  return new ClaimBuffer(store, { workers: 4, clock, dailyLimit, uncertain: 'retry', ...callbacks });
}

async function takeEmail(buffer: ClaimBuffer): Promise<string | null> {
  return (await buffer.next())?.claim.email ?? null;
}

/** Takes messages until there are none. */
async function takeAll(buffer: ClaimBuffer): Promise<string[]> {
  const taken: string[] = [];
  for (;;) {
    const email = await takeEmail(buffer);
    if (email === null) return taken;
    taken.push(email);
  }
}

describe('ClaimBuffer', () => {
  forBothDatabases((open) => {
    it('hands out service messages first, then each delivery once, over several workers', async () => {
      const store = await open();
      const emails = Array.from({ length: 125 }, (_, n) => `a${n}@domain${n % 5}.example`);
      await queueEdition(store, emails);
      await queueConfirmation(store, 'new@example.com');
      const buffer = openBuffer(store);
      const first = await takeEmail(buffer);
      expect(first).toBe('new@example.com');
      const taken = await Promise.all([1, 2, 3, 4].map(() => takeAll(buffer)));
      expect(taken.flat().sort()).toEqual(emails.sort());
    });

    it('returns unused places of the daily limit in the quarter of an hour in which they were taken', async () => {
      const store = await open();
      await queueEdition(store, 5);
      let now = NOW;
      const buffer = openBuffer(store, { clock: () => now, perDay: 100 });
      await buffer.next();
      now += 15 * MINUTE;
      await buffer.release();
      expect(await store.db.selectFrom('submission_counts').select('count').execute()).toEqual([{ count: 1 }]);
    });

    it('claims again for a worker that called while a claim was under way, which looked too early', async () => {
      const store = await open();
      await queueEdition(store, ['ada@example.com']);
      const gate = Promise.withResolvers<boolean>();
      // Service messages ask first.
      const answers = [async () => true, async () => gate.promise];
      const buffer = openBuffer(store, { mayClaim: () => (answers.shift() ?? (async () => true))() });
      const taken = [takeEmail(buffer), takeEmail(buffer)];
      gate.resolve(false);
      expect(await Promise.all(taken)).toContain('ada@example.com');
    });
  });
});
