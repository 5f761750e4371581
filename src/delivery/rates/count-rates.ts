/**
 * Counts the complaints and bounces of editions, and the messages that they are counted against. An edition may have a
 * million deliveries: numbers come from counts and from small indexes, and messages to one mailbox provider are counted
 * only as far as a judgement needs them.
 */
import { sql } from 'kysely';
import { type MailboxProvider, mailboxProviderOf } from '../../audience/mailbox-providers.ts';
import { readDelivered } from '../../core/store/counts.ts';
import type { Db } from '../../core/store/store.ts';
import type { BounceKind } from '../../core/store/tables.ts';
import { domainOf } from '../../lib/address.ts';
import { classifyRefusal } from '../bounces/classify.ts';
import { countAllDeliveries } from '../queue/queries.ts';
import { enhancedStatus } from '../transport/retry.ts';
import type { RateCounts, RateKind } from './judge-rates.ts';

export interface EditionRates extends Record<RateKind, RateCounts> {
  submitted: number;
  /** What the mail provider has reported as delivered; null if it reports nothing. */
  delivered: number | null;
  /** Those of the bounces that a server rejected during the submission. */
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
    const rejected = (deliveries.get(id)?.failed ?? 0) === 0 ? [] : await listRejected(db, id);
    const unrecorded = rejected.filter(({ isRecorded }) => isRecorded === 0).length;
    rates.set(id, {
      submitted,
      delivered,
      complaint: { events: complaint, messages: isReported ? delivered : submitted },
      bounce: { events: hard + unrecorded, messages: submitted + rejected.length },
      rejected: rejected.length,
      soft,
    });
  }
  return rates;
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

interface RejectedRow {
  subscriberId: number;
  reply: string;
  /** Null if the subscriber does not exist any more. */
  email: string | null;
  /** 1 if it is recorded as a bounce, too, as happens when the edition is done. */
  isRecorded: 0 | 1;
}

const BATCH = 5_000;

/**
 * The recipients of an edition whose address a server rejected for good during the submission. The status decides, as
 * in bounces/rejected-recipients.ts; a server that refuses everyone is the business of control/circuit-breaker.ts.
 */
async function listRejected(db: Db, editionId: number): Promise<RejectedRow[]> {
  const rejected: RejectedRow[] = [];
  for (let after = 0; ; ) {
    // Literals, so that the partial index deliveries_refused is used.
    const { rows } = await sql<RejectedRow>`
      select deliveries.subscriber_id as "subscriberId", deliveries.reply, subscribers.email_key as email,
        case when exists (
          select 1 from bounces where bounces.edition_id = ${editionId} and bounces.kind = 'hard'
            and bounces.subscriber_id = deliveries.subscriber_id
        ) then 1 else 0 end as "isRecorded"
      from deliveries left join subscribers on subscribers.id = deliveries.subscriber_id
      where deliveries.edition_id = ${editionId} and deliveries.subscriber_id > ${after}
        and deliveries.state = 'failed' and substr(deliveries.reply, 1, 1) = '5'
      order by deliveries.subscriber_id limit ${BATCH}`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) return rejected;
    after = last.subscriberId;
    for (const row of rows) {
      const status = enhancedStatus(row.reply);
      if (status !== null && classifyRefusal({ status, text: row.reply }) === 'hard') rejected.push(row);
    }
  }
}

export interface ProviderEvents {
  provider: MailboxProvider;
  events: number;
  /** Those that a server rejected during the submission: they are not among the submitted messages. */
  rejected: number;
}

/** The complaints or bounces of an edition by mailbox provider, where it is known. */
export async function countByMailboxProvider(db: Db, editionId: number, kind: RateKind): Promise<ProviderEvents[]> {
  const counts = new Map<string, ProviderEvents>();
  const add = (email: string | null, events: number, rejected: number): void => {
    const provider = mailboxProviderOf(domainOf(email ?? ''));
    if (provider === null) return;
    const known = counts.get(provider.id) ?? { provider, events: 0, rejected: 0 };
    counts.set(provider.id, { provider, events: known.events + events, rejected: known.rejected + rejected });
  };
  for await (const email of recordedRecipients(db, editionId, kind)) add(email, 1, 0);
  if (kind === 'bounce') {
    for (const { email, isRecorded } of await listRejected(db, editionId)) add(email, 1 - isRecorded, 1);
  }
  return [...counts.values()];
}

async function* recordedRecipients(db: Db, editionId: number, kind: RateKind): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('bounces')
      .innerJoin('subscribers', 'subscribers.id', 'bounces.subscriber_id')
      .select(['bounces.subscriber_id', 'subscribers.email_key'])
      .distinct()
      .where('bounces.edition_id', '=', editionId)
      .where('bounces.kind', '=', kind === 'bounce' ? 'hard' : 'complaint')
      .where('bounces.subscriber_id', '>', after)
      .orderBy('bounces.subscriber_id')
      .limit(BATCH)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.subscriber_id;
    for (const { email_key } of rows) yield email_key;
  }
}

/**
 * Counts the submitted messages of an edition to some domains, up to a limit. Where few of the recipients have them, it
 * reads many deliveries: pass `store.reports`.
 * @param domains in lower case and A-labels
 */
export async function countSubmittedTo(
  db: Db,
  editionId: number,
  domains: readonly string[],
  limit: number,
): Promise<number> {
  // In both dialects of SQL; a pattern for each of forty domains would take several times as long.
  const sameLength = [...Map.groupBy(domains, ({ length }) => length)];
  const isAtAny = sameLength.map(([length, names]) => {
    const suffix = sql`substr(subscribers.email_key, length(subscribers.email_key) - ${sql.lit(length)})`;
    return sql`${suffix} in (${sql.join(names.map((name) => `@${name}`))})`;
  });
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select deliveries.subscriber_id
      from deliveries join subscribers on subscribers.id = deliveries.subscriber_id
      where deliveries.edition_id = ${editionId} and deliveries.state = 'submitted'
        and (${sql.join(isAtAny, sql` or `)})
      limit ${limit}
    ) as counted`.execute(db);
  return Number(rows[0]?.count ?? 0);
}
