/**
 * What happens when an edition is done: rejected addresses are suppressed, and an alert is raised if too much of it was
 * not submitted.
 */
import { sql } from 'kysely';
import type { AlertId } from '../../core/alerts/alert-kind.ts';
import { listOpenAlerts, raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { Db } from '../../core/store/store.ts';
import { editionAction } from '../../editions/edition-action.ts';
import { undeliveredAlert } from '../alerts.ts';
import { recordRejectedRecipients } from '../bounces/rejected-recipients.ts';
import { recordEditionProgress } from '../progress.ts';
import type { FailureGroup } from '../queue/failure-groups.ts';
import type { PrepareFinish } from '../queue/outbox.ts';
import { countAllDeliveries, type DeliveryStateCounts, groupFailures } from '../queue/queries.ts';
import { editionName } from '../status/edition-status.ts';

/** Share of the deliveries, without suppressed ones. */
const TOLERATED_FAILURES = 0.02;
const GROUPS_SHOWN = 3;

/**
 * Suppresses the addresses that were rejected for good, records the last progress, and raises an alert with a done
 * edition's failures, or resolves it; see `PrepareFinish`.
 */
export function finishingWithAlert({ store, config, keys, clock, log }: AppContext): PrepareFinish {
  return async (editionId) => {
    const counts = (await countAllDeliveries(store.reports, [editionId])).get(editionId);
    if (counts !== undefined && counts.failed > 0) {
      const edition = { editionId, submitted: counts.submitted };
      const secrets = await keys.signingSecrets();
      const suppressed = await recordRejectedRecipients(store, config, secrets, edition, clock());
      if (suppressed > 0) log.info({ editionId, suppressed }, 'suppressed addresses that were rejected');
    }
    const isBad = counts !== undefined && endedBadly(counts);
    const canBeRetried = isBad && (await canRetry(store.reports, editionId));
    const groups = isBad ? await groupFailures(store.reports, editionId) : [];
    return async (tx) => {
      await recordEditionProgress(tx, [editionId], clock());
      const earlier = await alertsOfEarlierEditions(tx, editionId);
      const alert = undeliveredAlert(editionId);
      await resolveAlerts(tx, isBad ? earlier : [...earlier, alert], clock());
      if (!isBad) return;
      const name = await editionName(tx, editionId);
      const again = canBeRetried ? [editionAction('retry', 'deliver them again', name)] : [];
      const actions = [editionAction('show', 'see them', name), ...again];
      await raiseAlert(tx, { ...alert, message: undeliveredMessage(name, counts, groups), actions }, clock());
    };
  };
}

/** Whether a retry would submit anything: not to addresses that are suppressed, or to people who have left. */
export async function canRetry(db: Db, editionId: number): Promise<boolean> {
  // A literal state, so that the partial index deliveries_failed is used.
  const { rows } = await sql`
    select 1 from deliveries
    join editions on editions.id = deliveries.edition_id
    join subscribers on subscribers.id = deliveries.subscriber_id
    join subscriptions on subscriptions.subscriber_id = deliveries.subscriber_id
      and subscriptions.newsletter = editions.newsletter
    where deliveries.edition_id = ${editionId} and deliveries.state = 'failed'
      and subscribers.suppressed_reason is null and subscriptions.state = 'confirmed'
    limit 1`.execute(db);
  return rows.length > 0;
}

/** Whether more failed than an operator tolerates; suppressed deliveries do not count. */
export function endedBadly({ submitted, failed }: Pick<DeliveryStateCounts, 'submitted' | 'failed'>): boolean {
  return failed > TOLERATED_FAILURES * (submitted + failed);
}

/** The counts by reason, and the server's words. */
export function undeliveredMessage(
  name: string,
  { submitted, failed }: DeliveryStateCounts,
  groups: readonly FailureGroup[],
): string {
  const total = submitted + failed;
  const kinds = [...Map.groupBy(groups, ({ kind }) => kind)].map(
    ([kind, ofKind]) => `${ofKind.reduce((sum, { count }) => sum + count, 0)} ${kind}`,
  );
  const words = groups.slice(0, GROUPS_SHOWN).map((group) => `${group.count} × "${group.words}"`);
  const percent = Math.round((1_000 * failed) / total) / 10;
  return (
    `${name} is done, but ${failed} of ${total} deliveries failed (${percent} %): ${kinds.join(', ')}. ` +
    `The reasons: ${words.join(', ')}${groups.length > GROUPS_SHOWN ? ' and others' : ''}.`
  );
}

/** A newer edition of the newsletter is done: nobody will deliver the earlier one again. */
async function alertsOfEarlierEditions(db: Db, editionId: number): Promise<AlertId[]> {
  const open = await listOpenAlerts(db, 'undelivered');
  const ids = open.map(({ subject }) => Number(subject.edition)).filter((id) => id < editionId);
  if (ids.length === 0) return [];
  const earlier = await db
    .selectFrom('editions')
    .select('id')
    .where('id', 'in', ids)
    .where('newsletter', '=', (e) => e.selectFrom('editions').select('newsletter').where('id', '=', editionId))
    .execute();
  return earlier.map(({ id }) => undeliveredAlert(id));
}
