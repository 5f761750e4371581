import { afterEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../src/core/store/store.ts';
import { Pacer } from '../../../src/delivery/limits/pacer.ts';
import { HOUR, SECOND } from '../../../src/lib/time.ts';
import { forBothDatabases, newPostgresUrl, openMigrated } from '../../support/databases.ts';

const NOW = Date.UTC(2026, 10, 24, 15, 50);

afterEach(() => vi.restoreAllMocks());

async function instantsOf(pacer: Pacer, count: number): Promise<number[]> {
  const instants: number[] = [];
  for (let n = 0; n < count; n++) instants.push(await pacer.next());
  return instants;
}

/** Expects the spacing of a rate between any two messages. */
function expectSpaced(instants: readonly number[], perSecond: number): void {
  const sorted = [...instants].sort((a, b) => a - b);
  for (let n = 1; n < sorted.length; n++) {
    expect(sorted[n]! - sorted[n - 1]!).toBeGreaterThan(SECOND / perSecond - 0.01);
  }
}

describe('the pacer', () => {
  forBothDatabases((open) => {
    it.each([0.5, 7, 400])(
      'spaces messages at %d a second, over processes that follow each other',
      async (perSecond) => {
        vi.spyOn(performance, 'now').mockReturnValue(1_000);
        const store = await open();
        const clock = () => NOW;
        const one = await instantsOf(new Pacer(store, perSecond, clock), 3);
        const two = await instantsOf(new Pacer(store, perSecond, clock), 3);
        expect(one[0]).toBe(1_000);
        expectSpaced([...one, ...two], perSecond);
      },
    );

    it('continues at once when the clock was set back', async () => {
      vi.spyOn(performance, 'now').mockReturnValue(0);
      const store = await open();
      await instantsOf(new Pacer(store, 0.1, () => NOW), 2);
      expect(await new Pacer(store, 0.1, () => NOW - HOUR).next()).toBe(0);
    });
  });

  it('sends no burst after a stall', async () => {
    const store = await openMigrated();
    let elapsed = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => elapsed);
    const pacer = new Pacer(store, 20, () => NOW + elapsed);
    const submitted: number[] = [];
    for (let n = 0; n < 60; n++) {
      // The server hangs for a while, and then accepts messages at once.
      if (n === 15) elapsed += 0.4 * SECOND;
      if (n === 30) elapsed += 20 * SECOND;
      elapsed = Math.max(elapsed, await pacer.next());
      submitted.push(elapsed);
    }
    expectSpaced(submitted, 20);
    // Nothing is lost but the time of the stall.
    expect(submitted.at(-1)).toBeLessThan(24.5 * SECOND);
    await store.close();
  });

  it('limits two processes on PostgreSQL together', async () => {
    const databaseUrl = await newPostgresUrl();
    const stores = await Promise.all([1, 2].map(() => openStore({ databaseUrl, path: '' })));
    vi.spyOn(performance, 'now').mockReturnValue(0);
    const pacers = stores.map((store) => new Pacer(store, 40, () => NOW));
    const results = await Promise.all(pacers.map((pacer) => instantsOf(pacer, 50)));
    expectSpaced(results.flat(), 40);
    await Promise.all(stores.map((store) => store.close()));
  });
});
