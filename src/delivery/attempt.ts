/** One attempt: builds a message, submits it, and decides the outcome. */
import type { RefusalKind } from '../core/store/tables.ts';
import type { Clock } from '../lib/time.ts';
import type { ServerFailure } from './control/back-off.ts';
import { RecipientError } from './message/message-fields.ts';
import { type DeliveryOutcome, expiredReason, MAY_HAVE_ARRIVED } from './queue/delivery-outcome.ts';
import { type Connection, type OutgoingMessage, TransportError } from './transport/connection.ts';
import { redactAddresses } from './transport/redact-addresses.ts';
import { classifyFailure, retryDelay, type SubmissionFailure } from './transport/retry.ts';

export interface AttemptContext {
  clock: Clock;
  /** Spreads retries: from 0 up to but not including 1. */
  random: () => number;
  /**
   * What to do about a message that the server may have accepted: `retry` submits it again once, with the same
   * Message-ID.
   */
  uncertain: 'retry' | 'hold';
}

/** A claimed row of either outbox. */
export interface SubmittedRow {
  /** Before this attempt. */
  attempts: number;
  /** No attempt is made from this instant on; null if it does not expire. */
  expiresAt: number | null;
  /** Whether an earlier attempt may have arrived. */
  mayHaveArrived: boolean;
}

/** Conclusion from an attempt for other messages. */
export type Verdict =
  /** The server answers: it accepted the message, or spoke about its recipient. */
  | { kind: 'answered' }
  /** It counts for the circuit breaker. `words`: the server's, without addresses. */
  | { kind: 'refused'; refusal: RefusalKind; words: string; isHung?: boolean }
  /** No reply, or no message can be submitted. `isHung`: the connection remained open. */
  | { kind: 'trouble'; failure: ServerFailure; isHung: boolean }
  /** Nothing: the message failed without the server, or the connection was used up. */
  | { kind: 'none' };

export type BuiltMessage =
  | { kind: 'built'; message: OutgoingMessage }
  /** `concerns`: whether the messages of all other recipients cannot be built either. */
  | { kind: 'unbuildable'; concerns: 'recipient' | 'all'; reason: string };

export async function buildMessage(build: () => Promise<OutgoingMessage>): Promise<BuiltMessage> {
  try {
    return { kind: 'built', message: await build() };
  } catch (error) {
    const concerns = error instanceof RecipientError ? 'recipient' : 'all';
    return { kind: 'unbuildable', concerns, reason: `the message could not be built: ${(error as Error).message}` };
  }
}

/**
 * Submits one message whose row is marked.
 * @returns the outcome, and what it says about other messages
 * @throws errors that are not failures of the transport
 */
export async function submitMessage(
  row: SubmittedRow,
  message: OutgoingMessage,
  connection: Connection,
  context: AttemptContext,
): Promise<{ outcome: DeliveryOutcome; verdict: Verdict }> {
  try {
    return { outcome: { kind: 'submitted', reply: await connection.submit(message) }, verdict: { kind: 'answered' } };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return decideFailure(error.failure, row, context);
  }
}

/** Decides the outcome of a failed attempt. */
function decideFailure(
  failure: SubmissionFailure,
  row: SubmittedRow,
  { clock, random, uncertain }: AttemptContext,
): { outcome: DeliveryOutcome; verdict: Verdict } {
  const { reply, replyCode, message } = failure;
  const words = redactAddresses(message);
  const now = clock();
  const kind = classifyFailure(failure);
  const isHung = failure.code === 'ETIMEDOUT';
  const trouble: Verdict = { kind: 'trouble', failure: { reason: words, isUrgent: kind === 'systemic' }, isHung };
  const reason = kind === 'uncertain' ? `${message}; ${MAY_HAVE_ARRIVED}` : message;
  const dueAt = now + retryDelay(row.attempts + 1, random());
  const later: DeliveryOutcome =
    row.expiresAt !== null && dueAt >= row.expiresAt
      ? { kind: 'failed', reply, reason: expiredReason(reason) }
      : { kind: 'deferred', dueAt, reply, reason };
  switch (kind) {
    case 'uncertain': {
      const isHeld = uncertain === 'hold' || row.mayHaveArrived;
      const verdict: Verdict = { kind: 'refused', refusal: 'uncertain', words, isHung };
      return { outcome: isHeld ? { kind: 'uncertain', reason } : later, verdict };
    }
    case 'permanent':
      return {
        outcome: { kind: 'failed', reply, reason },
        verdict: replyCode === null ? { kind: 'none' } : { kind: 'refused', refusal: 'permanent', words },
      };
    case 'temporary':
      return { outcome: later, verdict: replyCode === null ? trouble : { kind: 'answered' } };
    case 'connection':
      return { outcome: { kind: 'reverted', reply, reason, dueAt: now }, verdict: { kind: 'none' } };
    case 'unavailable':
    case 'systemic':
      return { outcome: { kind: 'reverted', reply, reason }, verdict: trouble };
  }
}

/** The outcome of a message that failed without the server. */
export function failed(reason: string): Extract<DeliveryOutcome, { kind: 'failed' }> {
  return { kind: 'failed', reply: null, reason };
}
