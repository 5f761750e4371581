/** Names pairs of groups that may report the same event, for an editor to decide. Pure. */
import type { GroupSuggestion, ItemGroup } from './grouping-item.ts';
import { findSimilarPairs, type PairLimits } from './similar-pairs.ts';
import type { Unit } from './units.ts';
import type { TermVector, VectorSpace } from './vectors.ts';

/** Limits for the two most similar items of two groups. */
const SUGGEST: PairLimits = { similarity: 0.12, evidence: 1.7 };

/** Suggestions at most: an editor reads ten a day, and most that are right are among the first. */
const MOST = 10;

/**
 * @param joined indexes of the units of each group
 * @param groups what `joined` makes, in the same order
 * @returns pairs that would add an outlet to both groups, but none of frozen groups, which an editor has seen both.
 *   First those of two single outlets: they would be new stories.
 */
export function suggest(
  joined: readonly number[][],
  groups: readonly ItemGroup[],
  units: readonly Unit[],
  { vectors }: VectorSpace,
): GroupSuggestion[] {
  const groupOf = new Int32Array(units.length);
  joined.forEach((members, group) => {
    for (const unit of members) groupOf[unit] = group;
  });
  const outletsOf = (unit: number) => (units[unit] as Unit).items.map(({ outlet }) => outlet);
  const outlets = joined.map((members) => new Set(members.flatMap(outletsOf)));
  const isFrozen = joined.map((members) => members.some((unit) => units[unit]?.frozenId !== null));
  let best: (GroupSuggestion & { isNew: boolean })[] = [];
  findSimilarPairs(vectors, SUGGEST, (one, other, similarity) => {
    const [a = 0, b = 0] = [one, other].map((vector) => groupOf[(vectors[vector] as TermVector).unit]);
    if (a === b || (isFrozen[a] && isFrozen[b])) return;
    const [ofA, ofB] = [outlets[a] as Set<string>, outlets[b] as Set<string>];
    if (ofA.isSubsetOf(ofB) || ofB.isSubsetOf(ofA)) return;
    const isNew = ofA.size === 1 && ofB.size === 1;
    const last = best[MOST - 1];
    // Most pairs end here: thousands of equal titles have millions of pairs.
    if (last !== undefined && (isNew === last.isNew ? similarity <= last.similarity : last.isNew)) return;
    const [groupId = 0, otherId = 0] = [groups[a]?.id ?? 0, groups[b]?.id ?? 0].sort((x, y) => x - y);
    const known = best.find((suggestion) => suggestion.groupId === groupId && suggestion.otherId === otherId);
    if (known !== undefined && known.similarity >= similarity) return;
    const suggestion = { groupId, otherId, similarity, isNew };
    best = [...best.filter((kept) => kept !== known), suggestion]
      .sort(
        (x, y) =>
          Number(y.isNew) - Number(x.isNew) ||
          y.similarity - x.similarity ||
          x.groupId - y.groupId ||
          x.otherId - y.otherId,
      )
      .slice(0, MOST);
  });
  return best.map(({ isNew: _, ...suggestion }) => suggestion);
}
