/**
 * Group commit: the marks and results of all connections go into the database together, one transaction at a time. While one is being
 * written the next gathers, so that the busier it is the more each holds.
 *
 * A connection asks for its next mark after it has handed in its last result, and both are written in that order: it never has more
 * than one row at `submitting` or submitted and not yet recorded.
 */
import type { CompiledQuery } from 'kysely';
import { type Clock, MINUTE } from '../../lib/time.ts';
import { isSerializationFailure, type Store } from '../../store/store.ts';
import { SUBMISSION_LIMIT } from '../transport/connection.ts';
import type { DeliveryOutcome } from './delivery-outcome.ts';
import {
  type ClaimedDelivery,
  type ClaimKeyRow,
  type DeliveryClaim,
  type MarkResult,
  markQuery,
  matchClaims,
  recordIneligible,
  recordQuery,
} from './outbox.ts';

// A submission must have answered before another worker may take it for interrupted.
const SUBMITTING_LEASE = SUBMISSION_LIMIT + MINUTE;
const TRIES = 5;

export interface GroupCommit {
  /**
   * Notes that a submission begins; see `markSubmitting`.
   * @throws where the store fails
   */
  mark(delivery: ClaimedDelivery): Promise<MarkResult>;
  /**
   * Records how it ended; see `recordResults`.
   * @returns false where another worker has claimed the row since, and nothing was recorded
   * @throws where the store fails
   */
  record(claim: DeliveryClaim, result: DeliveryOutcome): Promise<boolean>;
}

interface PendingWrite<What, Answer> {
  what: What;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

type Mark = PendingWrite<ClaimedDelivery, MarkResult>;
type Recording = PendingWrite<{ claim: DeliveryClaim; result: DeliveryOutcome }, boolean>;

export function openGroupCommit(store: Pick<Store, 'db' | 'batch'>, clock: Clock): GroupCommit {
  let marks: Mark[] = [];
  let recordings: Recording[] = [];
  let writing = false;

  const writeOn = async (): Promise<void> => {
    while (marks.length + recordings.length > 0) {
      const batch = { marks, recordings };
      marks = [];
      recordings = [];
      await writeBatch(store, batch, clock());
    }
    writing = false;
  };
  const add = <What, Answer>(to: PendingWrite<What, Answer>[], what: What): Promise<Answer> => {
    const answer = new Promise<Answer>((resolve, reject) => to.push({ what, resolve, reject }));
    if (!writing) {
      writing = true;
      // After all that this turn of the event loop brings: replies come in several at once.
      setImmediate(writeOn);
    }
    return answer;
  };

  return {
    mark: (delivery) => add(marks, delivery),
    record: (claim, result) => add(recordings, { claim, result }),
  };
}

async function writeBatch(
  store: Pick<Store, 'db' | 'batch'>,
  { marks, recordings }: { marks: Mark[]; recordings: Recording[] },
  now: number,
): Promise<void> {
  const { db } = store;
  const results = recordings.map(({ what }) => what);
  const claims = marks.map(({ what }) => what);
  try {
    const queries: CompiledQuery[] = [];
    if (results.length > 0) queries.push(recordQuery(db, results, now));
    if (claims.length > 0) queries.push(markQuery(db, claims, now, SUBMITTING_LEASE));
    const rows = (await againWhereLost(() => store.batch(queries))) as ClaimKeyRow[][];
    const recorded =
      results.length > 0
        ? matchClaims(
            results.map(({ claim }) => claim),
            rows[0] ?? [],
          )
        : [];
    const marked = claims.length > 0 ? matchClaims(claims, rows.at(-1) ?? []) : [];
    for (const [n, { resolve }] of recordings.entries()) resolve(recorded[n] as boolean);
    for (const [n, { what, resolve, reject }] of marks.entries()) {
      if (marked[n]) resolve({ kind: 'submitting' });
      // Rare, and a statement or two for each; the next batch goes on after it.
      else
        await againWhereLost(() => db.transaction().execute((tx) => recordIneligible(tx, what, now))).then(
          resolve,
          reject,
        );
    }
  } catch (error) {
    for (const { reject } of [...recordings, ...marks]) reject(error);
  }
}

/** Two processes may hold rows in each other's way, when leases lapse; one of them is then told to begin again. */
async function againWhereLost<Answer>(write: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (tries >= TRIES || !isSerializationFailure(error)) throw error;
    }
  }
}
