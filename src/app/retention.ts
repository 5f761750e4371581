/**
 * Deletes old rows, or folds them into totals.
 */

import { deleteEndedSessions } from '../accounts/retention.ts';
import { deleteOldUploads } from '../audience/csv/uploaded-imports.ts';
import { foldGrowth } from '../audience/growth.ts';
import { resolveSignupAlert } from '../audience/pages/signup-alert.ts';
import {
  deleteClientAddresses,
  deleteLeavers,
  deleteSuppressedUnconfirmed,
  deleteUnconfirmed,
} from '../audience/retention.ts';
import { deleteOldUnsubscribeKeys } from '../audience/unsubscribe-keys.ts';
import { resolveAlerts } from '../core/alerts/alerts.ts';
import type { AppContext } from '../core/app-context.ts';
import { roundupSources } from '../core/config/sources.ts';
import { foldRuns } from '../core/schedule/retention.ts';
import { foldCountSlots } from '../core/store/counts.ts';
import { truncateLog } from '../core/store/deleted-text.ts';
import { deleteExpiredRateLimits } from '../core/store/rate-limits.ts';
import { pauseAlert } from '../delivery/alerts.ts';
import { deleteProgress } from '../delivery/progress.ts';
import { EVENT_IDS_KEPT } from '../delivery/providers/replay-window.ts';
import { deleteRefusalsOfFinished } from '../delivery/queue/refusals.ts';
import { settleDelivered } from '../delivery/queue/reported-deliveries.ts';
import {
  deleteBounces,
  deleteProviderEvents,
  deleteServiceMessages,
  deleteWarmUpDays,
  failUncertainOfCancelled,
  foldDeliveries,
} from '../delivery/retention.ts';
import { deleteOldDraftViews } from '../editions/draft/draft-views.ts';
import { deleteOldLinkStates } from '../editions/links/link-cache.ts';
import { foldVisits } from '../editions/visits/visit-rows.ts';
import { cleanHub } from '../feeds/hub/hub.ts';
import { deleteReaderCounts } from '../feeds/readers/reader-rows.ts';
import { DAY, localDate } from '../lib/time.ts';
import { deleteForgottenItems } from '../outlets/items/item-retention.ts';
import { deleteOldGroupViews } from '../outlets/story-groups/group-views.ts';
import { deleteIdleHosts } from '../sources/host-gate.ts';

/** Number of deleted rows. */
export interface RetentionReport {
  deliveries: number;
  /** Minutes of the progress of deliveries. */
  progress: number;
  runs: number;
  /** Subscribers who never confirmed anything. */
  unconfirmed: number;
  /** Subscribers who left every newsletter. */
  left: number;
  /** Records of consent that lost the client's address. */
  consentIps: number;
  serviceMessages: number;
  bounces: number;
  /** Ids of what mail providers reported. */
  providerEvents: number;
  rates: number;
  /** Counts of feed readers. */
  readers: number;
  /** Days of the visits of past editions, which were added up. */
  visits: number;
  /** What was found of links. */
  links: number;
  /** What editors saw of drafts. */
  draftViews: number;
  roundupViews: number;
  /** Items of other outlets. */
  outletItems: number;
  hubSubscriptions: number;
  /** Sessions of the desk, old invitations and failures of signing in. */
  deskSessions: number;
}

/**
 * Applies the configured retention times. Several processes may run it concurrently.
 * @throws if the store fails; deletions up to that point are kept
 */
export async function runRetention({
  store,
  config,
  clock,
  keys,
}: Pick<AppContext, 'store' | 'config' | 'clock'> & {
  keys: Pick<AppContext['keys'], 'signingSecrets'>;
}): Promise<RetentionReport> {
  const now = clock();
  const { deliveriesDays, runsDays, readersDays, consentIpsDays, consentDays } = config.retention;
  const secrets = await keys.signingSecrets();
  const { zone } = config.publication;
  const oldDeliveries = now - deliveriesDays * DAY;
  const oldRequests = now - config.signup.deleteUnconfirmedAfterDays * DAY;
  // The warm-up counts the current day of the zone only; three days allow for a change of the zone.
  await deleteWarmUpDays(store, localDate(now - 3 * DAY, zone));
  await settleDelivered(store, now);
  await failUncertainOfCancelled(store, now);
  await foldCountSlots(store.db);
  await deleteIdleHosts(store.db, now);
  const domains = await deleteRefusalsOfFinished(store.db);
  await resolveAlerts(
    store.db,
    domains.map(({ editionId, domain }) => pauseAlert(editionId, domain)),
    now,
  );
  await resolveSignupAlert(store.db, now);
  await deleteOldUnsubscribeKeys(store.db, now);
  await deleteOldUploads({ config, store }, now);
  await foldGrowth(store.db, now, zone);
  const report = {
    deliveries: await foldDeliveries(store, oldDeliveries),
    progress: await deleteProgress(store.db, oldDeliveries),
    runs: await foldRuns(store, now - runsDays * DAY),
    unconfirmed:
      (await deleteUnconfirmed(store, oldRequests)) +
      (await deleteSuppressedUnconfirmed(store, secrets, oldRequests, now)),
    left: await deleteLeavers(store, secrets, now - consentDays * DAY, now),
    consentIps: await deleteClientAddresses(store, now - consentIpsDays * DAY),
    serviceMessages: await deleteServiceMessages(store, oldDeliveries),
    bounces: await deleteBounces(store, oldDeliveries),
    providerEvents: await deleteProviderEvents(store, now - EVENT_IDS_KEPT),
    rates: await deleteExpiredRateLimits(store.db, now),
    readers: await deleteReaderCounts(store.db, localDate(now - readersDays * DAY, zone)),
    visits: await foldVisits(store.db, localDate(now - readersDays * DAY, zone)),
    links: await deleteOldLinkStates(store.db, now),
    draftViews: await deleteOldDraftViews(store.db, now),
    roundupViews: await deleteOldGroupViews(store.db, now),
    outletItems: await deleteForgottenItems(
      store.db,
      roundupSources(config).map(({ id }) => id),
      now,
    ),
    hubSubscriptions: await cleanHub({ store, config, clock }),
    deskSessions: await deleteEndedSessions(store.db, now),
  };
  // Deleted rows, and rejections that imports deleted since, must not remain in the log.
  await truncateLog(store.db);
  return report;
}
