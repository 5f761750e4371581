/**
 * The newsroom's own sites, as a kind of source: finds their API, reads what has changed page by page, and looks for
 * posts that are gone. Each page is stored before the next one is asked for, so that a process that dies loses and
 * doubles nothing.
 */
import { addToResult, emptyResult } from '../articles/import/result.ts';
import type { ArticleSource } from '../core/config/config.ts';
import { openConfiguredClient } from '../core/config/fetching.ts';
import { sourceKey } from '../core/config/source-keys.ts';
import { articleSources } from '../core/config/sources.ts';
import { DAY, MINUTE } from '../lib/time.ts';
import { type CmsApi, MAX_PAGE_SIZE } from '../sources/cms/cms-api.ts';
import { openGhost } from '../sources/cms/ghost.ts';
import { openWordPress } from '../sources/cms/wordpress.ts';
import { discoverApi } from '../sources/discover.ts';
import { findLastSeen, listOnHold } from '../sources/item-state.ts';
import type { ReadSignal } from '../sources/polling/poll-state.ts';
import { type EndOfPoll, progress, type SourceKind } from '../sources/polling/source-kind.ts';
import { ask, askForOk, conditionsOf, PollError, placeOf, statusError, validatorsOf } from '../sources/request.ts';
import type { PollFindings, SourceRow } from '../sources/source-state.ts';
import { importAccepted } from './held-posts.ts';
import type { SitePoll, SitePollResult } from './import-entries.ts';
import { importPage } from './poll-steps.ts';
import type { ReadPage } from './read-page.ts';
import { siblingsOf, siteOf } from './shared-items.ts';
import { testSite } from './source-test.ts';
import { sweepIfDue, withdrawDeleted } from './sweep.ts';

export const SITES: SourceKind<ArticleSource, SitePollResult> = {
  sources: articleSources,
  siblings: siblingsOf,
  openClient: ({ config }, gate) => openConfiguredClient(config, undefined, { gate }),
  emptyResult: () => ({ ...emptyResult(), retracted: 0, left: 0, waiting: 0, held: 0, feedProblems: [] }),
  read: readSite,
  describeChanges({ added, updated, rejectedCount: rejected, retracted, left, waiting, held }) {
    // An input that is rejected again with each poll is no change.
    if (added + updated + retracted + left + waiting + held === 0) return [];
    const counts = {
      ...{ added, updated, held, rejected, retracted },
      'withdrawn and left': left,
      'withdrawn and waiting': waiting,
    };
    return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : `${count} ${what}`));
  },
  problems: ({ rejected, feedProblems }) => [...rejected.flatMap(({ problems }) => problems), ...feedProblems],
  try: testSite,
};

async function readSite(poll: SitePoll): Promise<EndOfPoll> {
  const startedAt = poll.clock();
  addToResult(poll.result, await importAccepted(poll, poll.source.id));
  const { api, endpoint } = await findApi(poll);
  const { movedTo, findings } =
    api === 'feed' ? await readFeed(poll, endpoint) : { movedTo: null, findings: await readCms(poll, startedAt) };
  return async (tx, now) => {
    const nextAt = now + poll.source.pollMinutes * MINUTE;
    const { length: held } = await listOnHold(tx, poll.source.id, 'held');
    // A site of the newsroom is polled at the same pace without news.
    const signal: ReadSignal = { kind: 'read', endpoint, movedTo, knowsOne: null, newsAt: now, held, nextAt };
    return { signal, findings };
  };
}

async function readCms(poll: SitePoll, startedAt: number): Promise<PollFindings> {
  const { row } = poll;
  const cms = openCms(poll, row as FoundSource);
  const isFirst = row.read_to === null;
  // All posts of a large site take minutes: the news comes first.
  if (isFirst) await readNewest(poll, cms);
  await readChanges(poll, cms);
  // It has read all that there is.
  if (isFirst && row.fully_swept_at === null && !poll.isByHand)
    await progress(poll, { swept_at: startedAt, fully_swept_at: startedAt });
  else await sweepIfDue(poll, cms, startedAt);
  return {};
}

type FoundSource = { [key in 'api' | 'endpoint']: NonNullable<SourceRow[key]> };

async function findApi(poll: SitePoll): Promise<FoundSource> {
  const { source, row, config } = poll;
  if (row.api !== null && row.endpoint !== null) return { api: row.api, endpoint: row.endpoint };
  // Once found, it stays: another API has other ids, and would bring all articles a second time.
  const api = row.api ?? source.api;
  const found = await discoverApi(poll, { url: source.url, api, key: sourceKey(config, source.id) });
  await progress(poll, { api: found.api, endpoint: found.endpoint });
  return found;
}

function openCms({ config, source }: SitePoll, { api, endpoint }: FoundSource): CmsApi {
  if (api === 'wordpress') return openWordPress(endpoint);
  const key = sourceKey(config, source.id);
  if (key !== undefined) return openGhost(endpoint, key);
  throw new PollError(`the Ghost Content API needs a key: set DAYWIRE_SOURCE_KEYS to ${source.id}=KEY`);
}

