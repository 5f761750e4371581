/**
 * Keeps an edition below the size at which mail programs clip a message, together with its unsubscribe link. An edition
 * that would be too large first gets shorter excerpts, then fewer stories per block: the others are recorded as not
 * fitting, and wait for the next edition.
 */
import type { NewsletterConfig } from '../../core/config/config.ts';
import type { EditionPlan } from '../selection/selection.ts';
import { fillHtml } from './placeholders.ts';

/** Gmail clips a message with more bytes of HTML. */
export const MAX_HTML_BYTES = 102_400;
/** No token in a link is longer (audience/tokens.ts). */
const MAX_TOKEN_LENGTH = 130;
/** Stories differ in size, so a cut by the ratio of sizes alone would often fall short. */
const MARGIN = 0.95;

/** Bytes by which a copy can exceed the whole edition: it says that it is the subscriber's choice. */
export const COPY_SURPLUS = 1_000;

/** How much of its content an edition may show. */
export interface ContentLimits {
  excerpts: 'full' | 'short';
  /** Share of each block's stories, and of the corrections: 1 for all. */
  share: number;
}

/**
 * Renders an edition with decreasing limits until it fits.
 * @param render `removable` is the number of stories beside the lead
 * @throws Error if the lead alone is too large, which only a template can cause
 */
export async function fitToSizeLimit<T extends { bytes: number; removable: number }>(
  render: (limits: ContentLimits) => Promise<T>,
): Promise<T> {
  let limits: ContentLimits = { excerpts: 'full', share: 1 };
  for (;;) {
    const edition = await render(limits);
    if (edition.bytes < MAX_HTML_BYTES) return edition;
    if (limits.excerpts === 'short' && edition.removable === 0) {
      throw new Error(
        `the edition takes ${edition.bytes} bytes with its lead alone, and mail programs clip it at ` +
          `${MAX_HTML_BYTES}: make its template smaller`,
      );
    }
    const share = limits.excerpts === 'full' ? 1 : (limits.share * MARGIN * MAX_HTML_BYTES) / edition.bytes;
    limits = { excerpts: 'short', share };
  }
}

/** The maximum size of one recipient's HTML, in bytes. */
export function filledSize(html: string, nonce: string, publicUrl: string): number {
  const token = 'x'.repeat(MAX_TOKEN_LENGTH);
  // As in messages: URL encoding makes some addresses longer (`ü` is `%C3%BC`).
  const base = new URL(`${publicUrl}/`).href;
  const values = { unsubscribe: `${base}unsubscribe/${token}`, preferences: `${base}preferences/${token}` };
  return Buffer.byteLength(fillHtml(html, nonce, values));
}

/** Number of stories that each block may hold. @param plan the selection without limits */
export function limitBlocks({ lead, ...plan }: EditionPlan, { share }: ContentLimits): NewsletterConfig['blocks'] {
  const limit = (stories: readonly unknown[]): number => Math.floor(stories.length * share);
  return {
    news: limit(plan.news),
    analysis: limit(plan.analysis),
    // Without a lead, the first roundup item takes its place.
    roundup: Math.max(limit(plan.roundup), lead === null ? 1 : 0),
    latest: limit(plan.latest),
  };
}
