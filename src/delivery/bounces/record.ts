/**
 * Records bounces, complaints and unsubscribe requests, and applies them. There is one row for each message and kind:
 * recording the same report twice changes nothing.
 */
import { type RawBuilder, sql } from 'kysely';
import { type ConsentChannel, changeSubscriptions, lockSubscriber } from '../../audience/consent/changes.ts';
import { suppressAddress } from '../../audience/suppression.ts';
import {
  isUnsubscribeToken,
  newsletterTag,
  readMailboxToken,
  readUnsubscribeAddressToken,
  readUnsubscribeToken,
} from '../../audience/tokens.ts';
import { listUnsubscribeKeys } from '../../audience/unsubscribe-keys.ts';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { type Db, inTransaction, type Tx } from '../../core/store/store.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import type { BounceKind } from '../../core/store/tables.ts';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { holdSubscriber } from '../holds/provider-holds.ts';
import { hasSenderStatus, isAboutSender } from './classify.ts';

/** What a report is about. */
export interface BounceTarget {
  subscriberId: number;
  /** Null unless it is about an edition. */
  editionId: number | null;
  /** Null unless it is about a service message. */
  serviceMessageId: number | null;
  /** Null unless the token names it. */
  newsletter: string | null;
  /** `newsletterTag` of the newsletter, where the token has no room for its id. */
  newsletterTag?: number;
  /** Whether the token is of an unsubscribe link or address, which can end that subscription and nothing else. */
  isUnsubscribe: boolean;
}

// A token of `mailboxToken`, after the plus sign of an address; its case may have changed on the way.
const MAILBOX_TOKEN = /\+([bsv][a-z2-7]{39})@/gi;
// A token of `unsubscribeToken`, at the end of an unsubscribe link.
const LINK_TOKEN = /\/unsubscribe\/(v2\.[A-Za-z0-9_-]{22,200})/g;

/** Everything in a text that has the form of our tokens, each once, in order. */
export function findTokens(text: string): string[] {
  const found = [...text.matchAll(MAILBOX_TOKEN), ...text.matchAll(LINK_TOKEN)];
  return [...new Set(found.map((match) => match[1] as string))];
}

/**
 * Verifies a token. Only a token is trusted: anyone can write an address.
 * @param kept keys of unsubscribe tokens whose secrets were replaced
 * @returns null if its signature is wrong
 */
export function readTargetToken(
  secrets: SigningSecrets,
  token: string,
  kept: readonly string[] = [],
): BounceTarget | null {
  const unsubscribes = { editionId: null, serviceMessageId: null, isUnsubscribe: true };
  const link = readUnsubscribeToken(secrets, token, kept);
  if (link !== null) return { ...link, ...unsubscribes };
  const address = readUnsubscribeAddressToken(secrets, token, kept);
  if (address !== null) return { ...address, newsletter: null, ...unsubscribes };
  const key = readMailboxToken(secrets, token);
  if (key === null) return null;
  return {
    subscriberId: key.subscriberId,
    editionId: key.purpose === 'service-bounce' ? null : key.editionId,
    serviceMessageId: key.purpose === 'service-bounce' ? key.messageId : null,
    newsletter: null,
    isUnsubscribe: false,
  };
}

/** Verifies tokens as `readTargetToken` does, also with the kept keys if one of the tokens needs them. */
export async function readTargetTokens(
  db: Db,
  secrets: SigningSecrets,
  tokens: readonly string[],
): Promise<BounceTarget[]> {
  const isUnknown = (token: string): boolean => isUnsubscribeToken(token) && readTargetToken(secrets, token) === null;
  const kept = tokens.some(isUnknown) ? await listUnsubscribeKeys(db) : [];
  return tokens.map((token) => readTargetToken(secrets, token, kept)).filter((target) => target !== null);
}

export interface Bounce {
  kind: BounceKind;
  /** RFC 3463. */
  status: string | null;
  /** The server's text. */
  detail: string;
}

export type BounceResult =
  /** `suppressed`: why the address was suppressed; null if it was not, or was suppressed before. */
  | { kind: 'recorded'; suppressed: SuppressionReason | null }
  /** It was recorded before. */
  | { kind: 'duplicate' }
  /** It names only an unsubscribe token, which ends that subscription instead of suppressing the address. */
  | UnsubscribeResult
  /** It names only an unsubscribe token, and is about a failure that may pass. */
  | { kind: 'unproven' };

const MAX_DETAIL_LENGTH = 500;

/**
 * Records a bounce or a complaint. A hard bounce or a complaint suppresses the address, and so do several soft bounces
 * in a row. A bounce about the sender suppresses nobody and is in no such row, and while a mailbox provider is held, no
 * bounce suppresses anybody there. Only the token of a return path can suppress: everybody who gets a forwarded message
 * has its unsubscribe link, and could quote it in an invented report.
 * @param about.source who reported it, for the consent history; null if unknown
 */
