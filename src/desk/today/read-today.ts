/** All that Today shows, read in a few short queries. Nothing is requested, recorded or looked up elsewhere. */
import type { AppContext } from '../../app/app-context.ts';
import { type ComingDraft, type ComingNewsletter, readComingDrafts } from '../../app/drafts/coming-drafts.ts';
import { jobsOf } from '../../app/jobs.ts';
import { listPausedDomains } from '../../delivery/control/paused-domains.ts';
import { countDeliveries, type DeliveryStateCounts, readDeliveryStates } from '../../delivery/queue/queries.ts';
import { type EditionSummary, listUnfinishedEditions } from '../../editions/queries.ts';
import { DAY } from '../../lib/time.ts';
import { type Alert, listOpenAlerts } from '../../schedule/alerts.ts';
import { findOverdueSlots, type OverdueSlot } from '../../schedule/overdue.ts';
import { listProcesses } from '../../schedule/processes.ts';
import type { Run } from '../../schedule/run-ledger.ts';
import { listRunsInStates } from '../../schedule/run-pages.ts';
import { DELIVERY_HELD, readMeta } from '../../store/meta.ts';
import type { DeskContext } from '../desk-request.ts';
import { countDraftProblems, type DraftCheckCounts } from './draft-checks.ts';

export interface Today {
  newsletters: TodayNewsletter[];
  /** Open, oldest first. */
  alerts: Alert[];
  sends: Send[];
  overdue: OverdueSlot[];
  /** Runs of the last day that were late, skipped or failed, newest first. */
  troubled: Run[];
  /** Why nothing is submitted since a restore, or null. */
  heldDelivery: string | null;
  processes: Awaited<ReturnType<typeof listProcesses>>;
}

export interface TodayDraft extends ComingDraft {
  checks: DraftCheckCounts;
}

export interface TodayNewsletter extends Omit<ComingNewsletter, 'drafts'> {
  drafts: TodayDraft[];
}

/** An edition whose delivery is not over. */
export interface Send {
  edition: EditionSummary;
  /** Why it is paused; null while it is being delivered. */
  paused: { reason: string | null } | null;
  pausedDomains: string[];
  counts: DeliveryStateCounts;
}

/** Runs that were late, skipped or failed. */
const TROUBLED_SHOWN = 10;

export async function readToday(desk: DeskContext, now: number): Promise<Today> {
  const { app } = desk;
  const { db } = app.store;
  const [newsletters, sends] = await Promise.all([readNewsletters(desk, now), readSends(app)]);
  const range = { since: now - DAY, until: now, limit: TROUBLED_SHOWN };
  return {
    newsletters,
    alerts: await listOpenAlerts(db),
    sends,
    overdue: await findOverdueSlots(db, jobsOf(app), now),
    troubled: await listRunsInStates(db, ['late', 'skipped', 'failed'], range),
    heldDelivery: (await readMeta(db, DELIVERY_HELD)) ?? null,
    processes: await listProcesses(db, now),
  };
}

async function readNewsletters(desk: DeskContext, now: number): Promise<TodayNewsletter[]> {
  const coming = await readComingDrafts(desk.app, now);
  return Promise.all(
    coming.map(async ({ newsletter, drafts, later }) => ({
      ...{ newsletter, later },
      drafts: await Promise.all(
        drafts.map(async (draft) => ({ ...draft, checks: await countDraftProblems(desk, newsletter, draft) })),
      ),
    })),
  );
}

async function readSends({ store: { db } }: AppContext): Promise<Send[]> {
  const editions = await listUnfinishedEditions(db);
  if (editions.length === 0) return [];
  const ids = editions.map(({ id }) => id);
  const [counts, states, domains] = [
    await countDeliveries(db, ids),
    new Map((await readDeliveryStates(db, ids)).map((one) => [one.editionId, one])),
    await listPausedDomains(db, ids),
  ];
  return editions.map((edition) => {
    const state = states.get(edition.id);
    return {
      edition,
      paused: state?.state === 'paused' ? { reason: state.reason } : null,
      pausedDomains: domains.filter(({ editionId }) => editionId === edition.id).map(({ domain }) => domain),
      counts: counts.get(edition.id) ?? { pending: 0, submitting: 0, submitted: 0, failed: 0, suppressed: 0 },
    };
  });
}
