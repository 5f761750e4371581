/**
 * Decides why a claimed delivery must not be submitted. Pure.
 */
import type { SubscriptionState } from '../../audience/consent/states.ts';
import type { EditionDeliveryState, SuppressionReason } from '../../core/store/tables.ts';
import { rfc3339 } from '../../lib/time.ts';
import { CANCELLED, type DeliveryOutcome, expiredReason } from './delivery-outcome.ts';

/** The state of a delivery, its edition and its subscriber. */
export interface EligibilityFacts {
  expiresAt: number | null;
  /** Why the last attempt failed, or null. */
  reason: string | null;
  deliveryState: EditionDeliveryState;
  deliveryReason: string | null;
  /** Null if the subscriber does not exist any more. */
  subscriberId: number | null;
  pausedUntil: number | null;
  suppressedReason: SuppressionReason | null;
  consent: SubscriptionState | null;
}

/** The outcome for the first obstacle. */
export function decideIneligible(
  facts: EligibilityFacts,
  now: number,
): Extract<DeliveryOutcome, { kind: 'suppressed' | 'failed' | 'released' }> {
  const { expiresAt, reason, deliveryState, deliveryReason, pausedUntil, suppressedReason } = facts;
  if (deliveryState === 'cancelled') return { kind: 'suppressed', reason: CANCELLED + (deliveryReason ?? '') };
  if (facts.subscriberId === null) return { kind: 'suppressed', reason: 'the subscriber does not exist any more' };
  if (suppressedReason !== null) {
    return { kind: 'suppressed', reason: `the address is suppressed: ${suppressedReason}` };
  }
  if (facts.consent !== 'confirmed')
    return { kind: 'suppressed', reason: 'the subscription is not confirmed any more' };
  if (pausedUntil !== null && pausedUntil > now) {
    return { kind: 'suppressed', reason: `the subscriber paused mail until ${rfc3339(pausedUntil)}` };
  }
  if (expiresAt !== null && expiresAt <= now) return { kind: 'failed', reply: null, reason: expiredReason(reason) };
  // The edition is paused, or the obstacle has just disappeared: the next claim decides again.
  return { kind: 'released', reason };
}
