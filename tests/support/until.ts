import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds: what is waited for comes when the machine gets to it, so this only ends a test that hangs. */
const PATIENCE = 20_000;

/**
 * Waits for what real sockets, processes and files do meanwhile. Unlike `vi.waitUntil`, it moves no faked clock.
 * @returns the first value of `check` that is neither false, null nor undefined
 * @throws Error after 20 seconds
 */
export async function until<T>(check: () => T | Promise<T>): Promise<NonNullable<T>> {
  const start = process.hrtime.bigint();
  for (;;) {
    const value = await check();
    if (value !== false && value !== null && value !== undefined) return value;
    if (process.hrtime.bigint() - start > BigInt(PATIENCE) * 1_000_000n) throw new Error(`never: ${check}`);
    await sleep(2);
  }
}
