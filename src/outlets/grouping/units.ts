/** What grouping begins with: frozen groups, copies of one report, and single items. Pure. */
import type { FrozenGroup, GroupingItem } from './grouping-item.ts';
import { isDigest } from './report-form.ts';

/** Items that are together before any titles are compared. */
export interface Unit {
  /** The id of the frozen group; null if it is none. */
  frozenId: number | null;
  items: GroupingItem[];
}

/**
 * Items of other outlets with the same canonical link are copies of one report, even if their titles differ. A link
 * that one outlet gives to several items tells nothing: some feeds link to their home page.
 * @param items in an order that does not depend on how they were given
 */
export function unitsOf(items: readonly GroupingItem[], frozen: readonly FrozenGroup[]): Unit[] {
  const units = frozenUnits(items, frozen);
  const isFrozen = new Set(units.flatMap((unit) => unit.items));
  const byLink = new Map<string, Unit>();
  const unclear = unclearLinks(items);
  for (const unit of units) {
    for (const { canonicalUrl } of unit.items) if (canonicalUrl !== null) byLink.set(canonicalUrl, unit);
  }
  for (const item of items) {
    if (isFrozen.has(item)) continue;
    const mayBeCopy =
      item.canonicalUrl !== null && !unclear.has(item.canonicalUrl) && !isDigest(item.title, item.summary);
    const link = mayBeCopy ? item.canonicalUrl : null;
    const copies = link === null ? undefined : byLink.get(link);
    if (copies !== undefined && !copies.items.some(({ outlet }) => outlet === item.outlet)) {
      copies.items.push(item);
      continue;
    }
    const unit: Unit = { frozenId: null, items: [item] };
    if (link !== null && copies === undefined) byLink.set(link, unit);
    units.push(unit);
  }
  return units;
}

/** An item that two frozen groups claim belongs to the one with the smaller id. */
function frozenUnits(items: readonly GroupingItem[], frozen: readonly FrozenGroup[]): Unit[] {
  const owners = new Map<number, number>();
  for (const group of frozen.toSorted((a, b) => a.id - b.id)) {
    for (const item of group.items) if (!owners.has(item)) owners.set(item, group.id);
  }
  const units = new Map<number, Unit>();
  for (const item of items) {
    const owner = owners.get(item.id);
    if (owner === undefined) continue;
    const unit = units.get(owner) ?? { frozenId: owner, items: [] };
    units.set(owner, unit);
    unit.items.push(item);
  }
  return [...units.values()];
}

function unclearLinks(items: readonly GroupingItem[]): Set<string> {
  const seen = new Set<string>();
  const unclear = new Set<string>();
  for (const { outlet, canonicalUrl } of items) {
    if (canonicalUrl === null) continue;
    const key = JSON.stringify([outlet, canonicalUrl]);
    if (seen.has(key)) unclear.add(canonicalUrl);
    seen.add(key);
  }
  return unclear;
}
