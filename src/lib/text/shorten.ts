/** Shortens a line of text between words, with an ellipsis: the one way in which daywire cuts a text. */
import { removeUnpairedDirections } from './text-direction.ts';

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const words = new Intl.Segmenter('und', { granularity: 'word' });

// Scripts without spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar).
const UNSPACED = /[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u;
// Removed before an ellipsis: opening brackets and quotes, currency signs, commas, dashes, joiners.
const DANGLING = /[\s\p{Ps}\p{Pi}\p{Sc}\p{Pd}\p{Po}&+]+$/u;
// Exceptions of \p{Po} that belong to the text before them. A straight quote can open or close: it is removed.
const CLOSING = /[%‰!?！？]/u;

const ELLIPSIS = '…';

/** User-perceived characters (grapheme clusters, UAX #29). */
export function graphemesOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

export function graphemeCount(text: string): number {
  return graphemesOf(text).length;
}

/**
 * Shortens text to at most `limit` graphemes, including an ellipsis if it is cut. Cuts between words, in scripts
 * without spaces too; a word longer than half of the limit inside the word.
 * @param text one line
 * @param sizeOf of a grapheme, where the limit is of something else
 */
export function shorten(text: string, limit: number, sizeOf: (grapheme: string) => number = () => 1): string {
  // A text has no more graphemes than code units, and segmenting is slow.
  if (text.length <= limit) return text;
  const parts: string[] = [];
  let size = 0;
  let available = 0;
  for (const segment of segmentsOf(text, limit)) {
    parts.push(segment);
    size += sizeOf(segment);
    if (size < limit) available = parts.length;
    if (size > limit) break;
  }
  if (size <= limit) return text;
  if (limit < 1) return '';
  let end = available;
  let at = parts.slice(0, end).join('').length;
  const edges = wordEdges(text.slice(0, at + 20));
  while (end > available / 2 && !canCutAt(parts, end, edges.has(at))) at -= (parts[--end] as string).length;
  if (end <= available / 2) end = available;
  // A pair of directions may be cut in two.
  return removeUnpairedDirections(withoutDangling(parts.slice(0, end)).join('')) + ELLIPSIS;
}

/** As `shorten`, to `limit` UTF-16 code units, for a place that holds no more. */
export function shortenToUnits(text: string, limit: number): string {
  return shorten(text, limit, (grapheme) => grapheme.length);
}

/** Segmenting 280 characters takes 0.1 ms, and most texts are ASCII. */
function* segmentsOf(text: string, limit: number): Generator<string> {
  const beginning = text.slice(0, limit + 1);
  if (/^[ -~]*$/.test(beginning)) yield* beginning;
  else for (const { segment } of graphemes.segment(text)) yield segment;
}

/** Where words begin and end in scripts without spaces. Segmenting is slow. */
function wordEdges(text: string): Set<number> {
  return new Set(UNSPACED.test(text) ? Array.from(words.segment(text), ({ index }) => index) : []);
}

function canCutAt(parts: string[], end: number, isEdge: boolean): boolean {
  const before = parts[end - 1] ?? '';
  const after = parts[end] ?? '';
  if (/^\s/.test(after) || /\s$/.test(before)) return true;
  // A cut here would leave a bracket or quote open.
  if (/^[\p{Pe}\p{Pf}]/u.test(after)) return false;
  return isEdge && (UNSPACED.test(before) || UNSPACED.test(after));
}

function withoutDangling(parts: string[]): string[] {
  let end = parts.length;
  while (end > 0 && DANGLING.test(parts[end - 1] as string) && !CLOSING.test(parts[end - 1] as string)) end--;
  return parts.slice(0, end);
}
