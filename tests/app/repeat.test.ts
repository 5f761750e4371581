import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { repeat } from '../../src/app/repeat.ts';
import type { Log } from '../../src/lib/log.ts';

describe('repeated work', () => {
  const said: string[] = [];
  const log: Log = {
    info: (_, message) => said.push(message),
    warn: (_, message) => said.push(message),
    error: (details, message) => said.push(`${(details as { error: string }).error} | ${message}`),
  };
  beforeEach(() => {
    vi.useFakeTimers();
    said.length = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('goes on after a round that throws, and says each trouble once and its end', async () => {
    const troubles: (string | null)[] = ['away', 'away', 'away', 'odd', null, null, 'away'];
    let rounds = 0;
    const work = repeat(250, 'publishing', log, async () => {
      const trouble = troubles[rounds++] ?? null;
      if (trouble !== null) throw new Error(trouble);
    });
    await vi.advanceTimersByTimeAsync(250 * troubles.length);
    await work.stop();
    expect(rounds).toBe(troubles.length);
    expect(said).toEqual([
      'Error: away | publishing failed; retrying',
      'Error: odd | publishing failed; retrying',
      'publishing works again',
      'Error: away | publishing failed; retrying',
    ]);
  });

  it('never begins a round while another is under way, and stops after it', async () => {
    let begun = 0;
    let ended = 0;
    const work = repeat(10, 'importing', log, async () => {
      begun++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      ended++;
    });
    await vi.advanceTimersByTimeAsync(60);
    expect([begun, ended]).toEqual([1, 0]);
    const stopped = work.stop();
    await vi.advanceTimersByTimeAsync(1_000);
    await stopped;
    expect([begun, ended]).toEqual([1, 1]);
  });
});
