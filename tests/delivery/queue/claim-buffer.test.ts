import { describe, expect, it } from 'vitest';
import { type DeliveryRows, storeDeliveries } from '../../../scripts/complaints/deliver-rows.ts';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { pauseDomain } from '../../../src/delivery/control/paused-domains.ts';
import { type DeliveryRateLimiter, openRateLimiter } from '../../../src/delivery/limits/rate-limiter.ts';
import { type BufferedDelivery, ClaimBuffer } from '../../../src/delivery/queue/claim-buffer.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { testConfig } from '../fixture.ts';

const WORKERS = [1, 2, 3, 4].map((n) => ({ n }));
const addresses = (count: number, domain: string) => Array.from({ length: count }, (_, n) => `a${n}@${domain}`);

function openBuffer(
  store: Store,
  {
    workers = WORKERS.length,
    clock = () => NOW,
    rateLimiter = null,
    mayClaim = async () => true,
  }: {
    workers?: number;
    clock?: () => number;
    rateLimiter?: DeliveryRateLimiter | null;
    mayClaim?: () => Promise<boolean>;
  } = {},
): ClaimBuffer {
  return new ClaimBuffer(store, { workers, clock, rateLimiter, mayClaim, uncertain: 'retry', onClaimed: () => {} });
}

/** Takes the next delivery of a worker and keeps it. */
async function take(buffer: ClaimBuffer, worker: object): Promise<BufferedDelivery | null> {
  const delivery = await buffer.next(worker);
  if (delivery !== null) buffer.keep(delivery);
  return delivery;
}

/** Takes deliveries until there are none, one after the other. @param taken their addresses are added */
async function takeAll(buffer: ClaimBuffer, worker: object, taken: string[]): Promise<void> {
  let current: BufferedDelivery | null = null;
  for (;;) {
    const next = await take(buffer, worker);
    if (current !== null) buffer.finish(current);
    if (next === null) return;
    taken.push(next.email!);
    current = next;
  }
}

describe('ClaimBuffer', () => {
  forBothDatabases((open) => {
    it('leaves half of the workers to other domains, wherever in the queue these wait', async () => {
      const store = await open();
      // More than a claim: the buffer is full of the slow domain.
      await queueEdition(store, [...addresses(300, 'slow.example'), ...addresses(150, 'bücher.example')]);
      const buffer = openBuffer(store);
      const slow = [await take(buffer, WORKERS[0]!), await take(buffer, WORKERS[1]!)];
      expect(slow.map((delivery) => delivery?.email)).toEqual(['a0@slow.example', 'a1@slow.example']);
      const others: (string | null | undefined)[] = [];
      for (let n = 0; n < 150; n++) {
        const delivery = await take(buffer, WORKERS[2 + (n % 2)]!);
        others.push(delivery?.email);
        buffer.finish(delivery!);
      }
      expect(others).toEqual(addresses(150, 'bücher.example'));
      // Only the slow domain is left: it may use all workers.
      expect((await take(buffer, WORKERS[2]!))?.email).toBe('a2@slow.example');
      expect((await take(buffer, WORKERS[3]!))?.email).toBe('a3@slow.example');
      expect(await buffer.release()).toBeLessThanOrEqual(200);
    });

    it('hands out what was due before the clock was set back by half a minute', async () => {
      const store = await open();
      await queueEdition(store, ['ada@example.com']);
      let now = NOW;
      const buffer = openBuffer(store, { clock: () => now });
      now -= MINUTE / 2;
      expect((await take(buffer, WORKERS[0]!))?.email).toBe('ada@example.com');
      await buffer.release();
    });

    it('hands out each delivery of several domains once', async () => {
      const store = await open();
      const emails = ['a', 'b', 'c', 'd', 'e'].flatMap((name) => addresses(25, `${name}.example`));
      await queueEdition(store, emails);
      const buffer = openBuffer(store);
      const taken: string[] = [];
      await Promise.all(WORKERS.map((worker) => takeAll(buffer, worker, taken)));
      expect(taken.sort()).toEqual(emails.sort());
    });

    it('claims again for a worker that called while a claim was under way, which looked too early', async () => {
      const store = await open();
      await queueEdition(store, ['ada@example.com']);
      const gate = Promise.withResolvers<boolean>();
      const mayClaim = [() => gate.promise, async () => true];
      const buffer = openBuffer(store, { mayClaim: () => (mayClaim.length > 1 ? mayClaim.shift() : mayClaim[0])!() });
      const [first, second] = [take(buffer, WORKERS[0]!), take(buffer, WORKERS[1]!)];
      gate.resolve(false);
      expect([await first, (await second)?.email]).toEqual([null, 'ada@example.com']);
      await buffer.release();
    });

    it('claims more for a worker while it searches for deliveries to other domains for another', async () => {
      const store = await open();
      const emails = addresses(60, 'slow.example');
      await queueEdition(store, emails);
      const buffer = openBuffer(store, { workers: 2 });
      const taken: string[] = [];
      const first = await take(buffer, WORKERS[0]!);
      // The domain has its whole share, so this searches for others, and finds none.
      const searching = takeAll(buffer, WORKERS[1]!, taken);
      await takeAll(buffer, WORKERS[0]!, taken);
      await searching;
      expect([first?.email, ...taken].sort()).toEqual(emails.sort());
    });

    it('hands out what waits behind many deliveries to domains that are paused or over their limit', async () => {
      const store = await open();
      const rows: DeliveryRows[] = [
        { domain: 'paused.example', state: 'pending', count: 1_040 },
        { domain: 'limited.example', state: 'pending', count: 80 },
        { domain: 'news.example', state: 'pending', count: 2 },
      ];
      const editionId = await storeDeliveries(store, rows);
      const pause = { editionId, domain: 'paused.example', reason: 'complaints', since: NOW };
      await store.db.transaction().execute((tx) => pauseDomain(tx, pause));
      const domains = { 'limited.example': { perSecond: 0.001 } };
      const rateLimiter = openRateLimiter(testConfig({ delivery: { domains } }));
      const taken: string[] = [];
      await takeAll(openBuffer(store, { rateLimiter }), WORKERS[0]!, taken);
      expect(taken.sort()).toEqual(['1041@limited.example', '1121@news.example', '1122@news.example']);
    });
  });
});
