/** Groups outlet items that report the same event. Pure: the same items in any order give the same groups. */
import { cleanSummaries } from './boilerplate.ts';
import type { FrozenGroup, Grouping, GroupingItem, GroupSuggestion, ItemGroup } from './grouping-item.ts';
import { certainPart, joinUnits } from './join-units.ts';
import { titleLanguage } from './language.ts';
import { findSimilarPairs, type PairLimits } from './similar-pairs.ts';
import type { Frequencies } from './term-frequencies.ts';
import { type Unit, unitsOf } from './units.ts';
import { isUnspaced } from './unspaced-words.ts';
import { type TermVector, type VectorSpace, vectorsOf } from './vectors.ts';

export interface GroupingInput {
  /** With different ids. */
  items: readonly GroupingItem[];
  /** Those without one of the items are left out of the result. */
  frozen: readonly FrozenGroup[];
  /** Term frequencies of past days, without these items. */
  frequencies: Frequencies;
}

/**
 * A group has an outlet at most once, unless an editor made it so. Digests join nothing. Frozen groups keep their
 * items, and are never joined with each other. The certain items of a group also hold together at a stricter limit. It
 * runs in a thread: thousands of items take a second.
 */
export function groupItems({ items, frozen, frequencies }: GroupingInput): Grouping {
  const sorted = items.toSorted(byContent);
  const summaries = cleanSummaries(sorted);
  const cleaned = sorted.map((item, index) => ({ ...item, summary: summaries[index] ?? null }));
  const units = unitsOf(cleaned, frozen);
  const space = vectorsOf(units, frequencies);
  const joined = joinUnits(units, space);
  const groups = joined.map((members) => groupOf(members, certainPart(members, units, space), units));
  const suggestions = suggest(joined, groups, units, space);
  return { groups: groups.toSorted((a, b) => a.id - b.id), suggestions };
}

/** Does not depend on ids, as far as the texts tell items apart: sums of fractions depend on their order. */
function byContent(a: GroupingItem, b: GroupingItem): number {
  return (
    compare(a.title, b.title) ||
    compare(a.outlet, b.outlet) ||
    compare(a.canonicalUrl ?? '', b.canonicalUrl ?? '') ||
    a.at - b.at ||
    a.id - b.id
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function groupOf(members: number[], certain: number[], all: readonly Unit[]): ItemGroup {
  const units = members.map((member) => all[member] as Unit);
  const items = units.flatMap((unit) => unit.items).sort((a, b) => a.at - b.at || a.id - b.id);
  const frozen = units.find(({ frozenId }) => frozenId !== null);
  const sure = new Set(certain.flatMap((member) => all[member]?.items ?? []).filter(isMeasured));
  return {
    id: frozen?.frozenId ?? (items[0] as GroupingItem).id,
    items: items.map(({ id }) => id),
    certain: items.filter((item) => sure.has(item)).map(({ id }) => id),
  };
}

/** No labelled news days exist for languages without spaces: rules credit nothing there. */
function isMeasured({ title, language }: GroupingItem): boolean {
  return !isUnspaced(titleLanguage(title, language));
}

/** Limits for the two most similar items of two groups. */
const SUGGEST: PairLimits = { similarity: 0.12, evidence: 1.7 };

/** Suggestions at most: an editor reads ten a day, and most that are right are among the first. */
const MOST = 10;

/**
 * Names pairs of groups that may report the same event, for an editor to decide.
 * @param joined indexes of the units of each group
 * @param groups what `joined` makes, in the same order
 * @returns pairs that would add an outlet to both groups, but none of frozen groups, which an editor has seen both.
 *   First those of two single outlets: they would be new stories.
 */
function suggest(
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
