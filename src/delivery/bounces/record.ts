/**
 * What a bounce, a complaint or a wish to leave changes. One row for a delivery and kind: told twice, it changes nothing more.
 */

import type { Config } from '../../config/config.ts';
import { cleanLine } from '../../lib/clean-text.ts';
import type { Db } from '../../store/store.ts';
import type { SuppressionReason, Tables } from '../../store/tables.ts';
import { changeSubscriptions, inTransaction, lockSubscriber } from '../../subscribers/consent/consent-ledger.ts';
import { suppressAddress } from '../../subscribers/suppression.ts';
import type { SigningSecrets } from '../../subscribers/tokens/secret.ts';
import { type BounceTarget, newsletterOf } from './target.ts';

export type BounceKind = Tables['bounces']['kind'];

export interface Bounce {
  kind: BounceKind;
  /** RFC 3463. */
  status: string | null;
  /** In the words of the server that refused. */
  detail: string;
}

export type BounceResult =
  /** `suppressed`: why the address was suppressed for it, or null where it was not, or was before. */
  | { kind: 'recorded'; suppressed: SuppressionReason | null }
  /** It was known. */
  | { kind: 'again' }
  /** The subscriber was erased. */
  | { kind: 'gone' };

const MOST_DETAIL = 500;

/**
 * Records a bounce or a complaint. A hard one or a complaint suppresses the address, and so does a run of soft ones.
 * @param source who told of it, for the history of consent, or null
 */
export async function recordBounce(
  db: Db,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  about: { target: BounceTarget; bounce: Bounce; source: string | null },
  now: number,
): Promise<BounceResult> {
  const { target, bounce, source } = about;
  const { subscriberId } = target;
  return inTransaction(db, async (tx) => {
    // The lock keeps out a second telling of the same, and an erasure.
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return { kind: 'gone' };
    if (!isNews(target, bounce.kind, subscriber) && (await isKnown(tx, target, bounce.kind))) return { kind: 'again' };
    await tx
      .insertInto('bounces')
      .values({
        edition_id: target.editionId,
        service_message_id: target.serviceMessageId,
        subscriber_id: subscriberId,
        kind: bounce.kind,
        status: bounce.status,
        detail: cleanLine(bounce.detail).slice(0, MOST_DETAIL).toWellFormed(),
        at: now,
      })
      .execute();
    const reason = await reasonToSuppress(tx, target, bounce.kind, config.bounces.softLimit);
    if (reason === null) return { kind: 'recorded', suppressed: null };
    const channel = bounce.kind === 'complaint' ? 'complaint' : 'bounce';
    const was = await suppressAddress(tx, secrets, subscriberId, reason, { channel, source }, now);
    return { kind: 'recorded', suppressed: was === 'suppressed' ? reason : null };
  });
}

/**
 * Whether it counts even though one like it is known. One that names no message, such as a complaint that holds nothing but our link,
 * cannot be told from an earlier one; but what that one did was undone since, by a fresh opt-in.
 */
function isNews(
  { editionId, serviceMessageId }: BounceTarget,
  kind: BounceKind,
  { suppressed_reason }: { suppressed_reason: SuppressionReason | null },
): boolean {
  return editionId === null && serviceMessageId === null && kind !== 'soft' && suppressed_reason === null;
}

async function isKnown(tx: Db, target: BounceTarget, kind: BounceKind): Promise<boolean> {
  const known = await tx
    .selectFrom('bounces')
    .select('id')
    .where('subscriber_id', '=', target.subscriberId)
    .where('edition_id', target.editionId === null ? 'is' : '=', target.editionId)
    .where('service_message_id', target.serviceMessageId === null ? 'is' : '=', target.serviceMessageId)
    .where('kind', '=', kind)
    .limit(1)
    .executeTakeFirst();
  return known !== undefined;
}

async function reasonToSuppress(
  tx: Db,
  target: BounceTarget,
  kind: BounceKind,
  softLimit: number,
): Promise<SuppressionReason | null> {
  if (kind === 'hard') return 'hard-bounce';
  if (kind === 'complaint') return 'complaint';
  return (await isRunOfSoftBounces(tx, target, softLimit)) ? 'soft-bounces' : null;
}

/**
 * Whether the message that came back now is one of a run of so many, each of which came back: one that was taken ends a run. Reports
 * come in any order, so the run may go on to both sides.
 */
async function isRunOfSoftBounces(tx: Db, target: BounceTarget, limit: number): Promise<boolean> {
  const soft = await tx
    .selectFrom('bounces')
    .select(['edition_id', 'service_message_id'])
    .where('subscriber_id', '=', target.subscriberId)
    .where('kind', '=', 'soft')
    .orderBy('id')
    .execute();
  if (soft.length < limit) return false;
  const bounced = new Set(soft.map((row) => nameOf(row.edition_id, row.service_message_id)));
  const sent = await allSent(tx, target.subscriberId);
  const own = sent.indexOf(nameOf(target.editionId, target.serviceMessageId));
  if (own < 0) return false;
  const before = sent.slice(0, own).findLastIndex((one) => !bounced.has(one));
  const after = sent.findIndex((one, index) => index > own && !bounced.has(one));
  return (after < 0 ? sent.length : after) - before - 1 >= limit;
}

/** The names of all that was submitted to a subscriber and is still on record, oldest first. */
async function allSent(tx: Db, subscriberId: number): Promise<string[]> {
  const deliveries = await tx
    .selectFrom('deliveries')
    .select(['edition_id', 'changed_at'])
    // By edition: an index by subscriber would cost every edition more than these few look-ups.
    .where('edition_id', 'in', (e) => e.selectFrom('editions').select('id'))
    .where('subscriber_id', '=', subscriberId)
    .where('state', '=', 'submitted')
    .orderBy('edition_id')
    .execute();
  const messages = await tx
    .selectFrom('service_messages')
    .select(['id', 'changed_at'])
    .where('subscriber_id', '=', subscriberId)
    .where('state', '=', 'submitted')
    .orderBy('id')
    .execute();
  return [
    ...deliveries.map((row) => ({ name: nameOf(row.edition_id, null), at: row.changed_at })),
    ...messages.map((row) => ({ name: nameOf(null, row.id), at: row.changed_at })),
  ]
    .sort((a, b) => a.at - b.at)
    .map((one) => one.name);
}

/** One name for every message, whichever outbox it is from. */
function nameOf(editionId: number | null, serviceMessageId: number | null): string {
  return `${editionId ?? ''}/${serviceMessageId ?? ''}`;
}

export type UnsubscribeResult =
  | { kind: 'unsubscribed'; newsletters: string[] }
  /** There was none, or it had ended before. */
  | { kind: 'already' }
  /** The subscriber was erased. */
  | { kind: 'gone' };

/** Ends the subscription to the newsletter that a target is about; where it is about none, all subscriptions. */
export async function recordUnsubscribe(
  db: Db,
  target: BounceTarget,
  source: string | null,
  now: number,
): Promise<UnsubscribeResult> {
  const { subscriberId } = target;
  const newsletter = await newsletterOf(db, target);
  return inTransaction(db, async (tx) => {
    if ((await lockSubscriber(tx, subscriberId)) === null) return { kind: 'gone' };
    const which = newsletter === null ? 'all' : [newsletter];
    const ended = await changeSubscriptions(
      tx,
      subscriberId,
      which,
      'unsubscribed',
      { channel: 'mailto', source },
      now,
    );
    if (ended.length === 0) return { kind: 'already' };
    return { kind: 'unsubscribed', newsletters: ended.map((one) => one.newsletter) };
  });
}
