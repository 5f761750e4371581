import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/postgres.ts'],
    // By default one core is left free, and two cores then take half as long again.
    maxWorkers: '100%',
    maxConcurrency: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
