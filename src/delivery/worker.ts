/**
 * One connection at work: it takes one message after the other, builds the next while the last is on the wire, and has one row at
 * `submitting` at most.
 */

import { MINUTE } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import { type AttemptContext, buildMessage, submitMessage } from './attempt.ts';
import type { AutoPause } from './control/auto-pause.ts';
import type { MessageMaker } from './message/edition-message.ts';
import type { ClaimBuffer } from './queue/claim-buffer.ts';
import type { DeliveryOutcome } from './queue/delivery-outcome.ts';
import type { GroupCommit } from './queue/group-commit.ts';
import type { ClaimedDelivery } from './queue/outbox.ts';
import {
  type ClaimedServiceMessage,
  markServiceMessage,
  recordServiceResult,
  type ServiceOutcome,
} from './queue/service-outbox.ts';
import type { ServiceQueue } from './queue/service-queue.ts';
import { type Connection, type OutgoingMessage, SUBMISSION_LIMIT } from './transport/connection.ts';
import type { ConnectionOpener } from './transport/connection-opener.ts';
import { redactAddresses } from './transport/redact-addresses.ts';

/** What the connections of a run share. */
export interface Run {
  store: Store;
  claims: ClaimBuffer;
  /** Null where an edition is delivered alone. */
  services: ServiceQueue | null;
  ledger: GroupCommit;
  opener: ConnectionOpener;
  refusals: AutoPause;
  attempt: AttemptContext;
  /** How to make the messages of an edition, or the reason why none can be made. Throws only where the store fails. */
  makerFor(editionId: number): Promise<MessageMaker | { cannot: string }>;
  makeServiceMessage(message: ClaimedServiceMessage & { email: string }): Promise<OutgoingMessage>;
  /** Whether nothing more is to be begun. */
  ending(): boolean;
  /** Waits until an instant, or the end of the run. */
  waitUntil(instant: number): Promise<void>;
  /** Ends the run: the server refuses us, whoever the recipient. */
  stop(reason: string): void;
  /** Pauses an edition: the server refuses it, whoever the recipient. */
  pause(editionId: number, reason: string): Promise<void>;
  /** What has been recorded. */
  note(what: 'delivery' | 'service', kind: DeliveryOutcome['kind']): void;
}

const SUBMITTING_LEASE = SUBMISSION_LIMIT + MINUTE;

interface Ready {
  delivery: ClaimedDelivery;
  /** Null where the subscriber is gone: marking suppresses the delivery. */
  message: OutgoingMessage | { cannot: string } | null;
}

/**
 * Works until nothing is due or the run ends.
 * @throws where the store fails, or on what is no failure of the transport
 */
export async function runLane(run: Run): Promise<void> {
  let connection: Connection | null = null;
  let upcoming = prepareAhead(run);
  // Recorded while the next is prepared: both may share a transaction.
  let recorded: Promise<void> = Promise.resolve();
  try {
    for (;;) {
      connection = await submitServiceMail(run, connection, recorded);
      const ready = await upcoming;
      if (ready === null || run.ending()) break;
      const { delivery, message } = ready;
      if (message !== null && 'cannot' in message) {
        run.claims.keep(delivery);
        upcoming = prepareAhead(run);
        await record(run, delivery, failed(message.cannot));
        continue;
      }
      connection = await run.opener.acquire(connection);
      if (connection === null || run.ending()) break;
      run.claims.keep(delivery);
      const marking = await run.ledger.mark(delivery);
      upcoming = prepareAhead(run);
      await recorded;
      if (marking.kind !== 'submitting') {
        if (marking.kind !== 'lost') run.note('delivery', marking.kind);
        continue;
      }
      if (message === null) await record(run, delivery, failed('the subscriber was gone when it was claimed'));
      else recorded = (await submitDelivery(run, delivery, message, connection)).recorded;
    }
    await recorded;
  } finally {
    run.opener.close(connection);
    const unused = await upcoming.catch(() => null);
    if (unused !== null) run.claims.putBack(unused.delivery);
  }
}

/** Begins to prepare the next message; whoever awaits it is told what went wrong. */
function prepareAhead(run: Run): Promise<Ready | null> {
  const preparing = prepareNext(run);
  preparing.catch(() => {});
  return preparing;
}

