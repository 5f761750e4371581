import { afterEach, describe, expect, it, vi } from 'vitest';
import { runUrgently, TurnTimer } from '../../../src/lib/concurrency/turn-timer.ts';

afterEach(() => vi.restoreAllMocks());

describe('a TurnTimer', () => {
  it('waits for the next turn of the event loop only after a long one', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    const timer = new TurnTimer();
    let turns = 0;
    setImmediate(() => turns++);
    now.mockReturnValue(7);
    await timer.rest();
    expect(turns).toBe(0);
    now.mockReturnValue(8);
    await timer.rest();
    expect(turns).toBe(1);
    setImmediate(() => turns++);
    await timer.rest();
    expect(turns, 'the next turn has just begun').toBe(1);
  });

  it('in the background also waits until nothing urgent is in progress, though not for ever', async () => {
    vi.spyOn(performance, 'now').mockImplementation(advancing(10));
    const [timer, other] = [new TurnTimer({ inBackground: true }), new TurnTimer()];
    const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const urgent = ends.map((end) => runUrgently(() => end.promise));
    let hasRested = false;
    const resting = timer.rest().then(() => {
      hasRested = true;
    });
    await other.rest();
    ends[0]?.resolve();
    await urgent[0];
    await new Promise(setImmediate);
    expect(hasRested, 'one of two is left').toBe(false);
    ends[1]?.resolve();
    await Promise.all([...urgent, resting]);

    const endless = Promise.withResolvers<void>();
    const running = runUrgently(() => endless.promise);
    await timer.rest();
    endless.resolve();
    await running;
  });

  it('in the background goes on when what was urgent has failed', async () => {
    vi.spyOn(performance, 'now').mockImplementation(advancing(10));
    const timer = new TurnTimer({ inBackground: true });
    const failure = Promise.withResolvers<void>();
    const urgent = runUrgently(() => failure.promise);
    const rested = timer.rest();
    failure.reject(new Error('no such page'));
    await expect(urgent).rejects.toThrow('no such page');
    await rested;
  });
});

/** A clock that every look at it advances. */
function advancing(step: number): () => number {
  let now = 0;
  return () => {
    now += step;
    return now;
  };
}
