/** All that Today shows, read in a few short queries. Nothing is requested, recorded or looked up elsewhere. */
import { type Alert, listOpenAlerts } from '../../../core/alerts/alerts.ts';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import { findOverdueSlots, type OverdueSlot } from '../../../core/schedule/overdue.ts';
import { listProcesses } from '../../../core/schedule/processes.ts';
import type { Run } from '../../../core/schedule/run-ledger.ts';
import { listRunsInStates } from '../../../core/schedule/run-pages.ts';
import { DELIVERY_HELD, readMeta } from '../../../core/store/meta.ts';
import { type EditionDelivery, readDeliveriesOf } from '../../../delivery/desk/deliveries/delivery-parts.ts';
import { renderForDesk } from '../../../editions/desk/preview/compose-for-desk.ts';
import { type ComingDraft, type ComingNewsletter, readComingDrafts } from '../../../editions/draft/coming-drafts.ts';
import { composeDraft } from '../../../editions/draft/compose-draft.ts';
import { checkDraft } from '../../../editions/edition-checks/check-draft.ts';
import { lastEdition, listUnfinishedEditions } from '../../../editions/queries.ts';
import type { EditionSlot } from '../../../editions/slot.ts';
import { readFeedVersion } from '../../../feeds/feed-version.ts';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { DAY } from '../../../lib/time.ts';
import { agedCachePerDesk } from '../../../web/desk/aged-cache.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import { jobsOf } from '../../capabilities.ts';

export interface Today {
  newsletters: TodayNewsletter[];
  /** Open, oldest first. */
  alerts: Alert[];
  /** Editions whose delivery is not over. */
  sends: EditionDelivery[];
  /** The last one of each newsletter that has any. */
  lastEditions: EditionDelivery[];
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
    listUnfinishedEditions(db).then((editions) => readDeliveriesOf(db, editions, now)),
    readLastEditions(desk, now),
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
        drafts.map(async (draft) => ({ ...draft, checks: await countDraftProblems(desk, draft) })),
      ),
    })),
  );
}

/** In the order of the configuration; newsletters without an edition are not among them. */
async function readLastEditions({ app }: DeskContext, now: number): Promise<EditionDelivery[]> {
  const { db } = app.store;
  const found = await Promise.all(app.config.newsletters.map(({ id }) => lastEdition(db, id)));
  const editions = found.filter((one) => one !== null);
  return readDeliveriesOf(db, editions, now);
}

type DraftCheckCounts =
  | { kind: 'checked'; errors: number; warnings: number }
  /** There is no story, so nothing to check; or the edition has closed meanwhile. */
  | { kind: 'nothing' }
  /** The edition is still being composed: the first one after a start takes seconds. */
  | { kind: 'pending' }
  /** The edition cannot be rendered, such as after a mistake in a template. */
  | { kind: 'failed'; reason: string };

/** By newsletter, slot, and what the counts depend on, as JSON. */
const draftChecks = agedCachePerDesk(findProblems);

/**
 * Counts the problems that the checks find in a draft. An edition is composed for it, so the counts are kept for a
 * minute, or until the draft, a feed or the newsletter's last edition changes. No links are looked up: what was found
 * of them on the last day counts, as on the page of the edition.
 */
async function countDraftProblems(
  desk: DeskContext,
  { newsletter, slot, draft: { revision } }: ComingDraft,
): Promise<DraftCheckCounts> {
  const { store } = desk.app;
  const { version } = await readFeedVersion(store.db);
  const last = await lastEdition(store.db, newsletter.id);
  const key = JSON.stringify([newsletter.id, slot, revision, version, last?.id ?? 0]);
  return (await draftChecks(desk).read(key))?.value ?? { kind: 'pending' };
}

/** Never rejects. */
async function findProblems(desk: DeskContext, key: string): Promise<DraftCheckCounts> {
  const [id, slot] = JSON.parse(key) as [string, EditionSlot];
  const newsletter = desk.app.config.newsletters.find((one) => one.id === id) as NewsletterConfig;
  try {
    const composition = await composeDraft(desk.app, { newsletter, slot, edition: null }, { render: renderForDesk });
    if (composition.kind === 'empty') return { kind: 'nothing' };
    const problems = await checkDraft(desk.app, newsletter, composition.composed, { links: 'cached' });
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    return { kind: 'checked', errors, warnings: problems.length - errors };
  } catch (error) {
    return { kind: 'failed', reason: errorLine(error) };
  }
}
