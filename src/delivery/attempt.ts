/**
 * One attempt: builds a message, submits it, and decides the outcome.
 */
import type { Clock } from '../lib/time.ts';
import { type DeliveryOutcome, expiredReason } from './queue/delivery-outcome.ts';
import { type Connection, type OutgoingMessage, TransportError } from './transport/connection.ts';
import { type AttemptOutcome, isPolicyRefusal } from './transport/policy-refusals.ts';
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

export type BuiltMessage = { kind: 'built'; message: OutgoingMessage } | { kind: 'unbuildable'; reason: string };

export async function buildMessage(build: () => Promise<OutgoingMessage>): Promise<BuiltMessage> {
  try {
    return { kind: 'built', message: await build() };
  } catch (error) {
    return { kind: 'unbuildable', reason: `the message could not be built: ${(error as Error).message}` };
  }
}

/**
 * Submits one message whose row is marked.
 * @param row.attempts before this one
 * @param row.expiresAt no attempt is made from this instant on; null if it does not expire
 * @returns the outcome, also as the counter of policy refusals needs it
 * @throws errors that are not failures of the transport
 */
export async function submitMessage(
  row: { attempts: number; expiresAt: number | null },
  message: OutgoingMessage,
  connection: Connection,
  { clock, random, policy, uncertain }: AttemptContext,
): Promise<{ outcome: DeliveryOutcome; attempt: AttemptOutcome }> {
  try {
    return { outcome: { kind: 'submitted', reply: await connection.submit(message) }, attempt: 'submitted' };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const { failure } = error;
    const { reply } = failure;
    if (failure.mayHaveArrived && uncertain === 'hold') {
      return { outcome: { kind: 'uncertain', reason: `it may have arrived: ${failure.message}` }, attempt: 'other' };
    }
    const attempt = isPolicyRefusal(failure) ? 'policy' : 'other';
    const decision = decideRetry(failure, row.attempts + 1, policy, clock(), random());
    const { reason } = decision;
    switch (decision.kind) {
      case 'retry': {
        const { dueAt } = decision;
        if (row.expiresAt !== null && dueAt >= row.expiresAt) {
          return { outcome: { kind: 'failed', reply, reason: expiredReason(reason) }, attempt };
        }
        return { outcome: { kind: 'deferred', dueAt, reply, reason }, attempt };
      }
      case 'fail':
        return { outcome: { kind: 'failed', reply, reason }, attempt };
      case 'stop':
        return { outcome: { kind: 'reverted', reply, reason }, attempt };
    }
  }
}
