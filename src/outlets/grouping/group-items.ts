/** Groups outlet items that report the same event. Pure: the same items in any order give the same groups. */
import { cleanSummaries } from './boilerplate.ts';
import type { FrozenGroup, Grouping, GroupingItem, ItemGroup } from './grouping-item.ts';
import { certainPart, joinUnits } from './join-units.ts';
import { titleLanguage } from './language.ts';
import { suggest } from './suggest.ts';
import type { Frequencies } from './term-frequencies.ts';
import { type Unit, unitsOf } from './units.ts';
import { isUnspaced } from './unspaced-words.ts';
import { vectorsOf } from './vectors.ts';

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
