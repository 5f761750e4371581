/** Grouping, as a thread calls it. */
import { groupItems } from './group-items.ts';
import type { FrozenGroup, Grouping, GroupingItem } from './grouping-item.ts';
import { type Frequencies, frequenciesOf } from './term-frequencies.ts';

export interface GroupingInput {
  items: GroupingItem[];
  frozen: FrozenGroup[];
  frequencies: Frequencies;
}

export function groupJob({ items, frozen, frequencies }: GroupingInput): Grouping {
  return groupItems(items, frozen, frequencies);
}

export function countTermsJob(groups: GroupingItem[][]): Frequencies {
  return frequenciesOf(groups);
}
