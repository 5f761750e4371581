/**
 * What keeps an edition from closing, by the state of its draft and the limits of alerts. The schedule lets a slot wait
 * for that long, at most until its grace period is over.
 */
import { type Config, type NewsletterConfig, scheduleZone } from '../../core/config/config.ts';
import { waitsUntil } from '../../core/schedule/decide.ts';
import type { Run } from '../../core/schedule/run-ledger.ts';
import type { Db } from '../../core/store/store.ts';
import {
  alertEditionDeadline,
  type ClosingObstacle,
  findAlertEditionObstacle,
} from '../alert-newsletters/alert-limits.ts';
import { type ArrangementOptions, arrangeEdition } from '../selection/arrange.ts';
import type { EditionSlot } from '../slot.ts';
import type { Draft, DraftState } from './decisions.ts';
import { readDraft } from './draft-store.ts';

/**
 * Why an edition must not close yet, by its state; null if it may. An approval that is void counts as none. Pure.
 * @param voided why the approval of an approved draft is void, or null
 */
export function closingObstacle(
  state: DraftState,
  approval: 'auto' | 'required',
  voided: string | null,
): ClosingObstacle | null {
  if (state.kind === 'held') {
    const reason = state.reason === null ? `held by ${state.by}` : `held by ${state.by}: ${state.reason}`;
    return { remedy: 'unhold', reason };
  }
  if (approval === 'auto' || state.kind === 'closed') return null;
  if (state.kind !== 'approved') return { remedy: 'approve', reason: 'not approved' };
  if (voided === null) return null;
  return { remedy: 'approve', reason: `not approved: the approval by ${state.by} is void: ${voided}` };
}

/**
 * Why the edition of an open draft must not close at `now`; null if it may.
 * @param options.voided as for `closingObstacle`
 * @param options.dueAt it may only close if an editor lets it close then; default: also by its schedule
 */
export async function findObstacle(
  db: Db,
  config: Pick<Config, 'publication'>,
  newsletter: NewsletterConfig,
  { state, slotAt, closeAt }: Pick<Draft, 'state' | 'slotAt' | 'closeAt'>,
  { voided, now, dueAt }: { voided: string | null; now: number; dueAt?: number | undefined },
): Promise<ClosingObstacle | null> {
  if (dueAt !== undefined && closeAt !== dueAt) return { remedy: null, reason: 'cancelled' };
  const obstacle = closingObstacle(state, newsletter.approval, voided);
  if (obstacle !== null || newsletter.kind !== 'alert' || state.kind === 'closed') return obstacle;
  return findAlertEditionObstacle(db, config, newsletter, { slotAt, closeAt, now });
}

/** Why the edition of a slot must not close at `now`; null if it may, or is closed. Renders nothing. */
export async function findClosingObstacle(
  db: Db,
  config: Config,
  newsletter: NewsletterConfig,
  options: Pick<ArrangementOptions, 'slot' | 'cutoffAt' | 'now'>,
): Promise<ClosingObstacle | null> {
  const { slot, now } = options;
  const draft = await readDraft(db, newsletter.id, slot);
  const isVoidable = draft.state.kind === 'approved' && newsletter.approval === 'required';
  const arranged = isVoidable ? await arrangeEdition(db, config, newsletter, options) : null;
  return findObstacle(db, config, newsletter, draft, { voided: arranged?.approval?.voided ?? null, now });
}

/**
 * When the slot of an open draft is skipped, epoch milliseconds; null while it does not wait.
 * @param run of the slot
 */
export function endOfWaiting(
  { publication }: Pick<Config, 'publication'>,
  { schedule }: NewsletterConfig,
  { slotAt }: EditionSlot,
  closeAt: number | null,
  run: Run | null,
): number | null {
  if (schedule === null) return alertEditionDeadline(slotAt, closeAt);
  if (run?.state !== 'waiting') return null;
  const { cron, graceMinutes } = schedule;
  return waitsUntil(
    { schedule: { cron, graceMinutes, zone: scheduleZone(schedule, publication) }, coalesce: false },
    slotAt,
  );
}
