/**
 * Submits messages over one connection, one after the other. The next one is built while the last is submitted. At most
 * one row of a worker is in `submitting`.
 */
import { type BuiltMessage, failed, submitMessage } from './attempt.ts';
import type { ClaimedMessage } from './queue/claim-buffer.ts';
import type { DeliveryRun } from './run.ts';
import { type Submission, submissionOf } from './submission.ts';
import type { Connection, OutgoingMessage } from './transport/connection.ts';

interface PreparedSubmission {
  claimed: ClaimedMessage;
  submission: Submission;
  /** Null if the subscriber no longer exists. */
  built: BuiltMessage | null;
}

export class DeliveryWorker {
  readonly #run: DeliveryRun;
  #connection: Connection | null = null;
  #next: Promise<PreparedSubmission | null> = Promise.resolve(null);
  /** Resolves when the last success is recorded, in the same transaction as the next mark if possible. */
  #recorded: Promise<unknown> = Promise.resolve();

  constructor(run: DeliveryRun) {
    this.#run = run;
  }

  /**
   * Works until nothing is due or the run ends.
   * @param goesOn asked before each message
   * @throws if the store fails, and errors that are not failures of the transport
   */
  async work(goesOn = () => true): Promise<void> {
    this.#next = this.#prepareNext();
    try {
      for (let hasMore = true; hasMore && goesOn(); ) hasMore = await this.#submitNext();
      await this.#recorded;
    } finally {
      this.#run.opener.close(this.#connection);
      // After an error, too: the mail server has the message.
      await this.#recorded.catch(() => {});
      const unused = await this.#next.catch(() => null);
      if (unused !== null) this.#run.claims.putBack(unused.claimed);
    }
  }

  /** @returns false at the end */
  async #submitNext(): Promise<boolean> {
    const prepared = await this.#next;
    if (prepared === null || this.#run.isEnding) return false;
    const { submission, built } = prepared;
    if (built?.kind === 'unbuildable') {
      this.#next = this.#prepareNext();
      if (built.concerns === 'recipient') await submission.record(failed(built.reason));
      else await submission.holdUnbuildable(built.reason);
      return true;
    }
    if (!(await this.#connect())) return false;
    const marking = await submission.mark();
    this.#next = this.#prepareNext();
    await this.#recorded;
    if (marking.kind !== 'submitting') return true;
    if (built === null) await submission.record(failed('the subscriber did not exist when the message was claimed'));
    else await this.#submit(submission, built.message);
    return true;
  }

  /** @returns false if no connection can be opened, or the run ends */
  async #connect(): Promise<boolean> {
    const run = this.#run;
    this.#connection = await run.opener.acquire(this.#connection);
    const failure = this.#connection === null ? run.opener.failure() : null;
    if (failure !== null && !run.isEnding) await run.fail(failure);
    return this.#connection !== null && !run.isEnding;
  }

  /** Begins to prepare the next message. Errors are for the caller that awaits it, which may be later. */
  #prepareNext(): Promise<PreparedSubmission | null> {
    const preparing = this.#prepare();
    preparing.catch(() => {});
    return preparing;
  }

  async #prepare(): Promise<PreparedSubmission | null> {
    const run = this.#run;
    if (run.isEnding) return null;
    const claimed = await run.claims.next();
    if (claimed === null) return null;
    try {
      const submission = submissionOf(run, claimed);
      const built = await submission.build();
      if (claimed.kind === 'edition') await run.pace();
      return { claimed, submission, built };
    } catch (error) {
      run.claims.putBack(claimed);
      throw error;
    }
  }

  /** Returns when the server has replied; a success may still be waiting to be recorded. */
  async #submit(submission: Submission, message: OutgoingMessage): Promise<void> {
    const run = this.#run;
    // The server may have closed it since the last message.
    if (!(await this.#connect())) {
      const reason = run.opener.failure()?.reason ?? 'daywire stopped before the message was submitted';
      await submission.record({ kind: 'reverted', reply: null, reason });
      return;
    }
    run.submitting += 1;
    const { outcome, verdict } = await submitMessage(
      submission.row,
      message,
      this.#connection as Connection,
      submission.attempt,
    ).finally(() => {
      run.submitting -= 1;
    });
    if (outcome.kind === 'submitted') {
      this.#recorded = submission.record(outcome);
      // Awaited after the next mark.
      this.#recorded.catch(() => {});
      await run.answered();
      return;
    }
    await submission.record(outcome, verdict);
    await run.heed(verdict);
    // It is due again: it may be the only one.
    if (outcome.kind === 'reverted' && (await this.#next) === null) this.#next = this.#prepareNext();
  }
}
