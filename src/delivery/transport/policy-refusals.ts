/**
 * Distinguishes a block of one recipient from a server that refuses all our mail: the same refusal for one recipient
 * after another, without a success in between, applies to all of them, and further attempts would fail the whole list.
 */
import { enhancedStatus, type SubmissionFailure } from './retry.ts';

/** `policy`: a failure for which `isPolicyRefusal` is true. `other`: any other failure. */
export type AttemptOutcome = 'submitted' | 'policy' | 'other';

export interface PolicyRefusalCounter {
  /**
   * Records the outcome of the latest attempt.
   * @param domain the recipient's, lower case
   * @returns whether this refusal, and those before it, apply to every recipient: stop submitting
   */
  record(outcome: AttemptOutcome, domain: string): boolean;
}

// Before the first success there is no sign that the server accepts any of our mail.
const LIMIT_BEFORE_SUCCESS = 3;
const LIMIT_AFTER_SUCCESS = 5;
// A block by one domain must not stop the others. Recipients of domains are mixed, so this many refusals in a row by
// one domain mean that hardly any others are left.
const LIMIT_FOR_ONE_DOMAIN = 20;

/** Counts for all connections of a run; nothing is kept beyond the run. */
export function openPolicyRefusalCounter(): PolicyRefusalCounter {
  let refusals = 0;
  let limit = LIMIT_BEFORE_SUCCESS;
  const domains = new Set<string>();
  return {
    record(outcome, domain) {
      if (outcome === 'submitted') {
        refusals = 0;
        limit = LIMIT_AFTER_SUCCESS;
        domains.clear();
      }
      if (outcome !== 'policy') return false;
      refusals += 1;
      domains.add(domain);
      return refusals >= (limit === LIMIT_AFTER_SUCCESS && domains.size === 1 ? LIMIT_FOR_ONE_DOMAIN : limit);
    },
  };
}

// RFC 3463 §3.4 and §3.5: the server shuts down, or timed out. A new connection resolves both.
const CLOSING_STATUSES = new Set(['4.3.2', '4.4.2']);

/**
 * Whether a failure may apply to every recipient although it answers a message to one: 421, with which a server closes
 * the connection; a status of 5.7 (RFC 3463 §3.8: security or policy); and a message that is refused without a status
 * after its recipient was accepted.
 */
export function isPolicyRefusal(failure: Pick<SubmissionFailure, 'replyCode' | 'reply' | 'command'>): boolean {
  const { replyCode, command } = failure;
  const status = enhancedStatus(failure.reply);
  if (replyCode === 421) return !CLOSING_STATUSES.has(status ?? '');
  if (replyCode === null || replyCode < 500 || replyCode > 599) return false;
  return status === null ? command === 'DATA' : status.startsWith('5.7.');
}
