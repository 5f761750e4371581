import { afterEach, describe, expect, it, vi } from 'vitest';
import { runUrgently, TurnTimer } from '../../../src/lib/concurrency/turn-timer.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

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

  it('in the background also waits until nothing urgent is in progress', async () => {
    const { hasRested, resting } = restInBackground();
    const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const urgent = ends.map((end) => runUrgently(() => end.promise));
    try {
      await someTurns();
      ends[0].resolve();
      await someTurns();
      expect(hasRested(), 'one of two is left').toBe(false);
    } finally {
      for (const end of ends) end.resolve();
    }
    await Promise.all([...urgent, resting]);
  });

  it('in the background goes on when what was urgent has failed', async () => {
    const { resting } = restInBackground();
    const failure = Promise.withResolvers<void>();
    const urgent = runUrgently(() => failure.promise);
    failure.reject(new Error('no such page'));
    await expect(urgent).rejects.toThrow('no such page');
    await resting;
  });

  it('in the background waits 40 ms at most', async () => {
    const { hasRested, resting } = restInBackground();
    const endless = Promise.withResolvers<void>();
    const urgent = runUrgently(() => endless.promise);
    try {
      await someTurns();
      vi.advanceTimersByTime(39);
      await someTurns();
      expect(hasRested()).toBe(false);
      vi.advanceTimersByTime(1);
      await resting;
    } finally {
      endless.resolve();
    }
    await urgent;
  });

  it('in the foreground does not wait for urgent work', async () => {
    // The limit of a wait would never come.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    longTurns();
    const timer = new TurnTimer();
    const endless = Promise.withResolvers<void>();
    const urgent = runUrgently(() => endless.promise);
    let hasRested = false;
    const resting = timer.rest().then(() => {
      hasRested = true;
    });
    await someTurns();
    endless.resolve();
    expect(hasRested).toBe(true);
    await Promise.all([urgent, resting]);
  });
});

/** A rest in the background after a long turn. Its time limit comes only when the test advances timers. */
function restInBackground(): { hasRested: () => boolean; resting: Promise<void> } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  longTurns();
  let hasRested = false;
  const resting = new TurnTimer({ inBackground: true }).rest().then(() => {
    hasRested = true;
  });
  return { hasRested: () => hasRested, resting };
}

/** Each turn of the event loop seems to take 10 ms. */
function longTurns(): void {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 10;
    return now;
  });
}

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}
