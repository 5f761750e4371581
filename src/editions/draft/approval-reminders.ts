/**
 * Reminders of editions that must be approved before their slot: alerts that are resolved on approval, or when the slot
 * has ended.
 */
import { type AlertId, type AlertSubject, alertKey } from '../../core/alerts/alert-kind.ts';
import { listOpenAlerts, type RaisedAlert, raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { type NewsletterConfig, scheduleZone } from '../../core/config/config.ts';
import { nextSlot } from '../../core/schedule/slots.ts';
import { localDateTime, MINUTE } from '../../lib/time.ts';
import { findClosingObstacle } from '../closing-obstacle.ts';
import { editionAction } from '../edition-action.ts';
import { findEdition } from '../queries.ts';
import type { EditionSlot } from '../slot.ts';
import { cutoffOf, slotAtInstant, waitingSlot } from '../slots.ts';

/** Minutes before the slot, ascending. */
const REMINDERS = [15, 60] as const;

const KIND = 'approval-reminder';

/** The reminder that is due before a slot, in minutes; null if none is. */
export function dueReminder(slotAt: number, now: number): number | null {
  if (now >= slotAt) return null;
  return REMINDERS.find((minutes) => slotAt - now <= minutes * MINUTE) ?? null;
}

/**
 * Raises the reminders that are due, and resolves those of slots that are approved or have ended.
 * @throws the error of the first newsletter whose slots could not be read, after all others were reminded of
 */
export async function remindOfApprovals(app: AppContext): Promise<void> {
  const { store, config, clock } = app;
  const now = clock();
  const open = await listOpenAlerts(store.db, KIND);
  const kept = new Set<string>();
  const keep = (of: AlertSubject): void => {
    const isOf = ({ subject }: AlertId) => Object.entries(of).every(([name, value]) => subject[name] === value);
    for (const alert of open.filter(isOf)) kept.add(alertKey(alert));
  };
  const failures: unknown[] = [];
  for (const newsletter of config.newsletters) {
    if (newsletter.approval !== 'required') continue;
    try {
      for (const slot of await slotsToApprove(app, newsletter, now)) {
        const about = { newsletter: newsletter.id, slot: slot.label };
        keep(about);
        const minutes = dueReminder(slot.slotAt, now);
        if (minutes === null) continue;
        const alert = { kind: KIND, subject: { ...about, minutes } };
        if (kept.has(alertKey(alert))) continue;
        kept.add(alertKey(alert));
        await raiseAlert(store.db, { ...alert, ...reminder(config.publication.zone, newsletter, slot) }, now);
      }
    } catch (error) {
      keep({ newsletter: newsletter.id });
      failures.push(error);
    }
  }
  await resolveAlerts(
    store.db,
    open.filter((alert) => !kept.has(alertKey(alert))),
    now,
  );
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

function reminder(
  zone: string,
  { id }: NewsletterConfig,
  { label, slotAt }: EditionSlot,
): Pick<RaisedAlert, 'message' | 'actions'> {
  const name = `${id}/${label}`;
  return {
    message: `The edition ${name} is not approved, and its slot is at ${localDateTime(slotAt, zone)} (${zone}).`,
    actions: [editionAction('show', 'see it', name), editionAction('approve', 'approve it', name)],
  };
}
