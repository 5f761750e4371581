/**
 * What a helper must undo when a test file is done. Helpers are loaded once for several files, so hooks of their own
 * would run for the first alone.
 */
const undoings: (() => void)[] = [];

/** @param undo called once, behind all tests of the file that runs now; the last that was handed in is the first */
export function atEndOfFile(undo: () => void): void {
  undoings.push(undo);
}

export function endFile(): void {
  const failures: unknown[] = [];
  for (const undo of undoings.splice(0).reverse()) {
    try {
      undo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'something was left behind');
}
