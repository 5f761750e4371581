import type { Config } from '../core/config/config.ts';
import { type Finding, warning } from '../core/finding.ts';
import type { Store } from '../core/store/store.ts';
import { countSubscriptions } from './subscriptions.ts';

export async function checkSubscribers({ db }: Store, { newsletters }: Config): Promise<Finding[]> {
  const counts = await countSubscriptions(db);
  const isSubscribed = (id: string): boolean =>
    counts.some(({ newsletter, state, count }) => newsletter === id && state === 'confirmed' && count > 0);
  return newsletters
    .filter(({ id }) => !isSubscribed(id))
    .map(({ id }) => warning(`newsletters ${id}: nobody is subscribed, so its editions reach nobody`));
}
