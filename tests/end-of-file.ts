/**
 * What a helper must undo when a test file is done. Helpers are loaded once for several files, so hooks of their own would run for the
 * first alone.
 */
const undoings: (() => void)[] = [];

/** @param undo called once, behind all tests of the file that runs now */
export function atEndOfFile(undo: () => void): void {
  undoings.push(undo);
}

export function endFile(): void {
  for (const undo of undoings.splice(0)) undo();
}
