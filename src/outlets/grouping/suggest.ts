/** Names pairs of groups that may report the same event, for an editor to decide. Pure. */
import type { GroupSuggestion, ItemGroup } from './grouping-item.ts';
import { findSimilarPairs } from './similar-pairs.ts';
import type { Unit } from './units.ts';
import type { TermVector, VectorSpace } from './vectors.ts';

/**
 * Mean of the average similarity and the greatest from which two groups are suggested. Reports that repeat each other
 * are often in two groups that are not similar on average. See docs/decisions/2026-11-27-grouping.md.
 */
const SUGGEST = 0.021;

/** Suggestions that name a group, at most. */
const OF_GROUP = 6;

/** Pairs that are looked at for a group, on average, at most. Two thousand headlines of 39 stories have 37. */
const CANDIDATES = 100;

/**
 * @param joined indexes of the units of each group
 * @param groups what `joined` makes, in the same order
 * @returns no pair of frozen groups: an editor has seen both
 */
export function suggest(
  joined: readonly number[][],
  groups: readonly ItemGroup[],
  units: readonly Unit[],
  { vectors, byUnit }: VectorSpace,
): GroupSuggestion[] {
  const groupOfUnit = new Int32Array(units.length);
  joined.forEach((members, group) => {
    for (const unit of members) groupOfUnit[unit] = group;
  });
  const groupOf = (vector: number): number => groupOfUnit[(vectors[vector] as TermVector).unit] as number;
  const keyOf = (a: number, b: number): number => {
    const [first, second] = [groupOf(a), groupOf(b)];
    return Math.min(first, second) * groups.length + Math.max(first, second);
  };
  const most = CANDIDATES * groups.length;
  const candidates = new Map<number, { greatest: number; sum: number }>();
  // The greatest similarity is at least the mean. Few pairs of groups have such a one, so that only those are added up.
  findSimilarPairs(vectors, SUGGEST, (a, b, similarity) => {
    if (groupOf(a) === groupOf(b)) return;
    const known = candidates.get(keyOf(a, b));
    if (known === undefined && candidates.size < most) candidates.set(keyOf(a, b), { greatest: similarity, sum: 0 });
    else if (known !== undefined) known.greatest = Math.max(known.greatest, similarity);
  });
  findSimilarPairs(vectors, Number.MIN_VALUE, (a, b, similarity) => {
    const candidate = candidates.get(keyOf(a, b));
    if (candidate !== undefined) candidate.sum += similarity;
  });
  const isFrozen = joined.map((members) => members.some((unit) => units[unit]?.frozenId !== null));
  const sizes = joined.map((members) => members.reduce((sum, unit) => sum + (byUnit[unit]?.length ?? 0), 0));
  const found = [...candidates].flatMap(([key, { greatest, sum }]): GroupSuggestion[] => {
    const [a, b] = [Math.floor(key / groups.length), key % groups.length];
    const similarity = (sum / ((sizes[a] as number) * (sizes[b] as number)) + greatest) / 2;
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
