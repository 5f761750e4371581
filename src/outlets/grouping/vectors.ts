/** Titles as vectors of weighted terms. Pure. */

import type { GroupingItem } from './grouping-item.ts';
import { titleLanguage } from './language.ts';
import { isDigest } from './report-form.ts';
import type { Frequencies, TermFrequencies } from './term-frequencies.ts';
import { summaryTerms, titleTerms } from './terms.ts';
import type { Unit } from './units.ts';
import { isUnspaced } from './unspaced-words.ts';

/** Weights by the number of the term, sorted by number. Its length is at most 1: the less it tells, the shorter. */
export interface TermVector {
  /** Index of the unit whose item it is of. */
  unit: number;
  terms: Int32Array;
  weights: Float64Array;
}

export interface VectorSpace {
  vectors: TermVector[];
  /** Vectors of each unit. A digest has none, nor has a title without terms. */
  byUnit: TermVector[][];
}

/** Weight of a summary beside a title of weight 1: a summary says much that other reports do not. */
const SUMMARY_WEIGHT = 0.3;

/**
 * Terms that no group of past days has, and that make a title tell enough. A title with less, such as "Stocks fall",
 * is less similar to all others. Measured: docs/decisions/2026-11-27-grouping.md.
 */
const TELLING_TERMS = 7;

const NO_FREQUENCIES: TermFrequencies = { groups: 0, terms: new Map() };

export function vectorsOf(units: readonly Unit[], frequencies: Frequencies): VectorSpace {
  const numbers = new Map<string, number>();
  const byUnit = units.map(({ items }, unit) =>
    items
      .filter(({ title, summary }) => !isDigest(title, summary))
      .flatMap((item) => vectorOf(item, unit, frequencies, numbers) ?? []),
  );
  return { vectors: byUnit.flat(), byUnit };
}

/** Null for a title without terms. */
function vectorOf(
  { title, summary, language: tag }: GroupingItem,
  unit: number,
  frequencies: Frequencies,
  numbers: Map<string, number>,
): TermVector | null {
  const language = titleLanguage(title, tag);
  const known = frequencies.get(language) ?? NO_FREQUENCIES;
  const weights = rarities(titleTerms(title, language), known);
  const titleLength = lengthOf(weights);
  if (titleLength === 0) return null;
  if (summary !== null) {
    const others = rarities(summaryTerms(summary, language), known);
    const factor = (SUMMARY_WEIGHT * titleLength) / (lengthOf(others) || 1);
    for (const [term, weight] of others) weights.set(term, (weights.get(term) ?? 0) + weight * factor);
  }
  const least = Math.sqrt(TELLING_TERMS) * rarity(0, known.groups);
  const scale = trust(known.groups) * scaleOf(language);
  const factor = Math.sqrt(scale) / Math.max(lengthOf(weights), least);
  // The same term of two languages has two numbers, so that languages never match.
  const entries = [...weights].map(([term, weight]) => [numberOf(numbers, `${language} ${term}`), weight * factor]);
  const sorted = (entries as [number, number][]).sort(([a], [b]) => a - b);
  return {
    unit,
    terms: Int32Array.from(sorted, ([number]) => number),
    weights: Float64Array.from(sorted, ([, weight]) => weight),
  };
}

function rarities(terms: Set<string>, { groups, terms: counts }: TermFrequencies): Map<string, number> {
  return new Map([...terms].map((term) => [term, rarity(counts.get(term) ?? 0, groups)]));
}

/** Inverse document frequency. @param count of the groups that have the term */
function rarity(count: number, groups: number): number {
  return Math.log((groups + 2) / (Math.min(count, groups) + 1));
}

/** Groups of past days that make up for half of what a newsroom without past lacks. */
const HALF_TRUSTED = 30;

/** Similarities count less while few past groups tell which terms are rare: 0.2 without any, 1 with many. */
function trust(groups: number): number {
  return 1 / (1 + 4 / (1 + groups / HALF_TRUSTED));
}

/**
 * Titles of languages without spaces share many pairs of characters, so that the similarities of different events are
 * greater. Measured for Chinese and Japanese.
 */
function scaleOf(language: string): number {
  if (language === 'zh') return 0.17;
  return isUnspaced(language) ? 0.146 : 1;
}

function lengthOf(weights: ReadonlyMap<string, number>): number {
  return Math.hypot(...weights.values());
}

function numberOf(numbers: Map<string, number>, term: string): number {
  const known = numbers.get(term);
  if (known !== undefined) return known;
  numbers.set(term, numbers.size);
  return numbers.size - 1;
}
