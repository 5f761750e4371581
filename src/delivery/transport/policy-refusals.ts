/**
 * Tells a recipient's own block from a server that refuses us altogether: the same refusal, met by one recipient after another
 * with no success between, is meant for all of them, and going on would burn the list.
 */
import { enhancedStatus, type SubmissionFailure } from './retry.ts';

/** What an attempt came to: `policy` where `isPolicyRefusal` says so of its failure, `other` for every other failure. */
export type AttemptOutcome = 'submitted' | 'policy' | 'other';

export interface PolicyRefusalCounter {
  /**
   * Takes the outcome of the latest attempt.
   * @param domain the recipient's, lower case
   * @returns `refuses-us` where this refusal, and those before it, are meant for every recipient: nothing should be tried any more
   */
  note(outcome: AttemptOutcome, domain: string): 'go-on' | 'refuses-us';
}

// Before anything has gone through, there is no sign that the server takes anything of ours.
const BEFORE_ANY_SUCCESS = 3;
const AFTER_A_SUCCESS = 5;
// One domain's own block of us must not stop the rest. Recipients come mixed, so this many in a row of one are nearly all there are.
const OF_ONE_DOMAIN = 20;

/** One watch for all the connections of a run; it forgets with the run. */
export function openPolicyRefusalCounter(): PolicyRefusalCounter {
  let refusals = 0;
  let limit = BEFORE_ANY_SUCCESS;
  const domains = new Set<string>();
  return {
    note(outcome, domain) {
      if (outcome === 'submitted') {
        refusals = 0;
        limit = AFTER_A_SUCCESS;
        domains.clear();
      }
      if (outcome !== 'policy') return 'go-on';
      refusals += 1;
      domains.add(domain);
      const enough = limit === AFTER_A_SUCCESS && domains.size === 1 ? OF_ONE_DOMAIN : limit;
      return refusals >= enough ? 'refuses-us' : 'go-on';
    },
  };
}

// RFC 3463 §3.4 and §3.5: it shuts down, or waited for us too long; both pass with the next connection.
const PARTING_STATUSES = new Set(['4.3.2', '4.4.2']);

/**
 * Whether a failure may be meant for every recipient, though it came in answer to one: 421, by which a server parts from us; a
 * status of 5.7 (RFC 3463 §3.8: security or policy); and a message refused without a status once its recipient was taken.
 */
export function isPolicyRefusal(failure: Pick<SubmissionFailure, 'replyCode' | 'reply' | 'command'>): boolean {
  const { replyCode, command } = failure;
  const status = enhancedStatus(failure.reply);
  if (replyCode === 421) return !PARTING_STATUSES.has(status ?? '');
  if (replyCode === null || replyCode < 500 || replyCode > 599) return false;
  return status === null ? command === 'DATA' : status.startsWith('5.7.');
}
