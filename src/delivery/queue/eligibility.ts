/**
 * Why a delivery that was about to be submitted may not go. Pure.
 */

import { rfc3339 } from '../../lib/time.ts';
import type { EditionDeliveryState, SuppressionReason } from '../../store/tables.ts';
import { CANCELLED, type DeliveryOutcome, expiredReason } from './delivery-outcome.ts';

/** What stands in the store about a claimed delivery, its edition and its reader. */
export interface EligibilityFacts {
  expiresAt: number | null;
  /** Why the last attempt did not succeed, or null. */
  reason: string | null;
  deliveryState: EditionDeliveryState;
  deliveryReason: string | null;
  /** Null where the subscriber is gone. */
  subscriberId: number | null;
  pausedUntil: number | null;
  suppressedReason: SuppressionReason | null;
  consent: 'unconfirmed' | 'confirmed' | 'unsubscribed' | null;
}

/** The first thing that stands against mailing it, and what becomes of it. */
export function decideIneligible(
  facts: EligibilityFacts,
  now: number,
): Extract<DeliveryOutcome, { kind: 'suppressed' | 'failed' | 'put-back' }> {
  const { expiresAt, reason, deliveryState, deliveryReason, subscriberId, pausedUntil, suppressedReason, consent } =
    facts;
  if (deliveryState === 'cancelled') return { kind: 'suppressed', reason: CANCELLED + (deliveryReason ?? '') };
  if (subscriberId === null) return { kind: 'suppressed', reason: 'the subscriber is gone' };
  if (suppressedReason !== null)
    return { kind: 'suppressed', reason: `the address is suppressed: ${suppressedReason}` };
  if (consent !== 'confirmed') return { kind: 'suppressed', reason: 'the subscription is not confirmed any more' };
  if (pausedUntil !== null && pausedUntil > now) {
    return { kind: 'suppressed', reason: `the reader wants no mail before ${rfc3339(pausedUntil)}` };
  }
  if (expiresAt !== null && expiresAt <= now) return { kind: 'failed', reply: null, reason: expiredReason(reason) };
  // The edition is paused, or what stood against it has just gone: it waits for the next claim.
  return { kind: 'put-back', reason };
}
