/** Headlines as the items that are grouped. */
import type { GroupingItem } from '../../src/outlets/grouping/grouping-item.ts';
import type { Headline } from './headlines.ts';

/** @param id also its place: all items are of the same time */
export function toItem({ title, outlet }: Headline, id: number): GroupingItem {
  return { id, outlet, title, summary: null, canonicalUrl: null, language: 'en', at: 0 };
}
