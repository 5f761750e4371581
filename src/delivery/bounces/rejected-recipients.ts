/**
 * Recipients whose address a server rejected for good during the submission: hard bounces that come without a report.
 * A server that refuses everyone may use the same status, so it counts only if the edition reached nearly all others.
 */
import { sql } from 'kysely';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { inTransaction, type Store } from '../../core/store/store.ts';
import { domainOf } from '../../lib/address.ts';
import { chunks } from '../../lib/chunks.ts';
import { enhancedStatus } from '../transport/retry.ts';
import { classifyRefusal } from './classify.ts';
import { recordBounce } from './record.ts';

interface RejectedRecipient {
  subscriberId: number;
  domain: string;
  /** RFC 3463. */
  status: string;
  reply: string;
}

/** Hard failures per submitted delivery of the edition, beyond a single one. */
const CREDIBLE_SHARE = 0.05;
const BATCH = 2_000;
/** A few milliseconds per transaction, so that other writers do not wait. */
const PER_TRANSACTION = 50;

/**
 * Records the hard bounces among the failed deliveries of an edition that has ended, and suppresses their addresses.
 * Recording them again changes nothing.
 * @param submitted number of submitted deliveries of the edition
 * @returns number of addresses that were suppressed
 */
export async function recordRejectedRecipients(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  { editionId, submitted }: { editionId: number; submitted: number },
  now: number,
): Promise<number> {
  const limit = Math.max(1, Math.floor(CREDIBLE_SHARE * submitted));
  const rejected = submitted === 0 ? null : await findRejected(reports, editionId, limit);
  if (rejected === null) return 0;
  const credible = await selectCredible(reports, editionId, rejected);
  let suppressed = 0;
  for (const part of chunks(credible, PER_TRANSACTION)) {
    await inTransaction(db, async (tx) => {
      for (const { subscriberId, status, reply } of part) {
        const target = { subscriberId, editionId, serviceMessageId: null, newsletter: null, isUnsubscribe: false };
        const bounce = { kind: 'hard' as const, status, detail: reply };
        const result = await recordBounce(tx, config, secrets, { target, bounce, source: 'submission' }, now);
        if (result.kind === 'recorded' && result.suppressed !== null) suppressed += 1;
      }
    });
  }
  return suppressed;
}

/** @returns null if there are more than `limit`: the server may refuse everyone */
async function findRejected(db: Store['db'], editionId: number, limit: number): Promise<RejectedRecipient[] | null> {
  const found: RejectedRecipient[] = [];
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('deliveries')
      .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
      .select(['deliveries.subscriber_id', 'deliveries.reply', 'subscribers.email'])
      .where('deliveries.edition_id', '=', editionId)
      .where('deliveries.subscriber_id', '>', after)
      .where('deliveries.state', '=', 'failed')
      .where('deliveries.reply', 'is not', null)
      .orderBy('deliveries.subscriber_id')
      .limit(BATCH)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return found;
    after = last.subscriber_id;
    for (const { subscriber_id, reply, email } of rows) {
      const status = enhancedStatus(reply);
      // Without a status, words decide: not enough to suppress an address.
      if (reply === null || status === null || classifyRefusal({ status, text: reply }) !== 'hard') continue;
      found.push({ subscriberId: subscriber_id, domain: domainOf(email), status, reply });
      if (found.length > limit) return null;
    }
  }
}

/** Each look-up may read the whole edition; the rest is rejected again by the next edition. */
const MAX_LOOK_UPS = 50;

/**
 * Those of domains that have accepted at least as many messages of the edition as they have rejected. A single
 * rejection by a domain counts in any case: it may have no other subscriber.
 */
async function selectCredible(
  db: Store['db'],
  editionId: number,
  rejected: readonly RejectedRecipient[],
): Promise<RejectedRecipient[]> {
  const domains = [...Map.groupBy(rejected, ({ domain }) => domain)].sort(([, a], [, b]) => b.length - a.length);
  const credible = domains.flatMap(([, recipients]) => (recipients.length === 1 ? recipients : []));
  const several = domains.filter(([, recipients]) => recipients.length > 1).slice(0, MAX_LOOK_UPS);
  for (const [domain, recipients] of several) {
    if (await hasAccepted(db, editionId, domain, recipients.length)) credible.push(...recipients);
  }
  return credible;
}

async function hasAccepted(db: Store['db'], editionId: number, domain: string, count: number): Promise<boolean> {
  const suffix = `@${domain}`;
  const accepted = await db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select('deliveries.subscriber_id')
    .where('deliveries.edition_id', '=', editionId)
    .where('deliveries.state', '=', 'submitted')
    .where(sql<boolean>`lower(substr(email, length(email) - ${suffix.length - 1})) = ${suffix}`)
    .limit(count)
    .execute();
  return accepted.length >= count;
}
