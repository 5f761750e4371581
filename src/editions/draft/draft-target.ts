/** The slot whose draft an editor means, and its edition if that is closed. */
import type { Action } from '../../core/actions.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import { findRun, isOpenRun } from '../../core/schedule/run-ledger.ts';
import { MINUTE } from '../../lib/time.ts';
import { ALERT_LAPSE } from '../alert-newsletters/alert-limits.ts';
import { type Edition, findEdition } from '../queries.ts';
import { type EditionSlot, newsletterJobId } from '../slot.ts';
import { comingSlot, slotLabelled } from '../slots.ts';

export interface DraftTarget {
  newsletter: NewsletterConfig;
  slot: EditionSlot;
  /** Null while the slot has no edition. */
  edition: Edition | null;
}

/**
 * Finds the slot of a draft.
 * @param label such as `2026-11-24`; default: the slot that waits for an editor, or else the next one of the schedule
 * @throws SlotError where the newsletter has no such slot
 */
export async function findDraftTarget(
  app: AppContext,
  newsletter: NewsletterConfig,
  label?: string,
): Promise<DraftTarget> {
  // Also for a slot that is no longer in the schedule, or never was: a closed edition can be reissued.
  const closed = label === undefined ? null : await findEdition(app.store.db, newsletter.id, label);
  if (closed !== null) {
    return { newsletter, slot: { label: closed.slot, slotAt: closed.slotAt }, edition: closed };
  }
  const now = app.clock();
  const slot =
    label === undefined ? await comingSlot(app, newsletter, now) : await slotLabelled(app, newsletter, now, label);
  return { newsletter, slot, edition: await findEdition(app.store.db, newsletter.id, slot.label) };
}

/** `daily-roundup/2026-11-24`, as commands name it. */
export function targetName({ newsletter, slot }: DraftTarget): string {
  return `${newsletter.id}/${slot.label}`;
}

/** Why the edition of a slot no longer closes by itself, and what would close it. */
export interface EndedDraft {
  problem: string;
  actions: Action[];
}

/**
 * How the slot has ended without an edition; null if one may close by itself, or is closed.
 * An editor's decisions about such a slot have no effect, except that its drops still keep stories out.
 */
export async function describeEndedSlot(
  app: Pick<AppContext, 'store' | 'clock'>,
  target: DraftTarget,
): Promise<EndedDraft | null> {
  const { newsletter, slot, edition } = target;
  const now = app.clock();
  if (edition !== null || slot.slotAt > now) return null;
  const { graceMinutes } = newsletter.schedule ?? { graceMinutes: ALERT_LAPSE / MINUTE };
  const run = await findRun(app.store.db, newsletterJobId(newsletter.id), slot.slotAt);
  if (run === null ? now < slot.slotAt + graceMinutes * MINUTE : isOpenRun(run)) return null;
  const how = run === null ? '' : ` (${run.state}${run.reason === null ? '' : `: ${run.reason}`})`;
  const remedy =
    newsletter.kind === 'alert'
      ? { to: 'send the article', command: `alert ARTICLE --newsletter ${newsletter.id}`, desk: null }
      : { to: 'close its edition', command: `compose ${newsletter.id} --slot ${slot.label}`, desk: null };
  const problem = `the slot ${targetName(target)} is over${how}, and its edition does not close by itself`;
  return { problem, actions: [remedy] };
}

/** What an address names: a newsletter and the label of a slot. */
export interface NamedSlot {
  newsletter: Pick<DraftTarget['newsletter'], 'id'>;
  slot: Pick<DraftTarget['slot'], 'label'>;
}

/** The page on which editors work. */
export function draftPath(target: NamedSlot): string {
  return `${closedPath(target)}/draft`;
}

/** The whole log of the draft. */
export function logPath(target: NamedSlot): string {
  return `${draftPath(target)}/log`;
}

/** The page of the closed edition. */
export function closedPath({ newsletter, slot }: NamedSlot): string {
  return `/editions/${encodeURIComponent(newsletter.id)}/${encodeURIComponent(slot.label)}`;
}

/** Leads to the page of the newsletter's coming slot. */
export function nextPath(newsletter: string): string {
  return `/editions/${encodeURIComponent(newsletter)}/next`;
}

/** The topic that changes with the decisions about an edition. */
export function draftTopic({ newsletter, slot }: NamedSlot): string {
  return `draft:${newsletter.id}/${slot.label}`;
}

/** Changes with the topic. @param state its kind */
export function draftVersion(revision: number, state: string, closeAt: number | null): string {
  return `${revision} ${state} ${closeAt}`;
}
