/**
 * A lease by name: of many processes one does the work, and another takes over when its lease has lapsed.
 */
import type { Db } from '../store/store.ts';

/**
 * Claims it until an instant.
 * @returns what `releaseLease` wants back, or null where another process holds it
 */
export async function claimLease(db: Db, name: string, now: number, until: number): Promise<string | null> {
  const key = `lease:${name}`;
  const row = await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
  // The random part tells two processes apart that claim in the same millisecond.
  const value = `${until}:${crypto.randomUUID()}`;
  const claimed =
    row === undefined
      ? await db
          .insertInto('meta')
          .values({ key, value })
          .onConflict((conflict) => conflict.column('key').doNothing())
          .returning('key')
          .executeTakeFirst()
      : Number.parseInt(row.value, 10) > now
        ? undefined
        : await db
            .updateTable('meta')
            .set({ value })
            .where('key', '=', key)
            .where('value', '=', row.value)
            .returning('key')
            .executeTakeFirst();
  return claimed === undefined ? null : value;
}

/** Gives it back, unless another process has taken it over. */
export async function releaseLease(db: Db, name: string, value: string): Promise<void> {
  await db.deleteFrom('meta').where('key', '=', `lease:${name}`).where('value', '=', value).execute();
}
