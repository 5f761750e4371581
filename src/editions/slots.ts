/** Finds the slots of a newsletter: by instant, by label, the coming and the waiting one. */
import { Temporal } from 'temporal-polyfill';
import { ActionableError } from '../core/actions.ts';
import type { AppContext } from '../core/app-context.ts';
import { type NewsletterConfig, scheduleZone } from '../core/config/config.ts';
import { readScheduleState } from '../core/schedule/run-ledger.ts';
import { nextSlot, slotsBetween } from '../core/schedule/slots.ts';
import { localDate, rfc3339 } from '../lib/time.ts';
import { listOpenAlertDrafts } from './alert-newsletters/alert-drafts.ts';
import { findDraftSlots, lastCommandAt } from './draft/draft-store.ts';
import { findEdition } from './queries.ts';
import { type EditionSlot, editionSlot, newsletterJobId } from './slot.ts';

/** The newsletter's schedule has no such slot. */
export class SlotError extends ActionableError {
  override name = 'SlotError';
}

/**
 * The slot at an instant, epoch milliseconds.
 * @throws SlotError where the newsletter has none
 */
export async function slotAtInstant(
  app: AppContext,
  newsletter: NewsletterConfig,
  slotAt: number,
): Promise<EditionSlot> {
  const slot = await findSlotAt(app, newsletter, slotAt);
  if (slot === null) throw new SlotError(`${newsletter.id} has no slot at ${rfc3339(slotAt)}`);
  return slot;
}

async function findSlotAt(app: AppContext, newsletter: NewsletterConfig, slotAt: number): Promise<EditionSlot | null> {
  const day = localDate(slotAt, app.config.publication.zone);
  return (await slotsOfDay(app, newsletter, day)).find((one) => one.slotAt === slotAt) ?? null;
}

/**
 * The slot with that label; without a label, the one that waits for an editor, or else the first one of today that has
 * no edition, or else the last one of today.
 * @throws SlotError where the newsletter has no such slot, or it is on a later day
 */
export async function slotNamed(
  app: AppContext,
  newsletter: NewsletterConfig,
  now: number,
  label?: string,
): Promise<EditionSlot> {
  const { zone } = app.config.publication;
  const today = localDate(now, zone);
  if (label === undefined) {
    // It can be of yesterday.
    const waiting = await waitingSlot(app, newsletter);
    if (waiting !== null) return waiting;
    const slots = await slotsOfDay(app, newsletter, today);
    for (const slot of slots) {
      if ((await findEdition(app.store.db, newsletter.id, slot.label)) === null) return slot;
    }
    return slots.at(-1) ?? (newsletter.kind === 'alert' ? noAlert(newsletter) : editionSlot(now, zone, false));
  }
  if ((dateOf(label) ?? today) > today) {
    throw new SlotError(`${newsletter.id} has no slot ${label} yet: today is ${today}`);
  }
  return slotLabelled(app, newsletter, now, label);
}

/**
 * The slot that is composed next: the one that waits for an editor, or else, by the schedule, the first one after `now`
 * that has no edition. A newsletter whose schedule has no such slot is composed by hand, on the present day. Of alerts,
 * which have no schedule, it is the newest open one.
 * @throws SlotError if no alert is open
 */
export async function comingSlot(app: AppContext, newsletter: NewsletterConfig, now: number): Promise<EditionSlot> {
  const { schedule } = newsletter;
  if (schedule === null) {
    const alerts = await listOpenAlertDrafts(app.store.db, newsletter.id, now);
    return alerts.at(-1)?.slot ?? noAlert(newsletter);
  }
  const waiting = await waitingSlot(app, newsletter);
  if (waiting !== null) return waiting;
  return (await nextOpenSlot(app, newsletter, now)) ?? editionSlot(now, app.config.publication.zone, false);
}

/** The first slot of the schedule after `now` whose edition has not been sent early; null where there is none. */
export async function nextOpenSlot(
  app: AppContext,
  newsletter: NewsletterConfig,
  now: number,
): Promise<EditionSlot | null> {
  const { schedule } = newsletter;
  if (schedule === null) return null;
  const zone = scheduleZone(schedule, app.config.publication);
  for (
    let slotAt = nextSlot(schedule.cron, zone, now);
    slotAt !== null;
    slotAt = nextSlot(schedule.cron, zone, slotAt)
  ) {
    const slot = await slotAtInstant(app, newsletter, slotAt);
    if ((await findEdition(app.store.db, newsletter.id, slot.label)) === null) return slot;
  }
  return null;
}

