/**
 * Links to a subscriber's own pages. They are valid for a time and go only to the subscriber's address. A person
 * who gets a forwarded message has its links too. Therefore the link to the preferences opens neither the export nor
 * the erasure: for these a link is mailed that works once.
 */
import { sql } from 'kysely';
import type { SigningSecrets } from '../core/config/signing-secrets.ts';
import { acquirePermit } from '../core/store/rate-limits.ts';
import { type Db, type InTransaction, inTransaction, type Tx } from '../core/store/store.ts';
import { DAY, HOUR } from '../lib/time.ts';
import { lockSubscriber, revokeLinks } from './consent/changes.ts';
import { queueServiceMessage } from './service-messages.ts';
import { hashAddress, hashesOfAddress } from './suppression.ts';
import type { LinkAct, ServiceMessageKey } from './tokens.ts';

/** For how long a mailed link opens the preferences. */
export const PREFERENCES_LINK_LIFETIME = 30 * DAY;
/** For how long a link for one act works, and the link on the page after a confirmation. */
export const SHORT_LINK_LIFETIME = HOUR;
/**
 * Messages per subscriber and kind of link: anyone with an old message can request a link to the
 * preferences for ever, and must not use up what the subscriber needs for the export or the erasure.
 */
const LIMIT = { everyMs: 12 * HOUR, burst: 2 };

const LINKS = ['preferences', 'export', 'erase'] as const satisfies ('preferences' | LinkAct)[];

/** A link that can be requested. */
export type RequestedLink = (typeof LINKS)[number];

/** `limited`: there were several such messages today. `suppressed`: it is recorded, and never mailed. */
type LinkRequest = 'queued' | 'suppressed' | 'limited' | 'unknown';

/**
 * Queues a message with a link to the subscriber's address. A page for anyone says the same for any result.
 * @param onCommit awaited in the transaction, last, if a message was queued
 */
export async function requestLink(
  db: Db,
  secrets: SigningSecrets,
  subscriberId: number,
  link: RequestedLink,
  now: number,
  onCommit?: InTransaction,
): Promise<LinkRequest> {
  const known = await db
    .selectFrom('subscribers')
    .select('email_key')
    .where('id', '=', subscriberId)
    .executeTakeFirst();
  if (known === undefined) return 'unknown';
  const key = linkRateKey(link, hashAddress(secrets[0], known.email_key));
  if ((await acquirePermit(db, key, LIMIT, now)).kind === 'refused') return 'limited';
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return 'unknown';
    const subscriptions = await tx
      .selectFrom('subscriptions')
      .select('newsletter')
      .where('subscriber_id', '=', subscriberId)
      .orderBy('newsletter')
      .execute();
    const lifetime = link === 'preferences' ? PREFERENCES_LINK_LIFETIME : SHORT_LINK_LIFETIME;
    const message = {
      kind: link,
      subscriberId,
      newsletters: subscriptions.map(({ newsletter }) => newsletter),
      zone: null,
      expiresAt: now + lifetime,
      isSuppressed: subscriber.suppressed_reason === 'operator',
    };
    await queueServiceMessage(tx, message, now);
    await onCommit?.(tx);
    return message.isSuppressed ? 'suppressed' : 'queued';
  });
}

/** The keys of the rate limits of an address, under all secrets. */
export function linkRateKeys(secrets: SigningSecrets, emailKey: string): string[] {
  return hashesOfAddress(secrets, emailKey).flatMap((hash) => LINKS.map((link) => linkRateKey(link, hash)));
}

/** The key of the rate limit of changes to a subscriber's preferences. */
export function changesRateKey(subscriberId: number): string {
  return `preferences:${subscriberId}`;
}

function linkRateKey(link: RequestedLink, addressHash: string): string {
  return `links ${link}:${addressHash}`;
}

/** Whether a link for an act still works. */
export async function isActLinkOpen(db: Db, act: LinkAct, key: ServiceMessageKey, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('service_messages')
    .select('id')
    .where(isOpenLink(act, key, now))
    .executeTakeFirst();
  return row !== undefined;
}

/** Uses a link for an act. @returns false if it was used before, or no longer works */
export async function useActLink(tx: Tx, act: LinkAct, key: ServiceMessageKey, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('service_messages')
    .set({ used_at: now })
    .where(isOpenLink(act, key, now))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

function isOpenLink(act: LinkAct, { messageId, subscriberId }: ServiceMessageKey, now: number) {
  return sql<boolean>`id = ${messageId} and subscriber_id = ${subscriberId} and kind = ${act}
    and used_at is null and expires_at > ${now}`;
}

/** Revokes the links of a subscriber. @returns false if there is no such subscriber */
export async function revokeLinksOf(db: Db, subscriberId: number, now: number): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    if ((await lockSubscriber(tx, subscriberId)) === null) return false;
    await revokeLinks(tx, subscriberId, now);
    return true;
  });
}
