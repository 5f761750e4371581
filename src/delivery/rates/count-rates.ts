/**
 * Counts the complaints and bounces of editions, and the messages that they are counted against. An edition may have a
 * million deliveries: numbers come from counts and from small indexes, and messages to one mailbox provider are counted
 * only as far as a judgement needs them.
 */
import { readDelivered } from '../../core/store/counts.ts';
import type { Db } from '../../core/store/store.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import type { BounceKind } from '../../core/store/tables.ts';
import { isAboutSender } from '../bounces/classify.ts';
import { findRefused, findRejected } from '../bounces/rejected-recipients.ts';
import { providerOf } from '../holds/provider-holds.ts';
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
  /** Deliveries that failed, for any reason. */
  failed: number;
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
    const failed = deliveries.get(id)?.failed ?? 0;
    const { rejected, unrecorded } = failed === 0 ? NONE : await countRejected(db, id);
    rates.set(id, {
      submitted,
      delivered,
      complaint: { events: complaint, messages: isReported ? delivered : submitted },
      bounce: { events: hard + unrecorded, messages: submitted + rejected },
      rejected,
      soft,
      failed,
    });
  }
  return rates;
}

const NONE = { rejected: 0, unrecorded: 0 };

async function countRejected(db: Db, id: number): Promise<typeof NONE> {
  const recorded = await listRecorded(db, id);
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

/** A bounce or complaint of one recipient of an edition. */
export interface ReportedEvent {
  subscriberId: number;
  /** See `providerOf`. */
  provider: string;
  /** `sender`: a soft bounce, or a refusal, that is about the sender. */
  kind: BounceKind | 'sender';
  /** Refused during the submission: it is not among the submitted messages. */
  isRefused: boolean;
  status: string | null;
  detail: string;
  /** When the message was submitted or refused. */
  messageAt: number;
  /** Whether this bounce has suppressed the address. */
  hasSuppressed: boolean;
  /** Whether the subscriber waits, because the mailbox provider is held. */
  waits: boolean;
}

/** The bounces and complaints of an edition by mailbox provider, those of refused recipients included. */
export async function readReported(db: Db, editionId: number): Promise<Map<string, ReportedEvent[]>> {
  const refused = new Map<number, ReportedEvent>();
  for await (const { subscriberId, email, status, reply, isRejected, at } of findRefused(db, editionId)) {
    if (email === null || !(isRejected || isAboutSender({ status, text: reply }))) continue;
    const event = { isRefused: true, status, detail: reply, messageAt: at, hasSuppressed: false, waits: false };
    const kind = isRejected ? 'hard' : 'sender';
    refused.set(subscriberId, { ...event, subscriberId, provider: providerOf(email), kind });
  }
  const rows = await db
    .selectFrom('bounces')
    .innerJoin('subscribers', 'subscribers.id', 'bounces.subscriber_id')
    .leftJoin('deliveries', (join) =>
      join
        .onRef('deliveries.edition_id', '=', 'bounces.edition_id')
        .onRef('deliveries.subscriber_id', '=', 'bounces.subscriber_id'),
    )
    .select(['subscribers.id', 'email_key', 'suppressed_reason', 'suppressed_at', 'held_by'])
    .select(['kind', 'status', 'detail', 'bounces.at', 'deliveries.changed_at'])
    .where('bounces.edition_id', '=', editionId)
    .execute();
  const recorded = rows.map((row): ReportedEvent => {
    const refusal = { status: row.status, text: row.detail ?? '' };
    return {
      subscriberId: row.id,
      provider: providerOf(row.email_key),
      kind: row.kind === 'soft' && isAboutSender(refusal) ? 'sender' : row.kind,
      isRefused: row.kind !== 'complaint' && refused.delete(row.id),
      ...{ status: row.status, detail: refusal.text, messageAt: row.changed_at ?? 0 },
      hasSuppressed: isBounceReason(row.suppressed_reason) && row.suppressed_at === row.at,
      waits: row.held_by !== null,
    };
  });
  return Map.groupBy([...recorded, ...refused.values()], ({ provider }) => provider);
}

export function isBounceReason(reason: SuppressionReason | null | undefined): boolean {
  return reason === 'hard-bounce' || reason === 'soft-bounces';
}

/** Subscribers whose hard bounce is recorded. */
async function listRecorded(db: Db, editionId: number): Promise<Set<number>> {
  const hard = db.selectFrom('bounces').select('subscriber_id').where('edition_id', '=', editionId);
  const rows = await hard.where('kind', '=', 'hard').execute();
  return new Set(rows.map((row) => row.subscriber_id));
}
