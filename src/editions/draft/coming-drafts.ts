/**
 * The slots to come of all newsletters, each with the state of its draft, as Today shows them. Renders and records
 * nothing.
 */
import type { AppContext } from '../../core/app-context.ts';
import { type NewsletterConfig, scheduleZone } from '../../core/config/config.ts';
import { findRun, type Run } from '../../core/schedule/run-ledger.ts';
import { nextSlot } from '../../core/schedule/slots.ts';
import type { Db } from '../../core/store/store.ts';
import type { RunState } from '../../core/store/tables.ts';
import { listOpenAlertDrafts } from '../alert-newsletters/alert-drafts.ts';
import { findEdition } from '../queries.ts';
import { arrangeEdition } from '../selection/arrange.ts';
import { findHeadlines } from '../selection/candidates.ts';
import { countStories } from '../selection/selection.ts';
import { type EditionSlot, newsletterJobId } from '../slot.ts';
import { slotAtInstant, waitingSlot } from '../slots.ts';
import type { ArrangedDraft } from './arranged-draft.ts';
import { endOfWaiting, findObstacle } from './closing.ts';
import type { Draft } from './decisions.ts';
import { describeLostApproval, type LostApproval } from './describe.ts';
import { findDraftEntry } from './draft-store.ts';
import { fieldRevision, storiesOf } from './history.ts';

/** What the state of a draft is described by; see editions/desk/draft/draft-state.ts. */
export type StatedDraft = Pick<
  ArrangedDraft,
  'newsletter' | 'slot' | 'draft' | 'approval' | 'obstacle' | 'ended' | 'edition' | 'storyCount' | 'skippedAt'
>;

/** Instants are epoch milliseconds. */
export interface ComingDraft extends StatedDraft {
  /** The approval that the draft has lost; null if it has lost none, or was approved or held since. */
  lost: LostApproval | null;
  /** Its run, if the slot has come: it waits, is under way, or has failed and is tried again. */
  run: { state: RunState; since: number; reason: string | null; retryAt: number | null } | null;
}

export interface ComingNewsletter {
  newsletter: NewsletterConfig;
  /** The slots that wait, and the next one, oldest first; of an alert newsletter, its open alerts. */
  drafts: ComingDraft[];
  /** The slots after those, as far as editors have touched none of them or not. */
  later: EditionSlot[];
}

/** Slots after the next one. */
const LATER = 2;
/** The most alerts that an alert newsletter can have on a day (`maxPerDay`). */
const MAX_ALERTS = 24;

/** In the order of the configuration. */
export function readComingDrafts(app: AppContext, now: number): Promise<ComingNewsletter[]> {
  return Promise.all(app.config.newsletters.map((newsletter) => readComing(app, newsletter, now)));
}

async function readComing(app: AppContext, newsletter: NewsletterConfig, now: number): Promise<ComingNewsletter> {
  const { open, later } = await slotsToCome(app, newsletter, now);
  const drafts = await Promise.all(open.map((slot) => readComingDraft(app, newsletter, slot, now)));
  return { newsletter, drafts: drafts.filter((draft) => draft !== null), later };
}

async function slotsToCome(
  app: AppContext,
  newsletter: NewsletterConfig,
  now: number,
): Promise<{ open: EditionSlot[]; later: EditionSlot[] }> {
  const { store, config } = app;
  const { schedule } = newsletter;
  if (schedule === null) {
    const alerts = await listOpenAlertDrafts(store.db, newsletter.id, now);
    return { open: alerts.slice(-MAX_ALERTS).map(({ slot }) => slot), later: [] };
  }
  const waiting = await waitingSlot(app, newsletter);
  const zone = scheduleZone(schedule, config.publication);
  const coming: EditionSlot[] = [];
  let at = nextSlot(schedule.cron, zone, now);
  while (at !== null && coming.length <= LATER) {
    const slot = await slotAtInstant(app, newsletter, at);
    // One that was sent early is not to come.
    if ((await findEdition(store.db, newsletter.id, slot.label)) === null) coming.push(slot);
    at = nextSlot(schedule.cron, zone, at);
  }
  return { open: [...(waiting === null ? [] : [waiting]), ...coming.slice(0, 1)], later: coming.slice(1) };
}

/** @returns null where its edition has closed meanwhile */
async function readComingDraft(
  { store, config }: AppContext,
  newsletter: NewsletterConfig,
  slot: EditionSlot,
  now: number,
): Promise<ComingDraft | null> {
  const { db } = store;
  // Articles under embargo until then will be public.
  const at = Math.max(now, slot.slotAt);
  const { draft, approval, loaded } = await arrangeEdition(db, config, newsletter, { slot, cutoffAt: at, now: at });
  if (draft.state.kind === 'closed') return null;
  const run = slot.slotAt > now ? null : await findRun(db, newsletterJobId(newsletter.id), slot.slotAt);
  return {
    ...{ newsletter, slot, draft, approval, edition: null, ended: null },
    obstacle: await findObstacle(db, config, newsletter, draft, { voided: approval?.voided ?? null, now }),
    storyCount: countStories(loaded.plan),
    lost: await findLostApproval(db, draft),
    run: run && { state: run.state, since: run.startedAt, reason: run.reason, retryAt: retryOf(run) },
    skippedAt: endOfWaiting(config, newsletter, slot, draft.closeAt, run),
  };
}

async function findLostApproval(db: Db, draft: Draft): Promise<LostApproval | null> {
  const revision = fieldRevision(draft, 'state');
  if (draft.state.kind !== 'automatic' || revision === 0) return null;
  const entry = await findDraftEntry(db, draft.newsletter, draft.slot, revision);
  const headlines = entry === null ? new Map() : await findHeadlines(db, storiesOf(entry));
  return entry && describeLostApproval(draft, [entry], { story: (id) => `“${headlines.get(id) ?? id}”` });
}

function retryOf({ state, leaseUntil }: Run): number | null {
  return state === 'failed' ? leaseUntil : null;
}

/** Whether the edition does not close unless an editor acts. */
export function needsEditor({ obstacle }: Pick<StatedDraft, 'obstacle'>): boolean {
  return obstacle !== null && obstacle.remedy !== null;
}
