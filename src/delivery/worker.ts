/**
 * Delivers over one connection, one message after the other. The next message is built while the last one is submitted.
 * At most one row of a worker is in `submitting`.
 */
import { type BuiltMessage, buildMessage, failed, isUsedUp, submitMessage, usedUpReason } from './attempt.ts';
import { PASSING_KINDS } from './control/refusal-limits.ts';
import type { BufferedDelivery } from './queue/claim-buffer.ts';
import type { DeliveryOutcome } from './queue/delivery-outcome.ts';
import type { ClaimedDelivery } from './queue/outbox.ts';
import type { RefusalChange } from './queue/refusals.ts';
import type { DeliveryRun } from './run.ts';
import { submitServiceMessage } from './service-submission.ts';
import type { Connection, OutgoingMessage } from './transport/connection.ts';

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
  #recorded: Promise<unknown> = Promise.resolve();

  constructor(run: DeliveryRun) {
    this.#run = run;
  }

  /**
   * Works until nothing is due or the run ends.
   * @throws if the store fails, and errors that are not failures of the transport
   */
  work(): Promise<void> {
    return this.#workWhile(() => true);
  }

  /** Submits one message after the other until the server accepts one, or none from anyone. @throws as `work` */
  probe(): Promise<void> {
    return this.#workWhile(() => this.#run.backOff.isProbing);
  }

  async #workWhile(goesOn: () => boolean): Promise<void> {
    this.#next = this.#prepareNext();
    try {
      for (let hasMore = true; hasMore && goesOn(); ) hasMore = await this.#deliverNext();
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
      await this.#handleUnbuildable(delivery, built);
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

  async #handleUnbuildable(
    delivery: ClaimedDelivery,
    { concerns, reason }: Extract<BuiltMessage, { kind: 'unbuildable' }>,
  ): Promise<void> {
    if (concerns === 'recipient') {
      await this.#record(delivery, failed(reason));
      return;
    }
    // First, or it would be claimed again at once.
    await this.#run.pauseEdition(delivery.editionId, reason);
    await this.#record(delivery, { kind: 'released', reason });
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
    const run = this.#run;
    if (run.backOff.isProbing && !(await run.claimProbe())) return false;
    this.#connection = await run.opener.acquire(this.#connection);
    const failure = this.#connection === null ? run.opener.failure() : null;
    if (failure !== null) await run.fail(failure);
    return this.#connection !== null && !run.isEnding;
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
    if (isUsedUp(attempts, this.#run.attempt)) {
      return { kind: 'unbuildable', concerns: 'recipient', reason: usedUpReason(attempts) };
    }
    if (email === null || tokenVersion === null) return null;
    const make = await this.#run.messagesOf(editionId);
    return buildMessage(() => make({ subscriberId, email, tokenVersion, expiresAt }));
  }

  /** Returns when the server has replied; the outcome of a success may still be waiting to be recorded. */
  async #submit(delivery: ClaimedDelivery, message: OutgoingMessage): Promise<void> {
    const run = this.#run;
    const { clock } = run.attempt;
    const connection = this.#connection as Connection;
    const { outcome, verdict } = await submitMessage(delivery, message, connection, run.attempt);
    switch (verdict.kind) {
      case 'accepted': {
        this.#recorded = this.#record(delivery, outcome, run.breaker.accepted(delivery));
        // Awaited after the next mark.
        this.#recorded.catch(() => {});
        await run.accepted();
        return;
      }
      case 'trouble':
        await this.#record(delivery, outcome);
        await run.serverFailed(verdict);
        // It is due again: it may be the only one.
        if ((await this.#next) === null) this.#next = this.#prepareNext();
        return;
      case 'none':
        await this.#record(delivery, outcome);
        return;
      case 'refused': {
        const { refusal, words } = verdict;
        const isPassing = PASSING_KINDS.includes(refusal);
        if (isPassing && (run.backOff.isProbing || run.isFailing)) {
          const reply = 'reply' in outcome ? outcome.reply : null;
          await this.#record(delivery, { kind: 'reverted', reply, reason: words, dueAt: clock() });
          return run.fail({ cause: 'temporary', reason: words });
        }
        const change = run.breaker.refused(delivery, refusal);
        if (!(await this.#record(delivery, outcome, change))) return;
        await run.refused(delivery, outcome.kind, words);
        // Neither a second copy nor another message may follow soon.
        if (refusal === 'uncertain' && run.backOff.isProbing) await run.fail({ cause: 'temporary', reason: words });
      }
    }
  }

  /** @returns false if the claim was lost */
  async #record(delivery: ClaimedDelivery, outcome: DeliveryOutcome, change?: RefusalChange): Promise<boolean> {
    const isRecorded = await this.#run.commit.record(delivery, outcome, change);
    if (isRecorded) this.#run.count(outcome.kind);
    return isRecorded;
  }

  async #submitServiceMessages(): Promise<void> {
    const run = this.#run;
    while (run.services !== null && !run.isEnding) {
      const message = await run.services.next();
      if (message === null) return;
      if (!(await this.#connect())) return run.services.putBack(message);
      await this.#recorded;
      await submitServiceMessage(run, message, this.#connection as Connection);
    }
  }
}
