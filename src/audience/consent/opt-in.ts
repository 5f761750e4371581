/**
 * Double opt-in: anyone can request a subscription for an address, but only a recipient of its mail can confirm it.
 *
 * A request has the same response, and runs the same statements, for addresses that are new, known or suppressed: only
 * the mail tells the difference. Nothing confirmed changes before the confirmation, not even the zone.
 */
import { sql } from 'kysely';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { acquirePermits } from '../../core/store/rate-limits.ts';
import { type Db, inTransaction, type Tx } from '../../core/store/store.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import { parseAddress } from '../../lib/address.ts';
import { MINUTE } from '../../lib/time.ts';
import {
  type ConfirmMessage,
  contentColumns,
  findConfirmMessage,
  type NewServiceMessage,
  queueServiceMessage,
} from '../service-messages.ts';
import { findSuppression, liftSuppression } from '../suppression.ts';
import type { ServiceMessageKey } from '../tokens.ts';
import { changeZone, zoneProblem } from '../zone.ts';
import {
  type ConsentChannel,
  changeSubscriptions,
  lockSubscriber,
  revokeLinks,
  setChoice,
  subscriptionStates,
} from './changes.ts';
import { type ConsentText, storeConsentText } from './consent-text.ts';
import { limitsOfSignup, type SignupLimits } from './signup-limits.ts';

export interface SubscriptionRequest {
  email: string;
  /** Ids of newsletters; the caller has checked that they exist. */
  newsletters: readonly string[];
  /** IANA zone, set when the request is confirmed. */
  zone?: string | undefined;
  /** Canonical choices by newsletter, set when the request is confirmed. */
  choices?: Readonly<Record<string, string | null>> | undefined;
}

export type RequestResult =
  | { kind: 'requested' }
  | { kind: 'refused'; reason: string }
  | { kind: 'limited'; scope: 'domain' | 'all'; retryAt: number };

/**
 * Requests subscriptions for an address: queues a message with a confirmation link, or one saying that there is nothing
 * to confirm.
 * @param options.confirmMs lifetime of the link
 * @param options.perAddressPerDay further requests for the address get the same result but no message
 * @returns `refused` only for invalid input; `limited` when there were too many requests for the domain, or in all
 */
export async function requestSubscription(
  db: Db,
  secrets: SigningSecrets,
  request: SubscriptionRequest,
  via: ConsentChannel,
  options: SignupLimits & { confirmMs: number },
  now: number,
): Promise<RequestResult> {
  const address = parseAddress(request.email);
  if (address.kind === 'invalid') return { kind: 'refused', reason: address.reason };
  const zone = request.zone ?? null;
  const problem = zoneProblem(zone);
  if (problem !== null) return { kind: 'refused', reason: problem };
  const newsletters = [...new Set(request.newsletters)].sort();
  if (newsletters.length === 0) return { kind: 'refused', reason: 'choose at least one newsletter' };
  const permits = await acquirePermits(db, limitsOfSignup(secrets, address.key, options), now);
  if (permits.kind === 'refused') {
    const { scope } = permits.limit;
    return scope === 'address' ? { kind: 'requested' } : { kind: 'limited', scope, retryAt: permits.retryAt };
  }

  await inTransaction(db, async (tx) => {
    const { id, suppression } = await lockForRequest(tx, secrets, address, now);
    const suppressed = suppression !== null;
    await insertRequests(tx, id, newsletters, now);
    await recordRequests(tx, id, newsletters, suppressed, via, now);
    const states = await subscriptionStates(tx, id);
    const open = newsletters.filter((newsletter) => suppressed || states.get(newsletter) !== 'confirmed');
    const message = {
      kind: open.length > 0 ? ('confirm' as const) : ('already' as const),
      subscriberId: id,
      newsletters: open.length > 0 ? open : newsletters,
      zone,
      choices: open.length > 0 ? request.choices : {},
      expiresAt: now + options.confirmMs,
      isSuppressed: suppression === 'operator',
    };
    if (!(await isRepeated(tx, message, now))) await queueServiceMessage(tx, message, now);
  });
  return { kind: 'requested' };
}

/** A form that was slow to answer is sent again. */
const REPEATED_WITHIN = MINUTE;

/** Whether the same message was queued for an equal request just before, and nothing has changed since. */
async function isRepeated(tx: Tx, message: NewServiceMessage, now: number): Promise<boolean> {
  const { newsletters, zone, choices } = contentColumns(message);
  const { rows } = await sql`select 1 from service_messages as earlier
    where subscriber_id = ${message.subscriberId} and kind = ${message.kind} and created_at > ${now - REPEATED_WITHIN}
      and newsletters = ${newsletters} and zone is not distinct from ${zone} and choices is not distinct from ${choices}
      and state <> 'failed' and not exists (
        select 1 from consent_events where subscriber_id = earlier.subscriber_id
          and id > earlier.after_event and change <> 'requested')`.execute(tx);
  return rows.length > 0;
}

/** The state of a request and the newsletters that it concerns. */
export type RequestState =
  /** Can be confirmed. `consent`: the wording that the request was made with. */
  | { kind: 'open'; newsletters: string[]; consent: ConsentText | null }
  /** Everything is confirmed: confirming again changes nothing. */
  | { kind: 'done'; newsletters: string[] }
  /** Too late, or superseded by a later change: a new request is needed. Lists all requested newsletters. */
  | { kind: 'expired'; newsletters: string[] };

