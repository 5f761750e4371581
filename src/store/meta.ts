/**
 * Single facts about the whole store, by key.
 */
import type { Db } from './store.ts';

/** While it is set nothing is mailed; its value says why. */
export const DELIVERY_HELD = 'delivery.held';

/** The value of a key; undefined where none is set. */
export async function readMeta(db: Db, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value;
}

/** Sets a key to a value, or with null removes it. */
export async function writeMeta(db: Db, key: string, value: string | null): Promise<void> {
  if (value === null) await db.deleteFrom('meta').where('key', '=', key).execute();
  else {
    await db
      .insertInto('meta')
      .values({ key, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
  }
}
