/**
 * Delivers over one connection, one message after the other. The next message is built while the last one is submitted.
 * At most one row of a worker is in `submitting`.
 */
import { type AttemptContext, type BuiltMessage, buildMessage, submitMessage } from './attempt.ts';
import type { BufferedDelivery } from './queue/claim-buffer.ts';
import type { DeliveryOutcome } from './queue/delivery-outcome.ts';
import { SUBMITTING_LEASE } from './queue/group-commit.ts';
import type { ClaimedDelivery } from './queue/outbox.ts';
import {
  type ClaimedServiceMessage,
  markServiceMessage,
  recordServiceOutcome,
  type ServiceOutcome,
} from './queue/service-outbox.ts';
import type { DeliveryRun } from './run.ts';
import type { Connection, OutgoingMessage } from './transport/connection.ts';
import { redactAddresses } from './transport/redact-addresses.ts';

interface PreparedDelivery {
  delivery: BufferedDelivery;
  /** Null if the subscriber does not exist any more: marking suppresses the delivery. */
  built: BuiltMessage | null;
}

export class DeliveryWorker {
  readonly #run: DeliveryRun;
  #connection: Connection | null = null;
  /** The next delivery, with its message. */
  #next: Promise<PreparedDelivery | null> = Promise.resolve(null);
  /** Resolves when the last outcome is recorded, in the same transaction as the next mark if possible. */
  #recorded: Promise<void> = Promise.resolve();

  constructor(run: DeliveryRun) {
    this.#run = run;
  }

  /**
   * Works until nothing is due or the run ends.
   * @throws if the store fails, and errors that are not failures of the transport
   */
  async work(): Promise<void> {
    this.#next = this.#prepareNext();
    try {
      for (let hasMore = true; hasMore; ) hasMore = await this.#deliverNext();
      await this.#recorded;
    } finally {
      this.#run.opener.close(this.#connection);
      const unused = await this.#next.catch(() => null);
      if (unused !== null) this.#run.claims.putBack(unused.delivery);
    }
  }

  /** Submits the service messages, then the next delivery. @returns false at the end */
  async #deliverNext(): Promise<boolean> {
    await this.#submitServiceMessages();
    const run = this.#run;
    const prepared = await this.#next;
    if (prepared === null || run.isEnding) return false;
    const { delivery, built } = prepared;
    if (built?.kind === 'unbuildable') {
      run.claims.keep(delivery);
      this.#next = this.#prepareNext();
      await this.#record(delivery, failed(built.reason));
      run.claims.finish(delivery);
      return true;
    }
    if (!(await this.#connect())) return false;
    run.claims.keep(delivery);
    try {
      await this.#markAndSubmit(delivery, built === null ? null : built.message);
    } finally {
      run.claims.finish(delivery);
    }
    return true;
  }

  async #markAndSubmit(delivery: ClaimedDelivery, message: OutgoingMessage | null): Promise<void> {
    const run = this.#run;
    const marking = await run.commit.mark(delivery);
    this.#next = this.#prepareNext();
    await this.#recorded;
    if (marking.kind !== 'submitting') {
      if (marking.kind !== 'lost') run.count(marking.kind);
    } else if (message === null) {
      await this.#record(delivery, failed('the subscriber did not exist when the delivery was claimed'));
    } else {
      await this.#submit(delivery, message);
    }
  }

