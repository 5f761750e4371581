/** Differences between two texts by words, or by lines where they have little in common. In bounded time. */

export interface TextPart {
  /** `removed`: only in the first text; `added`: only in the second one. */
  kind: 'same' | 'removed' | 'added';
  text: string;
}

/** Finds the words of scripts without spaces, too. */
const words = new Intl.Segmenter('und', { granularity: 'word' });

/** Characters of both texts together that are divided into words, in some 0.1 s. */
const MAX_LENGTH = 100_000;
/** Tokens of both texts together, and how many of them may differ. */
const MAX_TOKENS = 20_000;
const MAX_DIFFERENCES = 500;

/** The same and the removed parts together are the first text, the same and the added ones the second. */
export function wordDifferences(first: string, second: string): TextPart[] {
  const toLines = (text: string): string[] => text.split(/(?<=\n)/);
  const toWords = (text: string): string[] => Array.from(words.segment(text), ({ segment }) => segment);
  for (const toTokens of first.length + second.length > MAX_LENGTH ? [toLines] : [toWords, toLines]) {
    const [a, b] = [toTokens(first), toTokens(second)];
    const parts = a.length + b.length > MAX_TOKENS ? null : compareTokens(a, b);
    if (parts !== null) return joinParts(parts);
  }
  return joinParts([
    { kind: 'removed', text: first },
    { kind: 'added', text: second },
  ]);
}

/**
 * E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986).
 * @returns null with too many differences
 */
function compareTokens(a: readonly string[], b: readonly string[]): TextPart[] | null {
  // For each number of differences: how far in `a` one gets on each diagonal `x - y`.
  const rounds: Map<number, number>[] = [];
  let reached = new Map([[1, 0]]);
  for (let count = 0; count <= MAX_DIFFERENCES; count++) {
    rounds.push(reached);
    const next = new Map<number, number>();
    for (let diagonal = -count; diagonal <= count; diagonal += 2) {
      const isDown = goesDown(reached, diagonal, count);
      let x = isDown ? (reached.get(diagonal + 1) ?? 0) : (reached.get(diagonal - 1) ?? 0) + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++;
      next.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return traceBack(a, b, rounds);
    }
    reached = next;
  }
  return null;
}

/** Whether the furthest path comes from the diagonal above, and adds a token of the second text. */
function goesDown(reached: ReadonlyMap<number, number>, diagonal: number, count: number): boolean {
  if (diagonal === -count || diagonal === count) return diagonal === -count;
  return (reached.get(diagonal - 1) ?? -1) < (reached.get(diagonal + 1) ?? -1);
}

function traceBack(a: readonly string[], b: readonly string[], rounds: readonly Map<number, number>[]): TextPart[] {
  const parts: TextPart[] = [];
  let [x, y] = [a.length, b.length];
  for (let count = rounds.length - 1; count >= 0; count--) {
    const reached = rounds[count] as Map<number, number>;
    const isDown = goesDown(reached, x - y, count);
    const diagonal = isDown ? x - y + 1 : x - y - 1;
    const fromX = count === 0 ? 0 : (reached.get(diagonal) ?? 0);
    const fromY = count === 0 ? 0 : fromX - diagonal;
    for (; x > fromX && y > fromY; y--) parts.push({ kind: 'same', text: a[--x] as string });
    if (count === 0) break;
    if (isDown) parts.push({ kind: 'added', text: b[--y] as string });
    else parts.push({ kind: 'removed', text: a[--x] as string });
  }
  return parts.reverse();
}

/** Neighbours of one kind are one part, and what is removed precedes what is added in its place. */
function joinParts(parts: readonly TextPart[]): TextPart[] {
  const joined: TextPart[] = [];
  let [removed, added] = ['', ''];
  const flush = (): void => {
    if (removed !== '') joined.push({ kind: 'removed', text: removed });
    if (added !== '') joined.push({ kind: 'added', text: added });
    [removed, added] = ['', ''];
  };
  for (const { kind, text } of parts) {
    if (kind === 'removed') removed += text;
    else if (kind === 'added') added += text;
    else {
      flush();
      const last = joined.at(-1);
      if (last?.kind === 'same') last.text += text;
      else joined.push({ kind, text });
    }
  }
  flush();
  return joined.filter(({ text }) => text !== '');
}
