import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/postgres.ts'],
    setupFiles: ['tests/support/setup.ts'],
    // Files share what they import, and loading it for each would take a third of the processor's time. So no module may keep what one
    // test leaves there and another trips over.
    isolate: false,
    // By default one core is left free, and two cores then take half as long again.
    maxWorkers: '100%',
    maxConcurrency: 4,
    // Some tests start several processes, on cores that they share with all others.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes when the machine gets to it.
    expect: { poll: { timeout: 20_000 } },
  },
});
