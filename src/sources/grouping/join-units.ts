/** Joins units that report the same event. Pure. */
import { APART, joinByAverage, PairSums } from './average-link.ts';
import { Components } from './components.ts';
import { findSimilarPairs } from './similar-pairs.ts';
import type { Unit } from './units.ts';
import { sumOfSimilarities, type TermVector, type VectorSpace } from './vectors.ts';

/** Average similarity from which two groups are one. See docs/decisions/2026-11-27-grouping.md. */
const JOIN = 0.16;

/** Units that are compared with each other at once: the sums of so many take 64 MB. */
const COMPARED = 4_000;

/** @returns the indexes of the units of each group, in ascending order */
export function joinUnits(units: readonly Unit[], { vectors, byUnit, terms }: VectorSpace): number[][] {
  // Units that have an average of at least JOIN have a pair of items with at least as much. So only those that such
  // pairs connect need to be compared.
  const pairs = new Components(units.length);
  findSimilarPairs(vectors, terms, JOIN, (a, b) => {
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
  const sums = new PairSums(members.length);
  members.forEach((unit, a) => {
    members.slice(0, a).forEach((other, b) => {
      const apart = mayNotJoin(units[unit] as Unit, units[other] as Unit);
      sums.set(a, b, apart ? APART : sumOfSimilarities(byUnit[unit] as TermVector[], byUnit[other] as TermVector[]));
    });
  });
  const weights = members.map((unit) => (byUnit[unit] as TermVector[]).length);
  const groups = new Map<number, number[]>();
  joinByAverage(sums, weights, JOIN).forEach((first, index) => {
    const unit = members[index] as number;
    const known = groups.get(first);
    if (known === undefined) groups.set(first, [unit]);
    else known.push(unit);
  });
  return [...groups.values()];
}

function mayNotJoin(a: Unit, b: Unit): boolean {
  if (a.frozenId !== null && b.frozenId !== null) return true;
  return a.items.some(({ outlet }) => b.items.some((other) => other.outlet === outlet));
}
