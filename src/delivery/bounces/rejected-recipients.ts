/**
 * Recipients whose address a server rejected for good during the submission: hard bounces that come without a report.
 * A server that refuses everyone may use the same status, so it counts only if the edition reached nearly all others.
 */
import { sql } from 'kysely';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { type Db, inTransaction, type Store } from '../../core/store/store.ts';
import { domainOf } from '../../lib/address.ts';
import { chunks } from '../../lib/chunks.ts';
import { countSubmittedTo } from '../queue/queries.ts';
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
  if (submitted === 0) return 0;
  const rejected: RejectedRecipient[] = [];
  for await (const one of findRejected(reports, editionId)) {
    // The server may refuse everyone.
    if (one.domain !== '' && rejected.push(one) > limit) return 0;
  }
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

/**
 * The recipients of an edition whose address a server rejected for good during the submission. The status decides:
 * without one, words would, which is not enough to suppress an address.
 */
export async function* findRejected(db: Db, editionId: number): AsyncGenerator<RejectedRecipient> {
  for (let after = 0; ; ) {
    // Literals, so that the partial index deliveries_refused is used.
    const { rows } = await sql<{ subscriberId: number; reply: string; email: string | null }>`
      select deliveries.subscriber_id as "subscriberId", deliveries.reply, subscribers.email_key as email
      from deliveries left join subscribers on subscribers.id = deliveries.subscriber_id
      where deliveries.edition_id = ${editionId} and deliveries.subscriber_id > ${after}
        and deliveries.state = 'failed' and substr(deliveries.reply, 1, 1) = '5'
      order by deliveries.subscriber_id limit ${BATCH}`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.subscriberId;
    for (const { subscriberId, reply, email } of rows) {
      const status = enhancedStatus(reply);
      if (status === null || classifyRefusal({ status, text: reply }) !== 'hard') continue;
      yield { subscriberId, domain: email === null ? '' : domainOf(email), status, reply };
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
    const accepted = await countSubmittedTo(db, editionId, [domain], recipients.length);
    if (accepted >= recipients.length) credible.push(...recipients);
  }
  return credible;
}
