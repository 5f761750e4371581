/**
 * Runs before each test file.
 */
import fc from 'fast-check';
import { afterAll } from 'vitest';
import { endFile } from './end-of-file.ts';
import { RUNS_ALL } from './run-scope.ts';

// `npm test` never fails by chance: properties have the same examples in each run.
if (!RUNS_ALL) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20261129 });

afterAll(endFile);
