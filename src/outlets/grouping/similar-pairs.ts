/** Pairs of vectors that are similar, found by the terms that they share. Pure. */
import type { TermVector } from './vectors.ts';

/** The vectors that have a term, and its weights in them. */
interface Holders {
  vectors: number[];
  weights: number[];
}

/** Factor of the similarity of two titles that share one term: it may be the name of a company, or of a place. */
const ONE_TERM = 0.5;

/**
 * Calls `found` for each pair with a similarity of at least `threshold`, which must be above 0.
 * @param found gets the places of two vectors, the smaller first; in an order that the vectors alone decide
 */
export function findSimilarPairs(
  vectors: readonly TermVector[],
  threshold: number,
  found: (a: number, b: number, similarity: number) => void,
): void {
  const byTerm = new Map<number, Holders>();
  const sums = new Float64Array(vectors.length);
  const shared = new Uint8Array(vectors.length);
  const touched = new Int32Array(vectors.length);
  vectors.forEach(({ terms, weights }, index) => {
    let count = 0;
    for (let place = 0; place < terms.length; place++) {
      const weight = weights[place] as number;
      const holders = holdersOf(byTerm, terms[place] as number);
      for (let number = 0; number < holders.vectors.length; number++) {
        const other = holders.vectors[number] as number;
        const known = shared[other] as number;
        if (known === 0) touched[count++] = other;
        shared[other] = Math.min(known + 1, 2);
        sums[other] = (sums[other] as number) + weight * (holders.weights[number] as number);
      }
      holders.vectors.push(index);
      holders.weights.push(weight);
    }
    for (const other of touched.subarray(0, count)) {
      const similarity = (sums[other] as number) * (shared[other] === 1 ? ONE_TERM : 1);
      sums[other] = 0;
      shared[other] = 0;
      if (similarity >= threshold) found(other, index, similarity);
    }
  });
}

function holdersOf(byTerm: Map<number, Holders>, term: number): Holders {
  const known = byTerm.get(term);
  if (known !== undefined) return known;
  const holders: Holders = { vectors: [], weights: [] };
  byTerm.set(term, holders);
  return holders;
}
