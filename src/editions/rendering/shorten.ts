/**
 * Cuts a line of text to a length that readers would count, at a word.
 */

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

// Scripts written without spaces: a line may end after any of their characters.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
// Nothing ends with these before an ellipsis: open brackets and quotes, currency signs, commas, dashes, joiners.
const DANGLING = /[\s\p{Ps}\p{Pi}\p{Sc}\p{Pd}\p{Po}&+]+$/u;
// … but for these of \p{Po}, which close what stands before them. A straight quote may open or close: it goes.
const CLOSING = /[%‰!?！？]/u;

const ELLIPSIS = '…';

/** The number of characters as a reader counts them (grapheme clusters, UAX #29). */
export function lengthOf(text: string): number {
  let count = 0;
  for (const _ of graphemes.segment(text)) count++;
  return count;
}

/**
 * The text, if it has at most `most` graphemes; otherwise its beginning up to a word's end and an ellipsis, together at most
 * `most`. Text of scripts without spaces is cut between characters; a word longer than half of the room is cut within.
 * @param text one line
 */
export function shorten(text: string, most: number): string {
  // No text has more graphemes than code units, and segmenting is slow.
  if (text.length <= most) return text;
  const parts: string[] = [];
  for (const { segment } of graphemes.segment(text)) {
    parts.push(segment);
    if (parts.length > most) break;
  }
  if (parts.length <= most) return text;
  if (most < 1) return '';
  const room = most - 1;
  let end = room;
  while (end > room / 2 && !mayEndBefore(parts, end)) end--;
  if (end <= room / 2) end = room;
  return withoutDangling(parts.slice(0, end)).join('') + ELLIPSIS;
}

function mayEndBefore(parts: string[], end: number): boolean {
  const before = parts[end - 1] ?? '';
  const after = parts[end] ?? '';
  if (/^\s/.test(after) || /\s$/.test(before)) return true;
  // A bracket or quote would stay open.
  if (/^[\p{Pe}\p{Pf}]/u.test(after)) return false;
  return UNSPACED.test(before) || UNSPACED.test(after);
}

function withoutDangling(parts: string[]): string[] {
  let end = parts.length;
  while (end > 0 && DANGLING.test(parts[end - 1] as string) && !CLOSING.test(parts[end - 1] as string)) end--;
  return parts.slice(0, end);
}
