/**
 * Double opt-in: an address is asked for by anyone, and subscribed by nobody but the reader of its mail.
 *
 * Asking gives the same answer after the same statements, whether the address is known, suppressed, or new: what differs, the reader
 * of its mail is told, and nobody else. Nothing that is confirmed changes before the confirmation, not even the zone.
 */
import { sql } from 'kysely';
import { DAY } from '../../lib/time.ts';
import { takeRate } from '../../store/rate-limits.ts';
import type { Db } from '../../store/store.ts';
import type { SuppressionReason } from '../../store/tables.ts';
import { parseAddress } from '../address.ts';
import { type ConfirmMessage, findConfirmMessage, queueServiceMessage } from '../service-messages.ts';
import { findSuppression, hashAddress, liftSuppression } from '../suppression.ts';
import type { SigningSecrets } from '../tokens/secret.ts';
import type { ServiceMessageKey } from '../tokens/tokens.ts';
import { changeZone, zoneProblem } from '../zone.ts';
import {
  changeSubscriptions,
  inTransaction,
  lockSubscriber,
  type Origin,
  subscriptionStates,
} from './consent-ledger.ts';
import { judgeRequest, type RequestState } from './opt-in.ts';

export type { Origin } from './consent-ledger.ts';

export interface SubscriptionRequest {
  email: string;
  /** Ids of the config's newsletters; the caller has checked that they exist. */
  newsletters: readonly string[];
  /** IANA zone, set when the request is confirmed. */
  zone?: string | undefined;
}

/**
 * Asks an address to confirm subscriptions: queues a mail with a link, or one that says that there is nothing to confirm.
 * @param options.confirmMs how long the link is good
 * @param options.perAddressPerDay how many mails one address gets a day; more are answered alike and not mailed
 * @returns `refused` only for what is wrong with the words typed; of an address, what `parseAddress` says
 */
export async function requestSubscription(
  db: Db,
  secrets: SigningSecrets,
  request: SubscriptionRequest,
  origin: Origin,
  options: { confirmMs: number; perAddressPerDay: number },
  now: number,
): Promise<{ kind: 'asked' } | { kind: 'refused'; reason: string }> {
  const address = parseAddress(request.email);
  if (address.kind === 'refused') return { kind: 'refused', reason: address.reason };
  const zone = request.zone ?? null;
  const problem = zoneProblem(zone);
  if (problem !== null) return { kind: 'refused', reason: problem };
  const newsletters = [...new Set(request.newsletters)].sort();
  if (newsletters.length === 0) return { kind: 'refused', reason: 'choose at least one newsletter' };
  const perDay = { everyMs: DAY / options.perAddressPerDay, burst: options.perAddressPerDay };
  const rate = await takeRate(db, addressRateKey(hashAddress(secrets[0], address.key)), perDay, now);
  if (rate.kind === 'refused') return { kind: 'asked' };

  await inTransaction(db, async (tx) => {
    const { id, suppression } = await holdForRequest(tx, secrets, address, now);
    const suppressed = suppression !== null;
    await requestEach(tx, id, newsletters, now);
    await noteRequests(tx, id, newsletters, suppressed, origin, now);
    const states = await subscriptionStates(tx, id);
    const open = newsletters.filter((newsletter) => suppressed || states.get(newsletter) !== 'confirmed');
    const message = {
      kind: open.length > 0 ? ('confirm' as const) : ('already' as const),
      subscriberId: id,
      newsletters: open.length > 0 ? open : newsletters,
      zone,
      expiresAt: now + options.confirmMs,
      withheld: suppression === 'operator',
    };
    await queueServiceMessage(tx, message, now);
  });
  return { kind: 'asked' };
}

/** The key of the limit on mails to one address. */
export function addressRateKey(addressHash: string): string {
  return `address:${addressHash}`;
}

/**
 * What the link of a confirmation mail stands for, for the page that shows its button. Changes nothing.
 * @returns null where the message, or the subscriber, is gone
 */
export async function findRequest(db: Db, key: ServiceMessageKey, now: number): Promise<RequestState | null> {
  const message = await findConfirmMessage(db, key);
  if (message === null) return null;
  const subscriber = await db
    .selectFrom('subscribers')
    .select('suppressed_reason')
    .where('id', '=', key.subscriberId)
    .executeTakeFirst();
  if (subscriber === undefined) return null;
  return judge(db, key.subscriberId, message, subscriber.suppressed_reason, now);
}

/**
 * Confirms what was asked for in that message, and nothing else; sets the zone asked for; takes the address off the suppression
 * list. Twice is as good as once. A newsletter that was left since it was asked for is not joined again.
 * @returns `expired` where it is too late, or all of it was overtaken by a later decision
 */
