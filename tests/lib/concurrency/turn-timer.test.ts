import { afterEach, describe, expect, it, vi } from 'vitest';
import { TurnTimer } from '../../../src/lib/concurrency/turn-timer.ts';

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
});
