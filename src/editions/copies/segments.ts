/**
 * A compiled edition whose parts depend on the stories that a copy has. Templates mark them with `{% segment %}`
 * (lib/segment-tag.ts); a copy leaves out whole segments, and nothing is compiled again. Pure.
 */

/** A text, or a segment: it belongs to a copy if its condition holds. */
export type Part = string | { when: Condition; parts: Part[] };

/** Stories are named by their numbers in the edition. */
export type Condition =
  /** The copy has one of these. */
  | { any: number[] }
  /** The copy has none of these. */
  | { none: number[] }
  /** The copy lacks one of these. */
  | { lacks: number[] }
  /** The copy has exactly `count` of these. */
  | { of: number[]; count: number }
  /** It takes so many minutes to read the copy. */
  | { minutes: number };

/** What a copy has. */
export interface CopyContent {
  stories: ReadonlySet<number>;
  minutes: number;
}

/** The texts of a copy, in order. */
export function chooseParts(parts: readonly Part[], copy: CopyContent): string[] {
  return parts.flatMap((part) => {
    if (typeof part === 'string') return part;
    return holds(part.when, copy) ? chooseParts(part.parts, copy) : [];
  });
}

function holds(condition: Condition, { stories, minutes }: CopyContent): boolean {
  if ('any' in condition) return condition.any.some((story) => stories.has(story));
  if ('none' in condition) return !condition.none.some((story) => stories.has(story));
  if ('lacks' in condition) return condition.lacks.some((story) => !stories.has(story));
  if ('of' in condition) return condition.of.filter((story) => stories.has(story)).length === condition.count;
  return condition.minutes === minutes;
}

/**
 * Reads the markers that the tag `segment` has written. The nonce keeps an article from forging one.
 * @throws Error if they are not nested
 */
export function parseSegments(rendered: string, nonce: string): Part[] {
  const top: Part[] = [];
  const open: Part[][] = [top];
  // Texts and markers alternate.
  for (const [index, piece] of rendered.split(new RegExp(`%%${nonce}:([()][a-z0-9.]*)%%`)).entries()) {
    const inner = open.at(-1) as Part[];
    if (index % 2 === 0) {
      if (piece !== '') inner.push(piece);
    } else if (piece === ')') {
      open.pop();
      if (open.length === 0) throw new Error('a segment ends that has not begun');
    } else {
      const parts: Part[] = [];
      inner.push({ when: readCondition(piece.slice(1)), parts });
      open.push(parts);
    }
  }
  if (open.length > 1) throw new Error('a segment does not end');
  return top;
}

function readCondition(marker: string): Condition {
  const [kind, ...fields] = marker.split('.');
  const numbers = fields.filter((field) => field !== 'count').map(Number);
  if (kind === 'any') return { any: numbers };
  if (kind === 'none') return { none: numbers };
  if (kind === 'lacks') return { lacks: numbers };
  if (kind === 'of') return { of: numbers.slice(0, -1), count: numbers.at(-1) as number };
  return { minutes: numbers[0] as number };
}

/** Applies a function to all texts. */
export function mapParts(parts: readonly Part[], change: (text: string) => string): Part[] {
  return parts.map((part) =>
    typeof part === 'string' ? change(part) : { when: part.when, parts: mapParts(part.parts, change) },
  );
}

/**
 * The texts of a copy's plain text as lines: where parts meet, at most one empty line remains. An empty line between
 * them is a text of its own, so that the others are the same in all copies.
 */
export function joinLines(texts: readonly string[]): string[] {
  const joined: string[] = [];
  let breaks = 0;
  for (const text of texts) {
    const body = text.replace(/^\n+|\n+$/g, '');
    if (body === '') {
      breaks += text.length;
      continue;
    }
    const before = breaks + (text.length - text.replace(/^\n+/, '').length);
    if (joined.length > 0 && before > 0) joined.push('\n'.repeat(Math.min(before, 2)));
    joined.push(body);
    breaks = text.length - text.replace(/\n+$/, '').length;
  }
  return [...joined, '\n'];
}
