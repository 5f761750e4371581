/** Queues the deliveries of an edition: set-based, for ten subscribers or a million. */
import { sql } from 'kysely';
import { Temporal } from 'temporal-polyfill';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { countQueued } from '../../core/store/counts.ts';
import type { Tx } from '../../core/store/store.ts';
import { HOUR, isZone, wallClock } from '../../lib/time.ts';
import { mayHaveArrived } from './delivery-outcome.ts';

/** When the deliveries of an edition are due, and when they expire. */
export interface DeliveryTerms extends Pick<NewsletterConfig, 'deliverAt' | 'expireAfterHours'> {
  /** The publication's zone, for subscribers without one. */
  zone: string;
}

export interface RevisionTerms {
  /** When the first revision closed: who was to get it at a time of day that is past gets this one at once. */
  closedAt?: number;
  /** Ids of earlier revisions: who got one of them, or may have, does not get this one. */
  earlier?: readonly number[];
  /** It corrects them: they get it, too, and the whole edition where their copy would have too few stories. */
  isForAll?: boolean;
}

export interface QueuedDeliveries {
  /** Number of deliveries that are pending. */
  queued: number;
  /** Number of deliveries that are suppressed: the edition has too few stories of the subscriber's choice. */
  tooFew: number;
}

/**
 * Inserts a delivery for each confirmed subscription to the newsletter: pending, or suppressed with its copy. Consent
 * is checked again when a delivery is submitted.
 * @param edition.hasCopies whether those who made a choice get the copy that is recorded for it
 * @param now when the edition closed, epoch milliseconds
 * @param revision of an edition that is closed again
 */
export async function queueDeliveries(
  tx: Tx,
  edition: { id: number; newsletter: string; hasCopies?: boolean },
  terms: DeliveryTerms,
  now: number,
  { closedAt = now, earlier = [], isForAll = false }: RevisionTerms = {},
): Promise<QueuedDeliveries> {
  const { deliverAt, zone, expireAfterHours } = terms;
  const { hasCopies = false } = edition;
  const copy = hasCopies ? COPY : WHOLE;
  const hasEarlier = earlier.length === 0 ? sql`1 = 0` : hasRevision(earlier);
  const ofChoice = sql`copies.edition_id = ${edition.id} and copies.choice = subscriptions.choice
    and (copies.suppressed is null or not (${hasEarlier}))`;
  const dueIn = (time: string, where: string): number => Math.max(now, firstDeliveryTime(time, where, closedAt));
  const usual = deliverAt === undefined ? now : dueIn(deliverAt, zone);
  const others = deliverAt === undefined ? [] : await dueByZone(tx, (where) => dueIn(deliverAt, where), usual);
  const hasZones = others.length > 0;
  const dueAt = hasZones ? sql`coalesce(own.due_at, ${bigint(usual)})` : bigint(usual);
  const zoneRows = others.map(({ zone, dueAt }) => sql`(cast(${zone} as text), ${bigint(dueAt)})`);
  // In the order of the primary key, so that the new rows fill pages of its index one after the other.
  const { numAffectedRows } = await sql`
    ${hasZones ? sql`with own (zone, due_at) as (values ${sql.join(zoneRows)})` : sql``}
    insert into deliveries (edition_id, subscriber_id, state, attempts, due_at, expires_at, fence, changed_at,
      copy_id, reason)
    select ${bigint(edition.id)}, subscriptions.subscriber_id, ${copy.state}, 0,
      ${dueAt}, ${dueAt} + ${bigint(expireAfterHours * HOUR)}, 0, ${bigint(now)}, ${copy.id}, ${copy.reason}
    from subscriptions ${hasCopies ? sql`left join edition_copies as copies on ${ofChoice}` : sql``}
    ${
      hasZones
        ? sql`inner join subscribers on subscribers.id = subscriptions.subscriber_id
              left join own on own.zone = lower(subscribers.zone)`
        : sql``
    }
    where subscriptions.newsletter = ${edition.newsletter} and subscriptions.state = 'confirmed'
      ${isForAll ? sql`` : sql`and not (${hasEarlier})`}
    order by subscriptions.subscriber_id`.execute(tx);
  const tooFew = hasCopies ? await recordTooFew(tx, edition.id) : 0;
  const queued = Number(numAffectedRows ?? 0n) - tooFew;
  await countQueued(tx, edition.id, queued);
  await countQueued(tx, edition.id, tooFew, 'suppressed');
  return { queued, tooFew };
}

const WHOLE = { state: sql`'pending'`, id: sql`null`, reason: sql`null` };
const COPY = {
  state: sql`case when copies.suppressed is null then 'pending' else 'suppressed' end`,
  id: sql`copies.id`,
  reason: sql`copies.suppressed`,
};

/** Records how many deliveries of an edition are suppressed already: their copies have too few stories. */
async function recordTooFew(tx: Tx, editionId: number): Promise<number> {
  const { rows } = await sql<{ tooFew: number }>`update editions set too_few = (
      select count(*) from deliveries where edition_id = ${editionId} and state = 'suppressed'
    ) where id = ${editionId} returning too_few as "tooFew"`.execute(tx);
  return rows[0]?.tooFew ?? 0;
}

/** Whether the subscriber of the subscription got one of these editions, or may have. */
function hasRevision(editionIds: readonly number[]) {
  return sql<boolean>`exists (
    select 1 from deliveries as earlier
    where earlier.edition_id in (${sql.join(editionIds)}) and earlier.subscriber_id = subscriptions.subscriber_id
      and ${mayHaveArrived('earlier')})`;
}

interface ZoneDue {
  /** In lower case. */
  zone: string;
  dueAt: number;
}

/** The due instants in the zones of subscribers, where they differ from the usual one. */
async function dueByZone(tx: Tx, dueIn: (zone: string) => number, usual: number): Promise<ZoneDue[]> {
  const rows = await tx
    .selectFrom('subscribers')
    .select((e) => e.fn<string>('lower', ['zone']).as('zone'))
    .distinct()
    .where('zone', 'is not', null)
    .execute();
  return rows
    .filter(({ zone }) => isZone(zone))
    .map(({ zone }) => ({ zone, dueAt: dueIn(zone) }))
    .filter(({ dueAt }) => dueAt !== usual);
}

/**
 * The first instant, from `closedAt` on, at which clocks in `zone` show a time. A time that is skipped is moved forward
 * by the gap. Of a time that occurs twice, the first counts, even if it is past and the second is not (RFC 5545 §3.3.5;
 * Temporal's `compatible`).
 * @param deliverAt a time of day, such as `07:00`
 * @param zone IANA time zone
 * @param closedAt epoch milliseconds
 * @returns epoch milliseconds
 */
export function firstDeliveryTime(deliverAt: string, zone: string, closedAt: number): number {
  const plainTime = Temporal.PlainTime.from(deliverAt);
  const today = wallClock(closedAt, zone).toPlainDate();
  // From yesterday, since a skipped time may be moved across midnight. Until the day after tomorrow, since tomorrow's
  // may be moved, too, and Samoa once skipped a whole day.
  const instants = [-1, 0, 1, 2].map(
    (days) => today.add({ days }).toZonedDateTime({ timeZone: zone, plainTime }).epochMilliseconds,
  );
  return Math.min(...instants.filter((instant) => instant >= closedAt));
}

function bigint(value: number) {
  return sql<number>`cast(${value} as bigint)`;
}
