import { describe, expect, it } from 'vitest';
import { withTimeout } from '../../src/lib/with-timeout.ts';

describe('withTimeout', () => {
  it('settles as the promise does', async () => {
    expect(await withTimeout(Promise.resolve('done'), 60_000, 'too slow')).toBe('done');
    await expect(withTimeout(Promise.reject(new Error('failed')), 60_000, 'too slow')).rejects.toThrow('failed');
  });

  it('rejects with the message if the promise does not settle in time', async () => {
    await expect(withTimeout(new Promise(() => {}), 10, 'too slow')).rejects.toThrow('too slow');
  });
});
