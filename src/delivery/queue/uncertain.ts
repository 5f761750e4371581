/**
 * What stood at `submitting` when its process died: nobody can know whether the server took it. At most one message a connection.
 * By configuration it is tried again, with the same Message-ID so that receivers can drop the copy, or left to the operator.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../store/store.ts';

/** The reason of a delivery that is tried again. */
export const INTERRUPTED = 'interrupted while submitting: tried again with the same Message-ID';

/** A condition on deliveries: whether a claim may take what is uncertain. */
export function retriesUncertain(uncertain: 'retry' | 'hold'): RawBuilder<boolean> {
  return uncertain === 'retry' ? sql<boolean>`1 = 1` : sql<boolean>`deliveries.state = 'pending'`;
}

export interface UncertainDelivery {
  editionId: number;
  newsletter: string;
  slot: string;
  subscriberId: number;
  /** Null where the subscriber is gone. */
  email: string | null;
  attempts: number;
  /** When the submission began. */
  since: number;
}

/** The uncertain deliveries, oldest first. A long read where much is pending: give it `store.reports`. */
export async function listUncertain(db: Db, query: { now: number; limit: number }): Promise<UncertainDelivery[]> {
  return (
    db
      .selectFrom('deliveries')
      .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
      .leftJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
      .select([
        'deliveries.edition_id as editionId',
        'editions.newsletter',
        'editions.slot',
        'deliveries.subscriber_id as subscriberId',
        'subscribers.email',
        'deliveries.attempts',
        'deliveries.changed_at as since',
      ])
      // Written out for the partial index deliveries_open.
      .where(sql<boolean>`deliveries.state in ('pending', 'submitting')`)
      .where('deliveries.state', '=', 'submitting')
      .where('deliveries.lease_until', '<=', query.now)
      .orderBy('deliveries.changed_at')
      .orderBy('deliveries.edition_id')
      .orderBy('deliveries.subscriber_id')
      .limit(query.limit)
      .execute()
  );
}