async function prepareNext(run: Run): Promise<Ready | null> {
  if (run.ending()) return null;
  const delivery = await run.claims.next();
  if (delivery === null) return null;
  try {
    const message = await buildCopy(run, delivery);
    await run.waitUntil(delivery.notBefore);
    return { delivery, message };
  } catch (error) {
    run.claims.putBack(delivery);
    throw error;
  }
}

async function buildCopy(
  run: Run,
  { editionId, subscriberId, email, attempts, expiresAt }: ClaimedDelivery,
): Promise<Ready['message']> {
  if (attempts >= run.attempt.policy.attempts) {
    // Every attempt that ends is decided on then: one that used them all up and is still open was interrupted.
    return { cannot: `given up after ${attempts} attempts, the last one interrupted` };
  }
  if (email === null) return null;
  const maker = await run.makerFor(editionId);
  return 'cannot' in maker ? maker : buildMessage(() => maker({ subscriberId, email, expiresAt }));
}

/** @returns once it is off the wire; `recorded` ends when its result is written */
async function submitDelivery(
  run: Run,
  delivery: ClaimedDelivery,
  message: OutgoingMessage,
  connection: Connection,
): Promise<{ recorded: Promise<void> }> {
  const { result, watched } = await submitMessage(delivery, message, connection, run.attempt);
  if (result.kind === 'returned') stop(run, result.reason);
  const meetsAll = await run.refusals.isForAllRecipients(delivery, watched);
  if (meetsAll && (result.kind === 'failed' || result.kind === 'deferred')) {
    // Kept with the edition and with others' deliveries, and told to the operator.
    const reason = `the server refuses every recipient: ${redactAddresses(result.reason)}`;
    await record(run, delivery, { kind: 'returned', reply: result.reply, reason });
    await run.pause(delivery.editionId, reason);
    return { recorded: Promise.resolve() };
  }
  const recorded = record(run, delivery, result);
  // Awaited only after the next message is marked.
  recorded.catch(() => {});
  if (watched === 'policy' && (result.kind === 'failed' || result.kind === 'deferred')) {
    run.refusals.remember({ delivery, as: result.kind, recorded });
  }
  return { recorded };
}

/** The reason goes into logs and alerts: a file transport's words name the file of one reader, which is called after the address. */
function stop(run: Run, reason: string): void {
  run.stop(redactAddresses(reason));
}

async function record(run: Run, delivery: ClaimedDelivery, result: DeliveryOutcome): Promise<void> {
  if (await run.ledger.record(delivery, result)) run.note('delivery', result.kind);
}

/**
 * Submits what there is of the service's own mail.
 * @param recorded ends when the connection's last result is written
 * @returns the connection as it is then
 */
async function submitServiceMail(
  run: Run,
  connection: Connection | null,
  recorded: Promise<void>,
): Promise<Connection | null> {
  let held = connection;
  while (run.services !== null && !run.ending()) {
    const message = await run.services.next();
    if (message === null) break;
    held = await run.opener.acquire(held);
    if (held === null) {
      run.services.putBack(message);
      break;
    }
    await recorded;
    await submitServiceMessage(run, message, held);
  }
  return held;
}

async function submitServiceMessage(run: Run, message: ClaimedServiceMessage, connection: Connection): Promise<void> {
  const { clock, policy } = run.attempt;
  const { db } = run.store;
  const end = async (result: ServiceOutcome): Promise<void> => {
    if (await recordServiceResult(db, message, result, clock())) run.note('service', result.kind);
  };
  const { email, attempts, expiresAt } = message;
  if (attempts >= policy.attempts) return end(failed(`given up after ${attempts} attempts, the last one interrupted`));
  const marking = await markServiceMessage(db, message, clock(), SUBMITTING_LEASE);
  if (marking.kind === 'suppressed') run.note('service', 'suppressed');
  if (marking.kind !== 'submitting' || email === null) return;
  const built = await buildMessage(() => run.makeServiceMessage({ ...message, email }));
  if ('cannot' in built) return end(failed(built.cannot));
  // Whoever waits for a link to confirm would rather have it twice than never.
  const context = { ...run.attempt, uncertain: 'retry' as const };
  const { result } = await submitMessage({ attempts, expiresAt: expiresAt }, built, connection, context);
  if (result.kind === 'returned') stop(run, result.reason);
  if (result.kind !== 'put-back' && result.kind !== 'uncertain') await end(result);
}

function failed(reason: string): Extract<DeliveryOutcome, { kind: 'failed' }> {
  return { kind: 'failed', reply: null, reason };
}
