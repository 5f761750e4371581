import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../../src/lib/concurrency/bounded-queue.ts';

describe('a bounded queue', () => {
  it('runs a number at once, and the others in their order', async () => {
    const queue = new BoundedQueue({ running: 2, admitted: 10, size: 100 });
    let running = 0;
    const most: number[] = [];
    const work = async (n: number): Promise<number> => {
      running += 1;
      most.push(running);
      await new Promise(setImmediate);
      running -= 1;
      return n;
    };
    expect(await Promise.all([1, 2, 3, 4, 5].map((n) => queue.run(1, () => work(n))))).toEqual([1, 2, 3, 4, 5]);
    expect(Math.max(...most)).toBe(2);
  });

  it('refuses what exceeds its number or size, until there is room', async () => {
    const queue = new BoundedQueue({ running: 1, admitted: 3, size: 100 });
    const done = [queue.run(50, async () => 'a'), queue.run(50, () => Promise.reject(new Error('b')))];
    expect(queue.run(1, async () => 'too large')).toBeNull();
    expect(queue.run(0, async () => 'c')).not.toBeNull();
    expect(queue.run(0, async () => 'too many')).toBeNull();
    expect((await Promise.allSettled(done)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await queue.run(100, async () => 'd')).toBe('d');
  });
});
