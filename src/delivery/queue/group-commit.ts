/**
 * Group commit: writes the marks and outcomes of all workers together, one transaction at a time. While one is written,
 * the next ones collect, so transactions grow with the load.
 *
 * A worker requests its next mark after it has handed in its last outcome, and both are written in that order. So it
 * never has more than one row that is `submitting`, or submitted but not yet recorded.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompiledQuery } from 'kysely';
import { isUnavailable } from '../../core/store/outages.ts';
import type { StatementBatch } from '../../core/store/statement-batch.ts';
import { inTransaction, isSerializationFailure, type Store } from '../../core/store/store.ts';
import type { RefusalKind } from '../../core/store/tables.ts';
import { type Clock, HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import { refusalQuery } from '../control/circuit-breaker.ts';
import { SUBMISSION_LIMIT } from '../transport/connection.ts';
import type { DeliveryOutcome } from './delivery-outcome.ts';
import {
  type ClaimedDelivery,
  type ClaimKeyRow,
  type MarkResult,
  markQuery,
  matchClaims,
  recordIneligible,
  recordQuery,
} from './outbox.ts';

/** Longer than any submission: after that, another worker treats it as interrupted. */
export const SUBMITTING_LEASE = SUBMISSION_LIMIT + MINUTE;
const MAX_TRIES = 5;

interface PendingWrite<Request, Result> {
  request: Request;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

type PendingMark = PendingWrite<ClaimedDelivery, MarkResult>;
interface RecordedOutcome {
  claim: ClaimedDelivery;
  outcome: DeliveryOutcome;
  /** Noted in the same transaction. */
  refusal: RefusalKind | undefined;
}

type PendingOutcome = PendingWrite<RecordedOutcome, boolean>;

export class GroupCommit {
  readonly #store: Pick<Store, 'db' | 'batch'>;
  readonly #clock: Clock;
  readonly #pause: number;
  #marks: PendingMark[] = [];
  #outcomes: PendingOutcome[] = [];
  #isWriting = false;
  /** When outcomes are given up, by `performance.now()`; null while the database takes them. */
  #giveUpAt: number | null = null;

  /** @param pause before outcomes are written again that the database did not take, in milliseconds */
  constructor(store: Pick<Store, 'db' | 'batch'>, clock: Clock, pause = SECOND) {
    this.#store = store;
    this.#clock = clock;
    this.#pause = pause;
  }

  /** Marks the beginning of a submission; see `markQuery`. @throws if the store fails */
  mark(delivery: ClaimedDelivery): Promise<MarkResult> {
    return this.#add(this.#marks, delivery);
  }

  /**
   * Records an outcome; see `recordOutcomes`.
   * @param refusal its kind, if it counts for the circuit breaker
   * @returns false if the claim was lost and nothing was recorded
   * @throws if the store fails; while the database is away or full, it waits for an hour: the claim may still hold then
   */
  record(claim: ClaimedDelivery, outcome: DeliveryOutcome, refusal?: RefusalKind): Promise<boolean> {
    return this.#add(this.#outcomes, { claim, outcome, refusal });
  }

  #add<Request, Result>(pending: PendingWrite<Request, Result>[], request: Request): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => pending.push({ request, resolve, reject }));
    if (!this.#isWriting) {
      this.#isWriting = true;
      // After everything of this turn of the event loop: several replies arrive together.
      setImmediate(() => this.#flush());
    }
    return result;
  }

  /** Never rejects: errors go to the callers that wait. */
  async #flush(): Promise<void> {
    while (this.#marks.length + this.#outcomes.length > 0) {
      const [marks, outcomes] = [this.#marks, this.#outcomes];
      this.#marks = [];
      this.#outcomes = [];
      try {
        await this.#write(marks, outcomes, this.#clock());
        this.#giveUpAt = null;
      } catch (error) {
        for (const { reject } of marks) reject(error);
        this.#giveUpAt ??= performance.now() + HOUR;
        if (isUnavailable(error) && performance.now() < this.#giveUpAt) {
          // Without its outcome, a message would be submitted again.
          this.#outcomes.unshift(...outcomes);
          await sleep(this.#pause);
        } else for (const { reject } of outcomes) reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #write(marks: PendingMark[], outcomes: PendingOutcome[], now: number): Promise<void> {
    const { db, batch } = this.#store;
    const results = outcomes.map(({ request }) => request);
    const claims = marks.map(({ request }) => request);
    const queries: CompiledQuery[] = [];
    if (results.length > 0) queries.push(recordQuery(db, results, now));
    const refused = results.flatMap(({ claim, refusal }) => (refusal === undefined ? [] : [{ claim, kind: refusal }]));
    if (refused.length > 0) queries.push(refusalQuery(db, refused));
    if (claims.length > 0) queries.push(markQuery(db, claims, now, SUBMITTING_LEASE));
    const rows = (await runBatch(batch, queries)) as ClaimKeyRow[][];
    if (results.length > 0) {
      const claimsOfResults = results.map(({ claim }) => claim);
      const recorded = matchClaims(claimsOfResults, rows[0] ?? []);
      for (const [n, { resolve }] of outcomes.entries()) resolve(recorded[n] as boolean);
    }
    const marked = claims.length > 0 ? matchClaims(claims, rows.at(-1) ?? []) : [];
    for (const [n, { request, resolve, reject }] of marks.entries()) {
      if (marked[n]) resolve({ kind: 'submitting' });
      // Rare, and one or two statements each; the next transaction waits for it.
      else await inTransaction(db, (tx) => recordIneligible(tx, request, now)).then(resolve, reject);
    }
  }
}

/**
 * Two processes may lock rows in opposite order when leases expire; PostgreSQL then fails one of them, which retries.
 */
async function runBatch(batch: StatementBatch, queries: CompiledQuery[]): Promise<unknown[][]> {
  for (let tries = 1; ; tries++) {
    try {
      return await batch(queries);
    } catch (error) {
      if (tries >= MAX_TRIES || !isSerializationFailure(error)) throw error;
    }
  }
}
