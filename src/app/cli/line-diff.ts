/** The differences of two texts, as `diff -u` shows them. */
import { diff } from 'node:util';

/** Unchanged lines around a change. */
const CONTEXT = 3;

/** @returns an empty text if they do not differ */
export function formatDiff(before: { name: string; text: string }, after: { name: string; text: string }): string {
  // 1: only in `before`, -1: only in `after`.
  const entries = diff(before.text.split('\n'), after.text.split('\n'));
  const isShown = entries.map(() => false);
  for (const [index, [kind]] of entries.entries()) {
    if (kind === 0) continue;
    isShown.fill(true, Math.max(0, index - CONTEXT), index + CONTEXT + 1);
  }
  if (!isShown.includes(true)) return '';
  const lines = [`--- ${before.name}`, `+++ ${after.name}`];
  let [line, otherLine] = [1, 1];
  for (const [index, [kind, text]] of entries.entries()) {
    if (isShown[index]) {
      if (!isShown[index - 1]) lines.push(`@@ line ${line}, and line ${otherLine} of the other @@`);
      lines.push(`${kind === 0 ? ' ' : kind === 1 ? '-' : '+'}${text}`);
    }
    if (kind !== -1) line += 1;
    if (kind !== 1) otherLine += 1;
  }
  return lines.join('\n');
}
