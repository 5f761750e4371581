/**
 * Sending an edition before its slot: its draft gets the instant at which it closes. Any process can clear that, until
 * the transaction that closes the edition has committed; a process that runs the schedule closes it.
 */
import { ActionableError } from '../../core/actions.ts';
import { raiseAlert } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { listProcesses } from '../../core/schedule/processes.ts';
import type { InTransaction } from '../../core/store/store.ts';
import { ALERT_LAPSE } from '../../editions/alert-newsletters/alert-limits.ts';
import { findClosingObstacle } from '../../editions/draft/closing.ts';
import { sendAlert } from '../../editions/draft/closing-alerts.ts';
import { clearCloseAt, listDueDrafts, setCloseAt } from '../../editions/draft/draft-store.ts';
import { type DraftTarget, targetName } from '../../editions/draft/draft-target.ts';
import { editionAction } from '../../editions/edition-action.ts';
import { findEdition, lastEdition } from '../../editions/queries.ts';
import { arrangeEdition } from '../../editions/selection/arrange.ts';
import { countStories } from '../../editions/selection/selection.ts';
import { comingSlot, cutoffOf } from '../../editions/slots.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { CLOCK_DIFFERENCE, formatDuration, HOUR, localDateTime, MINUTE, SECOND } from '../../lib/time.ts';
import { composeSlot } from './close.ts';

/** Why an edition cannot be sent, or why sending it cannot be cancelled, and what would be right. */
export class SendError extends ActionableError {
  override name = 'SendError';
}

/**
 * Lets an edition close after the newsletter's `undoSeconds`, unless it is being sent already.
 * @returns when it closes, epoch milliseconds
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
  const closeAt = await setCloseAt(store, newsletter.id, slot, now + newsletter.undoSeconds * SECOND, {
    ...{ editor, at: now, onCommit },
  });
  if (closeAt === null) throw closedError(target);
  const name = targetName(target);
  app.log.info(
    { edition: name, closeAt: localDateTime(closeAt, config.publication.zone) },
    'the edition is being sent',
  );
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
 * Leaves an edition that is being sent to its slot. Waits for a process that is closing it.
 * @throws SendError if it is closed, or is not being sent
 */
export async function cancelSending(
  app: AppContext,
  target: DraftTarget,
  editor: string,
  onCommit?: InTransaction,
): Promise<void> {
  const { newsletter, slot } = target;
  const name = targetName(target);
  if (await clearCloseAt(app.store.db, newsletter.id, slot.label, { editor, at: app.clock(), onCommit })) {
    app.log.info({ edition: name }, 'sending was cancelled');
    return;
  }
  if ((await findEdition(app.store.db, newsletter.id, slot.label)) === null) {
    throw new SendError(`${name} is not being sent: there is nothing to cancel`);
  }
  throw new SendError(`${name} is closed, too late to cancel`, [
    editionAction('pause', 'stop what is not submitted yet', name),
  ]);
}

/** Whether a running process closes what is sent. */
export async function isClosing({ store, clock }: AppContext): Promise<boolean> {
  const processes = await listProcesses(store.db, clock());
  return processes.some(({ isRunning, roles }) => isRunning && roles.includes('schedule'));
}

/** The longest `undoSeconds`, with what the clocks of two machines may differ. */
const LONGEST_UNDO = HOUR + CLOCK_DIFFERENCE;

/** Closes the editions that are due to be sent. One that cannot close is left to its slot, which raises an alert. */
export async function closeDueEditions(app: AppContext): Promise<void> {
  const { store, clock, log } = app;
  const now = clock();
  for (const draft of await listDueDrafts(store.db, now, now + LONGEST_UNDO)) {
    const reason = await closeDue(app, draft).catch(errorLine);
    const edition = `${draft.newsletter}/${draft.slot}`;
    if (reason === null) log.info({ edition }, 'an edition that was sent before its slot is closed');
    else if (await giveUp(app, draft, reason)) log.error({ edition, reason }, 'the edition was not sent');
  }
}

type DueDraft = Awaited<ReturnType<typeof listDueDrafts>>[number];

/** @returns why the edition was not closed; null if it was */
async function closeDue(app: AppContext, draft: DueDraft): Promise<string | null> {
  const { slot: label, slotAt, closeAt } = draft;
  const newsletter = app.config.newsletters.find(({ id }) => id === draft.newsletter);
  if (newsletter === undefined) return 'the newsletter is no longer configured';
  const missedBy = app.clock() - closeAt;
  if (missedBy < 0) return `it would close in ${formatDuration(-missedBy)}: the clock was set back`;
  const grace = newsletter.schedule === null ? ALERT_LAPSE : newsletter.schedule.graceMinutes * MINUTE;
  if (missedBy > grace) {
    const late = `it was to close ${formatDuration(missedBy)} ago, more than the grace period of`;
    return `${late} ${formatDuration(grace)}, while no daywire was running`;
  }
  const outcome = await composeSlot(app, newsletter, { label, slotAt }, closeAt);
  return outcome.kind === 'closed' ? null : outcome.reason;
}

/** @returns false if it has been closed or cancelled meanwhile */
function giveUp({ store, clock }: AppContext, draft: DueDraft, reason: string): Promise<boolean> {
  const { newsletter, slot, closeAt } = draft;
  const name = `${newsletter}/${slot}`;
  const now = clock();
  return store.db.transaction().execute(async (tx) => {
    if (!(await clearCloseAt(tx, newsletter, slot, { closeAt, editor: 'daywire', at: now }))) return false;
    const message = `The edition ${name} was not sent: ${reason}.`;
    await raiseAlert(tx, { ...sendAlert(newsletter), message, actions: [editionAction('send', 'send it', name)] }, now);
    return true;
  });
}
