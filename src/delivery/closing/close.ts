/**
 * Closes an edition: freezes its content and queues one delivery for each confirmed subscriber, in one transaction.
 * Repeating it, or doing it in two processes, changes nothing.
 */
import { randomBytes } from 'node:crypto';
import type { AppContext } from '../../core/app-context.ts';
import type { Config } from '../../core/config/config.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import { type Db, isSerializationFailure, type Store, type Tx } from '../../core/store/store.ts';
import type { ClosingObstacle } from '../../editions/alert-newsletters/alert-limits.ts';
import {
  type ComposedEdition,
  type CompositionOptions,
  composeEdition,
  type SkippedEdition,
} from '../../editions/compose.ts';
import { TOO_FEW } from '../../editions/copies/copy.ts';
import { recordClose } from '../../editions/draft/closing-alerts.ts';
import { type EditionSummary, findEdition } from '../../editions/queries.ts';
import { recordEdition, StaleComposition } from '../../editions/record.ts';
import type { EditionSlot } from '../../editions/slot.ts';
import { cutoffOf, slotNamed } from '../../editions/slots.ts';
import { openTemplates, type Templates } from '../../lib/templates.ts';
import type { Clock } from '../../lib/time.ts';
import { countAllDeliveries, NO_DELIVERIES, queuedOf } from '../queue/queries.ts';
import type { QueuedDeliveries } from '../queue/queue-deliveries.ts';
import { type ClosingTerms, closingTerms, prepareQueueing } from './edition-copies.ts';

export interface ClosedEdition extends QueuedDeliveries {
  edition: EditionSummary;
  /** False if it was closed before, here or by another process. */
  isNew: boolean;
}

export type CloseOutcome =
  | ({ kind: 'closed' } & ClosedEdition)
  /** It has too few stories. */
  | { kind: 'skipped'; reason: string }
  /** An editor holds it, or must approve it first. */
  | ({ kind: 'waiting' } & ClosingObstacle);

// Composing and closing takes a fraction of a second, and an article must change each time.
const MAX_COMPOSITIONS = 5;

type ClosingSlot = Pick<CompositionOptions, 'slot' | 'cutoffAt' | 'dueAt'>;

interface CloseEffects {
  /** Called in the transaction that closes the edition. */
  onClose?: ((tx: Tx, composed: ComposedEdition, now: number) => Promise<void>) | undefined;
}

/**
 * Composes the edition of a slot and closes it. Composes again if one of its articles or its draft changes in between.
 * @param options.cutoffAt articles published before this instant are candidates
 * @param options.dueAt it closes only if an editor lets it close then, epoch milliseconds; default: by its schedule
 * @param options.nonce generates the nonce of the placeholders: at least 16 random letters and digits
 * @throws StaleComposition if articles change faster than it composes
 */
export async function composeAndClose(
  store: Store,
  config: Config,
  templates: Templates,
  newsletter: NewsletterConfig,
  options: CloseEffects & ClosingSlot & { clock: Clock; nonce?: () => string },
): Promise<CloseOutcome> {
  const { slot, cutoffAt, dueAt, clock, nonce = () => randomBytes(16).toString('hex'), ...effects } = options;
  for (let composition = 1; ; composition++) {
    const now = clock();
    const composing = { slot, cutoffAt, dueAt, now, nonce: nonce() };
    const composed = await composeEdition(store, config, templates, newsletter, composing);
    if (composed.kind === 'closed') return { kind: 'closed', ...(await closedBefore(store.reports, composed.edition)) };
    const { obstacle } = composed;
    if (obstacle !== null) return { kind: 'waiting', ...obstacle };
    if (composed.kind === 'skipped') return { kind: 'skipped', reason: skipReason(composed) };
    try {
      const terms = closingTerms(config, newsletter, composed);
      return { kind: 'closed', ...(await closeEdition(store, composed, terms, now, effects)) };
    } catch (error) {
      const isTransient = error instanceof StaleComposition || isSerializationFailure(error);
      if (!isTransient || composition === MAX_COMPOSITIONS) throw error;
    }
  }
}

/**
 * Closes a composed edition and queues its deliveries. If the slot was closed in the meantime, returns that edition.
 * @throws StaleComposition if one of its articles, or its draft, has changed since it was composed
 */
export async function closeEdition(
  store: Store,
  composed: ComposedEdition,
  terms: ClosingTerms,
  now: number,
  { onClose }: CloseEffects = {},
): Promise<ClosedEdition> {
  const { newsletter, slot } = composed;
  const queue = await prepareQueueing(store.reports, newsletter, terms);
  try {
    return await store.db.transaction().execute(async (tx) => {
      const closed = await findEdition(tx, newsletter, slot);
      if (closed !== null) return closedBefore(tx, closed);
      const editionId = await recordEdition(tx, composed, now);
      await onClose?.(tx, composed, now);
      const counts = await queue(tx, editionId, now);
      const edition = await findEdition(tx, newsletter, slot);
      if (edition === null) throw new Error(`edition ${editionId} of ${newsletter} is missing after it was written`);
      return { edition, ...counts, isNew: true };
    });
  } catch (error) {
    // On PostgreSQL the unique key on newsletter and slot rejects the slower one of two concurrent processes.
    const closed = await findEdition(store.db, newsletter, slot);
    if (closed === null) throw error;
    return closedBefore(store.reports, closed);
  }
}

function skipReason({ reason, approval }: SkippedEdition): string {
  if (approval === null || approval.voided === null) return reason;
  return `${reason}; the approval by ${approval.by} is void: ${approval.voided}`;
}

async function closedBefore(db: Db, edition: EditionSummary): Promise<ClosedEdition> {
  const counts = (await countAllDeliveries(db, [edition.id])).get(edition.id) ?? NO_DELIVERIES;
  return { edition, queued: queuedOf(counts), tooFew: counts[TOO_FEW] ?? 0, isNew: false };
}

/**
 * Composes and closes an edition with the present moment as its cut-off, and queues its deliveries.
 * @param label the slot, such as `2026-11-24`; default: as `slotNamed` finds it
 * @throws SlotError where the newsletter has no such slot
 */
export async function composeNow(app: AppContext, newsletter: NewsletterConfig, label?: string): Promise<CloseOutcome> {
  const now = app.clock();
  return compose(app, newsletter, { slot: await slotNamed(app, newsletter, now, label), cutoffAt: now });
}

/**
 * Composes and closes the edition of a slot, with the cut-off of `cutoffOf`.
 * @param dueAt as for `composeAndClose`
 */
export async function composeSlot(
  app: AppContext,
  newsletter: NewsletterConfig,
  slot: EditionSlot,
  dueAt?: number,
): Promise<CloseOutcome> {
  return compose(app, newsletter, { slot, cutoffAt: await cutoffOf(app, newsletter, slot), dueAt });
}

function compose(app: AppContext, newsletter: NewsletterConfig, options: ClosingSlot): Promise<CloseOutcome> {
  const { store, config, clock } = app;
  // Read again each time (a few milliseconds a day), so that a broken template can be corrected while daywire runs.
  const templates = openTemplates(config.paths.templates, config.publication.zone, config.ownMessages);
  return composeAndClose(store, config, templates, newsletter, { ...options, clock, onClose: recordClose });
}
