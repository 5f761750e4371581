/**
 * Keeps an edition under the size at which mail programs cut a message off, and its unsubscribe link with it. Where it would be too
 * large, first its excerpts grow shorter, then its blocks hold fewer stories: those that find no room wait for the next edition,
 * recorded as what did not fit.
 */
import type { NewsletterConfig } from '../../config/config.ts';
import type { EditionPlan } from '../selection.ts';
import { fillHtml } from './fill.ts';

/** Gmail shows so many bytes of HTML, and hides the rest behind a link. */
const CLIPPED_AT = 102_400;
/** No link's token is longer (subscribers/tokens.ts). */
const LONGEST_TOKEN = 130;
/** Blocks differ in what a story takes, so a cut by the ratio alone would often fall short. */
const MARGIN = 0.95;

/** How much an edition may show. */
export interface Room {
  excerpts: 'whole' | 'short';
  /** Of the stories of each block, and of the corrections: 1 for all of them. */
  share: number;
}

/**
 * Makes the edition with less and less room until it fits.
 * @param make renders it in that room; `left` is how many stories beside the lead, so that what cannot shrink any more is known
 * @throws Error where the lead alone is too large, which only a template can cause
 */
export async function fitToSize<T extends { bytes: number; left: number }>(
  make: (room: Room) => Promise<T>,
): Promise<T> {
  let room: Room = { excerpts: 'whole', share: 1 };
  for (;;) {
    const made = await make(room);
    if (made.bytes < CLIPPED_AT) return made;
    if (room.excerpts === 'short' && made.left === 0) {
      throw new Error(
        `the edition takes ${made.bytes} bytes with its lead alone, and mail programs cut it off at ${CLIPPED_AT}: make its template smaller`,
      );
    }
    room =
      room.excerpts === 'whole'
        ? { excerpts: 'short', share: 1 }
        : { excerpts: 'short', share: (room.share * MARGIN * CLIPPED_AT) / made.bytes };
  }
}

/** The bytes of one recipient's copy, at most. */
export function filledBytes(html: string, nonce: string, publicUrl: string): number {
  const token = 'x'.repeat(LONGEST_TOKEN);
  // As messages write it: an address in other letters grows there (`ü` is `%C3%BC`).
  const base = new URL(`${publicUrl}/`).href;
  const values = { unsubscribe: `${base}unsubscribe/${token}`, preferences: `${base}preferences/${token}` };
  return Buffer.byteLength(fillHtml(html, nonce, values));
}

/** What each block may hold in that room. @param plan as it is with all the room it wants */
export function blocksInRoom({ lead, ...plan }: EditionPlan, { share }: Room): NewsletterConfig['blocks'] {
  const part = (stories: readonly unknown[]): number => Math.floor(stories.length * share);
  return {
    news: part(plan.news),
    analysis: part(plan.analysis),
    // Without a lead the first roundup item leads.
    roundup: Math.max(part(plan.roundup), lead === null ? 1 : 0),
    latest: part(plan.latest),
  };
}
