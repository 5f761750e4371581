/** Submits a claimed message of either outbox, for a worker. */
import { inTransaction } from '../core/store/store.ts';
import { MINUTE } from '../lib/time.ts';
import {
  type AttemptContext,
  type BuiltMessage,
  buildMessage,
  failed,
  type SubmittedRow,
  type Verdict,
} from './attempt.ts';
import type { ClaimedMessage } from './queue/claim-buffer.ts';
import type { DeliveryOutcome } from './queue/delivery-outcome.ts';
import { SUBMITTING_LEASE } from './queue/group-commit.ts';
import type { ClaimedDelivery, MarkResult } from './queue/outbox.ts';
import {
  type ClaimedServiceMessage,
  markServiceMessage,
  recordServiceOutcome,
  type ServiceOutcome,
} from './queue/service-outbox.ts';
import type { DeliveryRun } from './run.ts';
import { retryDelay } from './transport/retry.ts';

export interface Submission {
  row: SubmittedRow;
  attempt: AttemptContext;
  /** Null if the subscriber no longer exists: marking suppresses the message. @throws if the store fails */
  build(): Promise<BuiltMessage | null>;
  /** Marks the beginning of the submission, right before its MAIL FROM. */
  mark(): Promise<MarkResult>;
  /**
   * Records the outcome, and what it means for others.
   * @returns false if the claim was lost
   */
  record(outcome: DeliveryOutcome, verdict?: Verdict): Promise<boolean>;
  /** Handles that neither this message nor others like it can be built. */
  holdUnbuildable(reason: string): Promise<void>;
}

export function submissionOf(run: DeliveryRun, message: ClaimedMessage): Submission {
  return message.kind === 'edition' ? editionSubmission(run, message.claim) : serviceSubmission(run, message.claim);
}

function editionSubmission(run: DeliveryRun, claim: ClaimedDelivery): Submission {
  const { editionId, subscriberId, email, tokenVersion, expiresAt, copy } = claim;
  const record: Submission['record'] = async (outcome, verdict) => {
    const refusal = verdict?.kind === 'refused' ? verdict : null;
    const isRecorded = await run.commit.record(claim, outcome, refusal?.refusal);
    if (isRecorded) run.count(outcome.kind);
    if (isRecorded && refusal !== null) await run.judge(editionId, refusal.words);
    return isRecorded;
  };
  return {
    row: claim,
    attempt: run.attempt,
    record,
    async build() {
      if (email === null || tokenVersion === null) return null;
      const make = await run.messagesOf(editionId);
      const recipient = { subscriberId, email, tokenVersion, expiresAt, copy, now: run.attempt.clock() };
      return buildMessage(() => make(recipient));
    },
    async mark() {
      const result = await run.commit.mark(claim);
      if (result.kind !== 'submitting' && result.kind !== 'lost') run.count(result.kind);
      return result;
    },
    async holdUnbuildable(reason) {
      // First, or it would be claimed again at once.
      await run.pauseEdition(editionId, reason);
      await record({ kind: 'released', reason });
    },
  };
}

/** Nobody looks after service messages one by one: for so many attempts, a refusal is taken for a mistake of ours. */
const REFUSALS_BELIEVED = 6;
/** Until a message that could not be built is tried again. */
const UNBUILDABLE_DELAY = 5 * MINUTE;

function serviceSubmission(run: DeliveryRun, claim: ClaimedServiceMessage): Submission {
  const { store, attempt } = run;
  const { kind, email, tokenVersion } = claim;
  const record: Submission['record'] = async (outcome) => {
    const recorded = serviceOutcome(outcome, claim, attempt.clock() + retryDelay(claim.attempts + 1, attempt.random()));
    const isRecorded = await inTransaction(store.db, async (tx) => {
      const isCurrent = await recordServiceOutcome(tx, claim, recorded, attempt.clock());
      if (isCurrent && outcome.kind === 'submitted') await run.dailyLimit?.add(tx, 1, attempt.clock());
      return isCurrent;
    });
    if (isRecorded) run.count(recorded.kind, run.result.service);
    return isRecorded;
  };
  return {
    row: claim,
    // Nobody settles a service message.
    attempt: { ...attempt, uncertain: 'retry' },
    record,
    async build() {
      if (email === null || tokenVersion === null) return null;
      const built = await buildMessage(() => run.makeServiceMessage({ ...claim, email, tokenVersion }));
      if (built.kind === 'built') await run.serviceMessagesBuilt(kind, null);
      return built;
    },
    async mark() {
      const result = await markServiceMessage(store.db, claim, attempt.clock(), SUBMITTING_LEASE);
      if (result.kind === 'suppressed') run.count('suppressed', run.result.service);
      return result;
    },
    async holdUnbuildable(reason) {
      const dueAt = attempt.clock() + UNBUILDABLE_DELAY;
      const postponed = { kind: 'deferred' as const, dueAt, reply: null, reason };
      await recordServiceOutcome(store.db, claim, postponed, attempt.clock());
      await run.serviceMessagesBuilt(kind, reason);
    },
  };
}

/** A second copy of a confirmation does no harm, a missing one does; nobody would settle it. */
function serviceOutcome(outcome: DeliveryOutcome, { attempts }: ClaimedServiceMessage, dueAt: number): ServiceOutcome {
  if (outcome.kind === 'uncertain') return failed(`given up: ${outcome.reason}`);
  if (outcome.kind !== 'failed' || !outcome.reply?.startsWith('5') || attempts + 1 >= REFUSALS_BELIEVED)
    return outcome as ServiceOutcome;
  return { kind: 'deferred', reply: outcome.reply, reason: outcome.reason, dueAt };
}
