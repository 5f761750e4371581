import { describe, expect, it } from 'vitest';
import { openBuildLimits } from '../../../src/http/feeds/build-limits.ts';
import { SECOND } from '../../../src/lib/time.ts';

function limits() {
  const time = { now: 0 };
  return { time, limits: openBuildLimits(() => time.now) };
}
const nothing = async (): Promise<void> => {};

describe('feeds that are made on demand', () => {
  it('are made two at a time, in the order they were asked for', async () => {
    const { limits: open } = limits();
    const begun: number[] = [];
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const builds = gates.map((gate, index) =>
      open.build(`client ${index}`, async () => {
        begun.push(index);
        await gate.promise;
      }),
    );
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1]);
    gates[1]?.resolve();
    await builds[1];
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    await Promise.all(builds);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  it('give their place on when they fail', async () => {
    const { limits: open } = limits();
    const fail = async (): Promise<void> => {
      throw new Error('no');
    };
    for (let turn = 0; turn < 5; turn++) await expect(open.build('a', fail)).rejects.toThrow('no');
    expect(await open.build('a', async () => 'made')).toBe('made');
  });

  it('are refused to a client that asks for more than three hundred at once, until time has passed', async () => {
    const { limits: open, time } = limits();
    for (let turn = 0; turn < 300; turn++) await open.build('a', nothing);
    await expect(open.build('a', nothing)).rejects.toMatchObject({ status: 429, retryAfter: 1 });
    await open.build('b', nothing);
    time.now += SECOND;
    for (let turn = 0; turn < 5; turn++) await open.build('a', nothing);
    await expect(open.build('a', nothing)).rejects.toMatchObject({ status: 429 });
  });

  it('are refused to everybody while a hundred wait', async () => {
    const { limits: open } = limits();
    const gate = Promise.withResolvers<void>();
    const builds = Array.from({ length: 102 }, (_, index) => open.build(`client ${index}`, () => gate.promise));
    await expect(open.build('late', nothing)).rejects.toMatchObject({ status: 503, retryAfter: 5 });
    gate.resolve();
    await Promise.all(builds);
    await open.build('late', nothing);
  });

  it('cost no memory without bound, whoever asks', async () => {
    const { limits: open } = limits();
    for (let client = 0; client < 10_500; client++) await open.build(`client ${client}`, nothing);
    // The last ones are not counted: the places are.
    for (let turn = 0; turn < 400; turn++) await open.build('client 10400', nothing);
    for (let turn = 0; turn < 299; turn++) await open.build('client 1', nothing);
    await expect(open.build('client 1', nothing)).rejects.toMatchObject({ status: 429 });
  });
});
