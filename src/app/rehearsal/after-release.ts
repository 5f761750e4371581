/**
 * What a restored store would submit once its queue is released.
 */
import { sql } from 'kysely';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import type { Db } from '../../core/store/store.ts';

/** Names a revision of an edition in any store. */
export interface RevisionKey {
  readonly newsletter: string;
  readonly slot: string;
  readonly revision: number;
}

export interface AfterRelease {
  editions: (RevisionKey & { deliveries: number })[];
  /** Such as requests to confirm. */
  serviceMessages: number;
}

/** @param now epoch milliseconds: what expires before is not submitted */
export async function readAfterRelease(db: Db, now: number): Promise<AfterRelease> {
  const { rows: editions } = await sql<RevisionKey & { deliveries: number }>`
    select editions.newsletter, editions.slot, editions.revision, count(*) as deliveries
    from editions join deliveries on deliveries.edition_id = editions.id
    where editions.delivery_state = 'delivering' and ${isInOpenState('deliveries')}
      and (deliveries.expires_at is null or deliveries.expires_at > ${now})
    group by editions.id, editions.newsletter, editions.slot, editions.revision
    order by editions.id`.execute(db);
  const { rows: messages } = await sql<{ n: number }>`
    select count(*) as n from service_messages
    where ${isInOpenState('service_messages')} and expires_at > ${now}`.execute(db);
  return { editions, serviceMessages: messages[0]?.n ?? 0 };
}
