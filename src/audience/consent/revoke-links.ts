/** Revokes the links to a subscriber's own pages. */
import { sql } from 'kysely';
import type { Tx } from '../../core/store/store.ts';

/**
 * Revokes all links to the preferences of a locked subscriber, and those for an export or an erasure. Unsubscribe links
 * work for ever.
 */
export async function revokeLinks(tx: Tx, subscriberId: number, now: number): Promise<void> {
  await tx
    .updateTable('subscribers')
    .set({ token_version: sql<number>`token_version + 1` })
    .where('id', '=', subscriberId)
    .execute();
  await tx
    .updateTable('service_messages')
    .set({ expires_at: now })
    .where('subscriber_id', '=', subscriberId)
    .where('kind', 'in', ['export', 'erase'])
    .where('expires_at', '>', now)
    .execute();
}
