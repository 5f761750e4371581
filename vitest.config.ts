import { existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Temporary files lie in memory where it has room for them: on a disk the suite takes a tenth longer.
const MEMORY = '/dev/shm';
const ROOM = 4 * 2 ** 30;
if (process.env.TMPDIR === undefined && existsSync(MEMORY)) {
  const { bavail, bsize } = statfsSync(MEMORY);
  if (bavail * bsize >= ROOM) process.env.TMPDIR = MEMORY;
}

// Threads of the tests then load compiled code, as those of the command do: an SQLite store in a file, which has two,
// takes 150 ms of processor time instead of 210. Child processes use the same folder.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'node-compile-cache');

// `npm run test:all` is the mode "all": each test on both databases, and all runs of properties. `npm test` leaves out
// the files *.slow.test.ts by --exclude, so that `vitest run FILE` runs them.
export default defineConfig(({ mode }) => ({
  test: {
    include: ['tests/**/*.test.ts'],
    provide: { runsAll: mode === 'all' },
    globalSetup: ['tests/support/global-setup.ts'],
    setupFiles: ['tests/support/setup.ts'],
    // Files share what they import, and loading it for each would take a third of the processor's time. So no module may
    // keep state that one test leaves there and another one trips over.
    isolate: false,
    // By default one core is left free, and two cores then take half as long again.
    maxWorkers: '100%',
    maxConcurrency: 4,
    // Some tests start several processes, on cores that they share with all others.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for comes when the machine gets to it.
    expect: { poll: { timeout: 20_000 } },
  },
}));
