/**
 * What a change of consent makes of a subscription.
 *
 *   (none) ─requested─► unconfirmed ─confirmed─► confirmed ─unsubscribed─► unsubscribed ─requested─► unconfirmed …
 *
 * Only `confirmed` is mailed. Asking again for what is confirmed leaves it alone, so that nobody can end another's subscription by
 * asking for it.
 */
import type { Tables } from '../../store/tables.ts';

export type SubscriptionState = Tables['subscriptions']['state'];

/** What can happen to a subscription; consent_events has the same words. */
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
  // Who never asked has nothing to leave, and gets no row that says so.
  unsubscribed: {
    none: null,
    unconfirmed: 'unsubscribed',
    confirmed: 'unsubscribed',
    unsubscribed: 'unsubscribed',
  },
};

/**
 * The state after the change.
 * @param state null where there is no subscription
 * @returns null where there is none afterwards either
 */
export function nextState(state: SubscriptionState | null, change: SubscriptionChange): SubscriptionState | null {
  return NEXT[change][state ?? 'none'];
}
