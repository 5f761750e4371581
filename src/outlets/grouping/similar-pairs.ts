/** Pairs of vectors that are similar, found by the terms that they share. Pure. */
import type { TermVector } from './vectors.ts';

/** What makes a pair count. */
export interface PairLimits {
  /** Least similarity, above 0. */
  similarity: number;
  /** Least sum of the rarities of the shared terms: 1 for a name that nobody else has mentioned. */
  evidence: number;
}

/** The vectors that have a term, and its weights in them. */
interface Holders {
  vectors: number[];
  weights: number[];
  rarities: number[];
}

/**
 * Calls `found` for each pair within the limits.
 * @param found gets the places of two vectors, the smaller first; in an order that the vectors alone decide
 */
export function findSimilarPairs(
  vectors: readonly TermVector[],
  { similarity: leastSimilarity, evidence: leastEvidence }: PairLimits,
  found: (a: number, b: number, similarity: number) => void,
): void {
  const byTerm = new Map<number, Holders>();
  const sums = new Float64Array(vectors.length);
  const evidence = new Float64Array(vectors.length);
  const touched = new Int32Array(vectors.length);
  vectors.forEach(({ terms, weights, rarities }, index) => {
    let count = 0;
    for (let place = 0; place < terms.length; place++) {
      const weight = weights[place] as number;
      const rarity = rarities[place] as number;
      const holders = holdersOf(byTerm, terms[place] as number);
      for (let number = 0; number < holders.vectors.length; number++) {
        const other = holders.vectors[number] as number;
        if (evidence[other] === 0) touched[count++] = other;
        evidence[other] = (evidence[other] as number) + rarity * (holders.rarities[number] as number);
        sums[other] = (sums[other] as number) + weight * (holders.weights[number] as number);
      }
      holders.vectors.push(index);
      holders.weights.push(weight);
      holders.rarities.push(rarity);
    }
    for (const other of touched.subarray(0, count)) {
      const similarity = sums[other] as number;
      const isEvident = (evidence[other] as number) >= leastEvidence;
      sums[other] = 0;
      evidence[other] = 0;
      if (isEvident && similarity >= leastSimilarity) found(other, index, similarity);
    }
  });
}

function holdersOf(byTerm: Map<number, Holders>, term: number): Holders {
  const known = byTerm.get(term);
  if (known !== undefined) return known;
  const holders: Holders = { vectors: [], weights: [], rarities: [] };
  byTerm.set(term, holders);
  return holders;
}
