/**
 * Submits one service message over a worker's connection. If several recipients in a row are refused, whatever the
 * status, all are due again and service messages back off: nobody would look after them one by one. For the same
 * reason, messages of a kind that cannot be built wait until they can.
 */
import { inTransaction, type Tx } from '../core/store/store.ts';
import { MINUTE } from '../lib/time.ts';
import { buildMessage, failed, isUsedUp, submitMessage, usedUpReason } from './attempt.ts';
import { areServiceMessagesRefused, PASSING_KINDS } from './control/refusal-limits.ts';
import { countServiceSubmission } from './limits/submission-counts.ts';
import { SUBMITTING_LEASE } from './queue/group-commit.ts';
import {
  type ClaimedServiceMessage,
  markServiceMessage,
  recordServiceOutcome,
  type ServiceOutcome,
} from './queue/service-outbox.ts';
import {
  endServiceRefusals,
  noteServiceRefusal,
  readServiceRefusals,
  takeBackServiceRefusals,
} from './queue/service-refusals.ts';
import type { DeliveryRun } from './run.ts';
import type { Connection } from './transport/connection.ts';

/** Until a message that could not be built is tried again. */
const UNBUILDABLE_DELAY = 5 * MINUTE;

/** @throws if the store fails */
export async function submitServiceMessage(
  run: DeliveryRun,
  message: ClaimedServiceMessage,
  connection: Connection,
): Promise<void> {
  const { clock } = run.attempt;
  const { db } = run.store;
  const record = async (outcome: ServiceOutcome, inSameTransaction?: (tx: Tx) => Promise<void>): Promise<void> => {
    const isRecorded = await inTransaction(db, async (tx) => {
      const isCurrent = await recordServiceOutcome(tx, message, outcome, clock());
      if (isCurrent) await inSameTransaction?.(tx);
      return isCurrent;
    });
    if (isRecorded) run.count(outcome.kind, run.result.service);
  };
  const { kind, email, tokenVersion, attempts } = message;
  if (isUsedUp(attempts, run.attempt)) return record(failed(usedUpReason(attempts)));
  const marking = await markServiceMessage(db, message, clock(), SUBMITTING_LEASE);
  if (marking.kind === 'suppressed') run.count('suppressed', run.result.service);
  if (marking.kind !== 'submitting' || email === null || tokenVersion === null) return;
  const built = await buildMessage(() => run.makeServiceMessage({ ...message, email, tokenVersion }));
  if (built.kind === 'unbuildable') {
    const { concerns, reason } = built;
    if (concerns === 'recipient') return record(failed(reason));
    await record({ kind: 'reverted', reply: null, reason, dueAt: clock() + UNBUILDABLE_DELAY });
    return run.serviceMessagesBuilt(kind, reason);
  }
  await run.serviceMessagesBuilt(kind, null);
  // A second copy of a confirmation does no harm; a missing one does.
  const context = { ...run.attempt, uncertain: 'retry' as const };
  const { outcome, verdict } = await submitMessage(message, built.message, connection, context);
  if (outcome.kind === 'released' || outcome.kind === 'uncertain') return;
  switch (verdict.kind) {
    case 'none':
      return record(outcome);
    case 'accepted':
      await record(outcome, async (tx) => {
        await endServiceRefusals(tx);
        if (run.hasDailyLimit) await countServiceSubmission(tx, clock());
      });
      await run.serviceBackOff.accept();
      await run.accepted();
      return;
    case 'trouble':
      await record(outcome);
      return run.serverFailed(verdict);
    case 'refused': {
      const { refusal, words } = verdict;
      const reverted: ServiceOutcome = { kind: 'reverted', reply: replyOf(outcome), reason: words, dueAt: clock() };
      if (PASSING_KINDS.includes(refusal) && (run.backOff.isProbing || run.isFailing)) {
        await record(reverted);
        return run.fail({ cause: 'temporary', reason: words });
      }
      const reason = `the server refuses service messages to every recipient: ${words}`;
      if (run.serviceBackOff.isProbing && refusal !== 'uncertain') {
        await record(reverted, async (tx) => void (await run.serviceBackOff.fail({ cause: 'refusals', reason }, tx)));
        return;
      }
      await record(outcome, (tx) => noteServiceRefusal(tx, message, clock()));
      await backOffIfRefused(run, reason);
    }
  }
}

async function backOffIfRefused(run: DeliveryRun, reason: string): Promise<void> {
  const { clock } = run.attempt;
  const takenBack = await inTransaction(run.store.db, async (tx) => {
    if (!areServiceMessagesRefused(await readServiceRefusals(tx))) return null;
    await run.serviceBackOff.fail({ cause: 'refusals', reason }, tx);
    return takeBackServiceRefusals(tx, reason, clock());
  });
  if (takenBack === null) return;
  // As far as this run counted them.
  const { service } = run.result;
  service.failed = Math.max(0, service.failed - takenBack.failed);
  service.deferred = Math.max(0, service.deferred - takenBack.deferred);
  await run.services?.release();
}

function replyOf(outcome: ServiceOutcome): string | null {
  return 'reply' in outcome ? outcome.reply : null;
}
