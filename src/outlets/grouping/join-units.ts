/** Joins units that report the same event. Pure. */
import { APART, joinByAverage, PairSums } from './average-link.ts';
import { findSimilarPairs } from './similar-pairs.ts';
import type { Unit } from './units.ts';
import type { TermVector, VectorSpace } from './vectors.ts';

/** Average similarity from which two groups are one. See docs/decisions/2026-11-27-grouping.md. */
const JOIN = 0.052;

/** Units that are compared with each other at once: the sums of so many take 16 MB. */
const COMPARED = 2_000;

/** @returns the indexes of the units of each group, in ascending order */
export function joinUnits(units: readonly Unit[], { vectors, byUnit }: VectorSpace): number[][] {
  // Units that have an average of at least JOIN have a pair of items with at least as much. So only those that such
  // pairs connect need to be compared.
  const pairs = new Components(units.length);
  findSimilarPairs(vectors, JOIN, (a, b) => {
    pairs.connect((vectors[a] as TermVector).unit, (vectors[b] as TermVector).unit);
  });
  return pairs
    .list()
    .flatMap(parts)
    .flatMap((members) => joinMembers(members, units, byUnit));
}

/** Thousands of reports that are all alike are spam, rather than news: they may stay apart. */
function parts(members: number[]): number[][] {
  const count = Math.ceil(members.length / COMPARED);
  return Array.from({ length: count }, (_, index) => members.slice(index * COMPARED, (index + 1) * COMPARED));
}

function joinMembers(members: number[], units: readonly Unit[], byUnit: readonly TermVector[][]): number[][] {
  if (members.length === 1) return [members];
  const vectors = members.map((unit) => byUnit[unit] as TermVector[]);
  const sums = sumPairs(vectors);
  for (const together of apart(members.map((unit) => units[unit] as Unit))) {
    together.forEach((a, index) => {
      for (const b of together.slice(0, index)) sums.set(a, b, APART);
    });
  }
  const firsts = joinByAverage(
    sums,
    vectors.map(({ length }) => length),
    JOIN,
  );
  return [...Map.groupBy(members.keys(), (index) => firsts[index]).values()].map((group) =>
    group.map((index) => members[index] as number),
  );
}

/** Sums of the similarities between the vectors of each two of `sets`. */
function sumPairs(sets: readonly TermVector[][]): PairSums {
  const sums = new PairSums(sets.length);
  const setOf = sets.flatMap((set, index) => set.map(() => index));
  findSimilarPairs(sets.flat(), Number.MIN_VALUE, (a, b, similarity) => {
    const [first, second] = [setOf[a] as number, setOf[b] as number];
    if (first !== second) sums.set(first, second, sums.get(first, second) + similarity);
  });
  return sums;
}

/** Sets of places of units none of which may join another: those with an item of one outlet, and frozen ones. */
function apart(units: readonly Unit[]): number[][] {
  const byOutlet = new Map<string, number[]>();
  units.forEach(({ items }, index) => {
    for (const outlet of new Set(items.map((item) => item.outlet))) {
      const known = byOutlet.get(outlet);
      if (known === undefined) byOutlet.set(outlet, [index]);
      else known.push(index);
    }
  });
  const frozen = [...units.keys()].filter((index) => units[index]?.frozenId !== null);
  return [...byOutlet.values(), frozen];
}

/** Sets of things that pairs connect. */
class Components {
  readonly #parents: number[];

  constructor(size: number) {
    this.#parents = Array.from({ length: size }, (_, index) => index);
  }

  connect(a: number, b: number): void {
    const [first, second] = [this.#rootOf(a), this.#rootOf(b)];
    this.#parents[Math.max(first, second)] = Math.min(first, second);
  }

  /** Each component in ascending order, by its first member. */
  list(): number[][] {
    const members = new Map<number, number[]>();
    this.#parents.forEach((_, index) => {
      const root = this.#rootOf(index);
      const known = members.get(root);
      if (known === undefined) members.set(root, [index]);
      else known.push(index);
    });
    return [...members.values()];
  }

  #rootOf(member: number): number {
    let root = member;
    while (this.#parents[root] !== root) {
      const parent = this.#parents[root] as number;
      this.#parents[root] = this.#parents[parent] as number;
      root = this.#parents[root] as number;
    }
    return root;
  }
}