/**
 * Reads the state of a request from its confirmation link, or null if the message or the subscriber no longer exists.
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
  return readRequestState(db, key.subscriberId, message, subscriber.suppressed_reason, now);
}

export type Confirmation =
  /** `version`: of the subscriber's links. */
  | { kind: 'confirmed'; newsletters: string[]; subscriberId: number; version: number }
  /** Everything was confirmed before. */
  | { kind: 'done'; newsletters: string[] }
  | { kind: 'expired' }
  | { kind: 'unknown' };

/**
 * Confirms a request: subscribes, sets the requested zone and choices, and lifts a suppression. Idempotent. Does not
 * subscribe to newsletters that were unsubscribed since the request, and leaves those as they are that were confirmed.
 * @param via its wording, or else that of the request, is recorded
 */
export async function confirmRequest(
  db: Db,
  secrets: SigningSecrets,
  key: ServiceMessageKey,
  via: ConsentChannel,
  now: number,
): Promise<Confirmation> {
  return inTransaction(db, async (tx) => {
    const { subscriberId } = key;
    const subscriber = await lockSubscriber(tx, subscriberId);
    const message = await findConfirmMessage(tx, key);
    if (subscriber === null || message === null) return { kind: 'unknown' };
    const request = await readRequestState(tx, subscriberId, message, subscriber.suppressed_reason, now);
    if (request.kind === 'expired') return { kind: 'expired' };
    const { newsletters } = request;
    if (request.kind === 'done') return request;
    const hadNone = ![...(await subscriptionStates(tx, subscriberId)).values()].includes('confirmed');
    const consent = via.consent ?? message.consent;
    const joined = await changeSubscriptions(tx, subscriberId, newsletters, 'confirmed', { ...via, consent }, now);
    for (const [newsletter, choice] of Object.entries(message.choices)) {
      const isJoined = joined.some((one) => one.newsletter === newsletter);
      if (isJoined) await setChoice(tx, subscriberId, newsletter, choice, via, now);
    }
    if (message.zone !== null) await changeZone(tx, subscriber, message.zone, via, now);
    await liftSuppression(tx, secrets, subscriberId, via, now);
    // Links of the time before this subscriber left open nothing now.
    if (hadNone) await revokeLinks(tx, subscriberId, now);
    return { kind: 'confirmed', newsletters, subscriberId, version: subscriber.token_version + (hadNone ? 1 : 0) };
  });
}

/**
 * A confirmation link must not undo later decisions: opened again, an old message does not revert an unsubscription or
 * a suppression.
 */
async function readRequestState(
  db: Db,
  subscriberId: number,
  { newsletters, expiresAt, afterEvent, consent }: ConfirmMessage,
  suppressedReason: SuppressionReason | null,
  now: number,
): Promise<RequestState> {
  const expired: RequestState = { kind: 'expired', newsletters };
  const later = await db
    .selectFrom('consent_events')
    .select(['change', 'newsletter', 'detail'])
    .where('subscriber_id', '=', subscriberId)
    .where('id', '>', afterEvent)
    .where('change', 'in', ['unsubscribed', 'moved', 'suppressed'])
    .execute();
  // Only the operator can lift the operator's suppression.
  if (suppressedReason === 'operator' || later.some((event) => event.change === 'suppressed')) return expired;
  const unsubscribed = new Set(
    later.map(({ change, newsletter, detail }) => (change === 'moved' ? detail : newsletter)),
  );
  const remaining = newsletters.filter((newsletter) => !unsubscribed.has(newsletter));
  if (remaining.length === 0) return expired;
  const states = await subscriptionStates(db, subscriberId);
  const isConfirmed = remaining.every((newsletter) => states.get(newsletter) === 'confirmed');
  if (isConfirmed && suppressedReason === null) return { kind: 'done', newsletters: remaining };
  return now >= expiresAt ? expired : { kind: 'open', newsletters: remaining, consent };
}

/**
 * Locks the subscriber of an address, or adds one, and finds why the address is suppressed: with the same statements in
 * every case. Of two simultaneous requests for a new address, the second waits here and finds the row of the first.
 */
async function lockForRequest(
  tx: Tx,
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
  // An erased address is on the list, and its new row must show it.
  await tx
    .updateTable('subscribers')
    .set({ suppressed_reason: reason, suppressed_at: row.suppressed_at ?? listed?.at ?? null })
    .where('id', '=', row.id)
    .execute();
  return { id: row.id, suppression: reason };
}

/** The change `requested` of states.ts, in one statement that is the same for every state. */
async function insertRequests(tx: Tx, subscriberId: number, newsletters: string[], now: number): Promise<void> {
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

/** Records a request for each newsletter that the message will ask to confirm. */
async function recordRequests(
  tx: Tx,
  subscriberId: number,
  newsletters: string[],
  suppressed: boolean,
  { channel, source = null, consent = null, origin }: ConsentChannel,
  now: number,
): Promise<void> {
  if (consent !== null) await storeConsentText(tx, consent, now);
  // The same statement for suppressed and other addresses.
  await sql`
    insert into consent_events (subscriber_id, newsletter, change, channel, source, at, consent_text, detail)
    select subscriber_id, newsletter, 'requested', cast(${channel} as text), cast(${source} as text),
      cast(${now} as bigint), cast(${consent?.id ?? null} as text), cast(${origin ?? null} as text)
    from subscriptions
    where subscriber_id = ${subscriberId} and newsletter in (${sql.join(newsletters)})
      and (state <> 'confirmed' or cast(${suppressed ? 1 : 0} as integer) = 1)
    order by newsletter`.execute(tx);
}
