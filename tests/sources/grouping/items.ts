/** A factory of the items that are grouped. */
import type { GroupingItem } from '../../../src/sources/grouping/grouping-item.ts';
import { NOW } from '../../support/clock.ts';

/** Makes an item in English of an outlet of its own, reported `id` seconds after NOW. */
export function groupingItem(id: number, title: string, change: Partial<GroupingItem> = {}): GroupingItem {
  return {
    ...{ id, title, outlet: `Outlet ${id}`, summary: null, canonicalUrl: `https://outlet-${id}.example/${id}` },
    ...{ language: 'en', at: NOW + id * 1_000 },
    ...change,
  };
}
