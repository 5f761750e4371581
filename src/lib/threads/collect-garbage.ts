/**
 * Makes room for work that needs much memory, after work that has left much garbage: V8 leaves it where it is until the
 * heap has grown by 40 %. Takes 0.1 s, in which nothing else runs; so only processes do it that serve nobody, and that
 * began with `--expose-gc` (bin/memory-settings.js).
 */
export async function collectGarbage(): Promise<void> {
  await globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' });
}
