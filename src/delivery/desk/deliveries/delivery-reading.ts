/**
 * What the pages of deliveries show, read from counters and small indexes.
 */
import type { EditionDeliveryState } from '../../../core/store/tables.ts';
import type { EditionSummary } from '../../../editions/queries.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import { listProgress } from '../../progress.ts';
import {
  countAllDeliveries,
  countUncertainOf,
  type DeliveryStateCounts,
  readDeliveryStates,
} from '../../queue/queries.ts';
import { type SubmissionRate, submissionRate } from '../../submission-rate.ts';
import { NO_DELIVERIES } from '../editions/edition-figures.ts';

export interface EditionDelivery {
  edition: EditionSummary;
  state: EditionDeliveryState;
  /** Of a pause or a cancellation. */
  reason: string | null;
  counts: DeliveryStateCounts;
  uncertain: number;
  rate: SubmissionRate;
}

/** The deliveries of editions, in their order. */
export async function readDeliveriesOf(
  { app: { store } }: DeskContext,
  editions: readonly EditionSummary[],
  now: number,
): Promise<EditionDelivery[]> {
  const { db } = store;
  const ids = editions.map(({ id }) => id);
  if (ids.length === 0) return [];
  const [states, counts] = await Promise.all([readDeliveryStates(db, ids), countAllDeliveries(db, ids)]);
  const read = async (edition: EditionSummary): Promise<EditionDelivery> => {
    const { id } = edition;
    const { state = 'delivering', reason = null } = states.find(({ editionId }) => editionId === id) ?? {};
    const ofEdition = counts.get(id) ?? NO_DELIVERIES;
    const uncertain = await countUncertainOf(db, id, now);
    const rate = state === 'delivering' ? await readRate(db, id, ofEdition, now) : NO_RATE;
    return { edition, state, reason, counts: ofEdition, uncertain, rate };
  };
  return Promise.all(editions.map(read));
}

const NO_RATE: SubmissionRate = { perSecond: null, left: null, over: 0 };

/** The last records of the progress, and now. */
async function readRate(
  db: DeskContext['app']['store']['db'],
  id: number,
  { submitted, pending, submitting }: DeliveryStateCounts,
  now: number,
): Promise<SubmissionRate> {
  const recorded = (await listProgress(db, id, 2)).toReversed();
  return submissionRate([...recorded, { at: now, submitted }], pending + submitting);
}
