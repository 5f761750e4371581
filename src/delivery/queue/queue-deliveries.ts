/**
 * Queues an edition for all who have subscribed: set-based, whether for ten or for a million.
 */
import { sql } from 'kysely';
import type { NewsletterConfig } from '../../config/config.ts';
import { HOUR, isZone } from '../../lib/time.ts';
import type { Db } from '../../store/store.ts';
import { firstDeliveryTime } from './due.ts';

/** When an edition's deliveries are due, and for how long they are worth it. */
export interface DeliveryTerms extends Pick<NewsletterConfig, 'deliverAt' | 'expireAfterHours'> {
  /** The publication's zone, for readers who have named none. */
  zone: string;
}

/**
 * Writes one pending delivery for each confirmed subscription to the newsletter. The claim looks again at what each reader wants by
 * then.
 * @param now when the edition closed, epoch milliseconds
 * @returns how many
 */
export async function queueDeliveries(
  tx: Db,
  edition: { id: number; newsletter: string },
  terms: DeliveryTerms,
  now: number,
): Promise<number> {
  const { deliverAt, zone, expireAfterHours } = terms;
  const usual = deliverAt === undefined ? now : firstDeliveryTime(deliverAt, zone, now);
  const others = deliverAt === undefined ? [] : await dueByZone(tx, deliverAt, now, usual);
  // In the order of the primary key, which comes from the index: the new rows fill its pages one after the other.
  const { numAffectedRows } = await sql`
    ${others.length === 0 ? sql`` : sql`with own (zone, due_at) as (values ${sql.join(others.map(ownRow))})`}
    insert into deliveries (edition_id, subscriber_id, state, attempts, due_at, expires_at, fence, changed_at)
    select ${bigint(edition.id)}, subscriptions.subscriber_id, 'pending', 0,
      ${others.length === 0 ? bigint(usual) : sql`coalesce(own.due_at, ${bigint(usual)})`},
      ${others.length === 0 ? bigint(usual) : sql`coalesce(own.due_at, ${bigint(usual)})`} + ${bigint(expireAfterHours * HOUR)},
      0, ${bigint(now)}
    from subscriptions
    ${
      others.length === 0
        ? sql``
        : sql`inner join subscribers on subscribers.id = subscriptions.subscriber_id
              left join own on own.zone = lower(subscribers.zone)`
    }
    where subscriptions.newsletter = ${edition.newsletter} and subscriptions.state = 'confirmed'
    order by subscriptions.subscriber_id`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

interface ZoneDue {
  /** In lower case. */
  zone: string;
  dueAt: number;
}

/** The due instants of the zones that readers have named, as far as they differ from the usual one. */
async function dueByZone(tx: Db, deliverAt: string, now: number, usual: number): Promise<ZoneDue[]> {
  const rows = await tx
    .selectFrom('subscribers')
    .select((e) => e.fn<string>('lower', ['zone']).as('zone'))
    .distinct()
    .where('zone', 'is not', null)
    .execute();
  return rows
    .filter(({ zone }) => isZone(zone))
    .map(({ zone }) => ({ zone, dueAt: firstDeliveryTime(deliverAt, zone, now) }))
    .filter(({ dueAt }) => dueAt !== usual);
}

function ownRow({ zone, dueAt }: ZoneDue) {
  return sql`(cast(${zone} as text), ${bigint(dueAt)})`;
}

function bigint(value: number) {
  return sql<number>`cast(${value} as bigint)`;
}
