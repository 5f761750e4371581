/**
 * The operator's commands on editions and the queue: each changes the state by edition-control.ts and its neighbours,
 * and resolves the alerts that it settles.
 */
import type { Action } from '../../core/actions.ts';
import { resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import { type InTransaction, inTransaction } from '../../core/store/store.ts';
import { editionAction } from '../../editions/edition-action.ts';
import type { EditionSummary } from '../../editions/queries.ts';
import { HOUR } from '../../lib/time.ts';
import { DELIVERY_STOPPED, pauseAlert, retractionAlert, undeliveredAlert } from '../alerts.ts';
import { updateUncertainAlert, updateWaitingAlerts } from '../monitor/waiting-alerts.ts';
import { endRateAlerts } from '../rates/rate-alerts.ts';
import {
  cancelEdition,
  DeliveryControlError,
  isPaused,
  releaseQueue,
  resumeEdition,
  settleDeliveries,
} from './edition-control.ts';
import {
  countExpiredPending,
  extendDeliveries,
  type ReopenableKind,
  type ReopenResult,
  reopenDeliveries,
} from './reopen.ts';

type EditionKey = Pick<EditionSummary, 'id' | 'newsletter' | 'slot'>;

interface ResumeRequest {
  /** Milliseconds from now, before which none of the deliveries expires. */
  extendBy?: number | undefined;
  /** Whether deliveries that have expired during the pause may fail. */
  expire?: boolean | undefined;
  /** Called in the transaction that resumes, if anything is changed. */
  onCommit?: InTransaction | undefined;
}

export interface ResumeResult {
  /** Number of deliveries that were extended. */
  extended: number;
  /** Whether the edition was paused before. */
  wasPaused: boolean;
}

/**
 * Resumes a paused edition, and resolves the alerts about it.
 * @throws DeliveryControlError if it cannot be resumed, or if deliveries would fail at once
 */
export async function resume(
  app: AppContext,
  edition: EditionKey,
  { extendBy, expire = false, onCommit }: ResumeRequest = {},
): Promise<ResumeResult> {
  const { store, clock } = app;
  const { id } = edition;
  const wasPaused = await isPaused(store.db, id);
  let extended = 0;
  if (extendBy !== undefined) {
    extended = await extendDeliveries(store, id, clock() + checkedExtension(app, edition, extendBy));
  } else if (!expire) await rejectExpired(app, edition);
  await inTransaction(store.db, async (tx) => {
    const isResumed = await resumeEdition(tx, id);
    if (isResumed || extended > 0) await onCommit?.(tx);
  });
  await resolveAlerts(store.db, [pauseAlert(id), retractionAlert(id)], clock());
  await endRateAlerts(store.db, id, clock());
  return { extended, wasPaused };
}

async function rejectExpired(app: AppContext, edition: EditionKey): Promise<void> {
  const { store, clock } = app;
  const expired = await countExpiredPending(store.reports, edition.id, clock());
  if (expired === 0) return;
  const name = `${edition.newsletter}/${edition.slot}`;
  const hours = Math.min(SUGGESTED_HOURS, findNewsletter(app, edition)?.expireAfterHours ?? SUGGESTED_HOURS);
  const what = expired === 1 ? '1 pending delivery has' : `${expired} pending deliveries have`;
  throw new ExpiredDeliveriesError(
    `${what} expired and would fail at once`,
    [
      editionAction('resume', 'extend them', name, { options: `--extend ${hours}h` }),
      editionAction('resume', 'let them fail', name, { options: '--expire' }),
    ],
    expired,
    hours,
  );
}

/** An edition cannot be resumed before somebody decides on its deliveries that have expired. */
export class ExpiredDeliveriesError extends DeliveryControlError {
  override name = 'ExpiredDeliveriesError';
  readonly expired: number;
  /** A sensible extension. */
  readonly suggestedHours: number;

  constructor(problem: string, actions: readonly Action[], expired: number, suggestedHours: number) {
    super(problem, actions);
    this.expired = expired;
    this.suggestedHours = suggestedHours;
  }
}

const SUGGESTED_HOURS = 12;

/** The date in a message's header is its expiry minus `expireAfterHours`, and must not be in the future. */
function checkedExtension(app: AppContext, edition: EditionKey, extendBy: number): number {
  const limit = findNewsletter(app, edition)?.expireAfterHours;
  if (limit === undefined || extendBy <= limit * HOUR) return extendBy;
  throw new DeliveryControlError(
    `an extension must be at most ${limit} h, the expireAfterHours of ${edition.newsletter}`,
  );
}

/**
 * Makes deliveries of an edition pending again that have ended without being submitted, and resolves the alert about
 * them.
 * @param request.extendBy milliseconds from now, before which none of them expires; default: `expireAfterHours`
 * @throws DeliveryControlError if the edition is cancelled, or its newsletter is not configured
 */
export async function retry(
  app: AppContext,
  edition: EditionKey,
  request: {
    kinds: readonly ReopenableKind[];
    /** Only at this mailbox provider. */
    provider?: string | undefined;
    extendBy?: number | undefined;
    isDryRun: boolean;
    /** Called in the first transaction that changes deliveries. */
    onCommit?: InTransaction | undefined;
  },
): Promise<ReopenResult> {
  const { store, clock } = app;
  const { kinds, provider, isDryRun, onCommit } = request;
  const { expireAfterHours } = requireNewsletter(app, edition);
  const { extendBy = expireAfterHours * HOUR } = request;
  const now = clock();
  const expiresAt = now + checkedExtension(app, edition, extendBy);
  const result = await reopenDeliveries(store, edition.id, { kinds, provider, expiresAt, isDryRun }, now, onCommit);
  // Raised again when the edition is done, if too many fail again. If nobody who failed may be mailed, nothing is left
  // to do about it.
  const isAll = provider === undefined && kinds.includes('failed') && kinds.includes('expired');
  if (!isDryRun && (result.reopened > 0 || isAll)) {
    await resolveAlerts(store.db, [undeliveredAlert(edition.id)], now);
  }
  return result;
}

/** Settles uncertain deliveries; see `settleDeliveries`. Resolves the alert if none is left. */
export async function settle(
  app: AppContext,
  which: { editionId: number; subscriberId?: number },
  as: 'submitted' | 'retry',
  onCommit?: InTransaction,
): Promise<{ settled: number; inProgress: number; until: number | null }> {
  const result = await settleDeliveries(app.store.db, which, as, app.clock(), onCommit);
  await updateUncertainAlert(app);
  return result;
}

/**
 * Cancels an edition, and resolves the alerts about what waited.
 * @returns the number of deliveries that were pending
 * @throws DeliveryControlError
 */
export async function cancel(
  app: AppContext,
  editionId: number,
  reason: string,
  onCommit?: InTransaction,
): Promise<number> {
  const { store, clock } = app;
  const cancelled = await cancelEdition(store, editionId, reason, clock(), onCommit);
  await resolveAlerts(store.db, [pauseAlert(editionId), retractionAlert(editionId)], clock());
  await endRateAlerts(store.db, editionId, clock());
  await updateWaitingAlerts(app);
  return cancelled;
}

/** Releases the held queue, and resolves the alert about stopped delivery. @returns false if it was not held */
export async function release({ store, clock }: AppContext, onCommit?: InTransaction): Promise<boolean> {
  const released = await releaseQueue(store.db, onCommit);
  // A queue that was not held had stopped for another reason, which releasing it does not remove.
  if (released) await resolveAlerts(store.db, [DELIVERY_STOPPED], clock());
  return released;
}

/** @throws DeliveryControlError if the newsletter of an edition is no longer configured */
export function requireNewsletter(app: AppContext, edition: EditionKey): NewsletterConfig {
  const newsletter = findNewsletter(app, edition);
  if (newsletter !== undefined) return newsletter;
  throw new DeliveryControlError(
    `the newsletter ${edition.newsletter} is not configured, so nothing of it is delivered: configure it again first`,
  );
}

function findNewsletter({ config }: AppContext, { newsletter }: EditionKey): NewsletterConfig | undefined {
  return config.newsletters.find((one) => one.id === newsletter);
}
