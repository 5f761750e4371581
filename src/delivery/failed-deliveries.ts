/**
 * The deliveries that failed, for people to look at.
 */
import type { Db } from '../store/store.ts';

export interface FailedDelivery {
  editionId: number;
  subscriberId: number;
  /** Null where the subscriber is gone. */
  email: string | null;
  attempts: number;
  reply: string | null;
  reason: string | null;
  changedAt: number;
}

/** The deliveries that failed, newest first, with their reasons. */
export async function listFailedDeliveries(
  db: Db,
  query: { editionId?: number; limit: number },
): Promise<FailedDelivery[]> {
  return db
    .selectFrom('deliveries')
    .leftJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select([
      'deliveries.edition_id as editionId',
      'deliveries.subscriber_id as subscriberId',
      'subscribers.email',
      'deliveries.attempts',
      'deliveries.reply',
      'deliveries.reason',
      'deliveries.changed_at as changedAt',
    ])
    .where('deliveries.state', '=', 'failed')
    .$if(query.editionId !== undefined, (q) => q.where('deliveries.edition_id', '=', query.editionId as number))
    .orderBy('deliveries.changed_at', 'desc')
    .orderBy('deliveries.edition_id')
    .orderBy('deliveries.subscriber_id')
    .limit(query.limit)
    .execute();
}
