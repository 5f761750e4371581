/**
 * Reminders of editions that must be approved before their slot: alerts that are resolved on approval, or when the slot
 * has ended.
 */
import { type RaisedAlert, syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { type NewsletterConfig, scheduleZone } from '../../core/config/config.ts';
import { nextSlot } from '../../core/schedule/slots.ts';
import { localDateTime, MINUTE } from '../../lib/time.ts';
import { editionAction } from '../edition-action.ts';
import { findEdition } from '../queries.ts';
import type { EditionSlot } from '../slot.ts';
import { cutoffOf, slotAtInstant, waitingSlot } from '../slots.ts';
import { findClosingObstacle } from './closing.ts';

/** Minutes before the slot, ascending. */
const REMINDERS = [15, 60] as const;

const KIND = 'approval-reminder';

/** The reminder that is due of a slot, in minutes; null if none is. The last one stays while the slot waits. */
export function dueReminder(slotAt: number, now: number): number | null {
  return REMINDERS.find((minutes) => slotAt - now <= minutes * MINUTE) ?? null;
}

/**
 * Raises the reminders that are due, and resolves those of slots that are approved or have ended.
 * @throws the error of the first newsletter whose slots could not be read, after all others were reminded of
 */
export async function remindOfApprovals(app: AppContext): Promise<void> {
  const { store, config, clock } = app;
  const now = clock();
  const failures: unknown[] = [];
  for (const newsletter of config.newsletters) {
    try {
      const slots = newsletter.approval === 'required' ? await slotsToApprove(app, newsletter, now) : [];
      const due = slots.map((slot) => reminder(config.publication.zone, newsletter, slot, now));
      await syncAlerts(store.db, KIND, due, now, (subject) => subject.newsletter === newsletter.id);
    } catch (error) {
      failures.push(error);
    }
  }
  const isKnown = (id: unknown): boolean => config.newsletters.some((newsletter) => newsletter.id === id);
  await syncAlerts(store.db, KIND, [], now, (subject) => !isKnown(subject.newsletter));
  if (failures.length > 0) throw failures[0];
}

/** The slots that come within the hour, or that wait, and whose edition is not approved. */
async function slotsToApprove(app: AppContext, newsletter: NewsletterConfig, now: number): Promise<EditionSlot[]> {
  const { store, config } = app;
  const { schedule } = newsletter;
  // An alert waits from the moment at which it is made.
  if (schedule === null) return [];
  const waiting = await waitingSlot(app, newsletter);
  const next = nextSlot(schedule.cron, scheduleZone(schedule, config.publication), now);
  const isClose = next !== null && dueReminder(next, now) !== null;
  const slots = [
    ...(waiting === null ? [] : [waiting]),
    ...(isClose ? [await slotAtInstant(app, newsletter, next)] : []),
  ];
  const unapproved: EditionSlot[] = [];
  for (const slot of slots) {
    if ((await findEdition(store.db, newsletter.id, slot.label)) !== null) continue;
    const cutoffAt = await cutoffOf(app, newsletter, slot);
    const options = { slot, cutoffAt, now: Math.max(now, slot.slotAt) };
    if ((await findClosingObstacle(store.db, config, newsletter, options)) !== null) unapproved.push(slot);
  }
  return unapproved;
}

function reminder(zone: string, { id }: NewsletterConfig, { label, slotAt }: EditionSlot, now: number): RaisedAlert {
  const name = `${id}/${label}`;
  return {
    ...{ kind: KIND, subject: { newsletter: id, slot: label, minutes: dueReminder(slotAt, now) ?? 0 } },
    message: `The edition ${name} is not approved, and its slot is at ${localDateTime(slotAt, zone)} (${zone}).`,
    actions: [editionAction('show', 'see it', name), editionAction('approve', 'approve it', name)],
  };
}
