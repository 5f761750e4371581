/**
 * When the mail provider reported something last. Messages without any report mean that its webhook is not set up.
 */
import { readMeta, writeMeta } from '../../core/store/meta.ts';
import type { Db } from '../../core/store/store.ts';

const key = (provider: string): string => `provider.${provider}.reported-at`;

/** Records that a verified event has arrived. */
export async function noteProviderEvent(db: Db, provider: string, now: number): Promise<void> {
  await writeMeta(db, key(provider), String(now));
}

/** When the last report was noted, epoch milliseconds; null if there was none. */
export async function readLastProviderEvent(db: Db, provider: string): Promise<number | null> {
  const value = await readMeta(db, key(provider));
  return value === undefined ? null : Number(value);
}

/** The last report of each mail provider that has ever reported. */
export async function listLastProviderEvents(db: Db): Promise<{ provider: string; at: number }[]> {
  const rows = await db.selectFrom('meta').selectAll().where('key', 'like', key('%')).orderBy('key').execute();
  return rows.map((row) => ({ provider: row.key.split('.')[1] ?? '', at: Number(row.value) }));
}
