/** What an operator wants to know after a run of delivery, beside its counts. */
import { alertText } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { rfc3339 } from '../../lib/time.ts';
import { type FailureGroup, FailureGroups } from '../queue/failure-groups.ts';
import { addFailures, countUnsettled, findLeased, listDelivering, listPaused } from '../queue/queries.ts';
import type { DeliveryRunResult } from '../run.ts';
import { endedBadly } from './finish.ts';
import { findUnconfigured, unconfiguredAlert } from './waiting-alerts.ts';

export interface RunDetails {
  /** Deliveries that failed during the run, by the server's words. */
  failures: FailureGroup[];
  /** Due deliveries that another process has leased: it is delivering them, or has died. `until` in RFC 3339. */
  leased: { count: number; until: string } | null;
  /** Uncertain deliveries that the operator must settle. */
  uncertain: number;
  /** Paused editions with pending deliveries, also those that were paused before the run. */
  waiting: { edition: string; pending: number }[];
  /** A sentence for each newsletter that is no longer configured and has waiting deliveries. */
  unconfigured: string[];
}

interface RunStart {
  at: number;
  editionIds: number[];
}

/** Call it before the run. */
export async function startRunDetails({ store, clock }: AppContext): Promise<RunStart> {
  return { at: clock(), editionIds: await listDelivering(store.db) };
}

export async function readRunDetails(
  app: AppContext,
  start: RunStart,
  { failed }: Pick<DeliveryRunResult, 'failed'>,
): Promise<RunDetails> {
  const { store, config, clock } = app;
  const groups = new FailureGroups();
  if (failed > 0) {
    for (const id of start.editionIds) await addFailures(store.reports, id, groups, start.at);
  }
  const unsettled = await countUnsettled(store.reports, config.delivery.uncertain, clock());
  const leased = await findLeased(store.reports, clock());
  return {
    failures: groups.list(),
    leased: leased && { count: leased.count, until: rfc3339(leased.until) },
    uncertain: unsettled.reduce((sum, { count }) => sum + count, 0),
    waiting: await listPaused(store.reports),
    unconfigured: (await findUnconfigured(app)).map((one) => alertText(unconfiguredAlert(one))),
  };
}

/** Whether an operator must act: delivery paused something, or stopped, or more failed than is tolerated. */
export function needsOperator(report: Pick<DeliveryRunResult, 'paused' | 'stopped' | 'submitted' | 'failed'>): boolean {
  return report.paused.length > 0 || report.stopped !== null || endedBadly(report);
}