export async function recordBounce(
  db: Db,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  about: { target: BounceTarget; bounce: Bounce; source: string | null },
  now: number,
): Promise<BounceResult> {
  const { target, source } = about;
  const { subscriberId } = target;
  const refusal = { status: about.bounce.status, text: about.bounce.detail };
  const isOfSender = about.bounce.kind === 'hard' && hasSenderStatus(refusal);
  const bounce = isOfSender ? { ...about.bounce, kind: 'soft' as const } : about.bounce;
  const channel = bounce.kind === 'complaint' ? 'complaint' : 'bounce';
  if (target.isUnsubscribe) {
    return bounce.kind === 'soft' ? { kind: 'unproven' } : recordUnsubscribe(db, target, { channel, source }, now);
  }
  return inTransaction(db, async (tx) => {
    // The lock excludes a concurrent report of the same bounce, and an erasure.
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return { kind: 'erased' };
    if (await isDuplicate(tx, target, bounce.kind, subscriber)) return { kind: 'duplicate' };
    // A message that bounces for good after a failure that may pass is one bounce.
    if (bounce.kind === 'hard' && !isNameless(target)) await deleteSoftBounce(tx, target);
    await tx
      .insertInto('bounces')
      .values({
        edition_id: target.editionId,
        service_message_id: target.serviceMessageId,
        subscriber_id: subscriberId,
        kind: bounce.kind,
        status: bounce.status,
        detail: cleanLine(bounce.detail).slice(0, MAX_DETAIL_LENGTH).toWellFormed(),
        at: now,
      })
      .execute();
    if (bounce.kind === 'soft' && isAboutSender(refusal)) return { kind: 'recorded', suppressed: null };
    const reason = await suppressionReason(tx, target, bounce.kind, config.bounces.softLimit);
    const waits = reason !== 'complaint' && reason !== null && (await holdSubscriber(tx, subscriber));
    if (reason === null || waits) return { kind: 'recorded', suppressed: null };
    const effect = await suppressAddress(tx, secrets, subscriberId, reason, { channel, source }, now);
    return { kind: 'recorded', suppressed: effect === 'suppressed' ? reason : null };
  });
}

/** Whether a report names no message, such as a provider's complaint about an address. */
function isNameless({ editionId, serviceMessageId }: BounceTarget): boolean {
  return editionId === null && serviceMessageId === null;
}

/**
 * Whether a bounce was recorded before, under any token of its message: signed with another secret, or without one, as
 * a webhook's report about an address.
 */
async function isDuplicate(
  tx: Tx,
  target: BounceTarget,
  kind: BounceKind,
  { suppressed_reason }: { suppressed_reason: SuppressionReason | null },
): Promise<boolean> {
  // A soft bounce tells nothing new about a message that has bounced for good.
  const kinds: BounceKind[] = kind === 'soft' ? ['soft', 'hard'] : [kind];
  const known = () => tx.selectFrom('bounces').where('subscriber_id', '=', target.subscriberId).select('id').limit(1);
  // If the address is not suppressed, the subscriber has opted in again since then, so the report must be a new one.
  const isNew = kind !== 'soft' && suppressed_reason === null;
  if (isNameless(target)) {
    return !isNew && (await known().where('kind', 'in', kinds).executeTakeFirst()) !== undefined;
  }
  if ((await known().where('kind', 'in', kinds).where(isOf(target)).executeTakeFirst()) !== undefined) return true;
  if (kind === 'soft' || isNew) return false;
  const nameless = await known()
    .where('kind', '=', kind)
    .where('edition_id', 'is', null)
    .where('service_message_id', 'is', null)
    .executeTakeFirst();
  if (nameless === undefined) return false;
  // The next message that bounces is another one.
  await tx
    .updateTable('bounces')
    .set({ edition_id: target.editionId, service_message_id: target.serviceMessageId })
    .where('id', '=', nameless.id)
    .execute();
  return true;
}

/** Condition on bounces: of the message that a target names. */
function isOf({ editionId, serviceMessageId }: BounceTarget): RawBuilder<boolean> {
  return editionId === null
    ? sql<boolean>`service_message_id = ${serviceMessageId}`
    : sql<boolean>`edition_id = ${editionId}`;
}

async function deleteSoftBounce(tx: Tx, target: BounceTarget): Promise<void> {
  await tx
    .deleteFrom('bounces')
    .where('subscriber_id', '=', target.subscriberId)
    .where('kind', '=', 'soft')
    .where(isOf(target))
    .execute();
}

async function suppressionReason(
  tx: Tx,
  target: BounceTarget,
  kind: BounceKind,
  softLimit: number,
): Promise<SuppressionReason | null> {
  if (kind === 'hard') return 'hard-bounce';
  if (kind === 'complaint') return 'complaint';
  return (await isSeriesOfSoftBounces(tx, target, softLimit)) ? 'soft-bounces' : null;
}

