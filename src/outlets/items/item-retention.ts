/** Deletes items that their feeds have not had for long. */
import { sql } from 'kysely';
import { type Db, inTransaction } from '../../core/store/store.ts';
import { DAY } from '../../lib/time.ts';
import { deleteSurplusKeys } from '../../sources/identity/item-keys.ts';

const KEPT = 60 * DAY;
/** Rows per transaction: a few tens of milliseconds of writing. */
const BATCH = 2_000;

/**
 * Deletes the items that their feeds have not had for 60 days, with their keys. Not those of picked groups, nor those
 * that a feed still has, for they would come back as new: what counts is the last document that was read of it, however
 * long ago that is. Items that have no feed, or no longer one of the configuration, go by the time alone.
 * @param sources ids of the roundup sources of the configuration
 * @returns the number of deleted items
 */
export async function deleteOldItems(db: Db, sources: readonly string[], now: number): Promise<number> {
  const before = now - KEPT;
  // An empty list is no SQL.
  const isConfigured = sources.length === 0 ? sql`1 = 0` : sql`outlet_items.source in (${sql.join([...sources])})`;
  const isOld = sql`seen_at < ${before} and case when ${isConfigured}
    then exists (select 1 from sources where sources.id = outlet_items.source
      and outlet_items.seen_at < sources.items_read_at - ${KEPT})
    else true end`;
  const isPicked = sql`exists (select 1 from story_groups
    where story_groups.id = outlet_items.group_id and story_groups.state = 'picked')`;
  let deleted = 0;
  for (;;) {
    const { rows } = await inTransaction(db, (tx) =>
      sql`delete from outlet_items where id in
        (select id from outlet_items where ${isOld} and not ${isPicked} order by id limit ${BATCH})
        returning id`.execute(tx),
    );
    deleted += rows.length;
    if (rows.length < BATCH) break;
  }
  await deleteSurplusKeys(db, 'outlet_item_keys', before);
  await deleteEmptyGroups(db, before);
  return deleted;
}

/** Deletes the decisions about groups that no longer have items. */
async function deleteEmptyGroups(db: Db, before: number): Promise<void> {
  await sql`delete from story_groups where state <> 'picked' and updated_at < ${before}
    and not exists (select 1 from outlet_items where outlet_items.group_id = story_groups.id)`.execute(db);
}
