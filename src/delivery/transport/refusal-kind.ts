/**
 * Tells apart what a failed submission says about other recipients, by codes, never by the words of a reply.
 */
import type { RefusalKind } from '../../core/store/tables.ts';
import { classifyFailure, enhancedStatus, type SubmissionFailure } from './retry.ts';

// RFC 3463 §3.4 and §3.5: the server shuts down, or timed out. A new connection resolves both.
const CLOSING_STATUSES = new Set(['4.3.2', '4.4.2']);

/**
 * The kind of a refusal of one recipient; null if the failure concerns every message, or was found without the server.
 *
 * `throttled`: 421, with which a server closes the connection, or no reply in time: to wait for that of 20 recipients
 * takes an hour. `policy`: a status of 5.7 (RFC 3463 §3.8: security or policy), or a message that is refused without a
 * status after its recipient was accepted. Both may apply to every recipient. `uncertain`: no reply to a complete
 * message.
 */
export function refusalKind(
  failure: Pick<SubmissionFailure, 'code' | 'replyCode' | 'reply' | 'command' | 'mayHaveArrived' | 'account'>,
): RefusalKind | null {
  if (failure.mayHaveArrived) return 'uncertain';
  const status = enhancedStatus(failure.reply);
  switch (classifyFailure(failure)) {
    case 'systemic':
    case 'unavailable':
      return null;
    case 'transient':
      if (failure.code === 'ETIMEDOUT') return 'throttled';
      return failure.replyCode === 421 && !CLOSING_STATUSES.has(status ?? '') ? 'throttled' : 'temporary';
    case 'permanent':
      if (failure.replyCode === null) return null;
      if (status === null ? failure.command === 'DATA' : status.startsWith('5.7.')) return 'policy';
      return 'permanent';
  }
}
