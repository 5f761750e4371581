/** A factory of the items that are grouped, and the term frequencies of a newsroom that has a past. */
import type { GroupingItem } from '../../../src/outlets/grouping/grouping-item.ts';
import type { Frequencies } from '../../../src/outlets/grouping/term-frequencies.ts';
import { titleTerms } from '../../../src/outlets/grouping/terms.ts';
import { NOW } from '../../support/clock.ts';

/** Makes an item in English of an outlet of its own, reported `id` seconds after NOW. */
export function groupingItem(id: number, title: string, change: Partial<GroupingItem> = {}): GroupingItem {
  return {
    ...{ id, title, outlet: `Outlet ${id}`, summary: null, canonicalUrl: `https://outlet-${id}.example/${id}` },
    ...{ language: 'en', at: NOW + id * 1_000 },
    ...change,
  };
}

const COMMON = 'buys rival deal billion pay vote workers price rises chief new';

/** Of 900 groups, in which some words are common. */
export const PAST: Frequencies = new Map([
  ['en', { groups: 900, terms: new Map([...titleTerms(COMMON, 'en')].map((term) => [term, 90])) }],
]);
