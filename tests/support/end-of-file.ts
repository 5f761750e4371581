/**
 * Clean-up after a test file. Support modules are loaded once for several files, so their own hooks would run only
 * after the first one.
 */
const cleanups: (() => void)[] = [];

/** @param cleanUp called after all tests of the current file, in reverse order of registration */
export function atEndOfFile(cleanUp: () => void): void {
  cleanups.push(cleanUp);
}

export function endFile(): void {
  const failures: unknown[] = [];
  for (const cleanUp of cleanups.splice(0).reverse()) {
    try {
      cleanUp();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'cleaning up failed');
}
