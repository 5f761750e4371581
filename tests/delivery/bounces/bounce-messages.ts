/**
 * The messages of tests/delivery/bounces, addressed: written in the shape that the servers they are named after give them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mailboxToken, unsubscribeToken } from '../../../src/subscribers/tokens/tokens.ts';
import { SECRETS } from '../fixture.ts';

/** What a message is about. */
export interface About {
  editionId: number;
  subscriberId: number;
}

export const NEWSLETTER = 'daily-roundup';

/** The token of the return path of that delivery. */
export function returnToken(about: About): string {
  return mailboxToken(SECRETS, { purpose: 'bounce', ...about });
}

/** The token of the address to which one writes to leave. */
export function leaveToken(about: About): string {
  return mailboxToken(SECRETS, { purpose: 'unsubscribe', ...about });
}

/** A message with the tokens of a delivery in their places. */
export function bounceMessage(name: string, about: About): Buffer {
  const text = readFileSync(join(import.meta.dirname, `${name}.eml`), 'utf8');
  return Buffer.from(
    text
      .replaceAll('UPPERLEAVE', leaveToken(about).toUpperCase())
      .replaceAll('LEAVE', leaveToken(about))
      .replaceAll('TOKEN', returnToken(about))
      .replaceAll('LINK', unsubscribeToken(SECRETS, { subscriberId: about.subscriberId, newsletter: NEWSLETTER })),
  );
}
