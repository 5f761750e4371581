/** How many groups of past days have a term: rare terms tell events apart. Pure. */
import type { GroupingItem } from './grouping-item.ts';
import { titleLanguage } from './language.ts';
import { summaryTerms, titleTerms } from './terms.ts';

/** Term frequencies of one language. */
export interface TermFrequencies {
  /** Groups that were counted. */
  groups: number;
  /** By term, the groups that have it. */
  terms: ReadonlyMap<string, number>;
}

/** By primary language, such as `en`. */
export type Frequencies = ReadonlyMap<string, TermFrequencies>;

/**
 * Counts each term once a group, so that an event that all outlets report makes none of its terms common.
 * @param groups the items of each
 */
export function frequenciesOf(groups: readonly (readonly GroupingItem[])[]): Frequencies {
  const counted = new Map<string, { groups: number; terms: Map<string, number> }>();
  for (const items of groups) {
    for (const [language, terms] of termsByLanguage(items)) {
      const known = counted.get(language) ?? { groups: 0, terms: new Map<string, number>() };
      counted.set(language, known);
      known.groups++;
      for (const term of terms) known.terms.set(term, (known.terms.get(term) ?? 0) + 1);
    }
  }
  return counted;
}

function termsByLanguage(items: readonly GroupingItem[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { title, summary, language: tag } of items) {
    const language = titleLanguage(title, tag);
    const terms = found.get(language) ?? new Set();
    found.set(language, terms);
    for (const term of titleTerms(title, language)) terms.add(term);
    for (const term of summary === null ? [] : summaryTerms(summary, language)) terms.add(term);
  }
  return found;
}

/** Adds up the frequencies of several days. */
export function sumFrequencies(days: readonly Frequencies[]): Frequencies {
  const sum = new Map<string, { groups: number; terms: Map<string, number> }>();
  for (const [language, { groups, terms }] of days.flatMap((day) => [...day])) {
    const known = sum.get(language) ?? { groups: 0, terms: new Map<string, number>() };
    sum.set(language, known);
    known.groups += groups;
    for (const [term, count] of terms) known.terms.set(term, (known.terms.get(term) ?? 0) + count);
  }
  return sum;
}
