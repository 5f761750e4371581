/**
 * Counts the complaints and bounces of editions, and the messages that they are counted against. An edition may have a
 * million deliveries: numbers come from counts and from small indexes, and messages to one mailbox provider are counted
 * only as far as a judgement needs them.
 */
import { type MailboxProvider, mailboxProviderOf } from '../../audience/mailbox-providers.ts';
import { readDelivered } from '../../core/store/counts.ts';
import type { Db } from '../../core/store/store.ts';
import type { BounceKind } from '../../core/store/tables.ts';
import { domainOf } from '../../lib/address.ts';
import { findRejected } from '../bounces/rejected-recipients.ts';
import { countAllDeliveries } from '../queue/queries.ts';
import type { RateCounts, RateKind } from './judge-rates.ts';

export interface EditionRates extends Record<RateKind, RateCounts> {
  submitted: number;
  /** What the mail provider has reported as delivered; null if it reports nothing. */
  delivered: number | null;
  /** Bounces that a server reported during the submission. */
  rejected: number;
  /** Failures that may pass. They count in no rate. */
  soft: number;
}

/**
 * A mail provider that reports fewer deliveries than this share does not report all of them, or not yet: against few
 * messages, few complaints would look like many.
 */
const REPORTED_SHARE = 0.9;

/** The rates of editions, all of their recipients together. Each recipient counts once. */
export async function countRates(db: Db, editionIds: number[]): Promise<Map<number, EditionRates>> {
  const deliveries = await countAllDeliveries(db, editionIds);
  const reported = await readDelivered(db, editionIds);
  const recorded = await countRecorded(db, editionIds);
  const rates = new Map<number, EditionRates>();
  for (const id of editionIds) {
    const submitted = deliveries.get(id)?.submitted ?? 0;
    const delivered = reported.get(id) ?? null;
    const isReported = delivered !== null && delivered >= REPORTED_SHARE * submitted;
    const { hard = 0, soft = 0, complaint = 0 } = recorded.get(id) ?? {};
    const { rejected, unrecorded } = (deliveries.get(id)?.failed ?? 0) === 0 ? NONE : await countRejected(db, id);
    rates.set(id, {
      submitted,
      delivered,
      complaint: { events: complaint, messages: isReported ? delivered : submitted },
      bounce: { events: hard + unrecorded, messages: submitted + rejected },
      rejected,
      soft,
    });
  }
  return rates;
}

const NONE = { rejected: 0, unrecorded: 0 };

async function countRejected(db: Db, id: number): Promise<typeof NONE> {
  const recorded = await listRecorded(db, id, 'bounce');
  const counts = { ...NONE };
  for await (const { subscriberId } of findRejected(db, id)) {
    counts.rejected += 1;
    if (!recorded.has(subscriberId)) counts.unrecorded += 1;
  }
  return counts;
}

type RecordedCounts = Partial<Record<BounceKind, number>>;

async function countRecorded(db: Db, editionIds: number[]): Promise<Map<number, RecordedCounts>> {
  if (editionIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('bounces')
    .select((e) => ['edition_id', 'kind', e.fn.count<number>('subscriber_id').distinct().as('count')])
    .where('edition_id', 'in', editionIds)
    .groupBy(['edition_id', 'kind'])
    .execute();
  const counts = new Map<number, RecordedCounts>();
  for (const { edition_id, kind, count } of rows) {
    if (edition_id !== null) counts.set(edition_id, { ...counts.get(edition_id), [kind]: Number(count) });
  }
  return counts;
}

export interface ProviderEvents {
  provider: MailboxProvider;
  events: number;
  /** Rejected during the submission: they are not among the submitted messages. */
  rejected: number;
}

/** The complaints or bounces of an edition by mailbox provider, where it is known. */
export async function countByMailboxProvider(db: Db, editionId: number, kind: RateKind): Promise<ProviderEvents[]> {
  const counts = new Map<string, ProviderEvents>();
  const add = (domain: string, events: number, rejected: number): void => {
    const provider = mailboxProviderOf(domain);
    if (provider === null) return;
    const known = counts.get(provider.id) ?? { provider, events: 0, rejected: 0 };
    counts.set(provider.id, { provider, events: known.events + events, rejected: known.rejected + rejected });
  };
  const recorded = await listRecorded(db, editionId, kind);
  for (const email of recorded.values()) add(domainOf(email), 1, 0);
  if (kind === 'bounce') {
    for await (const { subscriberId, domain } of findRejected(db, editionId)) {
      add(domain, recorded.has(subscriberId) ? 0 : 1, 1);
    }
  }
  return [...counts.values()];
}

/** Subscribers whose complaint or hard bounce is recorded, with their addresses. */
async function listRecorded(db: Db, editionId: number, kind: RateKind): Promise<Map<number, string>> {
  const rows = await db
    .selectFrom('bounces')
    .innerJoin('subscribers', 'subscribers.id', 'bounces.subscriber_id')
    .select(['subscribers.id', 'subscribers.email_key as email'])
    .where('bounces.edition_id', '=', editionId)
    .where('bounces.kind', '=', kind === 'bounce' ? 'hard' : 'complaint')
    .execute();
  return new Map(rows.map(({ id, email }) => [id, email]));
}
