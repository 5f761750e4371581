/**
 * Collects the garbage of this thread before work that needs much memory: V8 leaves it where it is until the heap has
 * grown by 40 %. Does nothing unless the process began with `--expose-gc` (bin/memory-settings.js). Takes 0.1 s, in
 * which the thread does nothing else, so a process that serves others should not begin with that flag.
 */
export async function collectGarbage(): Promise<void> {
  // The last resort also shrinks the young generation. In a task of its own, no object counts as used because the stack
  // may still refer to it.
  await globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' });
}
