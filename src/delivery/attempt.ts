/**
 * One attempt: builds a message, hands it to a connection, and says what came of it.
 */
import type { Clock } from '../lib/time.ts';
import { type DeliveryOutcome, expiredReason } from './queue/delivery-outcome.ts';
import { type Connection, type OutgoingMessage, TransportError } from './transport/connection.ts';
import { type AttemptOutcome, isPolicyRefusal } from './transport/policy-refusals.ts';
import { decideRetry } from './transport/retry.ts';

export interface AttemptContext {
  clock: Clock;
  /** From 0 up to but not including 1. */
  random: () => number;
  /** `attempts` at most, `firstWait` milliseconds before the second. */
  policy: { attempts: number; firstWait: number };
  /** What becomes of a message that the server may have taken: `retry` mails it again, with the same Message-ID. */
  uncertain: 'retry' | 'hold';
}

export interface Attempted {
  result: DeliveryOutcome;
  /** As the policy watch sees it. */
  watched: AttemptOutcome;
}

/** @returns the message, or why there can be none */
export async function buildMessage(
  make: () => Promise<OutgoingMessage>,
): Promise<OutgoingMessage | { cannot: string }> {
  try {
    return await make();
  } catch (error) {
    return { cannot: `the message could not be built: ${(error as Error).message}` };
  }
}

/**
 * Submits one message whose row is marked.
 * @param row.attempts begun before this one
 * @param row.expiresAt from this instant on it is not tried again; null where it never gets too old
 * @throws what is no failure of the transport
 */
export async function submitMessage(
  row: { attempts: number; expiresAt: number | null },
  message: OutgoingMessage,
  connection: Connection,
  { clock, random, policy, uncertain }: AttemptContext,
): Promise<Attempted> {
  try {
    return { result: { kind: 'submitted', reply: await connection.submit(message) }, watched: 'submitted' };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const { failure } = error;
    const { reply } = failure;
    if (failure.mayHaveArrived && uncertain === 'hold') {
      return { result: { kind: 'uncertain', reason: `it may have arrived: ${failure.message}` }, watched: 'other' };
    }
    const watched = isPolicyRefusal(failure) ? 'policy' : 'other';
    const decision = decideRetry(failure, row.attempts + 1, policy, clock(), random());
    switch (decision.kind) {
      case 'retry': {
        const { dueAt, reason } = decision;
        if (row.expiresAt !== null && dueAt >= row.expiresAt) {
          return { result: { kind: 'failed', reply, reason: expiredReason(reason) }, watched };
        }
        return { result: { kind: 'deferred', dueAt, reply, reason }, watched };
      }
      case 'fail':
        return { result: { kind: 'failed', reply, reason: decision.reason }, watched };
      case 'stop':
        return { result: { kind: 'returned', reply, reason: decision.reason }, watched };
    }
  }
}
