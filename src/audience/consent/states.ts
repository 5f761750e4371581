/**
 * The state machine of a subscription.
 *
 * (none) ─requested─► unconfirmed ─confirmed─► confirmed ─unsubscribed─► unsubscribed ─requested─► unconfirmed …
 *
 * Only `confirmed` subscriptions are mailed. A request does not change a confirmed subscription: otherwise anyone could
 * end another person's subscription by requesting it.
 */
import type { Tables } from '../../core/store/tables.ts';

export type SubscriptionState = Tables['subscriptions']['state'];

/** The changes of `consent_events` that concern one subscription. */
export type SubscriptionChange = 'requested' | 'confirmed' | 'unsubscribed';

const NEXT: Record<SubscriptionChange, Record<SubscriptionState | 'none', SubscriptionState | null>> = {
  requested: {
    none: 'unconfirmed',
    unconfirmed: 'unconfirmed',
    confirmed: 'confirmed',
    unsubscribed: 'unconfirmed',
  },
  confirmed: {
    none: 'confirmed',
    unconfirmed: 'confirmed',
    confirmed: 'confirmed',
    unsubscribed: 'confirmed',
  },
  unsubscribed: {
    none: null,
    unconfirmed: 'unsubscribed',
    confirmed: 'unsubscribed',
    unsubscribed: 'unsubscribed',
  },
};

/**
 * The state after a change.
 * @param state null if there is no subscription
 * @returns null if there is still no subscription
 */
export function nextState(state: SubscriptionState | null, change: SubscriptionChange): SubscriptionState | null {
  return NEXT[change][state ?? 'none'];
}