/**
 * Whether the message is one of at least `limit` consecutive messages that bounced. Reports arrive in any order, so
 * the series may extend in both directions.
 */
async function isSeriesOfSoftBounces(tx: Tx, target: BounceTarget, limit: number): Promise<boolean> {
  const soft = await tx
    .selectFrom('bounces')
    .select(['edition_id', 'service_message_id', 'status', 'detail'])
    .where('subscriber_id', '=', target.subscriberId)
    .where('kind', '=', 'soft')
    .orderBy('id')
    .execute();
  if (soft.length < limit) return false;
  const keysOf = (isOfSender: boolean): Set<string> =>
    new Set(
      soft
        .filter(({ status, detail }) => isAboutSender({ status, text: detail ?? '' }) === isOfSender)
        .map((row) => messageKey(row.edition_id, row.service_message_id)),
    );
  const [bounced, ofSender] = [keysOf(false), keysOf(true)];
  // A bounce about the sender says nothing about the mailbox.
  const submitted = (await submittedMessages(tx, target.subscriberId)).filter((one) => !ofSender.has(one));
  const own = submitted.indexOf(messageKey(target.editionId, target.serviceMessageId));
  if (own < 0) return false;
  const before = submitted.slice(0, own).findLastIndex((one) => !bounced.has(one));
  const after = submitted.findIndex((one, index) => index > own && !bounced.has(one));
  return (after < 0 ? submitted.length : after) - before - 1 >= limit;
}

/** The keys of all messages that were submitted to a subscriber and are not deleted yet, oldest first. */
async function submittedMessages(tx: Tx, subscriberId: number): Promise<string[]> {
  const deliveries = await submittedDeliveries(tx, subscriberId)
    .select(['edition_id', 'changed_at'])
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
    ...deliveries.map((row) => ({ key: messageKey(row.edition_id, null), at: row.changed_at })),
    ...messages.map((row) => ({ key: messageKey(null, row.id), at: row.changed_at })),
  ]
    .sort((a, b) => a.at - b.at)
    .map(({ key }) => key);
}

/** The deliveries that were submitted to a subscriber. */
export function submittedDeliveries(db: Db, subscriberId: number) {
  return (
    db
      .selectFrom('deliveries')
      // By edition: an index by subscriber would cost every edition more than these few look-ups.
      .where('edition_id', 'in', (e) => e.selectFrom('editions').select('id'))
      .where('subscriber_id', '=', subscriberId)
      .where('state', '=', 'submitted')
  );
}

/** A key that is unique across deliveries and service messages. */
function messageKey(editionId: number | null, serviceMessageId: number | null): string {
  return `${editionId ?? ''}/${serviceMessageId ?? ''}`;
}

export type UnsubscribeResult =
  | { kind: 'unsubscribed'; newsletters: string[] }
  /** There was no subscription, or it had ended before. */
  | { kind: 'already' }
  /** The subscriber was erased. */
  | { kind: 'erased' };

/** Ends the subscription to the newsletter that a target is about; if it is about none, all subscriptions. */
export async function recordUnsubscribe(
  db: Db,
  target: BounceTarget,
  via: ConsentChannel,
  now: number,
): Promise<UnsubscribeResult> {
  const { subscriberId } = target;
  const which = await newslettersOf(db, target);
  return inTransaction(db, async (tx) => {
    if ((await lockSubscriber(tx, subscriberId)) === null) return { kind: 'erased' };
    const ended = await changeSubscriptions(tx, subscriberId, which, 'unsubscribed', via, now);
    if (ended.length === 0) return { kind: 'already' };
    return { kind: 'unsubscribed', newsletters: ended.map((one) => one.newsletter) };
  });
}

/** The newsletter that a target is about, or all if it is about none. */
async function newslettersOf(db: Db, target: BounceTarget): Promise<string[] | 'all'> {
  const { newsletter, editionId, newsletterTag: tag, subscriberId } = target;
  if (newsletter !== null) return [newsletter];
  if (tag !== undefined) {
    // Read from the subscriptions: the newsletter may no longer be configured.
    const subscriptions = await db
      .selectFrom('subscriptions')
      .select('newsletter')
      .where('subscriber_id', '=', subscriberId)
      .execute();
    return subscriptions.map((one) => one.newsletter).filter((id) => newsletterTag(id) === tag);
  }
  if (editionId === null) return 'all';
  const editions = await db.selectFrom('editions').select('newsletter').where('id', '=', editionId).execute();
  // An edition that is not in the store, as after the restore of an older backup: the wish is not ignored.
  return editions.length === 0 ? 'all' : editions.map((edition) => edition.newsletter);
}
