/** Differences between two texts by words, or by lines where they are long. In bounded time. */

export interface TextPart {
  /** `removed`: only in the first text; `added`: only in the second one. */
  kind: 'same' | 'removed' | 'added';
  text: string;
}

/** Finds the words of scripts without spaces, too. */
const words = new Intl.Segmenter('und', { granularity: 'word' });
/** Characters of both texts together that are divided into words, in some 0.1 s. */
const MAX_LENGTH = 100_000;
/** Pairs of tokens that are compared: 32 MB for some 0.1 s. */
const MAX_PAIRS = 16_000_000;

/** The same and the removed parts together are the first text, the same and the added ones the second. */
export function wordDifferences(first: string, second: string): TextPart[] {
  const toLines = (text: string): string[] => text.split(/(?<=\n)/);
  const toWords = (text: string): string[] => Array.from(words.segment(text), ({ segment }) => segment);
  for (const toTokens of first.length + second.length > MAX_LENGTH ? [toLines] : [toWords, toLines]) {
    const parts = compareTokens(toTokens(first), toTokens(second));
    if (parts !== null) return parts;
  }
  return [
    { kind: 'removed', text: first },
    { kind: 'added', text: second },
  ];
}

/** By their longest common subsequence. @returns null for too many tokens */
function compareTokens(a: readonly string[], b: readonly string[]): TextPart[] | null {
  let [start, end] = [0, 0];
  const shorter = Math.min(a.length, b.length);
  while (start < shorter && a[start] === b[start]) start++;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [height, width] = [a.length - start - end, b.length - start - end + 1];
  if (height * width > MAX_PAIRS) return null;
  // Length of the common subsequence from a token of each on.
  const common = new Uint16Array((height + 1) * width);
  for (let x = height - 1; x >= 0; x--) {
    for (let y = width - 2; y >= 0; y--) {
      const at = x * width + y;
      const [down = 0, right = 0, both = 0] = [common[at + width], common[at + 1], common[at + width + 1]];
      common[at] = a[start + x] === b[start + y] ? both + 1 : Math.max(down, right);
    }
  }
  const parts: TextPart[] = [];
  const add = (kind: TextPart['kind'], text: string): void => {
    const last = parts.at(-1);
    if (last?.kind === kind) last.text += text;
    else if (text !== '') parts.push({ kind, text });
  };
  add('same', a.slice(0, start).join(''));
  for (let [x, y] = [0, 0]; x < height || y < width - 1; ) {
    const [one, other] = [a[start + x] ?? '', b[start + y] ?? ''];
    const at = x * width + y;
    if (x < height && y < width - 1 && one === other) {
      add('same', one);
      x++;
      y++;
    } else if (x < height && (y === width - 1 || (common[at + width] ?? 0) >= (common[at + 1] ?? 0))) {
      add('removed', one);
      x++;
    } else {
      add('added', other);
      y++;
    }
  }
  add('same', a.slice(a.length - end).join(''));
  return parts;
}
