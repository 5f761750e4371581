/** Outlet items in a store, and as members of story groups. */
import type { Db } from '../../src/core/store/store.ts';
import { type GroupedItem, inReportOrder, type StoryGroup } from '../../src/outlets/story-groups/story-group.ts';
import { NOW } from './clock.ts';

/** An item of the outlet `Outlet <id>`, reported `id` minutes after NOW - 1 hour. */
export function groupedItem(id: number, change: Partial<GroupedItem> = {}): GroupedItem {
  const at = NOW - 3_600_000 + id * 60_000;
  return {
    ...{ id, source: `source-${id}`, outlet: `Outlet ${id}`, title: `Report ${id}`, summary: null, language: 'en' },
    ...{
      url: `https://outlet-${id}.example.com/report`,
      canonicalUrl: `https://outlet-${id}.example.com/report`,
      imageUrl: null,
      publishedAt: at,
      firstSeenAt: at + 30_000,
      isCertain: true,
    },
    ...change,
  };
}

/** A group without a decision. */
export function automaticGroup(...items: GroupedItem[]): StoryGroup {
  const sorted = inReportOrder(items);
  return { id: (sorted[0] as GroupedItem).id, items: sorted, decision: null };
}

/** Stores items as members of one group. @returns the items with their ids in the store */
export async function storeGroup(db: Db, items: GroupedItem[], group: 'grouped' | 'ungrouped' = 'grouped') {
  const stored: GroupedItem[] = [];
  for (const { id: _, canonicalUrl, imageUrl, publishedAt, firstSeenAt, isCertain, ...item } of inReportOrder(items)) {
    const { id } = await db
      .insertInto('outlet_items')
      .values({
        ...item,
        ...{ canonical_url: canonicalUrl, image_url: imageUrl, published_at: publishedAt, first_seen_at: firstSeenAt },
        ...{ seen_at: firstSeenAt, state: 'open', group_id: null, certain: Number(isCertain) },
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    stored.push({ id, canonicalUrl, imageUrl, publishedAt, firstSeenAt, isCertain, ...item });
  }
  const ids = stored.map(({ id }) => id);
  if (group === 'grouped') {
    await db
      .updateTable('outlet_items')
      .set({ group_id: ids[0] as number })
      .where('id', 'in', ids)
      .execute();
  }
  return stored;
}
