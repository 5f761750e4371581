/**
 * Looks for posts that a CMS no longer has: it compares all ids with what is known, every quarter of an hour for those
 * of the last week and once a day for all. Only a complete list counts, twice, and only if the CMS then says of the
 * post itself that it is gone.
 */
import { retractArticles } from '../articles/import/retract.ts';
import { clearRejectionsOfFiles } from '../articles/rejections.ts';
import type { AlertId } from '../core/alerts/alert-kind.ts';
import { raiseAlert, resolveAlerts } from '../core/alerts/alerts.ts';
import type { AppContext } from '../core/app-context.ts';
import type { ArticleSource } from '../core/config/config.ts';
import { type Db, type InTransaction, inTransaction } from '../core/store/store.ts';
import { chunks } from '../lib/chunks.ts';
import { DAY, MINUTE, SECOND } from '../lib/time.ts';
import { type CmsApi, CmsFormatError, MAX_PAGE_SIZE } from '../sources/cms/cms-api.ts';
import { sourceAction } from '../sources/control-sources.ts';
import { keysOf } from '../sources/identity/entry-keys.ts';
import { findKeys, itemsOfKeys } from '../sources/identity/item-keys.ts';
import {
  findSourceItems,
  hasItemAt,
  listItemsSince,
  listWaitingWithdrawals,
  markItems,
  type SourceItemRow,
} from '../sources/item-state.ts';
import { progress } from '../sources/polling/source-kind.ts';
import { ask, askForOk, PollError, placeOf } from '../sources/request.ts';
import { siteKeyTable } from './identify-items.ts';
import { itemPath, type SitePoll } from './import-entries.ts';
import { importPage } from './poll-steps.ts';
import { siblingsOf, withoutShared } from './shared-items.ts';

const RECENT = 7 * DAY;
const RECENT_EVERY = 15 * MINUTE;
const FULL_EVERY = DAY;
/** Posts of which a sweep asks, one by one, whether they are gone. The next sweep asks about the rest. */
const MAX_CONFIRMED = 500;
/** The store holds publication times, some APIs only their seconds. */
const ROUNDING = SECOND;

/** Sweeps where that is due. A sweep that does not get a complete list changes nothing. */
export async function sweepIfDue(poll: SitePoll, cms: CmsApi, now: number): Promise<void> {
  const { row } = poll;
  const isFull = poll.isByHand || row.fully_swept_at === null || now - row.fully_swept_at >= FULL_EVERY;
  const isDue = isFull || row.swept_at === null || now - row.swept_at >= RECENT_EVERY;
  if (!isDue) {
    if (cms.keepsTimeOfEdit) await readPublished(poll, cms, now - DAY);
    return;
  }
  const from = isFull ? null : Math.floor((now - RECENT) / SECOND) * SECOND;
  const { present, total, isComplete } = await readIds(poll, cms, from);
  if (isFull) await tellIfHidden(poll, present.size, total);
  if (isComplete) await applySweep(poll, cms, { present, from: from === null ? 0 : from + ROUNDING });
  await progress(poll, { swept_at: now, ...(isFull ? { fully_swept_at: now } : {}) });
}

/** Reads the posts that were published since an instant and are not known: no time of change tells of them. */
async function readPublished(poll: SitePoll, cms: CmsApi, from: number): Promise<void> {
  const { present } = await readIds(poll, cms, from);
  const known = await findSourceItems(poll.store.db, poll.source.id, [...present.keys()]);
  await readPosts(poll, cms, compareIds(known, present).unread);
}

/** Without a complete list nothing is withdrawn, which must not stay unnoticed. */
async function tellIfHidden({ store, source, clock }: SitePoll, found: number, total: number | null): Promise<void> {
  const alert = incompleteAlert(source.id);
  if (total === null || total <= found) {
    await resolveAlerts(store.db, [alert], clock());
    return;
  }
  const message =
    `${source.id}: its list has ${found} of ${total} posts, so that withdrawn ones are not noticed. A plugin may ` +
    'hide some of them from visitors, and still count them.';
  await raiseAlert(store.db, { ...alert, message }, clock());
}

/** @returns `present`: when each was modified, by id; `total`: number of posts, as the CMS says */
async function readIds(poll: SitePoll, cms: CmsApi, from: number | null) {
  const found = new Map<string, number | null>();
  for (let page = 1; ; page++) {
    const answer = await askForOk(poll, cms.idsUrl({ from, page, size: MAX_PAGE_SIZE }), cms.headers);
    const { posts, pages, total } = readAnswer(cms, answer);
    for (const { id, modifiedAt } of posts) found.set(id, modifiedAt);
    await progress(poll, {});
    const isLast = pages === null ? posts.length < MAX_PAGE_SIZE : page >= pages;
    if (!isLast) continue;
    // An empty list is more often a fault than the end of a newsroom.
    return { present: found, total, isComplete: found.size > 0 && (total === null || total === found.size) };
  }
}

