import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SECOND } from '../../../src/lib/time.ts';
import { AgedCache } from '../../../src/web/desk/aged-cache.ts';
import { until } from '../../support/until.ts';

/** Of the clock, and of what has passed. */
const time = { now: 0 };

beforeEach(() => {
  time.now = 1;
  vi.spyOn(performance, 'now').mockImplementation(() => time.now);
});

afterEach(() => {
  vi.restoreAllMocks();
});

function openCache(patience = 1_000) {
  const computations: PromiseWithResolvers<string>[] = [];
  const compute = (): Promise<string> => {
    const computation = Promise.withResolvers<string>();
    computations.push(computation);
    return computation.promise;
  };
  const cache = new AgedCache<number, string>(() => time.now, compute, patience);
  return { cache, computations };
}

describe('a result that takes long', () => {
  it('is computed once for all who ask, and kept for five seconds', async () => {
    const { cache, computations } = openCache();
    const asked = [cache.read(1), cache.read(1)];
    computations[0]?.resolve('a');
    expect(await Promise.all(asked)).toMatchObject([
      { value: 'a', at: 1 },
      { value: 'a', at: 1 },
    ]);
    time.now += 4 * SECOND;
    expect(await cache.read(1)).toMatchObject({ value: 'a', at: 1 });
    expect(computations).toHaveLength(1);
  });

  it('is shown with its age while the next one is computed', async () => {
    const { cache, computations } = openCache();
    const first = cache.read(1);
    computations[0]?.resolve('a');
    await first;
    time.now += 5 * SECOND + 1;
    expect(await cache.read(1)).toMatchObject({ value: 'a', at: 1 });
    computations[1]?.resolve('b');
    await until(async () => (await cache.read(1))?.value === 'b');
    expect(await cache.read(1)).toMatchObject({ at: 5 * SECOND + 2 });
    expect(computations).toHaveLength(2);
  });

  it('is not waited for longer than a moment', async () => {
    const { cache, computations } = openCache(1);
    expect(await cache.read(1)).toBeNull();
    computations[0]?.resolve('a');
    await until(async () => (await cache.read(1))?.value === 'a');
  });

  it('is computed again once an act has changed it, and an older computation does not replace it', async () => {
    const { cache, computations } = openCache();
    const old = cache.read(1);
    cache.forget(1);
    const fresh = cache.read(1);
    computations[1]?.resolve('new');
    computations[0]?.resolve('old');
    expect(await Promise.all([old, fresh])).toMatchObject([{ value: 'old' }, { value: 'new' }]);
    expect(await cache.read(1)).toMatchObject({ value: 'new' });
  });

  it('is still shown when the next computation fails, which is tried again', async () => {
    const { cache, computations } = openCache();
    const first = cache.read(1);
    computations[0]?.resolve('a');
    await first;
    time.now += 5 * SECOND + 1;
    expect(await cache.read(1)).toMatchObject({ value: 'a' });
    computations[1]?.reject(new Error('the store is away'));
    await until(async () => {
      expect(await cache.read(1)).toMatchObject({ value: 'a' });
      return computations.length === 3;
    });
  });

  it('throws what the computation throws to all that wait, and is tried again', async () => {
    const { cache, computations } = openCache();
    const failing = cache.read(1);
    computations[0]?.reject(new Error('the store is away'));
    await expect(failing).rejects.toThrow('the store is away');
    const next = cache.read(1);
    computations[1]?.resolve('a');
    expect(await next).toMatchObject({ value: 'a' });
  });
});
