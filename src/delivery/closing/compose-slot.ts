/**
 * Composes and closes editions, for the schedule and for the operator.
 */
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { recordClose } from '../../editions/draft/closing-alerts.ts';
import type { EditionSlot } from '../../editions/slot.ts';
import { cutoffOf, slotAtInstant, slotNamed } from '../../editions/slots.ts';
import { openTemplates } from '../../lib/templates.ts';
import { type CloseOutcome, composeAndClose } from './close.ts';

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
 * Composes and closes the edition of a scheduled slot, with the cut-off of `cutoffOf`.
 * @param slotAt epoch milliseconds
 * @throws SlotError where the newsletter has no slot at that instant
 */
export async function composeSlot(
  app: AppContext,
  newsletter: NewsletterConfig,
  slotAt: number,
): Promise<CloseOutcome> {
  const slot = await slotAtInstant(app, newsletter, slotAt);
  return compose(app, newsletter, { slot, cutoffAt: await cutoffOf(app, newsletter, slot) });
}

/**
 * Composes and closes the edition of a slot whose countdown has ended, with the cut-off of `cutoffOf`.
 * @param countdown the end of the countdown: the edition is closed only while it runs
 */
export async function composeAfterCountdown(
  app: AppContext,
  newsletter: NewsletterConfig,
  slot: EditionSlot,
  countdown: number,
): Promise<CloseOutcome> {
  return compose(app, newsletter, { slot, cutoffAt: await cutoffOf(app, newsletter, slot), countdown });
}

function compose(
  app: AppContext,
  newsletter: NewsletterConfig,
  options: { slot: EditionSlot; cutoffAt: number; countdown?: number },
): Promise<CloseOutcome> {
  const { store, config, clock } = app;
  // Read again each time (a few milliseconds a day), so that a broken template can be corrected while daywire runs.
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  return composeAndClose(store, config, templates, newsletter, { ...options, clock, onClose: recordClose });
}
