/**
 * Closes the next revision of an edition: the revision before it is cancelled, and the new one is queued for those who
 * have none, in one transaction. Nobody gets both, and nobody neither.
 */
import { sql } from 'kysely';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { type Db, type InTransaction, inTransaction, rollBack, type Store, type Tx } from '../../core/store/store.ts';
import type { ComposedEdition } from '../../editions/compose.ts';
import { editionAction, settleActions } from '../../editions/edition-action.ts';
import { type EditionSummary, findEditionById, fullEditionName, listRevisions } from '../../editions/queries.ts';
import { StaleComposition } from '../../editions/record.ts';
import { recordRevision } from '../../editions/record-revision.ts';
import { rfc3339 } from '../../lib/time.ts';
import { DeliveryControlError } from '../control/edition-control.ts';
import { mayHaveArrived } from '../queue/delivery-outcome.ts';
import type { QueuedDeliveries } from '../queue/queue-deliveries.ts';
import { type ClosingTerms, prepareQueueing } from './edition-copies.ts';

export interface ClosedRevision extends QueuedDeliveries {
  edition: EditionSummary;
  /** Number of deliveries of the revision before it that were pending and are suppressed. */
  suppressed: number;
  /**
   * Deliveries of earlier revisions that are not recorded as submitted, but may have arrived: their recipients do not
   * get the new one. 0 if all get it.
   */
  uncertain: number;
}

/**
 * Closes a composed revision and queues its deliveries: for each confirmed subscriber who has got no earlier revision,
 * or for all.
 * @param options.isForAll whether those who got an earlier revision get this one, too
 * @param options.isDryRun whether all is checked and counted, and nothing is written
 * @param options.onCommit called last in the transaction, unless it is a dry run
 * @throws DeliveryControlError if the edition is being delivered, or somebody may be getting it at this moment
 * @throws StaleComposition if one of its articles has changed since it was composed, or it has been reissued since
 */
export async function closeRevision(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  composed: ComposedEdition,
  terms: ClosingTerms,
  options: { isForAll: boolean; isDryRun?: boolean; now: number; onCommit?: InTransaction | undefined },
): Promise<ClosedRevision> {
  const { isForAll, isDryRun = false, now, onCommit } = options;
  const { newsletter } = composed;
  const queue = await prepareQueueing(reports, newsletter, terms);
  const close = async (tx: Tx) => {
    const previous = await supersede(tx, composed);
    const revisions = await listRevisions(tx, newsletter, composed.slot);
    const earlier = revisions.map(({ id }) => id);
    const suppressed = await suppressPending(tx, previous, composed.revision, now);
    await requireNoneSubmitting(tx, previous, now);
    // Deliveries that an operator settled in between are pending again.
    const settled = await suppressPending(tx, previous, composed.revision, now);
    const id = await recordRevision(tx, composed, previous, isForAll, now);
    const closedAt = revisions.at(-1)?.closedAt ?? now;
    const counts = await queue(tx, id, now, { closedAt, earlier, isForAll });
    if (!isForAll) await requireKnownRecipients(tx, previous, earlier);
    const edition = await findEditionById(tx, id);
    if (edition === null) throw new Error(`edition ${id} of ${composed.newsletter} is missing after it was written`);
    if (!isDryRun) await onCommit?.(tx);
    return { edition, ...counts, suppressed: suppressed + settled, earlier };
  };
  const { earlier, ...closed } = isDryRun ? await rollBack(db, close) : await inTransaction(db, close);
  return { ...closed, uncertain: isForAll ? 0 : await countUncertain(reports, earlier) };
}

/** The reason of the revision that is replaced, and of its deliveries. */
function reissuedReason(revision: number): string {
  return `reissued as revision ${revision}`;
}

