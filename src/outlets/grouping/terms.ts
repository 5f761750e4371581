/** The terms of a text: what is compared instead of its words. Pure. */
import { stemOf } from './stems.ts';
import { isUnspaced, unspacedTerms } from './unspaced-words.ts';
import { normalise, wordsOf } from './words.ts';

/** What is read of a text, in UTF-16 units. A longer one is cut there. */
const TITLE_LENGTH = 300;
const SUMMARY_LENGTH = 300;
/** Terms of a text at most. */
const TERMS = 60;

export function titleTerms(title: string, language: string): Set<string> {
  return terms(title.slice(0, TITLE_LENGTH), language);
}

export function summaryTerms(summary: string, language: string): Set<string> {
  return terms(summary.slice(0, SUMMARY_LENGTH), language);
}

function terms(text: string, language: string): Set<string> {
  const normalised = normalise(text.toWellFormed());
  if (isUnspaced(language)) return new Set(unspacedTerms(normalised, language, TERMS));
  return new Set(wordsOf(normalised, TERMS).flatMap((word) => stemOf(word, language) ?? []));
}
