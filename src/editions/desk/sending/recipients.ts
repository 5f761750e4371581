/**
 * How many subscribers an edition would go to.
 */

import { countSubscriptions } from '../../../audience/subscriptions.ts';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import type { Db } from '../../../core/store/store.ts';

/** What the count includes. */
export const RECIPIENTS_MEANING =
  'The count is of confirmed subscriptions now. Suppressed and paused ones among them are left out at delivery.';

/** Confirmed subscriptions to the newsletter now, by the maintained counts: a few look-ups, however many there are. */
export async function countConfirmedSubscriptions(db: Db, { id }: Pick<NewsletterConfig, 'id'>): Promise<number> {
  const counts = await countSubscriptions(db);
  return counts.find(({ newsletter, state }) => newsletter === id && state === 'confirmed')?.count ?? 0;
}
