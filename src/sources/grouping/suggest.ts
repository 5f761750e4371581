/** Names pairs of groups that may report the same event, for an editor to decide. Pure. */
import type { GroupSuggestion, ItemGroup } from './grouping-item.ts';
import { findSimilarPairs } from './similar-pairs.ts';
import type { Unit } from './units.ts';
import { sumOfSimilarities, type TermVector, type VectorSpace } from './vectors.ts';

/** Average similarity from which two groups are suggested. See docs/decisions/2026-11-27-grouping.md. */
const SUGGEST = 0.1;

/** Suggestions that name a group, at most. */
const OF_GROUP = 3;

/**
 * @param joined indexes of the units of each group
 * @param groups what `joined` makes, in the same order
 * @returns no pair of frozen groups: an editor has seen both
 */
export function suggest(
  joined: readonly number[][],
  groups: readonly ItemGroup[],
  units: readonly Unit[],
  { vectors, byUnit, terms }: VectorSpace,
): GroupSuggestion[] {
  const groupOfUnit = new Int32Array(units.length);
  joined.forEach((members, group) => {
    for (const unit of members) groupOfUnit[unit] = group;
  });
  const groupOf = (vector: number): number => groupOfUnit[(vectors[vector] as TermVector).unit] as number;
  const candidates = new Set<number>();
  // Groups that have an average of at least SUGGEST have a pair of items with at least as much.
  findSimilarPairs(vectors, terms, SUGGEST, (a, b) => {
    const [first, second] = [groupOf(a), groupOf(b)];
    if (first !== second) candidates.add(Math.min(first, second) * groups.length + Math.max(first, second));
  });
  const isFrozen = joined.map((members) => members.some((unit) => units[unit]?.frozenId !== null));
  const vectorsOfGroup = joined.map((members) => members.flatMap((unit) => byUnit[unit] as TermVector[]));
  const found = [...candidates].flatMap((key): GroupSuggestion[] => {
    const [a, b] = [Math.floor(key / groups.length), key % groups.length];
    const [some, others] = [vectorsOfGroup[a] as TermVector[], vectorsOfGroup[b] as TermVector[]];
    const similarity = sumOfSimilarities(some, others) / (some.length * others.length);
    if (similarity < SUGGEST || (isFrozen[a] && isFrozen[b])) return [];
    const [groupId = 0, otherId = 0] = [groups[a]?.id ?? 0, groups[b]?.id ?? 0].sort((x, y) => x - y);
    return [{ groupId, otherId, similarity }];
  });
  return best(found.sort((x, y) => y.similarity - x.similarity || x.groupId - y.groupId || x.otherId - y.otherId));
}

/** @param suggestions the most similar first */
function best(suggestions: GroupSuggestion[]): GroupSuggestion[] {
  const counts = new Map<number, number>();
  return suggestions.filter(({ groupId, otherId }) => {
    const [count, otherCount] = [counts.get(groupId) ?? 0, counts.get(otherId) ?? 0];
    if (count === OF_GROUP || otherCount === OF_GROUP) return false;
    counts.set(groupId, count + 1).set(otherId, otherCount + 1);
    return true;
  });
}
