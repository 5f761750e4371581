/**
 * What `npm test` leaves to `npm run test:all`, besides files named `*.slow.test.ts`: PostgreSQL in most tests, and most
 * runs of a property.
 */
import { inject } from 'vitest';

/** Whether this is `npm run test:all`. */
export const RUNS_ALL: boolean = inject('runsAll');

/** Number of runs of a property: `all` in `npm run test:all`, a tenth of them in `npm test`. */
export function runs(all: number): number {
  return RUNS_ALL ? all : Math.ceil(all / 10);
}