/**
 * The slot that has come and waits for an editor, or null. Several alerts can wait: none is the slot. Nor is one that a
 * changed schedule no longer has: its run ends with the next start of daywire.
 */
export async function waitingSlot(app: AppContext, newsletter: NewsletterConfig): Promise<EditionSlot | null> {
  if (newsletter.kind === 'alert') return null;
  const { open } = await readScheduleState(app.store.db, newsletterJobId(newsletter.id));
  const run = open.findLast(({ state }) => state === 'waiting');
  return run === undefined ? null : findSlotAt(app, newsletter, run.slotAt);
}

/** The slot with that label, on any day; null if the newsletter has none. */
export async function findSlot(
  app: Pick<AppContext, 'config' | 'store'>,
  newsletter: NewsletterConfig,
  label: string,
): Promise<EditionSlot | null> {
  const day = dateOf(label);
  const slots = day === null ? [] : await slotsOfDay(app, newsletter, day);
  return slots.find((slot) => slot.label === label) ?? null;
}

/**
 * The slot with that label, on any day.
 * @throws SlotError where the newsletter has no such slot
 */
export async function slotLabelled(
  app: AppContext,
  newsletter: NewsletterConfig,
  now: number,
  label: string,
): Promise<EditionSlot> {
  const day = dateOf(label);
  if (day === null) {
    const today = localDate(now, app.config.publication.zone);
    throw new SlotError(`${newsletter.id} has no slot ${label}: a slot begins with its date, as ${today}`);
  }
  const named = await findSlot(app, newsletter, label);
  if (named !== null) return named;
  const slots = await slotsOfDay(app, newsletter, day);
  const existing = slots.length === 0 ? 'none on that day' : slots.map((slot) => slot.label).join(', ');
  throw new SlotError(`${newsletter.id} has no slot ${label}: it has ${existing}`);
}

/**
 * The cut-off of an edition that closes by its schedule, or was sent: the slot's own instant, however late it is, so
 * that a slot always selects the same articles. While an editor works on it after its slot, it is the instant of the
 * last command: what the editor saw can be in it.
 */
export async function cutoffOf({ store }: AppContext, { id }: NewsletterConfig, slot: EditionSlot): Promise<number> {
  return Math.max(slot.slotAt, (await lastCommandAt(store.db, id, slot.label)) ?? slot.slotAt);
}

/** The date that a slot's label begins with, or null. */
function dateOf(label: string): string | null {
  const date = /^\d{4}-\d\d-\d\d/.exec(label)?.[0] ?? '';
  try {
    return Temporal.PlainDate.from(date).toString();
  } catch {
    return null;
  }
}

function noAlert({ id }: NewsletterConfig): never {
  throw new SlotError(`${id} has no open alert`, [
    { to: 'make one', command: `alert ARTICLE --newsletter ${id}`, desk: null },
  ]);
}

/**
 * A newsletter's slots on a date of the publication's calendar, in order: those of the schedule, or of its alerts. A
 * slot keeps the label under which editors have worked on it, even if its day has more or fewer slots since.
 */
async function slotsOfDay(
  app: Pick<AppContext, 'config' | 'store'>,
  newsletter: NewsletterConfig,
  day: string,
): Promise<EditionSlot[]> {
  const { publication } = app.config;
  const { schedule } = newsletter;
  const drafts = await findDraftSlots(app.store.db, newsletter.id, day);
  if (schedule === null) return drafts;
  const date = Temporal.PlainDate.from(day);
  const startOf = (d: Temporal.PlainDate): number => d.toZonedDateTime(publication.zone).epochMilliseconds;
  const instants = slotsBetween(
    schedule.cron,
    scheduleZone(schedule, publication),
    startOf(date) - 1,
    startOf(date.add({ days: 1 })) - 1,
  );
  return instants.map(
    (at) => drafts.find(({ slotAt }) => slotAt === at) ?? editionSlot(at, publication.zone, instants.length > 1),
  );
}
