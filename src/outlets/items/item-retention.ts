/** Deletes items that their feeds have not had for long. */
import { sql } from 'kysely';
import { type Db, inTransaction } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { DAY } from '../../lib/time.ts';

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
  await db.deleteFrom('outlet_item_keys').where('item', 'is', null).where('stored_at', '<', before).execute();
  await deleteSurplusKeys(db);
  await deleteEmptyGroups(db, before);
  return deleted;
}

/** Keys of one kind that an item keeps. A feed that renames its items with every poll would fill the store. */
const KEPT_KEYS = 10;
/** Keys of all kinds; items with more are looked at. */
const USUAL_KEYS = 4 * KEPT_KEYS;

/** Deletes the oldest keys of items that have too many. The newest are those that the feed has. */
async function deleteSurplusKeys(db: Db): Promise<void> {
  const { rows } = await sql<{ item: number }>`
    select item from outlet_item_keys where item is not null
    group by item having count(*) > ${USUAL_KEYS} order by item`.execute(db);
  for (const some of chunks(rows, BATCH)) {
    await sql`delete from outlet_item_keys where (scope, key) in (
      select scope, key from (
        select scope, key, row_number() over (
          partition by item, substr(key, 1, ${KIND_LETTERS}) order by stored_at desc, key
        ) as place
        from outlet_item_keys where item in (${sql.join(some.map(({ item }) => item))})
      ) as ranked where place > ${KEPT_KEYS})`.execute(db);
  }
}

/** Letters by which the kinds of keys differ. */
const KIND_LETTERS = 4;

/** Deletes the decisions about groups that no longer have items. */
async function deleteEmptyGroups(db: Db, before: number): Promise<void> {
  await db
    .deleteFrom('story_groups')
    .where('state', '<>', 'picked')
    .where('updated_at', '<', before)
    .where((e) =>
      e.not(
        e.exists(e.selectFrom('outlet_items').select('id').whereRef('outlet_items.group_id', '=', 'story_groups.id')),
      ),
    )
    .execute();
}
