/**
 * What the pages that send an edition share: addresses of acts, below the desk's path, and the count of recipients.
 */
import { countSubscriptions } from '../../../audience/subscriptions.ts';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import type { Db } from '../../../core/store/store.ts';
import { draftPath } from '../../draft/draft-address.ts';

export type SendingAct = 'hold' | 'release' | 'approve' | 'test' | 'send' | 'cancel-send';

export function sendingPath(target: Parameters<typeof draftPath>[0], act: SendingAct): string {
  return `${draftPath(target)}/${act}`;
}

/** What the count includes. */
export const RECIPIENTS_MEANING =
  'The count is of confirmed subscriptions now. Suppressed and paused ones among them are left out at delivery.';

/** Confirmed subscriptions to the newsletter now, by the maintained counts: a few look-ups, however many there are. */
export async function countConfirmedSubscriptions(db: Db, { id }: Pick<NewsletterConfig, 'id'>): Promise<number> {
  const counts = await countSubscriptions(db);
  return counts.find(({ newsletter, state }) => newsletter === id && state === 'confirmed')?.count ?? 0;
}
