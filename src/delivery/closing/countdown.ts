/**
 * Sending an edition by hand: a countdown that any process can cancel, until the transaction that closes the edition
 * has committed. The process that started it closes the edition, or any other that runs the schedule.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActionableError } from '../../core/actions.ts';
import { raiseAlert } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import type { InTransaction } from '../../core/store/store.ts';
import { ALERT_LAPSE } from '../../editions/alert-newsletters/alert-limits.ts';
import { findClosingObstacle } from '../../editions/draft/closing.ts';
import { sendAlert } from '../../editions/draft/closing-alerts.ts';
import { endCountdown, listDueCountdowns, readDraft, startCountdown } from '../../editions/draft/draft-store.ts';
import { type DraftTarget, targetName } from '../../editions/draft/draft-target.ts';
import { editionAction } from '../../editions/edition-action.ts';
import { findEdition, lastEdition } from '../../editions/queries.ts';
import { arrangeEdition } from '../../editions/selection/arrange.ts';
import { countStories } from '../../editions/selection/selection.ts';
import type { EditionSlot } from '../../editions/slot.ts';
import { comingSlot, cutoffOf } from '../../editions/slots.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { CLOCK_DIFFERENCE, formatDuration, HOUR, localDateTime, MINUTE, SECOND } from '../../lib/time.ts';
import { type CloseOutcome, composeAfterCountdown } from './close.ts';

/** The edition cannot be sent, or its countdown not be cancelled: why, and what would be right. */
export class SendError extends ActionableError {
  override name = 'SendError';
}

type SendOutcome =
  | Extract<CloseOutcome, { kind: 'closed' }>
  | { kind: 'cancelled' }
  /** The countdown ended without an edition, which raised an alert. */
  | { kind: 'lapsed'; reason: string };

/**
 * Starts the countdown of the newsletter's `undoSeconds`, unless one runs already.
 * @returns its end, epoch milliseconds
 * @throws SendError as `requireSendable`
 */
export async function startSending(
  app: AppContext,
  target: DraftTarget,
  editor: string,
  onCommit?: InTransaction,
): Promise<number> {
  const { store, config, clock } = app;
  const { newsletter, slot } = target;
  const now = clock();
  await requireSendable(app, target, now);
  const closeAt = await startCountdown(store, newsletter.id, slot, now + newsletter.undoSeconds * SECOND, {
    ...{ editor, at: now, onCommit },
  });
  if (closeAt === null) throw closedError(target);
  const name = targetName(target);
  app.log.info({ edition: name, closeAt: localDateTime(closeAt, config.publication.zone) }, 'countdown started');
  return closeAt;
}

/**
 * Checks whether the edition could be sent at `now`, epoch milliseconds.
 * @throws SendError if the edition is closed, is not the next one, must not close, or has too few stories
 */
export async function requireSendable(app: AppContext, target: DraftTarget, now: number): Promise<void> {
  const { store, config } = app;
  const { newsletter, slot } = target;
  const name = targetName(target);
  if ((await findEdition(store.db, newsletter.id, slot.label)) !== null) throw closedError(target);
  // A slip in the date would send the stories of today, and leave that day without an edition.
  const next = newsletter.schedule === null ? slot : await comingSlot(app, newsletter, now);
  if (slot.slotAt > next.slotAt) {
    throw new SendError(`${name} cannot be sent yet: ${newsletter.id}/${next.label} comes before it`);
  }
  const options = { slot, cutoffAt: await cutoffOf(app, newsletter, slot), now };
  const obstacle = await findClosingObstacle(store.db, config, newsletter, options);
  if (obstacle !== null) {
    if (obstacle.remedy === null) throw new SendError(`${name} cannot be sent: ${obstacle.reason}`);
    const to = obstacle.remedy === 'unhold' ? 'let it go first' : 'approve it first';
    throw new SendError(`${name} is ${obstacle.reason}`, [editionAction(obstacle.remedy, to, name)]);
  }
  const { plan } = (await arrangeEdition(store.db, config, newsletter, options)).loaded;
  const { minimumStories } = newsletter;
  if (countStories(plan) < minimumStories) {
    throw new SendError(`${name} has ${countStories(plan)} stories: ${newsletter.id} needs at least ${minimumStories}`);
  }
}

function closedError(target: DraftTarget): SendError {
  const name = targetName(target);
  return new SendError(`${name} is closed`, [editionAction('show', 'see it', name)]);
}

/** How long after an edition closed a second one is sent only by its name. */
const SENT_LATELY = HOUR;

/**
 * Refuses a slot that nobody named if the edition before it has just closed: the command was likely given twice.
 * @throws SendError that names both
 */
export async function refuseSecondSend({ store, clock }: AppContext, target: DraftTarget): Promise<void> {
  const { newsletter } = target;
  const last = await lastEdition(store.db, newsletter.id);
  const age = last === null ? Number.POSITIVE_INFINITY : clock() - last.closedAt;
  if (last === null || newsletter.schedule === null || age >= SENT_LATELY) return;
  const name = targetName(target);
  throw new SendError(
    `${newsletter.id}/${last.slot} closed ${formatDuration(age)} ago, and ${name} is another edition`,
    [editionAction('send', 'send that now, too', name)],
  );
}

/**
 * Cancels the countdown of an edition, in whichever process it runs. Waits for a process that is closing it.
 * @throws SendError if it is closed, or has no countdown
 */