function readAnswer(cms: CmsApi, answer: Awaited<ReturnType<typeof askForOk>>): ReturnType<CmsApi['readIds']> {
  try {
    return cms.readIds(answer.body, answer.headers);
  } catch (error) {
    if (error instanceof CmsFormatError) throw new PollError(`${placeOf(answer.url)} answered ${error.message}`);
    throw error;
  }
}

async function applySweep(
  poll: SitePoll,
  cms: CmsApi,
  { present, from }: { present: Map<string, number | null>; from: number },
): Promise<void> {
  const { store, source } = poll;
  const rows = new Map((await listItemsSince(store.db, source.id, from)).map((row) => [row.item, row]));
  // Present ones of another period: their time of publication was changed.
  const unlisted = [...present.keys()].filter((id) => !rows.has(id));
  const others = await findSourceItems(store.db, source.id, unlisted);
  const { returned, missing, suspected, unread } = compareIds([...rows.values(), ...others], present);
  await inTransaction(store.db, async (tx) => {
    await markItems(tx, source.id, returned, { missing: 0 });
    for (const [sweeps, items] of missing) await markItems(tx, source.id, items, { missing: sweeps });
  });
  await readPosts(poll, cms, unread);
  const gone: SourceItemRow[] = [];
  for (const item of suspected.slice(0, MAX_CONFIRMED)) {
    const row = rows.get(item) as SourceItemRow;
    if (await confirmsGone(poll, cms, row)) gone.push(row);
    await progress(poll, {});
  }
  await withdraw(poll, gone);
}

async function readPosts(poll: SitePoll, cms: CmsApi, ids: string[]): Promise<void> {
  for (const some of chunks(ids, MAX_PAGE_SIZE)) {
    await importPage(poll, await askForOk(poll, cms.postsUrl(some), cms.headers));
    await progress(poll, {});
  }
}

async function confirmsGone(poll: SitePoll, cms: CmsApi, { item, url }: SourceItemRow): Promise<boolean> {
  const { status } = await ask(poll, cms.postUrl(item), cms.headers);
  const mayBePrivate = status === 401 || status === 403;
  // A key that is not accepted would have failed before.
  const page = mayBePrivate && url !== null ? await statusOfPage(poll, url) : null;
  if (status === 200) await markItems(poll.store.db, poll.source.id, [item], { missing: 0 });
  return isGone(status, page);
}

/**
 * The status of the public address of a post. WordPress redirects the address of a post that is gone to another one
 * whose slug begins like it: that counts as 404.
 */
async function statusOfPage(poll: SitePoll, url: string): Promise<number> {
  const page = await ask(poll, url);
  const isOther = page.url !== url && (await hasItemAt(poll.store.db, poll.source.id, page.url));
  return isOther ? 404 : page.status;
}

/** Withdraws the items of a feed that it says are deleted, and no longer has. */
export async function withdrawDeleted(poll: SitePoll, guids: readonly string[], readAt: number): Promise<void> {
  if (guids.length === 0) return;
  const { store, source } = poll;
  const keys = guids.flatMap((guid) => keysOf({ guid, link: '', title: '', publishedAt: null }).guid ?? []);
  const found = await findKeys(store.db, siteKeyTable(source.id), keys);
  const rows = await findSourceItems(store.db, source.id, itemsOfKeys(found));
  // An entry that is in the document, too, was published again.
  const gone = rows.filter(({ withdrawal, seen_at }) => withdrawal === null && (seen_at ?? 0) < readAt);
  await withdraw(poll, gone);
}

/** Withdraws items that are gone, or leaves them to the operator if they are many. */
async function withdraw(poll: SitePoll, found: SourceItemRow[]): Promise<void> {
  const { store, source, config, clock, result } = poll;
  const gone = await withoutShared(store.db, siblingsOf(config, source), found);
  const items = gone.map(({ item }) => item);
  const waiting = (await listWaitingWithdrawals(store.db, source.id)).length;
  const alert = withdrawalAlert(source.id);
  if (gone.length === 0 || waiting + gone.length <= MAX_AT_ONCE) {
    if (source.withdrawn === 'leave') {
      await markItems(store.db, source.id, items, { withdrawal: 'left' });
      result.left += gone.length;
    } else result.retracted += await retractItems(store.db, { config, source }, gone, clock());
    if (waiting === 0) await resolveAlerts(store.db, [alert], clock());
    return;
  }
  await inTransaction(store.db, async (tx) => {
    await markItems(tx, source.id, items, { withdrawal: 'waiting' });
    const message =
      `${source.id}: ${gone.length} posts are gone at once, which may be a fault of the site. Their articles stay ` +
      'until you decide.';
    const actions = [
      sourceAction('withdraw', 'retract them', source.id),
      sourceAction('withdraw --keep', 'keep them for good', source.id),
    ];
    await raiseAlert(tx, { ...alert, message, actions }, clock());
  });
  result.waiting += gone.length;
}

