import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { listPausedDomains, pauseDomain, resumeDomains } from '../../../src/delivery/control/paused-domains.ts';
import { claimDeliveries } from '../../../src/delivery/queue/claim.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf } from '../fixture.ts';

const EMAILS = ['ada@example.com', 'bo@Closed.Example', 'cy@closed.example', 'di@shut.example'];
const REASON = 'it answered: 550 5.7.1 no';

async function claimedAt(store: Store, now: number): Promise<(string | null)[]> {
  const options = { now, limit: 10, leaseMs: MINUTE, uncertain: 'retry' as const, dailyLimit: null };
  const { deliveries } = await claimDeliveries(store, options);
  return deliveries.map(({ email }) => email);
}

async function pause(store: Store, editionId: number, ...domains: string[]): Promise<void> {
  await store.db.transaction().execute(async (tx) => {
    for (const domain of domains) {
      const paused = { editionId, domain, reason: REASON, since: NOW };
      expect(await pauseDomain(tx, paused)).toBe(true);
      expect(await pauseDomain(tx, { ...paused, reason: 'later' })).toBe(false);
    }
  });
}

describe('a paused domain', () => {
  forEachDatabase((open) => {
    it('is not claimed for its edition until it is resumed, and the other domains are', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, EMAILS);
      await pause(store, editionId, 'shut.example', 'closed.example');
      expect(await listPausedDomains(store.db, [editionId])).toEqual([
        { editionId, domain: 'closed.example', reason: REASON, since: NOW },
        { editionId, domain: 'shut.example', reason: REASON, since: NOW },
      ]);
      expect(await claimedAt(store, NOW)).toEqual(['ada@example.com']);
      expect(await deliveriesOf(store)).toMatchObject([
        { attempts: 0 },
        { state: 'pending', attempts: 0, reason: expect.stringMatching(/^waits .* closed\.example is paused/) },
        { state: 'pending', attempts: 0, reason: expect.stringMatching(/^waits .* closed\.example is paused/) },
        { state: 'pending', attempts: 0, reason: expect.stringMatching(/^waits .* shut\.example is paused/) },
      ]);
      expect(await resumeDomains(store.db, editionId, NOW + MINUTE, 'closed.example')).toEqual(['closed.example']);
      expect((await claimedAt(store, NOW + MINUTE)).sort()).toContain('cy@closed.example');
      expect(await claimedAt(store, NOW + MINUTE)).toEqual([]);
      expect(await resumeDomains(store.db, editionId, NOW + MINUTE)).toEqual(['shut.example']);
      expect(await claimedAt(store, NOW + MINUTE)).toEqual(['di@shut.example']);
    });

    it('is forgotten with the erasure of the last subscriber who waits for it, and with no other', async () => {
      const store = await open();
      const emails = ['ada@Lovelace.example', 'bo@bücher.example', 'cy@xn--bcher-kva.example', 'di@shut.example'];
      const { editionId, subscriberIds } = await queueEdition(store, emails);
      await pause(store, editionId, 'lovelace.example', 'bücher.example', 'shut.example');
      const paused = async () => (await listPausedDomains(store.db, [editionId])).map(({ domain }) => domain);
      const [ada, bo, cy] = subscriberIds as [number, number, number];
      await store.db
        .updateTable('subscribers')
        .set({ email_key: 'bo@xn--bcher-kva.example' })
        .where('id', '=', bo)
        .execute();
      await eraseSubscriber(store.db, SECRETS, ada, NOW);
      await eraseSubscriber(store.db, SECRETS, bo, NOW);
      expect(await paused()).toEqual(['bücher.example', 'shut.example']);
      await eraseSubscriber(store.db, SECRETS, cy, NOW);
      expect(await paused()).toEqual(['shut.example']);
    });

    it('lets its deliveries expire with the edition', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, EMAILS);
      await store.db
        .updateTable('deliveries')
        .set({ expires_at: NOW + 3 * HOUR })
        .execute();
      await pause(store, editionId, 'closed.example');
      for (const hours of [0, 1, 2, 3]) await claimedAt(store, NOW + hours * HOUR);
      const states = (await deliveriesOf(store)).map(({ state }) => state);
      expect(states[1]).toBe('failed');
      expect(states[2]).toBe('failed');
    });
  });
});
