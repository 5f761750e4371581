/**
 * What the open pages of the desk may show, read from the store in a few short queries.
 *
 * A topic is a thing that pages show as a whole: they load again when its version changes.
 * - `draft:NEWSLETTER/SLOT`: the editors' decisions about an edition
 * - `edition:ID`: the state of its deliveries, how many are uncertain or failed; other figures are sent by themselves
 * - `deliveries`: which editions are under delivery or paused, and what keeps all messages from being submitted
 * - `roundup`: the story groups and what was decided about them
 * - `articles`: what is published
 * - `alerts`: the open alerts
 */
import { alertKey } from '../../../core/alerts/alert-kind.ts';
import { alertText, listOpenAlerts } from '../../../core/alerts/alerts.ts';
import { DELIVERY_HELD, readMeta } from '../../../core/store/meta.ts';
import { type Db, inTransaction, type Tx } from '../../../core/store/store.ts';
import { readBackOff } from '../../../delivery/control/back-off.ts';
import {
  countAllDeliveries,
  countUncertain,
  type DeliveryStateCounts,
  NO_DELIVERIES,
  percentOver,
  readDeliveryStates,
} from '../../../delivery/queue/queries.ts';
import { draftVersion } from '../../../editions/draft/draft-target.ts';
import { listUnfinishedEditionIds } from '../../../editions/queries.ts';
import { readFeedVersion } from '../../../feeds/feed-version.ts';
import { DAY, HOUR, localDate, SECOND } from '../../../lib/time.ts';
import { lastCommandNumber } from '../../../outlets/story-groups/change-groups.ts';
import { readGroupedAt } from '../../../outlets/story-groups/regroup.ts';

export interface LiveSnapshot {
  /** By topic: a text that changes with it. */
  versions: Map<string, string>;
  /** Deliveries by edition and state. */
  deliveries: Map<number, { counts: Record<string, number> }>;
  /** By page: who has it open, as JSON. */
  presence: Map<string, string>;
}

/** Drafts of older slots are closed, or no longer of use. */
const DRAFTS_FOR = 3 * DAY;

/** @param newsletters ids of those whose drafts count */
export async function readSnapshot(db: Db, newsletters: readonly string[], now: number): Promise<LiveSnapshot> {
  // At once: on PostgreSQL each takes a round trip, and figures are as much older.
  const [drafts, roundup, feeds, alerts, ids, backOff, held, presence] = await Promise.all([
    recentDrafts(db, newsletters, now),
    roundupVersion(db),
    readFeedVersion(db),
    listOpenAlerts(db),
    listUnfinishedEditionIds(db),
    readBackOff(db),
    readMeta(db, DELIVERY_HELD),
    listPresent(db, now),
  ]);
  const { deliveries, versions } = await readDeliveries(db, ids, now);
  for (const { newsletter, slot, revision, state, close_at } of drafts) {
    versions.set(`draft:${newsletter}/${slot}`, draftVersion(revision, state, close_at));
  }
  versions.set('roundup', roundup);
  versions.set('articles', String(feeds.version));
  versions.set('alerts', alerts.map((alert) => `${alertKey(alert)} ${alertText(alert)}`).join('\n'));
  versions.set('deliveries', JSON.stringify([ids, backOff?.since, backOff?.retry_at, held]));
  return { versions, deliveries, presence };
}

async function readDeliveries(db: Db, ids: number[], now: number): Promise<Omit<LiveSnapshot, 'presence'>> {
  const versions: LiveSnapshot['versions'] = new Map();
  const deliveries: LiveSnapshot['deliveries'] = new Map();
  if (ids.length === 0) return { versions, deliveries };
  const [counts, states] = await Promise.all([countAllDeliveries(db, ids), readDeliveryStates(db, ids)]);
  for (const { editionId, state, reason } of states) {
    // Those in progress become uncertain by time alone; without any, nothing is read.
    const isSubmitting = (counts.get(editionId)?.submitting ?? 0) > 0;
    const uncertain = isSubmitting ? await countUncertain(db, now, editionId) : 0;
    const ofCounts = counts.get(editionId);
    versions.set(`edition:${editionId}`, JSON.stringify([state, reason, uncertain, ...stepsOf(ofCounts)]));
    deliveries.set(editionId, { counts: { ...ofCounts } });
  }
  return { versions, deliveries };
}

/** A bar moves by a twentieth. Pages list what has failed: they load again with each of few, and two digits of many. */
function stepsOf(counts: DeliveryStateCounts = NO_DELIVERIES): number[] {
  return [Math.floor(percentOver(counts) / 5), Number(counts.failed.toPrecision(2))];
}

async function recentDrafts(db: Db, newsletters: readonly string[], now: number) {
  if (newsletters.length === 0) return [];
  const since = now - DRAFTS_FOR;
  return (
    db
      .selectFrom('drafts')
      .select(['newsletter', 'slot', 'revision', 'state', 'close_at'])
      .where('newsletter', 'in', newsletters)
      // Labels begin with a local date. A range of the key: to look at the drafts of ten years took 16 ms on SQLite.
      .where('slot', '>=', localDate(since - DAY, 'UTC'))
      .where('slot_at', '>', since)
      .execute()
  );
}

/** Changes with the topic `roundup`. */
export async function roundupVersion(db: Db): Promise<string> {
  const newest = db.selectFrom('outlet_items').select('id').orderBy('id', 'desc').limit(1);
  const [command, item, groupedAt] = await Promise.all([
    lastCommandNumber(db),
    newest.executeTakeFirst(),
    readGroupedAt(db),
  ]);
  return `${command} ${item?.id ?? 0} ${groupedAt}`;
}

/** A tab of an account with a page, named by its topic such as `draft:daily-roundup/2026-11-24`. */
export interface OpenTab {
  page: string;
  accountId: number;
  tab: string;
}

/** How long a tab counts as open after it said so; tabs say it every 15 s. */
const OPEN_FOR = 40 * SECOND;

/** Notes that a tab is open, and deletes those that have long been silent. */
export function noteOpenTab(db: Db, { page, accountId, tab }: OpenTab, now: number): Promise<void> {
  return inTransaction(db, async (tx: Tx) => {
    await tx
      .deleteFrom('desk_presence')
      .where('seen_at', '<', now - HOUR)
      .execute();
    await tx
      .insertInto('desk_presence')
      .values({ page, account_id: accountId, tab, seen_at: now })
      .onConflict((conflict) => conflict.columns(['page', 'account_id', 'tab']).doUpdateSet({ seen_at: now }))
      .execute();
  });
}

/** Notes that a tab was closed, or shows another page. */
export async function noteClosedTab(db: Db, { page, accountId, tab }: OpenTab): Promise<void> {
  await db
    .deleteFrom('desk_presence')
    .where('page', '=', page)
    .where('account_id', '=', accountId)
    .where('tab', '=', tab)
    .execute();
}

/** By page: ids and names of the accounts that have it open, by name, as JSON. */
async function listPresent(db: Db, now: number): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('desk_presence')
    .innerJoin('accounts', 'accounts.id', 'desk_presence.account_id')
    .select(['desk_presence.page', 'accounts.id', 'accounts.name'])
    .distinct()
    .where('desk_presence.seen_at', '>', now - OPEN_FOR)
    .orderBy('accounts.name')
    .execute();
  const pages = Map.groupBy(rows, ({ page }) => page);
  return new Map([...pages].map(([page, list]) => [page, JSON.stringify(list.map(({ id, name }) => ({ id, name })))]));
}