/** The list of posts is not complete. */
export function incompleteAlert(source: string): AlertId {
  return { kind: 'incomplete', subject: { source } };
}

/** Withdrawals that wait for the operator. */
export function withdrawalAlert(source: string): AlertId {
  return { kind: 'withdrawals', subject: { source } };
}

/**
 * Decides on posts that are gone and wait for the operator: retracts their articles, or keeps them as they are.
 * @param onCommit called last, in the same transaction, if any waited
 * @returns how many there were
 */
export async function decideWithdrawals(
  { store, config, clock }: Pick<AppContext, 'store' | 'config' | 'clock'>,
  source: ArticleSource,
  decision: 'retract' | 'keep',
  onCommit?: InTransaction,
): Promise<number> {
  return inTransaction(store.db, async (tx) => {
    const waiting = await listWaitingWithdrawals(tx, source.id);
    const items = waiting.map(({ item }) => item);
    if (decision === 'retract') await retractItems(tx, { config, source }, waiting, clock());
    else await markItems(tx, source.id, items, { withdrawal: 'left' });
    await resolveAlerts(tx, [withdrawalAlert(source.id)], clock());
    if (items.length > 0) await onCommit?.(tx);
    return items.length;
  });
}

/** Retracts the articles of items that a source no longer has. @returns how many were not retracted before */
async function retractItems(
  db: Db,
  { config, source }: Pick<SitePoll, 'config' | 'source'>,
  rows: SourceItemRow[],
  now: number,
): Promise<number> {
  if (rows.length === 0) return 0;
  const items = rows.map(({ item }) => item);
  const publicUrl = config.publication.url;
  const note = `This story was withdrawn from ${new URL(source.url).hostname}.`;
  return inTransaction(db, async (tx) => {
    const ids = rows.map((row) => row.article_id);
    const retracted = await retractArticles(tx, ids, { note, publicUrl }, now);
    await markItems(tx, source.id, items, { withdrawal: 'retracted' });
    const paths = items.map((item) => itemPath(source.id, item));
    await clearRejectionsOfFiles(tx, paths);
    return retracted.length;
  });
}

/** Sweeps in a row that must miss an item before anyone asks about it. */
const MISSING_SWEEPS = 2;
/** More at once may be a fault of the source, such as a plugin that hides posts: they wait for the operator. */
const MAX_AT_ONCE = 5;

/** `missing` counts complete sweeps in a row; one with a `withdrawal` is dealt with, or waits for the operator. */
export type KnownItem = Pick<SourceItemRow, 'item' | 'missing' | 'modified_at' | 'withdrawal'>;

export interface SweepOutcome {
  /** Present again. */
  returned: string[];
  /** Missing once more, by the number of sweeps. */
  missing: Map<number, string[]>;
  /** Missing for long enough: whether they are gone is to be confirmed. */
  suspected: string[];
  /** Present, but unknown, changed since they were read, or back after a withdrawal. */
  unread: string[];
}

/**
 * Compares a complete list of a source's ids with what is known.
 * @param known of the same period
 * @param present by id; when they were modified
 */
export function compareIds(known: readonly KnownItem[], present: ReadonlyMap<string, number | null>): SweepOutcome {
  const outcome: SweepOutcome = { returned: [], missing: new Map(), suspected: [], unread: [] };
  const byItem = new Map(known.map((one) => [one.item, one]));
  for (const [id, modifiedAt] of present) {
    const item = byItem.get(id);
    const isChanged = item !== undefined && modifiedAt !== null && modifiedAt > (item.modified_at ?? 0);
    if (item === undefined || isChanged || item.withdrawal !== null) outcome.unread.push(id);
    else if (item.missing > 0) outcome.returned.push(id);
  }
  for (const { item, missing, withdrawal } of known) {
    if (present.has(item) || withdrawal !== null) continue;
    const sweeps = missing + 1;
    outcome.missing.set(sweeps, [...(outcome.missing.get(sweeps) ?? []), item]);
    if (sweeps >= MISSING_SWEEPS) outcome.suspected.push(item);
  }
  return outcome;
}

/**
 * Whether a post that the list no longer has is gone, by the responses for it. To clients without a login, WordPress
 * answers 401 for a post in the trash: then its public address decides.
 * @param api status of the API's response for it
 * @param page status of its public address; null if it was not asked
 */
export function isGone(api: number, page: number | null): boolean {
  if (api === 404 || api === 410) return true;
  return (api === 401 || api === 403) && (page === 404 || page === 410);
}
