/** Average-link clustering: the two clusters whose items are most similar on average join first. Pure. */

/** Sums of the similarities between the items of two clusters, for each two clusters. */
export class PairSums {
  /** Both halves, so that the sums of one cluster are next to each other: half a table takes longer. */
  readonly #rows: Float32Array[];

  /** @param size clusters */
  constructor(size: number) {
    this.#rows = Array.from({ length: size }, () => new Float32Array(size));
  }

  get(a: number, b: number): number {
    return this.rowOf(a)[b] as number;
  }

  set(a: number, b: number, sum: number): void {
    this.rowOf(a)[b] = sum;
    this.rowOf(b)[a] = sum;
  }

  rowOf(cluster: number): Float32Array {
    return this.#rows[cluster] as Float32Array;
  }

  /** Adds the sums of `b` with `others` to those of `a`. */
  add(a: number, b: number, others: readonly number[]): void {
    const [row, added] = [this.rowOf(a), this.rowOf(b)];
    for (const other of others) {
      // Most pairs share no term.
      if (added[other] === 0) continue;
      const sum = (row[other] as number) + (added[other] as number);
      row[other] = sum;
      this.rowOf(other)[a] = sum;
    }
  }
}

/** Two clusters that may never be one: a sum with it stays this. */
export const APART = Number.NEGATIVE_INFINITY;

/**
 * Joins the closest clusters as long as two are at least that close. Takes the square of their number in time, mostly.
 * @param sums of the pairs of items; `APART` where two may not join. Changed: afterwards those of the result.
 * @param weights items of each cluster that count in its averages. Changed likewise.
 * @returns for each cluster the first of those that it is one with now
 */
export function joinByAverage(sums: PairSums, weights: number[], threshold: number): number[] {
  const clusters = new Clusters(sums, weights);
  for (let pair = clusters.closest(); pair !== null && pair.closeness >= threshold; pair = clusters.closest()) {
    clusters.join(pair.a, pair.b);
  }
  return clusters.firsts();
}

class Clusters {
  readonly #sums: PairSums;
  readonly #weights: number[];
  readonly #alive: number[];
  /** By cluster, the closest of those after it, or -1, and how close that is. */
  readonly #nearest: Int32Array;
  readonly #closeness: Float64Array;
  readonly #joined: number[];

  constructor(sums: PairSums, weights: number[]) {
    this.#sums = sums;
    this.#weights = weights;
    this.#alive = weights.map((_, index) => index);
    this.#joined = [...this.#alive];
    this.#nearest = new Int32Array(weights.length);
    this.#closeness = new Float64Array(weights.length);
    for (const cluster of this.#alive) this.#find(cluster);
  }

  closest(): { a: number; b: number; closeness: number } | null {
    let a = -1;
    let closeness = APART;
    for (const cluster of this.#alive) {
      const own = this.#closeness[cluster] as number;
      if (own > closeness) [a, closeness] = [cluster, own];
    }
    return a === -1 ? null : { a, b: this.#nearest[a] as number, closeness };
  }

  /** @param a before `b` */
  join(a: number, b: number): void {
    this.#joined[b] = a;
    this.#alive.splice(this.#alive.indexOf(b), 1);
    this.#sums.add(a, b, this.#alive);
    this.#weights[a] = (this.#weights[a] as number) + (this.#weights[b] as number);
    for (const cluster of this.#alive) {
      const other = this.#nearest[cluster];
      if (cluster === a || other === a || other === b) this.#find(cluster);
      else if (cluster < a) this.#compare(cluster, a);
    }
  }

  firsts(): number[] {
    return this.#joined.map((_, cluster) => {
      let first = cluster;
      while (this.#joined[first] !== first) first = this.#joined[first] as number;
      return first;
    });
  }

  #find(cluster: number): void {
    this.#nearest[cluster] = -1;
    this.#closeness[cluster] = APART;
    for (const other of this.#alive) if (other > cluster) this.#compare(cluster, other);
  }

  /** The average of two larger clusters tells more than that of two items. Without items that count, it is 0. */
  #compare(cluster: number, other: number): void {
    const sum = this.#sums.get(cluster, other);
    const [size, otherSize] = [this.#weights[cluster] as number, this.#weights[other] as number];
    const average = sum === APART || size * otherSize === 0 ? Math.min(sum, 0) : sum / (size * otherSize);
    const closeness = average * Math.sqrt((size + otherSize) / 2);
    if (closeness <= (this.#closeness[cluster] as number)) return;
    this.#nearest[cluster] = other;
    this.#closeness[cluster] = closeness;
  }
}
