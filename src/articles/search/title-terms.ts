/**
 * The terms by which articles are found by their headline. Pure, and the same on every machine: it uses no dictionary
 * that a new version of ICU would change.
 *
 * A term is a word; or a pair of adjacent characters in scripts that put no spaces between words (Chinese, Japanese,
 * Thai and others). A query matches the beginning of words, and any part of such a text.
 */

/** Bounds, in code points, what an index has to hold. */
const MAX_TERM = 32;
/** Terms of a query that the index is asked for; the others are checked on what it finds. */
const MAX_QUERY_TERMS = 8;
/** Characters of a query. */
const MAX_QUERY = 300;

const RUN = /[\p{L}\p{N}\p{M}]+/gu;
const UNSPACED = '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmr}\\p{sc=Mymr}';
const PART = new RegExp(`[${UNSPACED}]+|[^${UNSPACED}]+`, 'gu');
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u');

/** Accents of European scripts, points of Hebrew and Arabic, which people write or leave out; the Arabic tatweel. */
const OPTIONAL_MARKS = /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u0640]/g;

/** A term of a query, as the index holds it. */
export interface QueryTerm {
  /** Whether it is the beginning of stored terms, or one of them. */
  isPrefix: boolean;
  term: string;
}

export interface TitleQuery {
  /** At most eight, without duplicates; an article that matches has them all. */
  terms: QueryTerm[];
  /** Whether a headline matches, with its kicker. */
  matches(title: string): boolean;
}

/** The distinct terms of a headline with its kicker, as `fullHeadline` joins them. */
export function indexedTerms(title: string): string[] {
  const { words, unspaced } = split(title);
  return [...new Set([...words.map(cut), ...unspaced.flatMap(pairs)])];
}

/** @returns null for a text without a letter or digit */
export function parseTitleQuery(text: string): TitleQuery | null {
  const { words, unspaced } = split(text.slice(0, MAX_QUERY).toWellFormed());
  if (words.length + unspaced.length === 0) return null;
  const terms = [...words.map((word) => ({ isPrefix: true, term: cut(word) })), ...unspaced.flatMap(unspacedTerms)];
  const distinct = [...new Map(terms.map((one) => [one.term, one])).values()];
  // The longest are in the fewest headlines.
  distinct.sort((a, b) => b.term.length - a.term.length || (a.term < b.term ? -1 : 1));
  return {
    terms: distinct.slice(0, MAX_QUERY_TERMS),
    matches(title) {
      const of = split(title);
      return (
        words.every((word) => of.words.some((one) => one.startsWith(word))) &&
        unspaced.every((part) => of.unspaced.some((one) => one.includes(part)))
      );
    },
  };
}

function unspacedTerms(part: string): QueryTerm[] {
  const characters = [...part];
  if (characters.length === 1) return [{ isPrefix: true, term: part }];
  // Without the last character alone, which is a term only at the end of a text.
  return pairs(part)
    .slice(0, -1)
    .map((term) => ({ isPrefix: false, term }));
}

/** Each character with the one after it; the last one alone. */
function pairs(part: string): string[] {
  const characters = [...part];
  return characters.map((character, index) => character + (characters[index + 1] ?? ''));
}

function split(text: string): { words: string[]; unspaced: string[] } {
  const words: string[] = [];
  const unspaced: string[] = [];
  for (const [run] of normalise(text).matchAll(RUN)) {
    for (const [part] of run.matchAll(PART)) (IS_UNSPACED.test(part) ? unspaced : words).push(part);
  }
  return { words, unspaced };
}

function normalise(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/['’ʼ]/g, '')
    .replace(OPTIONAL_MARKS, '')
    .replaceAll('ß', 'ss')
    .normalize('NFC');
}

function cut(word: string): string {
  return word.length <= MAX_TERM ? word : [...word].slice(0, MAX_TERM).join('');
}

/** The last instant of a date in JavaScript (ECMA-262 §21.4.1.1). */
const LAST_DATE = 8.64e15;

/** Months since 1970, UTC; negative before. @param instant epoch milliseconds */
export function monthOf(instant: number): number {
  // An instant that no date can have is that of a broken article: it is found nowhere, and stops nothing.
  if (Math.abs(instant) > LAST_DATE) return 0;
  const date = new Date(instant);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** Epoch milliseconds. @param month see `monthOf` */
export function startOfMonth(month: number): number {
  return Date.UTC(1970, month);
}
