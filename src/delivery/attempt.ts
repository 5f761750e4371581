/**
 * One attempt: builds a message, submits it, and decides the outcome.
 */
import type { RefusalKind } from '../core/store/tables.ts';
import type { Clock } from '../lib/time.ts';
import { RecipientError } from './message/message-fields.ts';
import { type DeliveryOutcome, expiredReason, LAST_INTERRUPTED, MAY_HAVE_ARRIVED } from './queue/delivery-outcome.ts';
import { type Connection, type OutgoingMessage, TransportError } from './transport/connection.ts';
import { redactAddresses } from './transport/redact-addresses.ts';
import { refusalKind } from './transport/refusal-kind.ts';
import { decideRetry } from './transport/retry.ts';

export interface AttemptContext {
  clock: Clock;
  /** Spreads retries: from 0 up to but not including 1. */
  random: () => number;
  /** Maximum number of attempts, and milliseconds before the second. */
  policy: { attempts: number; firstWait: number };
  /**
   * What to do about a message that the server may have accepted: `retry` submits it again with the same Message-ID.
   */
  uncertain: 'retry' | 'hold';
}

/** What an attempt says about other messages. */
export type Verdict =
  | { kind: 'accepted' }
  /** `words`: the server's, without addresses. */
  | { kind: 'refused'; refusal: RefusalKind; words: string }
  /** No message can be submitted. `reason` is without addresses. */
  | { kind: 'trouble'; cause: 'temporary' | 'configuration'; reason: string }
  /** It failed without the server. */
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
 * @param row.attempts before this one
 * @param row.expiresAt no attempt is made from this instant on; null if it does not expire
 * @returns the outcome, and what it says about other messages
 * @throws errors that are not failures of the transport
 */
export async function submitMessage(
  row: { attempts: number; expiresAt: number | null },
  message: OutgoingMessage,
  connection: Connection,
  { clock, random, policy, uncertain }: AttemptContext,
): Promise<{ outcome: DeliveryOutcome; verdict: Verdict }> {
  try {
    return { outcome: { kind: 'submitted', reply: await connection.submit(message) }, verdict: { kind: 'accepted' } };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const { failure } = error;
    const { reply } = failure;
    const words = redactAddresses(failure.message);
    const refusal = refusalKind(failure);
    const verdict: Verdict = refusal === null ? { kind: 'none' } : { kind: 'refused', refusal, words };
    if (failure.mayHaveArrived && uncertain === 'hold') {
      return { outcome: { kind: 'uncertain', reason: `${MAY_HAVE_ARRIVED}: ${failure.message}` }, verdict };
    }
    const decision = decideRetry(failure, row.attempts + 1, policy, clock(), random());
    const reason = failure.mayHaveArrived ? `${decision.reason}; ${MAY_HAVE_ARRIVED}` : decision.reason;
    switch (decision.kind) {
      case 'retry': {
        const { dueAt } = decision;
        if (row.expiresAt !== null && dueAt >= row.expiresAt) {
          return { outcome: { kind: 'failed', reply, reason: expiredReason(reason) }, verdict };
        }
        return { outcome: { kind: 'deferred', dueAt, reply, reason }, verdict };
      }
      case 'fail':
        return { outcome: { kind: 'failed', reply, reason }, verdict };
      case 'stop':
        return {
          outcome: { kind: 'reverted', reply, reason },
          verdict: { kind: 'trouble', cause: decision.cause, reason: words },
        };
    }
  }
}

/** The last attempt of a row that used all attempts and is open was interrupted; otherwise it would have an outcome. */
export function isUsedUp(attempts: number, { policy }: AttemptContext): boolean {
  return attempts >= policy.attempts;
}

export function usedUpReason(attempts: number): string {
  return `given up after ${attempts} attempts, ${LAST_INTERRUPTED}`;
}

/** The outcome of a message that failed without the server. */
export function failed(reason: string): Extract<DeliveryOutcome, { kind: 'failed' }> {
  return { kind: 'failed', reply: null, reason };
}