export async function cancelSending(
  app: AppContext,
  target: DraftTarget,
  editor: string,
  onCommit?: InTransaction,
): Promise<void> {
  const { newsletter, slot } = target;
  const name = targetName(target);
  if (await endCountdown(app.store.db, newsletter.id, slot.label, { editor, at: app.clock(), onCommit })) {
    app.log.info({ edition: name }, 'countdown cancelled');
    return;
  }
  if ((await findEdition(app.store.db, newsletter.id, slot.label)) === null) {
    throw new SendError(`${name} is not being sent: there is nothing to cancel`);
  }
  throw new SendError(`${name} is closed, too late to cancel`, [
    editionAction('pause', 'stop what is not submitted yet', name),
  ]);
}

/** Longest delay until a countdown that another process cancelled is noticed. */
const LOOK_EVERY = SECOND / 2;

/**
 * Waits for the end of a countdown and closes the edition.
 * @param options.signal cancels the countdown when it is aborted
 */
export async function awaitCountdown(
  app: AppContext,
  target: DraftTarget,
  closeAt: number,
  { editor, signal }: { editor: string; signal: AbortSignal },
): Promise<SendOutcome> {
  const { store, clock } = app;
  const { newsletter, slot } = target;
  for (;;) {
    const author = { editor, at: clock() };
    if (signal.aborted && (await endCountdown(store.db, newsletter.id, slot.label, { closeAt, ...author }))) {
      return { kind: 'cancelled' };
    }
    const draft = await readDraft(store.db, newsletter.id, slot);
    // Also where another process has closed or cancelled it: `closeCountdown` finds out which.
    if (clock() >= closeAt || draft.closeAt !== closeAt) return closeCountdown(app, newsletter, slot, closeAt);
    await sleep(Math.min(LOOK_EVERY, closeAt - clock()), undefined, { signal }).catch(() => {});
  }
}

/** The longest `undoSeconds`, with what the clocks of two machines may differ. */
const LONGEST_COUNTDOWN = HOUR + CLOCK_DIFFERENCE;

/**
 * Closes the editions whose countdown has ended. One whose end was missed by more than the grace period lapses, and so
 * does one whose end is far away since the clock was set back.
 */
export async function closeDueCountdowns(app: AppContext): Promise<void> {
  const { store, config, clock, log } = app;
  for (const draft of await listDueCountdowns(store.db, clock(), LONGEST_COUNTDOWN)) {
    const { slot: label, slotAt, closeAt } = draft;
    if (closeAt === null) continue;
    const newsletter = config.newsletters.find(({ id }) => id === draft.newsletter);
    if (newsletter === undefined) {
      await lapse(app, draft.newsletter, { label, slotAt }, closeAt, 'the newsletter is no longer configured');
      continue;
    }
    const outcome = await closeCountdown(app, newsletter, { label, slotAt }, closeAt);
    log.info({ edition: `${newsletter.id}/${label}`, outcome: outcome.kind }, 'countdown ended');
  }
}

async function closeCountdown(
  app: AppContext,
  newsletter: NewsletterConfig,
  slot: EditionSlot,
  closeAt: number,
): Promise<SendOutcome> {
  const missedBy = app.clock() - closeAt;
  if (-missedBy > LONGEST_COUNTDOWN) {
    const reason = `its countdown would end in ${formatDuration(-missedBy)}: the clock was set back`;
    return (await lapse(app, newsletter.id, slot, closeAt, reason)) ?? { kind: 'cancelled' };
  }
  const graceMinutes = newsletter.schedule?.graceMinutes ?? ALERT_LAPSE / MINUTE;
  if (missedBy > graceMinutes * MINUTE) {
    const grace = formatDuration(graceMinutes * MINUTE);
    const late = `its countdown ended ${formatDuration(missedBy)} ago, more than the grace period of ${grace}`;
    const lapsed = await lapse(app, newsletter.id, slot, closeAt, `${late}, while no daywire was running`);
    if (lapsed !== null) return lapsed;
    // Another process has closed or cancelled it meanwhile, which composing finds out.
  }
  let reason: string;
  try {
    const outcome = await composeAfterCountdown(app, newsletter, slot, closeAt);
    if (outcome.kind === 'closed') return outcome;
    if (outcome.kind === 'cancelled') return { kind: 'cancelled' };
    ({ reason } = outcome);
  } catch (error) {
    reason = errorLine(error);
  }
  return (await lapse(app, newsletter.id, slot, closeAt, reason)) ?? { kind: 'cancelled' };
}

/** Ends a countdown without an edition, and raises an alert. @returns null if the countdown no longer runs */
async function lapse(
  { store, clock, log }: AppContext,
  newsletter: string,
  slot: EditionSlot,
  closeAt: number,
  reason: string,
): Promise<SendOutcome | null> {
  const now = clock();
  const name = `${newsletter}/${slot.label}`;
  const hasLapsed = await store.db.transaction().execute(async (tx) => {
    const author = { editor: 'daywire', at: now };
    if (!(await endCountdown(tx, newsletter, slot.label, { closeAt, ...author }))) return false;
    const message = `The edition ${name} was not sent: ${reason}.`;
    const actions = [editionAction('send', 'send it', name)];
    await raiseAlert(tx, { ...sendAlert(newsletter), message, actions }, now);
    return true;
  });
  if (!hasLapsed) return null;
  log.error({ edition: name, reason }, 'the edition was not sent');
  return { kind: 'lapsed', reason };
}
