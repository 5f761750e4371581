/** Titles and summaries as vectors of weighted terms. Pure. */
import type { GroupingItem } from './grouping-item.ts';
import { titleLanguage } from './language.ts';
import { isDigest } from './report-form.ts';
import { type Frequencies, frequenciesOf, type TermFrequencies } from './term-frequencies.ts';
import { summaryTerms, titleTerms } from './terms.ts';
import type { Unit } from './units.ts';
import { isUnspaced } from './unspaced-words.ts';

/** Its terms, sorted by number, with their weights; its length is at most 1. */
export interface TermVector {
  /** Index of the unit whose item it is of. */
  unit: number;
  terms: Int32Array;
  weights: Float64Array;
  /** Square roots of the evidence that a term gives: of 1 if no other item has had it, more in a title alone. */
  rarities: Float64Array;
}

export interface VectorSpace {
  vectors: TermVector[];
  /** Vectors of each unit. A digest has none, nor has a title without terms. */
  byUnit: TermVector[][];
}

/** Weight of a summary beside a title of weight 1: a summary says much that other reports do not. */
const SUMMARY_WEIGHT = 0.5;

/** A title without a summary has fewer words to share: what two of them share counts this much more. */
const TITLE_ALONE = { similarity: Math.sqrt(1.1), evidence: 1.45 };

/** Items that a newsroom is taken to have had before its first: otherwise each term of a quiet day would be common. */
const ITEMS_BEFORE = 50;

const NONE: TermFrequencies = { groups: 0, terms: new Map() };

export function vectorsOf(units: readonly Unit[], past: Frequencies): VectorSpace {
  const numbers = new Map<string, number>();
  const today = frequenciesOf(units.flatMap(({ items }) => items.map((item) => [item])));
  const byUnit = units.map(({ items }, unit) =>
    items
      .filter(({ title, summary }) => !isDigest(title, summary))
      .flatMap((item): TermVector[] => {
        const language = titleLanguage(item.title, item.language);
        const known = past.get(language) ?? NONE;
        const terms = isUnspaced(language)
          ? unspacedWeights(item, language, known)
          : spacedWeights(item, language, known, today.get(language) ?? NONE);
        // The same term of two languages has two numbers, so that languages never match.
        const numbered = terms.map((term) => ({ ...term, number: numberOf(numbers, `${language} ${term.term}`) }));
        return terms.length === 0 ? [] : [toVector(unit, numbered)];
      }),
  );
  return { vectors: byUnit.flat(), byUnit };
}

interface WeightedTerm {
  term: string;
  weight: number;
  rarity: number;
}

function toVector(unit: number, terms: (WeightedTerm & { number: number })[]): TermVector {
  const sorted = terms.sort((a, b) => a.number - b.number);
  return {
    unit,
    terms: Int32Array.from(sorted, ({ number }) => number),
    weights: Float64Array.from(sorted, ({ weight }) => weight),
    rarities: Float64Array.from(sorted, ({ rarity }) => Math.sqrt(rarity)),
  };
}

/**
 * Terms weigh by the frequencies of the day alone: those of its theme, which half of the day's titles may have, join
 * nothing then. Past days tell how rare a term is at all. See docs/decisions/2026-11-30-whole-news-days.md.
 */
function spacedWeights(
  { title, summary }: GroupingItem,
  language: string,
  past: TermFrequencies,
  today: TermFrequencies,
): WeightedTerm[] {
  const rarityToday = (term: string) => rarity(today.terms.get(term) ?? 0, today.groups);
  const weights = unit(weigh(titleTerms(title, language), rarityToday));
  const others = unit(weigh(summary === null ? [] : summaryTerms(summary, language), rarityToday));
  if (weights.size === 0) return [];
  for (const [term, weight] of others) weights.set(term, (weights.get(term) ?? 0) + weight * SUMMARY_WEIGHT);
  const ever = today.groups + past.groups;
  const { similarity, evidence } = others.size === 0 ? TITLE_ALONE : { similarity: 1, evidence: 1 };
  return [...unit(weights)].map(([term, weight]) => {
    const count = (today.terms.get(term) ?? 0) + (past.terms.get(term) ?? 0);
    return { term, weight: weight * similarity, rarity: (evidence * rarity(count, ever)) / rarity(1, ever) };
  });
}

/** Inverse document frequency. @param count of the items that have the term */
function rarity(count: number, items: number): number {
  return Math.log((items + ITEMS_BEFORE) / (count + 0.5));
}

/** For titles without spaces: they share many pairs of characters, so that each term counts as evidence. */
const EVIDENT = 10;

/** Terms that no past group has, and that make a title tell enough. */
const TELLING_TERMS = 7;

/** Weights by the frequencies of past days, measured for Chinese and Japanese: docs/decisions/2026-11-27-grouping.md */
function unspacedWeights(
  { title, summary }: GroupingItem,
  language: string,
  { groups, terms }: TermFrequencies,
): WeightedTerm[] {
  const rarityBefore = (term: string) => Math.log((groups + 2) / (Math.min(terms.get(term) ?? 0, groups) + 1));
  const weights = weigh(titleTerms(title, language), rarityBefore);
  const titleLength = lengthOf(weights);
  if (titleLength === 0) return [];
  const others = unit(weigh(summary === null ? [] : summaryTerms(summary, language), rarityBefore));
  for (const [term, weight] of others) weights.set(term, (weights.get(term) ?? 0) + weight * 0.3 * titleLength);
  // Similarities count less while few past groups tell which terms are rare: 0.2 without any, 1 with many.
  const trust = 1 / (1 + 4 / (1 + groups / 30));
  const scale = Math.sqrt(trust * (language === 'zh' ? 1.01 : 0.87));
  const factor = scale / Math.max(lengthOf(weights), Math.sqrt(TELLING_TERMS) * rarityBefore(''));
  return [...weights].map(([term, weight]) => ({ term, weight: weight * factor, rarity: EVIDENT }));
}

function weigh(terms: Iterable<string>, weightOf: (term: string) => number): Map<string, number> {
  return new Map([...terms].map((term) => [term, weightOf(term)]));
}

function unit(weights: ReadonlyMap<string, number>): Map<string, number> {
  const length = lengthOf(weights) || 1;
  return new Map([...weights].map(([term, weight]) => [term, weight / length]));
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
