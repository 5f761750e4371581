/**
 * Watches for refusals that are meant for every recipient of an edition, and pauses it: going on would burn the list. What had been
 * refused before that was clear is made due again.
 */

import type { Clock } from '../../lib/time.ts';
import type { Db, Store } from '../../store/store.ts';
import { type ClaimedDelivery, reopenRefused } from '../queue/outbox.ts';
import { isAnySubmitted } from '../queue/queries.ts';
import {
  type AttemptOutcome,
  openPolicyRefusalCounter,
  type PolicyRefusalCounter,
} from '../transport/policy-refusals.ts';
import { DeliveryControlError, pauseEdition } from './edition-control.ts';

/** A refusal that was recorded as this recipient's own. */
interface RecordedRefusal {
  delivery: ClaimedDelivery;
  as: 'failed' | 'deferred';
  /** Ends when it is recorded. */
  recorded: Promise<void>;
}

export interface AutoPause {
  /**
   * Takes the outcome of the latest attempt.
   * @returns whether the refusal is meant for every recipient: this delivery stays due, and its edition must be paused
   * @throws where the store fails
   */
  isForAllRecipients(delivery: ClaimedDelivery, watched: AttemptOutcome): Promise<boolean>;
  /** Remembers a refusal, should it turn out to be meant for all. */
  remember(refusal: RecordedRefusal): void;
  /**
   * Pauses the edition, and makes due again what was remembered of it.
   * @param reason others read it than whom the last refusal was about: it holds no address
   * @returns whether it was open until then, and which refusals are due again
   */
  pause(editionId: number, reason: string): Promise<{ paused: boolean; reopened: RecordedRefusal[] }>;
}

interface Watched {
  watch: PolicyRefusalCounter;
  /** Ends when the watch knows whether anything was submitted before; null until that matters. */
  before: Promise<void> | null;
  /** Those in a row with no success between; the watch bounds how many. */
  refusals: RecordedRefusal[];
}

/** What else is written in the transaction that pauses an edition. */
export type OnPause = (tx: Db, pause: { editionId: number; reason: string }) => Promise<void>;

/** One for a run. */
export function openAutoPause(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  clock: Clock,
  onPause?: OnPause,
): AutoPause {
  const editions = new Map<number, Watched>();
  const watchedOf = (editionId: number): Watched => {
    const known = editions.get(editionId);
    if (known !== undefined) return known;
    const fresh: Watched = { watch: openPolicyRefusalCounter(), before: null, refusals: [] };
    editions.set(editionId, fresh);
    return fresh;
  };
  // The watch forgets with the run, and a later run meets only whom an earlier one could not reach: what one domain still refuses then
  // is no sign that the server takes nothing of ours.
  const noteEarlierRuns = async (editionId: number, watch: PolicyRefusalCounter): Promise<void> => {
    if (await isAnySubmitted(reports, editionId)) watch.note('submitted', '');
  };
  return {
    async isForAllRecipients({ editionId, email }, watched) {
      const edition = watchedOf(editionId);
      if (watched === 'submitted') {
        edition.refusals.length = 0;
        edition.before ??= Promise.resolve();
      } else if (watched === 'policy') {
        edition.before ??= noteEarlierRuns(editionId, edition.watch);
        await edition.before;
      }
      const domain = (email ?? '').slice((email ?? '').lastIndexOf('@') + 1).toLowerCase();
      return edition.watch.note(watched, domain) === 'refuses-us';
    },
    remember: (refusal) => {
      watchedOf(refusal.delivery.editionId).refusals.push(refusal);
    },
    async pause(editionId, reason) {
      const refusals = watchedOf(editionId).refusals.splice(0);
      await Promise.all(refusals.map(({ recorded }) => recorded));
      const paused = await db.transaction().execute((tx) => pauseOpen(tx, { editionId, reason }, onPause));
      const claims = refusals.map(({ delivery }) => delivery);
      const reopened = await reopenRefused(db, claims, reason, clock());
      return { paused, reopened: refusals.filter((_, n) => reopened[n]) };
    },
  };
}

/** Not where the operator has cancelled it meanwhile. */
async function pauseOpen(tx: Db, pause: { editionId: number; reason: string }, onPause?: OnPause): Promise<boolean> {
  try {
    const paused = await pauseEdition(tx, pause.editionId, pause.reason);
    if (paused) await onPause?.(tx, pause);
    return paused;
  } catch (error) {
    if (error instanceof DeliveryControlError) return false;
    throw error;
  }
}
