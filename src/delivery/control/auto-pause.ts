/**
 * Pauses an edition when the server's refusals apply to every recipient: further attempts would fail the whole list.
 * Deliveries that were refused before that was known become due again.
 */
import type { Clock } from '../../lib/time.ts';
import type { Store, Tx } from '../../store/store.ts';
import { type ClaimedDelivery, reopenRefused } from '../queue/outbox.ts';
import { isAnySubmitted } from '../queue/queries.ts';
import {
  type AttemptOutcome,
  openPolicyRefusalCounter,
  type PolicyRefusalCounter,
} from '../transport/policy-refusals.ts';
import { DeliveryControlError, pauseEdition } from './edition-control.ts';

/** A refusal that was recorded as if it concerned this recipient only. */
interface RecordedRefusal {
  delivery: ClaimedDelivery;
  as: 'failed' | 'deferred';
  /** Resolves when it is recorded. */
  recorded: Promise<void>;
}

export interface AutoPause {
  /**
   * Counts the outcome of the latest attempt.
   * @returns whether the refusal applies to every recipient: this delivery stays due, and its edition must be paused
   * @throws if the store fails
   */
  isForAllRecipients(delivery: ClaimedDelivery, outcome: AttemptOutcome): Promise<boolean>;
  /** Keeps a refusal, in case it turns out to apply to all recipients. */
  remember(refusal: RecordedRefusal): void;
  /**
   * Pauses the edition and makes its remembered refusals due again.
   * @param reason shown for all of its deliveries, so it must not contain an address
   * @returns whether this call paused it, and which refusals are due again
   */
  pause(editionId: number, reason: string): Promise<{ paused: boolean; reopened: RecordedRefusal[] }>;
}

interface EditionRefusals {
  counter: PolicyRefusalCounter;
  /** Resolves when submissions of earlier runs are counted; null until they matter. */
  countedEarlierRuns: Promise<void> | null;
  /** Refusals since the last success; the counter limits their number. */
  recent: RecordedRefusal[];
}

/** Called in the transaction that pauses an edition. */
export type OnPause = (tx: Tx, pause: { editionId: number; reason: string }) => Promise<void>;

/** For one run. */
export function openAutoPause(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  clock: Clock,
  onPause?: OnPause,
): AutoPause {
  const editions = new Map<number, EditionRefusals>();
  const refusalsOf = (editionId: number): EditionRefusals => {
    const known = editions.get(editionId);
    if (known !== undefined) return known;
    const added = { counter: openPolicyRefusalCounter(), countedEarlierRuns: null, recent: [] };
    editions.set(editionId, added);
    return added;
  };
  // The counter exists for one run, and a later run reaches only recipients that an earlier one could not. If one
  // domain still refuses them, that is no sign that the server accepts none of our mail.
  const countEarlierRuns = async (editionId: number, counter: PolicyRefusalCounter): Promise<void> => {
    if (await isAnySubmitted(reports, editionId)) counter.record('submitted', '');
  };
  return {
    async isForAllRecipients({ editionId, email }, outcome) {
      const refusals = refusalsOf(editionId);
      if (outcome === 'submitted') {
        refusals.recent.length = 0;
        refusals.countedEarlierRuns ??= Promise.resolve();
      } else if (outcome === 'policy') {
        refusals.countedEarlierRuns ??= countEarlierRuns(editionId, refusals.counter);
        await refusals.countedEarlierRuns;
      }
      const domain = (email ?? '').slice((email ?? '').lastIndexOf('@') + 1).toLowerCase();
      return refusals.counter.record(outcome, domain);
    },
    remember: (refusal) => {
      refusalsOf(refusal.delivery.editionId).recent.push(refusal);
    },
    async pause(editionId, reason) {
      const refusals = refusalsOf(editionId).recent.splice(0);
      await Promise.all(refusals.map(({ recorded }) => recorded));
      const paused = await db.transaction().execute((tx) => pauseOnce(tx, { editionId, reason }, onPause));
      const claims = refusals.map(({ delivery }) => delivery);
      const reopened = await reopenRefused(db, claims, reason, clock());
      return { paused, reopened: refusals.filter((_, n) => reopened[n]) };
    },
  };
}

/** @returns false if it was paused before, or cancelled in the meantime */
async function pauseOnce(tx: Tx, pause: { editionId: number; reason: string }, onPause?: OnPause): Promise<boolean> {
  try {
    const paused = await pauseEdition(tx, pause.editionId, pause.reason);
    if (paused) await onPause?.(tx, pause);
    return paused;
  } catch (error) {
    if (error instanceof DeliveryControlError) return false;
    throw error;
  }
}
