/**
 * Whom and what a message that comes in is about. Only a token says so: anyone can write an address or a name.
 */
import type { Db } from '../../store/store.ts';
import type { SigningSecrets } from '../../subscribers/tokens/secret.ts';
import { readMailboxToken, readUnsubscribeToken } from '../../subscribers/tokens/tokens.ts';

export interface BounceTarget {
  subscriberId: number;
  /** The edition that was delivered, where it is about one. */
  editionId: number | null;
  /** The message of the service, where it is about one. */
  serviceMessageId: number | null;
  /** The newsletter, where the token itself names it. */
  newsletter: string | null;
  /** Whether it is the token of an address to which one writes to leave. */
  isUnsubscribe: boolean;
}

// As `mailboxToken` makes them, behind the plus sign of an address; however they were cased on the way.
const MAILBOX_TOKEN = /\+([bsu][a-z2-7]{39})@/gi;
// As `unsubscribeToken` makes them, at the end of our links' path.
const LINK_TOKEN = /\/unsubscribe\/(v1\.[A-Za-z0-9_-]{22,200})/g;

/** Everything in a text that looks like a token of ours, once each, in order. */
export function findTokens(text: string): string[] {
  const found = [...text.matchAll(MAILBOX_TOKEN), ...text.matchAll(LINK_TOKEN)];
  return [...new Set(found.map((match) => match[1] as string))];
}

/** What a token stands for, or null where it was not made here. */
export function readTargetToken(secrets: SigningSecrets, token: string): BounceTarget | null {
  const link = readUnsubscribeToken(secrets, token);
  if (link !== null) return { ...link, editionId: null, serviceMessageId: null, isUnsubscribe: true };
  const key = readMailboxToken(secrets, token);
  if (key === null) return null;
  return {
    subscriberId: key.subscriberId,
    editionId: key.purpose === 'service-bounce' ? null : key.editionId,
    serviceMessageId: key.purpose === 'service-bounce' ? key.messageId : null,
    newsletter: null,
    isUnsubscribe: key.purpose === 'unsubscribe',
  };
}

/** The newsletter that a target is about, or null where it is about none or its edition is gone. */
export async function newsletterOf(db: Db, target: BounceTarget): Promise<string | null> {
  if (target.newsletter !== null || target.editionId === null) return target.newsletter;
  const edition = await db
    .selectFrom('editions')
    .select('newsletter')
    .where('id', '=', target.editionId)
    .executeTakeFirst();
  return edition?.newsletter ?? null;
}
