/** Excerpts that show where a search has found its words. Pure. */
import { graphemesOf, shorten } from '../../lib/text/shorten.ts';
import { removeUnpairedDirections } from '../../lib/text/text-direction.ts';
import type { WordQuery } from './search-terms.ts';

/** Plain text. */
export interface ExcerptPart {
  text: string;
  isMatch: boolean;
}

/** Graphemes of an excerpt. */
const LENGTH = 220;
/** Characters before the first match. */
const LEAD = 60;

/** The part of a text around the first word of the query; its beginning if it has none. @param text one line */
export function excerpt(text: string, query: WordQuery): ExcerptPart[] {
  const [first = 0] = query.marksIn(text).next().value ?? [];
  const from = first <= LEAD ? 0 : wordStart(text, first);
  return markParts((from === 0 ? '' : '…') + shorten(removeUnpairedDirections(text.slice(from)), LENGTH), query);
}

/** Where to begin before a match: at a word, or at a grapheme in scripts without spaces. */
function wordStart(text: string, match: number): number {
  const before = text.slice(match - LEAD, match);
  const blank = before.search(/\s\S/);
  if (blank !== -1) return match - LEAD + blank + 1;
  return match - LEAD + (graphemesOf(before)[0]?.length ?? 0);
}

/** A text in parts: words of the query, and what is between them. */
export function markParts(text: string, query: WordQuery): ExcerptPart[] {
  const parts: ExcerptPart[] = [];
  let shown = 0;
  for (const [from, until] of query.marksIn(text)) {
    if (until <= shown) continue;
    const begin = Math.max(from, shown);
    if (begin > shown) parts.push({ text: text.slice(shown, begin), isMatch: false });
    parts.push({ text: text.slice(begin, until), isMatch: true });
    shown = until;
  }
  return shown === text.length ? parts : [...parts, { text: text.slice(shown), isMatch: false }];
}
