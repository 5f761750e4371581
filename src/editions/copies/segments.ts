/**
 * A compiled edition whose parts depend on the stories that a copy has. Templates mark them with `{% segment %}`
 * (lib/segment-tag.ts); a copy leaves out whole segments, and nothing is compiled again. Pure.
 */

/** A text, or a segment: it belongs to a copy if its condition holds. `Text` is a string, or what is made of one. */
export type Part<Text = string> = Text | Segment<Text>;

interface Segment<Text> {
  when: Condition;
  parts: Part<Text>[];
}

/** Stories are named by their numbers in the edition. */
type Condition =
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

/** The texts of a copy, in order. It is called for each copy that is delivered: loops take a third of the time. */
export function chooseParts<Text>(parts: readonly Part<Text>[], copy: CopyContent): Text[] {
  const chosen: Text[] = [];
  addChosen(parts, copy, chosen);
  return chosen;
}

function addChosen<Text>(parts: readonly Part<Text>[], copy: CopyContent, chosen: Text[]): void {
  for (const part of parts) {
    if (!isSegment(part)) chosen.push(part);
    else if (holds(part.when, copy)) addChosen(part.parts, copy, chosen);
  }
}

function isSegment<Text>(part: Part<Text>): part is Segment<Text> {
  return typeof part === 'object' && part !== null && 'when' in part;
}

function holds(condition: Condition, { stories, minutes }: CopyContent): boolean {
  if ('any' in condition) return countIn(condition.any, stories) > 0;
  if ('none' in condition) return countIn(condition.none, stories) === 0;
  if ('lacks' in condition) return countIn(condition.lacks, stories) < condition.lacks.length;
  if ('of' in condition) return countIn(condition.of, stories) === condition.count;
  return condition.minutes === minutes;
}

function countIn(some: readonly number[], stories: ReadonlySet<number>): number {
  let count = 0;
  for (const story of some) if (stories.has(story)) count += 1;
  return count;
}

/**
 * Reads the markers that the tag `segment` has written. The nonce keeps an article from forging one.
 * @throws Error if they are not nested
 */
export function parseSegments(rendered: string, nonce: string): Part[] {
  const top: Part[] = [];
  const open: Part[][] = [top];
  // Texts and markers alternate.
  for (const [index, piece] of rendered.split(new RegExp(`%%${nonce}:([()][0-9a-f]*)%%`)).entries()) {
    const inner = open.at(-1) as Part[];
    if (index % 2 === 0) {
      if (piece !== '') inner.push(piece);
    } else if (piece === ')') {
      open.pop();
      if (open.length === 0) throw new Error('a segment ends that has not begun');
    } else {
      const parts: Part[] = [];
      const when = JSON.parse(Buffer.from(piece.slice(1), 'hex').toString()) as Condition;
      inner.push({ when, parts });
      open.push(parts);
    }
  }
  if (open.length > 1) throw new Error('a segment does not end');
  return top;
}

/** Applies a function to all texts. */
export function mapParts<Text, Result>(parts: readonly Part<Text>[], change: (text: Text) => Result): Part<Result>[] {
  return parts.map((part) =>
    isSegment(part) ? { when: part.when, parts: mapParts(part.parts, change) } : change(part),
  );
}

/** A part of the plain text: the line ends around its body, which is null if it has nothing else. */
export interface Lines<Text = string> {
  before: number;
  body: Text | null;
  after: number;
}

export function toLines(text: string): Lines {
  const body = text.replace(/^\n+|\n+$/g, '');
  if (body === '') return { before: text.length, body: null, after: 0 };
  const before = text.indexOf(body);
  return { before, body, after: text.length - before - body.length };
}

/**
 * Joins the parts of a copy's plain text: where they meet, at most one empty line remains.
 * @param lineEnds one and two line ends
 */
export function joinLines<Text>(parts: readonly Lines<Text>[], lineEnds: readonly [Text, Text]): Text[] {
  const joined: Text[] = [];
  let breaks = 0;
  for (const { before, body, after } of parts) {
    breaks += before;
    if (body === null) continue;
    if (joined.length > 0 && breaks > 0) joined.push(lineEnds[Math.min(breaks, 2) - 1] as Text);
    joined.push(body);
    breaks = after;
  }
  return [...joined, lineEnds[0]];
}

/** The plain text of a copy. */
export function chooseText(parts: readonly Part[], copy: CopyContent): string {
  return joinLines(chooseParts(mapParts(parts, toLines), copy), ['\n', '\n\n']).join('');
}
