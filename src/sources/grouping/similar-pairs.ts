/** Pairs of vectors that are similar, found by the terms that they share. Pure. */
import type { TermVector } from './vectors.ts';

/**
 * Calls `found` for each pair with a similarity of at least `threshold`, which must be above 0.
 * @param terms count of different terms
 */
export function findSimilarPairs(
  vectors: readonly TermVector[],
  terms: number,
  threshold: number,
  found: (a: number, b: number, similarity: number) => void,
): void {
  const holders: { vector: number; weight: number }[][] = Array.from({ length: terms }, () => []);
  const sums = new Float64Array(vectors.length);
  vectors.forEach((vector, index) => {
    const touched: number[] = [];
    vector.terms.forEach((term, place) => {
      const weight = vector.weights[place] as number;
      const known = holders[term] as { vector: number; weight: number }[];
      for (const holder of known) {
        if (sums[holder.vector] === 0) touched.push(holder.vector);
        sums[holder.vector] = (sums[holder.vector] as number) + weight * holder.weight;
      }
      known.push({ vector: index, weight });
    });
    for (const other of touched.sort((a, b) => a - b)) {
      const sum = sums[other] as number;
      sums[other] = 0;
      if (sum >= threshold) found(other, index, sum);
    }
  });
}
