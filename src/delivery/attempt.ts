/**
 * One attempt at one claimed delivery: build, mark, submit, record.
 */
import type { Db } from '../store/store.ts';
import { type Clock, MINUTE } from '../time.ts';
import { type Connection, type OutgoingMessage, SUBMISSION_LIMIT, TransportError } from './connection.ts';
import type { MessageMaker } from './message.ts';
import { type ClaimedDelivery, type DeliveryResult, markSubmitting, recordResult } from './outbox.ts';
import { decide } from './retry.ts';

// A submission must have answered before another worker may take it for interrupted.
const SUBMITTING_LEASE = SUBMISSION_LIMIT + MINUTE;

export interface AttemptContext {
  db: Db;
  clock: Clock;
  /** From 0 up to but not including 1. */
  random: () => number;
  /** How to make the messages of an edition, or the reason why none can be made. Throws only where the store fails. */
  makerFor(editionId: number): Promise<MessageMaker | { cannot: string }>;
  /** `attempts` at most, `firstWait` milliseconds before the second. */
  policy: { attempts: number; firstWait: number };
}

export type AttemptOutcome =
  | { is: 'submitted' | 'deferred' | 'failed' | 'suppressed' }
  /** Another worker has claimed it since, and its result is the one that counts. */
  | { is: 'lost' }
  /** The server refuses us, whoever the recipient: the delivery is due again, and nothing else should be tried. */
  | { is: 'refused'; reason: string };

/** @throws where the store fails */
export async function attemptDelivery(
  delivery: ClaimedDelivery,
  connection: Connection,
  context: AttemptContext,
): Promise<AttemptOutcome> {
  const { db, clock, policy } = context;
  if (delivery.attempts >= policy.attempts) {
    // Every attempt that ends is decided on then: one that used them all up and is still open was interrupted.
    return record(delivery, failed(`given up after ${delivery.attempts} attempts, the last one interrupted`), context);
  }
  const message = await build(delivery, context);
  if (message !== null && 'cannot' in message) return record(delivery, failed(message.cannot), context);
  const marked = await markSubmitting(db, delivery, clock(), SUBMITTING_LEASE);
  if (marked !== 'submitting') return { is: marked };
  if (message === null) return record(delivery, failed('the subscriber was gone when it was claimed'), context);
  return record(delivery, await submit(delivery, message, connection, context), context);
}

/** Null where the subscriber is gone: with no subscription left, marking suppresses the delivery. */
async function build(
  delivery: ClaimedDelivery,
  context: AttemptContext,
): Promise<OutgoingMessage | { cannot: string } | null> {
  const { editionId, subscriberId, email } = delivery;
  if (email === null) return null;
  const maker = await context.makerFor(editionId);
  if ('cannot' in maker) return maker;
  try {
    return await maker({ subscriberId, email });
  } catch (error) {
    return { cannot: `the message could not be built: ${(error as Error).message}` };
  }
}

async function submit(
  delivery: ClaimedDelivery,
  message: OutgoingMessage,
  connection: Connection,
  { clock, random, policy }: AttemptContext,
): Promise<DeliveryResult> {
  try {
    return { is: 'submitted', reply: await connection.submit(message) };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const { failure } = error;
    const { reply } = failure;
    const decision = decide(failure, delivery.attempts + 1, policy, clock(), random());
    switch (decision.is) {
      case 'retry':
        return { is: 'deferred', dueAt: decision.dueAt, reply, reason: decision.reason };
      case 'fail':
        return { is: 'failed', reply, reason: decision.reason };
      case 'stop':
        return { is: 'returned', reply, reason: decision.reason };
    }
  }
}

async function record(
  delivery: ClaimedDelivery,
  result: DeliveryResult,
  { db, clock }: AttemptContext,
): Promise<AttemptOutcome> {
  if (!(await recordResult(db, delivery, result, clock()))) return { is: 'lost' };
  return result.is === 'returned' ? { is: 'refused', reason: result.reason } : { is: result.is };
}

function failed(reason: string): DeliveryResult {
  return { is: 'failed', reply: null, reason };
}
