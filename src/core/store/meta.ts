/** Values that concern the whole store, by key. */
import type { Db } from './store.ts';

/** While this is set nothing is submitted. Its value is the reason. */
export const DELIVERY_HELD = 'delivery.held';

/** The fingerprint of the signing secret that the store is used with. */
export const SECRET_FINGERPRINT = 'secret.fingerprint';

/** While this is set, an SQLite file must be rewritten. Its value is the reason. */
export const VACUUM_DUE = 'store.vacuum';

/** When the sending domain was looked up, and which of its judgements have ever passed: JSON. */
export const SENDING_DOMAIN = 'sending-domain.judged';

/** When the sample newsroom was loaded: epoch milliseconds. */
export const SAMPLE_LOADED_AT = 'sample.loaded-at';

/** While this is set, the index of words is being built. The last article indexed, as JSON: its time and id. */
export const INDEXED_TO = 'search.indexed-to';
/** Nothing is indexed yet. */
export const INDEXED_NOTHING = JSON.stringify([Number.MAX_SAFE_INTEGER, '']);

export async function readMeta(db: Db, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value;
}

/** Sets a key to a value, or with null deletes it. */
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