  /** @returns false if no connection can be opened, or the run ends */
  async #connect(): Promise<boolean> {
    this.#connection = await this.#run.opener.acquire(this.#connection);
    return this.#connection !== null && !this.#run.isEnding;
  }

  /** Begins to prepare the next delivery. Errors are for the caller that awaits it, which may be later. */
  #prepareNext(): Promise<PreparedDelivery | null> {
    const preparing = this.#prepare();
    preparing.catch(() => {});
    return preparing;
  }

  async #prepare(): Promise<PreparedDelivery | null> {
    const run = this.#run;
    if (run.isEnding) return null;
    const delivery = await run.claims.next(this);
    if (delivery === null) return null;
    try {
      const built = await this.#build(delivery);
      await run.waitUntil(delivery.readyAt);
      return { delivery, built };
    } catch (error) {
      run.claims.putBack(delivery);
      throw error;
    }
  }

  async #build(delivery: ClaimedDelivery): Promise<BuiltMessage | null> {
    const { editionId, subscriberId, email, tokenVersion, attempts, expiresAt } = delivery;
    if (isUsedUp(attempts, this.#run.attempt)) return { kind: 'unbuildable', reason: usedUpReason(attempts) };
    if (email === null || tokenVersion === null) return null;
    const messages = await this.#run.messagesOf(editionId);
    if (messages.kind !== 'ready') return messages;
    return buildMessage(() => messages.make({ subscriberId, email, tokenVersion, expiresAt }));
  }

  /** Returns when the server has replied; the outcome may still be waiting to be recorded. */
  async #submit(delivery: ClaimedDelivery, message: OutgoingMessage): Promise<void> {
    const run = this.#run;
    const connection = this.#connection as Connection;
    const { outcome, attempt } = await submitMessage(delivery, message, connection, run.attempt);
    if (outcome.kind === 'reverted') run.stop(outcome.reason);
    const isForAll = await run.autoPause.isForAllRecipients(delivery, attempt);
    const isRefusal = outcome.kind === 'failed' || outcome.kind === 'deferred';
    if (isForAll && isRefusal) {
      // Shown with the edition, with other deliveries, and to the operator: without addresses.
      const reason = `the server refuses every recipient: ${redactAddresses(outcome.reason)}`;
      await this.#record(delivery, { kind: 'reverted', reply: outcome.reply, reason });
      await run.pauseEdition(delivery.editionId, reason);
      return;
    }
    this.#recorded = this.#record(delivery, outcome);
    // Awaited after the next mark.
    this.#recorded.catch(() => {});
    if (attempt === 'policy' && isRefusal) {
      run.autoPause.remember({ delivery, as: outcome.kind, recorded: this.#recorded });
    }
  }

  async #record(delivery: ClaimedDelivery, outcome: DeliveryOutcome): Promise<void> {
    if (await this.#run.commit.record(delivery, outcome)) this.#run.count(outcome.kind);
  }

  async #submitServiceMessages(): Promise<void> {
    const run = this.#run;
    while (run.services !== null && !run.isEnding) {
      const message = await run.services.next();
      if (message === null) return;
      this.#connection = await run.opener.acquire(this.#connection);
      if (this.#connection === null) return run.services.putBack(message);
      await this.#recorded;
      await this.#submitServiceMessage(message, this.#connection);
    }
  }

  async #submitServiceMessage(message: ClaimedServiceMessage, connection: Connection): Promise<void> {
    const run = this.#run;
    const { clock } = run.attempt;
    const { db } = run.store;
    const record = async (outcome: ServiceOutcome): Promise<void> => {
      if (await recordServiceOutcome(db, message, outcome, clock())) run.count(outcome.kind, run.report.service);
    };
    const { email, tokenVersion, attempts } = message;
    if (isUsedUp(attempts, run.attempt)) return record(failed(usedUpReason(attempts)));
    const marking = await markServiceMessage(db, message, clock(), SUBMITTING_LEASE);
    if (marking.kind === 'suppressed') run.count('suppressed', run.report.service);
    if (marking.kind !== 'submitting' || email === null || tokenVersion === null) return;
    const built = await buildMessage(() => run.makeServiceMessage({ ...message, email, tokenVersion }));
    if (built.kind === 'unbuildable') return record(failed(built.reason));
    // A second copy of a confirmation does no harm; a missing one does.
    const context = { ...run.attempt, uncertain: 'retry' as const };
    const { outcome } = await submitMessage(message, built.message, connection, context);
    if (outcome.kind === 'reverted') run.stop(outcome.reason);
    if (outcome.kind !== 'released' && outcome.kind !== 'uncertain') await record(outcome);
  }
}

/** The last attempt of a row that used all attempts and is open was interrupted; otherwise it would have an outcome. */
function isUsedUp(attempts: number, { policy }: AttemptContext): boolean {
  return attempts >= policy.attempts;
}

function usedUpReason(attempts: number): string {
  return `given up after ${attempts} attempts, the last one interrupted`;
}

function failed(reason: string): Extract<DeliveryOutcome, { kind: 'failed' }> {
  return { kind: 'failed', reply: null, reason };
}