export async function confirmRequest(
  db: Db,
  secrets: SigningSecrets,
  key: ServiceMessageKey,
  origin: Origin,
  now: number,
): Promise<
  { kind: 'confirmed'; newsletters: string[]; subscriberId: number } | { kind: 'expired' } | { kind: 'unknown' }
> {
  return inTransaction(db, async (tx) => {
    const { subscriberId } = key;
    const subscriber = await lockSubscriber(tx, subscriberId);
    const message = await findConfirmMessage(tx, key);
    if (subscriber === null || message === null) return { kind: 'unknown' };
    const request = await judge(tx, subscriberId, message, subscriber.suppressed_reason, now);
    if (request.kind === 'expired') return { kind: 'expired' };
    const { newsletters } = request;
    if (request.kind === 'open') {
      await changeSubscriptions(tx, subscriberId, newsletters, 'confirmed', origin, now);
      if (message.zone !== null) await changeZone(tx, subscriber, message.zone, origin, now);
      await liftSuppression(tx, secrets, subscriberId, origin, now);
    }
    return { kind: 'confirmed', newsletters, subscriberId };
  });
}

async function judge(
  db: Db,
  subscriberId: number,
  message: ConfirmMessage,
  suppressedReason: string | null,
  now: number,
): Promise<RequestState> {
  const later = await db
    .selectFrom('consent_events')
    .select(['change', 'newsletter'])
    .where('subscriber_id', '=', subscriberId)
    .where('id', '>', message.afterEvent)
    .where('change', 'in', ['unsubscribed', 'suppressed'])
    .execute();
  const states = await subscriptionStates(db, subscriberId);
  const { newsletters, expiresAt } = message;
  return judgeRequest({ newsletters, expiresAt, later, states, suppressedReason }, now);
}

/**
 * The subscriber of an address, locked, added where there is none, and why the address is suppressed: the same statements, whichever it
 * is. Of two who ask at once for a new address, the second waits here, and finds what the first one added.
 */
async function holdForRequest(
  tx: Db,
  secrets: SigningSecrets,
  address: { email: string; key: string },
  now: number,
): Promise<{ id: number; suppression: SuppressionReason | null }> {
  const row = await tx
    .insertInto('subscribers')
    .values({ email: address.email, email_key: address.key, created_at: now })
    .onConflict((conflict) =>
      conflict.column('email_key').doUpdateSet({ created_at: sql<number>`subscribers.created_at` }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  const listed = await findSuppression(tx, secrets, address.key);
  const reason = row.suppressed_reason ?? listed?.reason ?? null;
  // One that was erased is on the list, and its new row has to say so.
  await tx
    .updateTable('subscribers')
    .set({ suppressed_reason: reason, suppressed_at: row.suppressed_at ?? listed?.at ?? null })
    .where('id', '=', row.id)
    .execute();
  return { id: row.id, suppression: reason };
}

/** `requested` of consent-states.ts, in one statement that is the same whatever it finds. */
async function requestEach(tx: Db, subscriberId: number, newsletters: string[], now: number): Promise<void> {
  await tx
    .insertInto('subscriptions')
    .values(
      newsletters.map((newsletter) => ({
        subscriber_id: subscriberId,
        newsletter,
        state: 'unconfirmed' as const,
        changed_at: now,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['subscriber_id', 'newsletter'])
        .doUpdateSet({ state: 'unconfirmed', changed_at: now })
        .where('subscriptions.state', '=', 'unsubscribed'),
    )
    .execute();
}

/** Notes a request for each newsletter that the mail will ask to confirm. */
async function noteRequests(
  tx: Db,
  subscriberId: number,
  newsletters: string[],
  suppressed: boolean,
  { channel, source = null }: Origin,
  now: number,
): Promise<void> {
  await tx
    .insertInto('consent_events')
    .columns(['subscriber_id', 'newsletter', 'change', 'channel', 'source', 'at'])
    .expression((e) =>
      e
        .selectFrom('subscriptions')
        .select([
          'subscriber_id',
          'newsletter',
          sql<'requested'>`'requested'`.as('change'),
          sql<Origin['channel']>`cast(${channel} as text)`.as('channel'),
          sql<string | null>`cast(${source} as text)`.as('source'),
          sql<number>`cast(${now} as bigint)`.as('at'),
        ])
        .where('subscriber_id', '=', subscriberId)
        .where('newsletter', 'in', newsletters)
        // One statement, suppressed or not.
        .where(sql<boolean>`(state <> 'confirmed' or cast(${suppressed ? 1 : 0} as integer) = 1)`)
        .orderBy('newsletter'),
    )
    .execute();
}
