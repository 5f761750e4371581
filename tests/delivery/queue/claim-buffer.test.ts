import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { type BufferedDelivery, ClaimBuffer } from '../../../src/delivery/queue/claim-buffer.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import type { Store } from '../../../src/store/store.ts';
import { forEachDatabase } from '../../support/databases.ts';

const WORKERS = [1, 2, 3, 4].map((n) => ({ n }));
const addresses = (count: number, domain: string) => Array.from({ length: count }, (_, n) => `a${n}@${domain}`);

function openBuffer(store: Store, clock = () => NOW): ClaimBuffer {
  const options = { workers: WORKERS.length, clock, uncertain: 'retry', rateLimiter: null } as const;
  return new ClaimBuffer(store, { ...options, onClaimed: () => {} });
}

/** Takes the next delivery of a worker and keeps it. */
async function take(buffer: ClaimBuffer, worker: object): Promise<BufferedDelivery | null> {
  const delivery = await buffer.next(worker);
  if (delivery !== null) buffer.keep(delivery);
  return delivery;
}

describe('ClaimBuffer', () => {
  forEachDatabase((open) => {
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
      const buffer = openBuffer(store, () => now);
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
      const work = async (worker: object): Promise<void> => {
        let current: BufferedDelivery | null = null;
        for (;;) {
          const next = await take(buffer, worker);
          if (current !== null) buffer.finish(current);
          if (next === null) return;
          taken.push(next.email!);
          current = next;
        }
      };
      await Promise.all(WORKERS.map(work));
      expect(taken.sort()).toEqual(emails.sort());
    });
  });
});
