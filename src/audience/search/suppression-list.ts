/**
 * The suppression list, newest first. It holds keyed hashes: only for an address that still has a subscriber can the
 * list say whose it is.
 */
import { sql } from 'kysely';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { Db } from '../../core/store/store.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import { hashesOfAddress } from '../suppression.ts';

export interface ListedSuppression {
  /** The beginning of the keyed hash. */
  hash: string;
  reason: SuppressionReason;
  /** Epoch milliseconds. */
  at: number;
  /** Null if nobody with the address is stored. */
  subscriber: { id: number; email: string } | null;
}

/** Characters of a hash that are shown: enough to tell entries of the same millisecond apart. */
const SHOWN = 12;
/** Subscribers that are compared with a page of the list. An import suppresses hundreds in a millisecond. */
const MAX_CANDIDATES = 2_000;
const CURSOR = /^(\d{1,15})\.([0-9a-f]{12})$/;

/**
 * @param after `next` of the page before; anything else begins with the newest
 * @returns `next`: instant and beginning of the hash of the last entry, if there may be more
 */
export async function listSuppressions(
  db: Db,
  secrets: SigningSecrets,
  { after, limit }: { after: string | null; limit: number },
) {
  const [, at, hash] = CURSOR.exec(after ?? '') ?? [];
  const rows = await db
    .selectFrom('suppressions')
    .selectAll()
    .$if(at !== undefined, (q) => q.where(sql<boolean>`(at, address_hash) < (cast(${at} as bigint), ${hash})`))
    .orderBy('at', 'desc')
    .orderBy('address_hash', 'desc')
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit);
  const subscribers = await findOwners(db, secrets, shown);
  const entries = shown.map(
    (row): ListedSuppression => ({
      hash: row.address_hash.slice(0, SHOWN),
      reason: row.reason,
      at: row.at,
      subscriber: subscribers.get(row.address_hash) ?? null,
    }),
  );
  const last = entries.at(-1);
  return { entries, next: rows.length > limit && last !== undefined ? `${last.at}.${last.hash}` : null };
}

/** The subscribers of some entries, by hash: their rows were suppressed at the same instant. */
async function findOwners(
  db: Db,
  secrets: SigningSecrets,
  entries: readonly { address_hash: string; at: number }[],
): Promise<Map<string, { id: number; email: string }>> {
  if (entries.length === 0) return new Map();
  const candidates = await db
    .selectFrom('subscribers')
    .select(['id', 'email', 'email_key'])
    .where('suppressed_at', 'in', [...new Set(entries.map(({ at }) => at))])
    // In these words, so that their partial index is used.
    .where('suppressed_at', 'is not', null)
    .limit(MAX_CANDIDATES)
    .execute();
  const wanted = new Set(entries.map(({ address_hash }) => address_hash));
  return new Map(
    candidates.flatMap(({ id, email, email_key }) =>
      hashesOfAddress(secrets, email_key)
        .filter((hash) => wanted.has(hash))
        .map((hash) => [hash, { id, email }] as const),
    ),
  );
}
