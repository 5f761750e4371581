/**
 * How many subscriptions of the embedded hub one client, and one machine behind callbacks, may begin. The hub keeps a
 * limited number, of which nobody may take all. Subscribers renew and unsubscribe without limit.
 *
 * A quota is a rate limit that refills within the longest lease. So at most two quotas are held at any time.
 */
import { createHmac } from 'node:crypto';
import { deriveKey, type SigningSecrets } from '../../core/config/signing-secrets.ts';
import { acquirePermit, type RateLimit } from '../../core/store/rate-limits.ts';
import type { Db } from '../../core/store/store.ts';
import { addressBlock, widerBlock } from '../../lib/cidr.ts';
import { DAY, SECOND } from '../../lib/time.ts';

const REFILLED_AFTER = 30 * DAY;
/** An IPv4 address, or an IPv6 /64. A service for many readers has one address and a callback for each feed. */
const PER_BLOCK: RateLimit = { everyMs: REFILLED_AFTER / 1_000, burst: 1_000 };
/** An IPv4 /24, or an IPv6 /48: what one site can choose from. */
const PER_WIDER_BLOCK: RateLimit = { everyMs: REFILLED_AFTER / 4_000, burst: 4_000 };

/**
 * Counts a new subscription.
 * @param whose the client that requests it, or the machine at its callback
 * @param address as connected to; null where it is not known
 * @returns seconds to wait; 0 where it is within the quota
 */
export async function countNewSubscription(
  db: Db,
  secrets: SigningSecrets,
  whose: 'client' | 'callback',
  address: string | null,
  now: number,
): Promise<number> {
  const blocks: [block: string, limit: RateLimit][] =
    address === null
      ? [['unknown', PER_WIDER_BLOCK]]
      : [
          [addressBlock(address), PER_BLOCK],
          [widerBlock(address), PER_WIDER_BLOCK],
        ];
  for (const [block, limit] of blocks) {
    // The store holds no addresses.
    const hash = createHmac('sha256', deriveKey(secrets[0], 'hash clients')).update(block).digest('base64url');
    const permit = await acquirePermit(db, `hub quota ${whose} ${hash}`, limit, now);
    if (permit.kind === 'refused') return Math.max(1, Math.ceil((permit.retryAt - now) / SECOND));
  }
  return 0;
}
