/**
 * The terms by which articles are found. Pure, and the same on every machine: it uses no dictionary that a new version
 * of ICU would change.
 *
 * A term is a word; or a pair of adjacent characters in scripts that put no spaces between words (Chinese, Japanese,
 * Thai and others). A query matches the beginning of words, with one or two Latin letters a whole word, and any part of
 * a text without spaces.
 */
import type { QueryTerm } from '../../core/store/search/term-index.ts';

/** Characters of a text that are searched, after `normalise`. PostgreSQL holds a megabyte of terms for an article. */
export const MAX_TEXT = 60_000;
/** Bounds, in code points, what an index has to hold. */
const MAX_TERM = 32;
/** Terms of a query that the index is asked for; the others are checked on what it finds. */
const MAX_QUERY_TERMS = 8;
/** Characters of a query. */
const MAX_QUERY = 300;

/** From a letter or digit on: a mark alone is that of an emoji. With breaks that are not seen. */
const RUN = /[\p{L}\p{N}][\p{L}\p{N}\p{M}\u00ad\u200b]*(?:['’ʼ]+[\p{L}\p{N}\p{M}\u00ad\u200b]+)*/gu;
const APOSTROPHES = /['’ʼ]+/g;
/** A word without what is elided before it: `l’Élysée`, `qu’Hélène`, `dell’Europa`. Also `o’reilly`. */
const ELISION = /^(?:[^'’ʼ]{1,2}|[^'’ʼ]*(?:qu|ll))['’ʼ]+(.+)$/u;
/** A query looks for a shorter one with what is before it: `it’s` would find all words with an s. */
const MIN_ELIDED = 3;
const UNSPACED = '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmr}\\p{sc=Mymr}';
const PART = new RegExp(`[${UNSPACED}]+|[^${UNSPACED}]+`, 'gu');
const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, 'u');
/** A term this short is matched whole, not as a prefix: too many words begin with it. */
const SHORT = /^[a-z0-9]{1,2}$/;
const PLAIN = /^[a-z0-9]+$/;

/** Accents of European scripts, points of Hebrew and Arabic, tatweel, and breaks that are not seen. */
const OPTIONAL_MARKS =
  /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u0640\u00ad\u200b]/g;

export interface WordQuery {
  /** At most eight, without duplicates; an article that matches has them all. */
  terms: QueryTerm[];
  /** Whether a text has all words. */
  matches(text: string): boolean;
  /** The places of words of the query in a text, in its order; they may overlap. */
  marksIn(text: string): Generator<[from: number, until: number]>;
}

/** The distinct terms of a text. */
export function indexedTerms(text: string): string[] {
  const { words, unspaced } = split(text);
  return [...new Set([...words.map(cut), ...unspaced.flatMap(pairs)])];
}

/** @returns null for a text without a letter or digit */
export function parseWordQuery(text: string): WordQuery | null {
  const { words, unspaced } = split(text.slice(0, MAX_QUERY).toWellFormed(), true);
  if (words.length + unspaced.length === 0) return null;
  const terms = [
    ...words.map((word) => ({ isPrefix: !SHORT.test(word), term: cut(word) })),
    ...unspaced.flatMap(unspacedTerms),
  ];
  const distinct = [...new Map(terms.map((one) => [one.term, one])).values()];
  // The longest are in the fewest texts.
  distinct.sort((a, b) => b.term.length - a.term.length || (a.term < b.term ? -1 : 1));
  return {
    terms: distinct.slice(0, MAX_QUERY_TERMS),
    matches(text) {
      const of = split(text);
      return (
        words.every((word) => of.words.some((one) => isFound(word, one))) &&
        unspaced.every((part) => of.unspaced.some((one) => one.includes(part)))
      );
    },
    *marksIn(text) {
      for (const { 0: run, index } of text.matchAll(RUN)) {
        for (const { 0: part, index: at } of run.matchAll(PART)) {
          const of = split(part);
          const from = index + at;
          if (of.words.some((one) => words.some((word) => isFound(word, one)))) yield [from, from + part.length];
          // Where a form has another length, its parts have no place in the text.
          const [form] = of.unspaced[0]?.length === part.length ? of.unspaced : [];
          if (form !== undefined) for (const [start, end] of placesOf(unspaced, form)) yield [from + start, from + end];
        }
      }
    },
  };
}

function isFound(word: string, one: string): boolean {
  return SHORT.test(word) ? one === word : one.startsWith(word);
}

function placesOf(parts: string[], text: string): [number, number][] {
  const places: [number, number][] = [];
  for (const part of parts) {
    for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) {
      places.push([at, at + part.length]);
    }
  }
  return places.sort(([a], [b]) => a - b);
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

/** @param isQuery words without what is elided before them; else with it and without it */
function split(text: string, isQuery = false): { words: string[]; unspaced: string[] } {
  const words: string[] = [];
  const unspaced: string[] = [];
  const add = (form: string): void => {
    const joined = form.replace(APOSTROPHES, '');
    if (!HAS_UNSPACED.test(joined)) words.push(joined);
    else for (const [part] of joined.matchAll(PART)) (HAS_UNSPACED.test(part) ? unspaced : words).push(part);
  };
  for (const run of normalise(text).match(RUN) ?? []) {
    // Most are plain: the rest takes half of the time.
    if (PLAIN.test(run)) {
      words.push(run);
      continue;
    }
    const [, rest = ''] = ELISION.exec(run) ?? [];
    if (!isQuery || rest.length < MIN_ELIDED) add(run);
    if (rest !== '' && (!isQuery || rest.length >= MIN_ELIDED)) add(rest);
  }
  return { words, unspaced };
}

function normalise(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase().slice(0, MAX_TEXT);
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(OPTIONAL_MARKS, '')
    .replaceAll('ß', 'ss')
    .replaceAll('œ', 'oe')
    .replaceAll('æ', 'ae')
    .normalize('NFC')
    .slice(0, MAX_TEXT);
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