async function readNewest(poll: SitePoll, cms: CmsApi): Promise<void> {
  const result = await tryPage(poll, cms.newestUrl(MAX_PAGE_SIZE), cms, MAX_PAGE_SIZE);
  if (result.kind === 'too-large') return;
  if (result.answer.status !== 200) throw statusError(result.answer, poll.clock());
  await importPage(poll, result.answer);
}

/** WordPress compares local times: after a change of its time zone, they are off by as much. */
const MAX_TIME_ERROR = 2 * DAY;

/** Reads all posts that were modified since the last poll, the oldest change first. */
async function readChanges(poll: SitePoll, cms: CmsApi): Promise<void> {
  let after = poll.row.read_to;
  let page = 1;
  let size = MAX_PAGE_SIZE;
  for (;;) {
    // Both APIs exclude the instant itself, in which more may have been modified than was read.
    const url = cms.changedUrl({ after: after === null ? null : after - 1_000, page, size });
    const result = await tryPage(poll, url, cms, size);
    if (result.kind === 'too-large') {
      // Before the first post of this page there are as many as before.
      const read = (page - 1) * size;
      size = Math.ceil(size / 4);
      page = Math.floor(read / size) + 1;
      await progress(poll, {});
      continue;
    }
    const { answer } = result;
    // WordPress answers 400 for a page after the last one.
    if (answer.status === 400 && page > 1) return;
    if (answer.status !== 200) throw statusError(answer, poll.clock());
    const read = await importPage(poll, answer);
    const { lastModifiedAt, firstModifiedAt } = read;
    if (after !== null && firstModifiedAt !== null && firstModifiedAt < after - MAX_TIME_ERROR) {
      throw new PollError(
        `${placeOf(url)} answered posts that were modified before the time that was asked for: WordPress must be 5.7 ` +
          'or later, and a cache in front of it must not ignore the query',
      );
    }
    // A change that is dated in the future must not hide those until then.
    if (lastModifiedAt !== null) await progress(poll, { read_to: Math.min(lastModifiedAt, poll.clock()) });
    const isLast = read.pages === null ? read.count < size : page >= read.pages;
    if (isLast) return;
    // Pages move when a post is modified meanwhile; the time of the last change does not.
    if (lastModifiedAt !== null && lastModifiedAt > Math.max(firstModifiedAt ?? 0, after ?? 0)) {
      after = lastModifiedAt;
      page = 1;
    } else page += 1;
  }
}

/** Smaller pages than this are not asked for. */
const MIN_PAGE_SIZE = 5;

async function tryPage(poll: SitePoll, url: string, cms: CmsApi, size: number) {
  const { client, signal } = poll;
  const result = await client.fetch({ url, headers: cms.headers }, signal);
  signal?.throwIfAborted();
  if (result.kind === 'answered') return { kind: 'answered' as const, answer: result };
  // Too long, or too slow: long posts and slow servers need smaller pages.
  const isAway = result.kind === 'refused' || result.reason.startsWith('no connection');
  if (!isAway && size > MIN_PAGE_SIZE) return { kind: 'too-large' as const };
  throw new PollError(`${poll.source.url}: ${result.reason}`);
}

/** Pages of older items that the first import of a feed reads. */
const MAX_PAGES = 50;

/** Reads the pages that follow the first one (RFC 5005 §3). One that cannot be read ends that. */
async function readOlderPages(poll: SitePoll, first: ReadPage): Promise<void> {
  const read = new Set<string>();
  let { nextPage } = first;
  while (nextPage !== null && !read.has(nextPage) && read.size < MAX_PAGES) {
    const url = nextPage;
    if (siteOf(url) !== siteOf(poll.row.endpoint ?? poll.source.url)) return;
    try {
      read.add(url);
      ({ nextPage } = await importPage(poll, await askForOk(poll, url)));
    } catch (error) {
      if (!(error instanceof PollError)) throw error;
      poll.result.feedProblems.push(`older pages of the feed were not read: ${error.message}`);
      return;
    }
  }
}

async function readFeed(poll: SitePoll, endpoint: string): Promise<{ movedTo: string | null; findings: PollFindings }> {
  const { row, clock, store } = poll;
  const conditions = conditionsOf(row, clock());
  const answer = await ask(poll, endpoint, conditions);
  if (answer.status === 304 && Object.keys(conditions).length > 0) return { movedTo: answer.movedTo, findings: {} };
  if (answer.status !== 200) throw statusError(answer, clock());
  // After its address was changed in the configuration, the site may have moved.
  const page = await importPage(poll, answer, row.items_read_at ?? (await findLastSeen(store.db, row.id)));
  const { repaired, findings } = page;
  if (row.items_read_at === null) await readOlderPages(poll, page);
  await withdrawDeleted(poll, page.deleted, findings.items_read_at ?? clock());
  // Recorded at the end: a document that failed to be read or stored is to be sent again.
  return {
    movedTo: answer.movedTo,
    findings: { ...validatorsOf(answer), ...findings, repaired: repaired ? 1 : 0 },
  };
}
