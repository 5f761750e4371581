/** An outlet item that an editor names by its address, whether a feed has it or not. */
import { inTransaction, lockName, type Store, type Tx } from '../../core/store/store.ts';
import { canonicalLink, isFrontPage } from '../../sources/canonical-link.ts';
import { type EntryKeys, keysOf } from '../identity/entry-keys.ts';
import { findKeys, saveKeys } from '../items/item-keys.ts';
import { startOfDay } from '../items/plan-recording.ts';
import { GroupCommandError } from './commands.ts';
import { lockGroups } from './group-rows.ts';
import type { GroupedItem } from './story-group.ts';

export type NamedItem = Pick<
  GroupedItem,
  'outlet' | 'title' | 'summary' | 'url' | 'language' | 'imageUrl' | 'publishedAt'
>;

export interface AddedItem {
  id: number;
  /** False if a feed or an editor has brought it before: it keeps its title and its group. */
  isNew: boolean;
  /** As it is stored. */
  report: NamedItem;
}

/**
 * Stores an item in a group of its own, unless its link is known. A feed that brings it later has the same item.
 * @param onCommit awaited last, in the same transaction, with the id, and only if no group had the item before
 * @throws GroupCommandError for the front page of a site
 */
export function addItem(
  { db }: Pick<Store, 'db'>,
  item: NamedItem,
  now: number,
  onCommit?: (tx: Tx, id: number) => Promise<void>,
): Promise<AddedItem> {
  const canonicalUrl = canonicalLink(item.url);
  if (canonicalUrl === null || isFrontPage(canonicalUrl)) {
    throw new GroupCommandError(`${item.url} is the front page of a site: name the address of the report`);
  }
  return inTransaction(db, async (tx) => {
    await lockGroups(tx);
    // As polls do: both may bring it at the same time.
    await lockName(tx, `outlet ${item.outlet}`);
    const known = await findKnown(tx, canonicalUrl);
    if (known !== undefined) {
      // An editor decides, also about one that was dated before the first poll, or that a flood brought.
      const group_id = known.group_id ?? known.id;
      await tx.updateTable('outlet_items').set({ state: 'open', group_id }).where('id', '=', known.id).execute();
      const { id, group_id: former, state, ...report } = known;
      if (former === null || state !== 'open') await onCommit?.(tx, id);
      return { id, isNew: false, report };
    }
    const { id } = await tx
      .insertInto('outlet_items')
      .values({
        ...{ source: null, outlet: item.outlet, title: item.title, summary: item.summary, url: item.url },
        ...{ canonical_url: canonicalUrl, language: item.language, image_url: item.imageUrl },
        ...{ published_at: item.publishedAt, first_seen_at: now, seen_at: startOfDay(now), state: 'open' },
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await tx.updateTable('outlet_items').set({ group_id: id }).where('id', '=', id).execute();
    const { link, title }: EntryKeys = keysOf({ ...item, guid: null, link: item.url });
    const scope = { source: '', outlet: item.outlet };
    const keys = [link, title].filter((key) => key !== null);
    // A key that is stored is that of another item, or of several.
    const taken = await findKeys(tx, scope, keys);
    const free = keys.filter((key) => !taken.has(key)).map((key) => ({ key, item: id }));
    await saveKeys(tx, scope, free, now);
    await onCommit?.(tx, id);
    return { id, isNew: true, report: item };
  });
}

/** Of any outlet: two may have the same report, as agencies do, and the first one that came is in a group. */
function findKnown(tx: Tx, canonicalUrl: string) {
  return tx
    .selectFrom('outlet_items')
    .select(['id', 'group_id', 'state', 'outlet', 'title', 'summary', 'url', 'language'])
    .select(['image_url as imageUrl', 'published_at as publishedAt'])
    .where('canonical_url', '=', canonicalUrl)
    .orderBy('first_seen_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}
