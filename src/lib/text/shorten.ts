/** Shortens a line of text between words, with an ellipsis: the one way in which daywire cuts a text. */
import { removeUnpairedDirections } from './text-direction.ts';

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const words = new Intl.Segmenter('und', { granularity: 'word' });

// Scripts without spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar).
const UNSPACED = /[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u;
// Removed before an ellipsis: opening brackets and quotes, currency signs, commas, dashes, joiners.
const DANGLING = /[\s\p{Ps}\p{Pi}\p{Sc}\p{Pd}\p{Po}&+|]+$/u;
// Exceptions of \p{Po} that belong to the text before them. A straight quote can open or close: it is removed.
const CLOSING = /[%‰!?！？]/u;

const ELLIPSIS = '…';
/** Places between a number and its unit: each is looked at for 60 µs, and a table of figures has nothing else. */
const MAX_TRIED = 8;

/** User-perceived characters (grapheme clusters, UAX #29). */
export function graphemesOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

export function graphemeCount(text: string): number {
  return graphemesOf(text).length;
}

/**
 * Shortens text to at most `limit` graphemes, including an ellipsis if it is cut. Cuts between words, in scripts
 * without spaces too, and not between a number and its unit; inside a word that takes nearly all of the limit. Closes
 * the brackets and quotes that the text closes after the cut.
 * @param text one line
 * @param sizeOf of a grapheme, where the limit is of something else
 */
export function shorten(text: string, limit: number, sizeOf?: (grapheme: string) => number): string {
  // A text has no more graphemes than code units, and segmenting is slow.
  if (sizeOf === undefined && text.length <= limit) return text;
  const parts: string[] = [];
  const sizes = [0];
  for (const segment of segmentsOf(text, limit)) {
    parts.push(segment);
    sizes.push((sizes.at(-1) as number) + (sizeOf?.(segment) ?? 1));
    if ((sizes.at(-1) as number) > limit) break;
  }
  if ((sizes.at(-1) as number) <= limit) return text;
  const length = parts.join('').length;
  const pairs = pairsOf(text.slice(0, length + PAIR_LENGTH));
  const edges = wordEdges(text.slice(0, length + 20));
  // What is closed after the ellipsis takes space, too.
  for (let room = limit - 1; room >= 0; room--) {
    const available = sizes.findLastIndex((size) => size <= room);
    const end = cutParts(text, parts, available, { edges, pairs });
    const kept = parts.slice(0, end).join('');
    const open = pairs.filter(([from, to]) => from < kept.length && to >= kept.length).reverse();
    const closing = open.map(([from, to]) => (/^\s/.exec(text.slice(from + 1))?.[0] ?? '') + text.charAt(to)).join('');
    const added = Array.from(closing, sizeOf ?? (() => 1)).reduce((sum, size) => sum + size, 0);
    // A pair of directions may be cut in two.
    if ((sizes[end] as number) + 1 + added <= limit) return removeUnpairedDirections(kept) + ELLIPSIS + closing;
  }
  return limit < 1 ? '' : ELLIPSIS;
}

interface CutContext {
  /** Positions at which words of scripts without spaces begin. */
  edges: Set<number>;
  pairs: Pair[];
}

/** @returns how many of the first `available` graphemes are kept */
function cutParts(text: string, parts: string[], available: number, { edges, pairs }: CutContext): number {
  let fallback = available;
  let tried = 0;
  let at = parts.slice(0, available).join('').length;
  for (let end = available; end > available / 4 && tried < MAX_TRIED; at -= (parts[--end] as string).length) {
    if (!canCutAt(parts, end, edges.has(at))) continue;
    const kept = withoutDangling(parts, end, pairs);
    const length = parts.slice(0, kept).join('').length;
    if (!separatesUnit(text.slice(Math.max(0, length - 40), length), text.slice(length, length + 9))) return kept;
    if (tried++ === 0) fallback = end;
  }
  return withoutDangling(parts, fallback, pairs);
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

/** @param pairs what closes a quote remains */
function withoutDangling(parts: string[], from: number, pairs: Pair[]): number {
  let end = from;
  let at = parts.slice(0, end).join('').length;
  for (; end > 0; at -= (parts[--end] as string).length) {
    const part = parts[end - 1] as string;
    if (!DANGLING.test(part) || CLOSING.test(part) || pairs.some(([, to]) => to === at - 1)) break;
  }
  return end;
}

// Million, Milliarden, millones, milhões and so on. What follows may be the unit, unless a currency sign came first.
const SCALE =
  '(?:(?:mi|bi|tri)l[lh]?[iõa]\\p{L}*|mil|mila|mio|mrd|bn|mn|thousand|hundred|crore|lakh|tausend|' +
  'مليون|مليار|ألف|آلاف|מיליון|מיליארד|אלף|[万萬亿億兆千百만억조]+)';
const NUMBER = new RegExp(
  `(\\p{Sc}\\s?)?(?:\\p{Nd}[\\p{Nd}.,'’\\s]*|[一二三四五六七八九十两兩数數百千万萬亿億兆]{2,})(\\s?${SCALE})?$`,
  'iu',
);
/** Units before their number: `CHF 5`, `No. 5`, `第5`. */
const UNIT_BEFORE = /(?:(?<!\p{L})(?:\p{Lu}{2,3}|Rs|No|Nr|n[°º])|第|\p{Sc})$/u;

/** Whether a cut is between a number and its unit, or the words for thousands and millions. */
function separatesUnit(kept: string, rest: string): boolean {
  if (/^[\s.]*\p{Nd}/u.test(rest) && UNIT_BEFORE.test(kept)) return true;
  const [number, currency, scale] = NUMBER.exec(kept) ?? [];
  return number !== undefined && !(currency && scale) && /^[\s.]*[\p{L}\p{N}%‰°\p{Sc}]/u.test(rest);
}

/** Positions of an opening bracket or quote and of the one that closes it. */
type Pair = [from: number, to: number];

/** Code units after a cut in which a quote is closed. */
const PAIR_LENGTH = 300;
/** Each followed by what closes it. */
const PAIRS = `() [] {} （） ［］ 【】 《》 〈〉 「」 『』 〔〕 〖〗 «» »« ‹› ›‹ “”“ ”” „“” ‘’ ‚‘’ "" '' 〝〟 ＂＂`;
const CLOSED_BY = new Map(PAIRS.split(' ').map((pair) => [pair.charAt(0), pair.slice(1)]));
/** Those that also close: they open at the beginning of a word. `'90s` and `l'eau` have apostrophes. */
const EITHER = /["'”»›＂]/;

function pairsOf(text: string): Pair[] {
  const pairs: Pair[] = [];
  const open: number[] = [];
  for (const { 0: mark, index } of text.matchAll(/["'’\p{Ps}\p{Pe}\p{Pi}\p{Pf}＂]/gu)) {
    const [before, after] = [text.charAt(index - 1), text.charAt(index + 1)];
    const isAtBeginning = !/[\p{L}\p{N}]/u.test(before) && !/^\s?$/.test(after) && !(mark === "'" && /\d/.test(after));
    const isApostrophe = /['’]/.test(mark) && /[\p{L}\p{N}]/u.test(after);
    const closed = isApostrophe ? -1 : open.findLastIndex((from) => CLOSED_BY.get(text.charAt(from))?.includes(mark));
    if (closed !== -1) {
      pairs.push([open[closed] as number, index]);
      open.length = closed;
    } else if (open.length < 4 && CLOSED_BY.has(mark) && (!EITHER.test(mark) || isAtBeginning)) open.push(index);
  }
  return pairs.sort(([a], [b]) => a - b);
}
