/**
 * Recipients whose address a server rejected for good during the submission: hard bounces that come without a report.
 * A server that refuses everyone may use the same status, so it counts only if the edition reached nearly all others.
 * A mailbox provider that refuses many of its recipients is held; see delivery/holds/.
 */
import { sql } from 'kysely';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { type Db, inTransaction, type Store } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { enhancedStatus } from '../transport/retry.ts';
import { classifyRefusal } from './classify.ts';
import { recordBounce } from './record.ts';

/** A recipient whom a server refused for good during the submission. */
interface RefusedRecipient {
  subscriberId: number;
  /** Null if the subscriber was erased. */
  email: string | null;
  /** RFC 3463. */
  status: string | null;
  reply: string;
  /** The status says that the address is dead. Without one, words would, which is not enough to suppress it. */
  isRejected: boolean;
  /** When it was refused. */
  at: number;
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
  const rejected: RefusedRecipient[] = [];
  for await (const one of findRejected(reports, editionId)) {
    // The server may refuse everyone.
    if (one.email !== null && rejected.push(one) > limit) return 0;
  }
  let suppressed = 0;
  for (const part of chunks(rejected, PER_TRANSACTION)) {
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

/** The recipients of an edition whose address a server rejected for good during the submission. */
export async function* findRejected(db: Db, editionId: number): AsyncGenerator<RefusedRecipient> {
  for await (const one of findRefused(db, editionId)) if (one.isRejected) yield one;
}

/** The recipients of an edition whom a server refused for good during the submission, for any reason. */
export async function* findRefused(db: Db, editionId: number): AsyncGenerator<RefusedRecipient> {
  for (let after = 0; ; ) {
    // Literals, so that the partial index deliveries_refused is used.
    const { rows } = await sql<Omit<RefusedRecipient, 'status' | 'isRejected'>>`
      select deliveries.subscriber_id as "subscriberId", deliveries.reply, deliveries.changed_at as at,
        subscribers.email_key as email
      from deliveries left join subscribers on subscribers.id = deliveries.subscriber_id
      where deliveries.edition_id = ${editionId} and deliveries.subscriber_id > ${after}
        and deliveries.state = 'failed' and substr(deliveries.reply, 1, 1) = '5'
      order by deliveries.subscriber_id limit ${BATCH}`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.subscriberId;
    for (const row of rows) {
      const status = enhancedStatus(row.reply);
      const isRejected = status !== null && classifyRefusal({ status, text: row.reply }) === 'hard';
      yield { ...row, status, isRejected };
    }
  }
}
