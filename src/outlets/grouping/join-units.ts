/** Joins units that report the same event. Pure. */
import { APART, joinByAverage, PairSums } from './average-link.ts';
import { findSimilarPairs, type PairLimits } from './similar-pairs.ts';
import type { Unit } from './units.ts';
import type { TermVector, VectorSpace } from './vectors.ts';

/** From which two groups are one; see average-link.ts. Measured: docs/decisions/2026-11-30-whole-news-days.md. */
const JOIN: PairLimits = { similarity: 0.31, evidence: 2.2 };

/** From which a rule may credit an outlet without an editor. */
const CERTAIN: PairLimits = { similarity: 0.36, evidence: 2.3 };

/** Units that are compared with each other at once: the sums of so many take 16 MB. */
const COMPARED = 2_000;

/** @returns the indexes of the units of each group, in ascending order */
export function joinUnits(units: readonly Unit[], { vectors, byUnit }: VectorSpace): number[][] {
  // Units that are similar on average have a pair of items that is. So only those that such pairs connect need to be
  // compared; among them, a report may share little with some of the others.
  const pairs = new Components(units.length);
  findSimilarPairs(vectors, JOIN, (a, b) => {
    pairs.connect((vectors[a] as TermVector).unit, (vectors[b] as TermVector).unit);
  });
  const limits = { ...JOIN, evidence: 0 };
  return pairs
    .list()
    .flatMap(parts)
    .flatMap((members) => joinMembers(members, units, byUnit, limits));
}

/**
 * The part of a group that also holds together for a rule: that of the frozen unit, else that of the most items, else
 * that of the earliest.
 * @param members as `joinUnits` returns them
 */
export function certainPart(members: number[], units: readonly Unit[], { byUnit }: VectorSpace): number[] {
  const parts = joinMembers(members, units, byUnit, CERTAIN).map((part) => {
    const own = part.map((unit) => units[unit] as Unit);
    const items = own.flatMap((unit) => unit.items);
    const isFrozen = own.some(({ frozenId }) => frozenId !== null);
    return { part, isFrozen, size: items.length, at: Math.min(...items.map(({ at }) => at)) };
  });
  parts.sort((a, b) => Number(b.isFrozen) - Number(a.isFrozen) || b.size - a.size || a.at - b.at);
  return parts[0]?.part ?? [];
}

/** Thousands of reports that are all alike are spam, rather than news: they may stay apart. */
function parts(members: number[]): number[][] {
  const count = Math.ceil(members.length / COMPARED);
  return Array.from({ length: count }, (_, index) => members.slice(index * COMPARED, (index + 1) * COMPARED));
}

function joinMembers(
  members: number[],
  units: readonly Unit[],
  byUnit: readonly TermVector[][],
  limits: PairLimits,
): number[][] {
  if (members.length === 1) return [members];
  const vectors = members.map((unit) => byUnit[unit] as TermVector[]);
  const sums = sumPairs(vectors, limits.evidence);
  for (const together of apart(members.map((unit) => units[unit] as Unit))) {
    together.forEach((a, index) => {
      for (const b of together.slice(0, index)) sums.set(a, b, APART);
    });
  }
  const firsts = joinByAverage(
    sums,
    vectors.map(({ length }) => length),
    limits.similarity,
  );
  return [...Map.groupBy(members.keys(), (index) => firsts[index]).values()].map((group) =>
    group.map((index) => members[index] as number),
  );
}

/** Sums of the similarities between the vectors of each two of `sets`, as far as there is evidence. */
function sumPairs(sets: readonly TermVector[][], evidence: number): PairSums {
  const sums = new PairSums(sets.length);
  const setOf = sets.flatMap((set, index) => set.map(() => index));
  findSimilarPairs(sets.flat(), { similarity: Number.MIN_VALUE, evidence }, (a, b, similarity) => {
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
