/** Titles as vectors of weighted terms, and how similar two of them are. Pure. */
import { isDigest } from './digests.ts';
import type { GroupingItem } from './grouping-item.ts';
import { languageOf } from './language.ts';
import type { Frequencies, TermFrequencies } from './term-frequencies.ts';
import { summaryTerms, titleTerms } from './terms.ts';
import type { Unit } from './units.ts';

/** Weights by the number of the term, sorted by number. Its length is 1. */
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
  /** Count of different terms. */
  terms: number;
}

/** Weight of a summary beside a title of weight 1: a summary says much that other reports do not. */
const SUMMARY_WEIGHT = 0.3;

const NO_FREQUENCIES: TermFrequencies = { groups: 0, terms: new Map() };

export function vectorsOf(units: readonly Unit[], frequencies: Frequencies): VectorSpace {
  const numbers = new Map<string, number>();
  const byUnit = units.map(({ items }, unit) =>
    items.filter(({ title }) => !isDigest(title)).flatMap((item) => vectorOf(item, unit, frequencies, numbers) ?? []),
  );
  return { vectors: byUnit.flat(), byUnit, terms: numbers.size };
}

/** Null for a title without terms. */
function vectorOf(
  { title, summary, language: tag }: GroupingItem,
  unit: number,
  frequencies: Frequencies,
  numbers: Map<string, number>,
): TermVector | null {
  const language = languageOf(title, tag);
  const known = frequencies.get(language) ?? NO_FREQUENCIES;
  const sums = new Map<number, number>();
  const add = (terms: Set<string>, share: number): void => {
    const rarities = [...terms].map((term) => rarity(known.terms.get(term) ?? 0, known.groups));
    const length = Math.hypot(...rarities);
    [...terms].forEach((term, index) => {
      // The same term of two languages has two numbers, so that languages never match.
      const number = numberOf(numbers, `${language} ${term}`);
      sums.set(number, (sums.get(number) ?? 0) + ((rarities[index] as number) * share) / length);
    });
  };
  add(titleTerms(title, language), 1);
  if (sums.size === 0) return null;
  if (summary !== null) add(summaryTerms(summary, language), SUMMARY_WEIGHT);
  const length = Math.hypot(...sums.values());
  const sorted = [...sums].sort(([a], [b]) => a - b);
  return {
    unit,
    terms: Int32Array.from(sorted, ([number]) => number),
    weights: Float64Array.from(sorted, ([, weight]) => weight / length),
  };
}

/** Inverse document frequency. @param count of the groups that have the term */
function rarity(count: number, groups: number): number {
  return Math.log((groups + 2) / (Math.min(count, groups) + 1));
}

function numberOf(numbers: Map<string, number>, term: string): number {
  const known = numbers.get(term);
  if (known !== undefined) return known;
  numbers.set(term, numbers.size);
  return numbers.size - 1;
}

/** Cosine of the angle between two vectors, 0 to 1. */
export function similarity(a: TermVector, b: TermVector): number {
  let sum = 0;
  for (let i = 0, j = 0; i < a.terms.length && j < b.terms.length; ) {
    const difference = (a.terms[i] as number) - (b.terms[j] as number);
    if (difference === 0) sum += (a.weights[i] as number) * (b.weights[j] as number);
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return sum;
}

/** Sum of the similarities of each vector of one set with each of the other. */
export function sumOfSimilarities(some: readonly TermVector[], others: readonly TermVector[]): number {
  let sum = 0;
  for (const a of some) for (const b of others) sum += similarity(a, b);
  return sum;
}
