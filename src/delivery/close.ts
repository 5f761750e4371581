/**
 * Closes an edition: its articles and its words are frozen and one delivery for each confirmed subscriber is queued, in one
 * transaction, once, however often and in however many processes it is tried.
 */
import { randomBytes } from 'node:crypto';
import type { Config, NewsletterConfig } from '../config/config.ts';
import { type ComposedEdition, composeEdition } from '../editions/compose.ts';
import { type EditionSummary, findEdition } from '../editions/queries.ts';
import { recordEdition, StaleComposition } from '../editions/record.ts';
import type { EditionSlot } from '../editions/slot.ts';
import type { Templates } from '../lib/templates.ts';
import type { Clock } from '../lib/time.ts';
import { type Db, isSerializationFailure, type Store } from '../store/store.ts';
import { type DeliveryTerms, queueDeliveries } from './queue/queue-deliveries.ts';

export interface ClosedEdition {
  edition: EditionSummary;
  /** How many deliveries it was queued for. */
  queued: number;
  /** False where it had been closed before, here or by another process. */
  fresh: boolean;
}

export type ClosedOrSkipped = ({ kind: 'closed' } & ClosedEdition) | { kind: 'skipped'; reason: string };

// An article must change between composing and closing, a fraction of a second, each time.
const COMPOSITIONS = 5;

/**
 * Composes a newsletter's slot and closes it; composes anew where an article of it changes in between.
 * @param options.cutoffAt stories published before this instant may enter
 * @param options.nonce draws the mark of the personal slots: at least 16 random letters and digits
 * @throws StaleComposition where the articles change faster than it composes
 */
export async function composeAndClose(
  store: Store,
  config: Config,
  templates: Templates,
  newsletter: NewsletterConfig,
  options: { slot: EditionSlot; cutoffAt: number; clock: Clock; nonce?: () => string },
): Promise<ClosedOrSkipped> {
  const { slot, cutoffAt, clock, nonce = randomNonce } = options;
  const terms = { ...newsletter, zone: config.publication.zone };
  for (let composition = 1; ; composition++) {
    const now = clock();
    const composed = await composeEdition(store, config, templates, newsletter, {
      slot,
      cutoffAt,
      now,
      nonce: nonce(),
    });
    if (composed.kind === 'skipped') return composed;
    if (composed.kind === 'closed') return { kind: 'closed', ...(await closedBefore(store.reports, composed.edition)) };
    try {
      return { kind: 'closed', ...(await closeEdition(store, composed, terms, now)) };
    } catch (error) {
      const passing = error instanceof StaleComposition || isSerializationFailure(error);
      if (!passing || composition === COMPOSITIONS) throw error;
    }
  }
}

/**
 * Closes what was composed, and queues it. Where the slot has been closed since, returns that edition and changes nothing.
 * @throws StaleComposition where an article of it has changed since
 */
export async function closeEdition(
  store: Store,
  composed: ComposedEdition,
  terms: DeliveryTerms,
  now: number,
): Promise<ClosedEdition> {
  const { newsletter, slot } = composed;
  try {
    return await store.db.transaction().execute(async (tx) => {
      const already = await findEdition(tx, newsletter, slot);
      if (already !== null) return closedBefore(tx, already);
      const editionId = await recordEdition(tx, composed, now);
      const queued = await queueDeliveries(tx, { id: editionId, newsletter }, terms, now);
      const edition = await findEdition(tx, newsletter, slot);
      if (edition === null)
        throw new Error(`edition ${editionId} of ${newsletter} is missing right after it was written`);
      return { edition, queued, fresh: true };
    });
  } catch (error) {
    // PostgreSQL lets two processes try at once and refuses the slower one by the unique key on newsletter and slot.
    const winner = await findEdition(store.db, newsletter, slot);
    if (winner === null) throw error;
    return closedBefore(store.reports, winner);
  }
}

async function closedBefore(db: Db, edition: EditionSummary): Promise<ClosedEdition> {
  const { queued } = await db
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('queued'))
    .where('edition_id', '=', edition.id)
    .executeTakeFirstOrThrow();
  return { edition, queued, fresh: false };
}

function randomNonce(): string {
  return randomBytes(16).toString('hex');
}