/** Cancels the revision that is replaced, which locks its row until the end of the transaction. */
async function supersede(tx: Tx, { reissueOf, revision, newsletter, slot }: ComposedEdition): Promise<EditionSummary> {
  if (reissueOf === null) throw new Error(`${newsletter}/${slot} was composed as a first revision`);
  const { numUpdatedRows } = await tx
    .updateTable('editions')
    .set({ delivery_state: 'cancelled', delivery_reason: reissuedReason(revision) })
    .where('id', '=', reissueOf.id)
    .where('superseded_by', 'is', null)
    .where('delivery_state', '<>', 'delivering')
    .executeTakeFirstOrThrow();
  const previous = await findEditionById(tx, reissueOf.id);
  if (previous === null) throw new StaleComposition(`${newsletter}/${slot} no longer exists`);
  if (numUpdatedRows > 0n) return previous;
  const name = fullEditionName(previous);
  if (previous.supersededBy !== null) throw new StaleComposition(`${name} has been reissued since`);
  throw new DeliveryControlError(`${name} is being delivered`, [editionAction('pause', 'pause it first', name)]);
}

/** Before submissions in progress are counted: each delivery is either suppressed here, or submitting there. */
async function suppressPending(tx: Tx, { id }: EditionSummary, revision: number, now: number): Promise<number> {
  // A new fence, so that no worker that still has a claim records anything. What may have arrived still says so.
  const { numAffectedRows } = await sql`update deliveries
    set state = 'suppressed', lease_until = null, fence = fence + 1, changed_at = cast(${now} as bigint),
      reason = case when ${mayHaveArrived('deliveries')} then reason || '; ' else '' end || ${reissuedReason(revision)}
    where edition_id = ${id} and ${isInOpenState('deliveries')} and state = 'pending'`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/** @throws DeliveryControlError that says what to do */
async function requireNoneSubmitting(tx: Tx, edition: EditionSummary, now: number): Promise<void> {
  const { count, until } = await tx
    .selectFrom('deliveries')
    .select((e) => [e.fn.countAll<number>().as('count'), e.fn.max('lease_until').as('until')])
    .where('edition_id', '=', edition.id)
    // A literal, so that the partial index deliveries_submitting is used.
    .where(sql<boolean>`state = 'submitting'`)
    .executeTakeFirstOrThrow();
  if (count === 0) return;
  const name = fullEditionName(edition);
  const deliveries = count === 1 ? '1 delivery' : `${count} deliveries`;
  if (until !== null && until > now) {
    throw new DeliveryControlError(
      `${deliveries} of ${name} may be in progress: reissue it after ${rfc3339(until)}, when their outcome is known`,
    );
  }
  throw new DeliveryControlError(
    `${deliveries} of ${name} ${count === 1 ? 'is' : 'are'} uncertain: their recipients would get both revisions, or ` +
      'none. Look at the log of your mail server, settle them, and reissue it then.',
    settleActions(name, 'ADDRESS'),
  );
}

/**
 * Retention deletes old deliveries: who got the edition is no longer known. Checked after queueing, which may have
 * run at the same time.
 * @throws DeliveryControlError
 */
async function requireKnownRecipients(tx: Tx, edition: EditionSummary, editionIds: number[]): Promise<void> {
  const folded = await tx
    .selectFrom('delivery_totals')
    .select('edition_id')
    .where('edition_id', 'in', editionIds)
    .limit(1)
    .executeTakeFirst();
  if (folded === undefined) return;
  throw new DeliveryControlError(
    `the deliveries of ${fullEditionName(edition)} have been rolled up into totals, so that nobody knows who got it`,
    [
      {
        to: 'reissue it for all subscribers',
        command: `editions reissue ${fullEditionName(edition)} --as-correction`,
        desk: 'the page of its reissue, as a correction',
      },
    ],
  );
}

async function countUncertain(db: Db, editionIds: number[]): Promise<number> {
  const { count } = await db
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('edition_id', 'in', editionIds)
    .where('state', '<>', 'submitted')
    .where(mayHaveArrived('deliveries'))
    .executeTakeFirstOrThrow();
  return count;
}
