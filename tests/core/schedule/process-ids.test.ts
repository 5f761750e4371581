import { expect, it } from 'vitest';
import { PROCESS_IDS } from '../../../src/core/schedule/processes.ts';

it('finds processes by their id', () => {
  expect(PROCESS_IDS.exists(process.pid)).toBe(true);
  // Above the limit of Linux (PID_MAX_LIMIT, 2^22).
  expect(PROCESS_IDS.exists(2 ** 22 + 1)).toBe(false);
});

it.runIf(process.platform === 'linux')('knows the boot and the namespace of its process ids', () => {
  expect(PROCESS_IDS.scope).toMatch(/^[0-9a-f-]{36} pid:\[\d+\]$/);
});
