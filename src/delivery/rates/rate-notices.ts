/**
 * Notices of rates: each level is noticed once for an edition (a revision), a kind, and all recipients or one mailbox
 * provider, so that what an operator has resumed is not paused again for the same.
 */
import type { MailboxProvider } from '../../audience/mailbox-providers.ts';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import type { Db, Tx } from '../../core/store/store.ts';
import { pauseIfDelivering } from '../control/edition-control.ts';
import { knownMessages, percentOf, type RateCounts, type RateKind, type RateLevel } from './judge-rates.ts';

export interface RateNotice {
  editionId: number;
  kind: RateKind;
  /** The id of a mailbox provider; empty for all recipients. */
  scope: string;
  level: RateLevel;
  percent: number;
  messages: number;
  /** Epoch milliseconds. */
  at: number;
}

/** The notices of editions, by edition, kind, scope and level. */
export async function listNotices(db: Db, editionIds: number[]): Promise<RateNotice[]> {
  if (editionIds.length === 0) return [];
  return db
    .selectFrom('rate_notices')
    .select(['edition_id as editionId', 'kind', 'scope', 'level', 'percent', 'messages', 'at'])
    .where('edition_id', 'in', editionIds)
    .orderBy('edition_id')
    .orderBy('kind')
    .orderBy('scope')
    .orderBy('level')
    .execute();
}

/** Records that a level is reached, and the levels below it. @returns false if it was noticed before */
export async function recordNotice(
  tx: Tx,
  { editionId, kind, scope, level }: Pick<RateNotice, 'editionId' | 'kind' | 'scope' | 'level'>,
  counts: RateCounts,
  now: number,
): Promise<boolean> {
  const messages = knownMessages(counts);
  const notice = { edition_id: editionId, kind, scope, percent: percentOf(counts), messages, at: now };
  const levels: RateLevel[] = level === 'pause' ? ['alert', 'pause'] : ['alert'];
  const added = await tx
    .insertInto('rate_notices')
    .values(levels.map((one) => ({ ...notice, level: one })))
    .onConflict((conflict) => conflict.columns(['edition_id', 'kind', 'scope', 'level']).doNothing())
    .returning('level')
    .execute();
  return added.some((row) => row.level === level);
}

async function hasOpenDeliveries(tx: Tx, editionId: number): Promise<boolean> {
  const open = await tx
    .selectFrom('deliveries')
    .select('subscriber_id')
    .where('edition_id', '=', editionId)
    .where(isInOpenState('deliveries'))
    .limit(1)
    .executeTakeFirst();
  return open !== undefined;
}

/** `before`: the edition was paused already. `over`: its delivery is over, so that nothing can be paused. */
export type PauseEffect = 'paused' | 'before' | 'over';

/**
 * Pauses an edition. The rate of one mailbox provider pauses nothing.
 * @param provider null: all recipients
 * @param reason for the operator
 */
export async function pauseForRate(
  tx: Tx,
  { editionId, provider }: { editionId: number; provider: MailboxProvider | null },
  reason: string,
): Promise<PauseEffect | null> {
  // An edition without open deliveries is about to be done, which a pause would prevent.
  const canPause = provider === null && (await hasOpenDeliveries(tx, editionId));
  if (canPause && (await pauseIfDelivering(tx, editionId, reason))) return 'paused';
  const edition = await tx
    .selectFrom('editions')
    .select('delivery_state')
    .where('id', '=', editionId)
    .executeTakeFirstOrThrow();
  if (edition.delivery_state === 'paused') return 'before';
  if (edition.delivery_state !== 'delivering' || provider === null) return 'over';
  return null;
}
