/** All that Today shows, read in a few short queries. Nothing is requested, recorded or looked up elsewhere. */
import { type Alert, listOpenAlerts } from '../../../core/alerts/alerts.ts';
import { findOverdueSlots, type OverdueSlot } from '../../../core/schedule/overdue.ts';
import { listProcesses } from '../../../core/schedule/processes.ts';
import type { Run } from '../../../core/schedule/run-ledger.ts';
import { listRunsInStates } from '../../../core/schedule/run-pages.ts';
import { DELIVERY_HELD, readMeta } from '../../../core/store/meta.ts';
import type { EditionDeliveryState } from '../../../core/store/tables/edition-tables.ts';
import { type EditionDelivery, readDeliveriesOf } from '../../../delivery/desk/deliveries/delivery-parts.ts';
import {
  countAllDeliveries,
  type DeliveryStateCounts,
  NO_DELIVERIES,
  readDeliveryStates,
} from '../../../delivery/queue/queries.ts';
import { type ComingDraft, type ComingNewsletter, readComingDrafts } from '../../../editions/draft/coming-drafts.ts';
import { type EditionSummary, lastEdition, listUnfinishedEditions } from '../../../editions/queries.ts';
import { DAY } from '../../../lib/time.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import { jobsOf } from '../../capabilities.ts';
import { countDraftProblems, type DraftCheckCounts } from './draft-checks.ts';

export interface Today {
  newsletters: TodayNewsletter[];
  /** Open, oldest first. */
  alerts: Alert[];
  /** Editions whose delivery is not over. */
  sends: EditionDelivery[];
  /** The last one of each newsletter that has any. */
  lastEditions: LastEdition[];
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

/** Runs that were late, skipped or failed. */
const TROUBLED_SHOWN = 10;

export async function readToday(desk: DeskContext, now: number): Promise<Today> {
  const { app } = desk;
  const { db } = app.store;
  const [newsletters, sends, lastEditions] = await Promise.all([
    readNewsletters(desk, now),
    listUnfinishedEditions(db).then((editions) => readDeliveriesOf(desk, editions, now)),
    readLastEditions(desk),
  ]);
  const range = { since: now - DAY, until: now, limit: TROUBLED_SHOWN };
  return {
    newsletters,
    alerts: await listOpenAlerts(db),
    sends,
    lastEditions,
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

export interface LastEdition {
  edition: EditionSummary;
  state: EditionDeliveryState;
  counts: DeliveryStateCounts;
}

/** In the order of the configuration; newsletters without an edition are not among them. */
async function readLastEditions({ app }: DeskContext): Promise<LastEdition[]> {
  const { db } = app.store;
  const found = await Promise.all(app.config.newsletters.map(({ id }) => lastEdition(db, id)));
  const editions = found.filter((one) => one !== null);
  const ids = editions.map(({ id }) => id);
  if (ids.length === 0) return [];
  const [states, counts] = await Promise.all([readDeliveryStates(db, ids), countAllDeliveries(db, ids)]);
  return editions.map((edition) => ({
    edition,
    state: states.find(({ editionId }) => editionId === edition.id)?.state ?? 'delivering',
    counts: counts.get(edition.id) ?? NO_DELIVERIES,
  }));
}
