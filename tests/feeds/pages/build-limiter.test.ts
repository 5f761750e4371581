import { describe, expect, it } from 'vitest';
import { BuildLimiter } from '../../../src/feeds/pages/build-limiter.ts';
import { SECOND } from '../../../src/lib/time.ts';

function openLimiter() {
  const time = { now: 0 };
  return { time, limiter: new BuildLimiter(() => time.now) };
}
const nothing = async (): Promise<void> => {};

describe('the limiter of feed builds', () => {
  it('runs two builds at a time, in the order of the requests', async () => {
    const { limiter } = openLimiter();
    const begun: number[] = [];
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const builds = gates.map((gate, index) =>
      limiter.build(`client ${index}`, async () => {
        begun.push(index);
        await gate.promise;
      }),
    );
    await expect.poll(() => begun).toEqual([0, 1]);
    gates[1]?.resolve();
    await builds[1];
    await expect.poll(() => begun).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    await Promise.all(builds);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  it('runs the next build after one that failed', async () => {
    const { limiter } = openLimiter();
    const fail = async (): Promise<void> => {
      throw new Error('no');
    };
    for (let i = 0; i < 5; i++) await expect(limiter.build('a', fail)).rejects.toThrow('no');
    expect(await limiter.build('a', async () => 'built')).toBe('built');
  });

  it('refuses a client after as many builds as it is told', async () => {
    const limiter = new BuildLimiter(() => 0, { everyMs: 100, burst: 2 });
    for (let i = 0; i < 2; i++) await limiter.build('a', nothing);
    await expect(limiter.build('a', nothing)).rejects.toMatchObject({ status: 429 });
  });

  it('refuses a client after three hundred builds at once, until time has passed', async () => {
    const { limiter, time } = openLimiter();
    for (let i = 0; i < 300; i++) await limiter.build('a', nothing);
    await expect(limiter.build('a', nothing)).rejects.toMatchObject({ status: 429, retryAfter: 1 });
    await limiter.build('b', nothing);
    time.now += SECOND;
    for (let i = 0; i < 5; i++) await limiter.build('a', nothing);
    await expect(limiter.build('a', nothing)).rejects.toMatchObject({ status: 429 });
  });

  it('refuses all clients while a hundred builds wait', async () => {
    const { limiter } = openLimiter();
    const gate = Promise.withResolvers<void>();
    const builds = Array.from({ length: 102 }, (_, index) => limiter.build(`client ${index}`, () => gate.promise));
    await expect(limiter.build('late', nothing)).rejects.toMatchObject({ status: 503, retryAfter: 5 });
    gate.resolve();
    await Promise.all(builds);
    await limiter.build('late', nothing);
  });

  it('remembers at most ten thousand clients', async () => {
    const { limiter } = openLimiter();
    for (let client = 0; client < 10_500; client++) await limiter.build(`client ${client}`, nothing);
    for (let i = 0; i < 400; i++) await limiter.build('client 10400', nothing);
    for (let i = 0; i < 299; i++) await limiter.build('client 1', nothing);
    await expect(limiter.build('client 1', nothing)).rejects.toMatchObject({ status: 429 });
  });
});
