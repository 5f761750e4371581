/**
 * Polls a source that was claimed: finds its API, reads what has changed page by page, and looks for what is gone. Each
 * page is stored before the next one is asked for, so that a process that dies loses and doubles nothing.
 */
import { emptyResult } from '../articles/import/result.ts';
import type { ArticleSource } from '../core/config/config.ts';
import { sourceKey } from '../core/config/source-keys.ts';
import { DAY } from '../lib/time.ts';
import { type CmsApi, MAX_PAGE_SIZE } from '../sources/cms/cms-api.ts';
import { openGhost } from '../sources/cms/ghost.ts';
import { openWordPress } from '../sources/cms/wordpress.ts';
import { discoverApi } from '../sources/discover.ts';
import { ask, PollError, placeOf, statusError } from '../sources/request.ts';
import { recordFailure, recordSuccess, releaseSource, type SourceRow } from '../sources/source-state.ts';
import {
  importPage,
  LostClaimError,
  type Poll,
  type PollDeps,
  type PollResult,
  progress,
  requesterOf,
} from './poll-steps.ts';
import { sweepIfDue } from './sweep.ts';

export type PollOutcome =
  | { kind: 'polled'; report: PollResult }
  /** `report`: what was stored before that. */
  | { kind: 'failed'; problem: string; report: PollResult }
  /** The process ends, or another process has taken over. */
  | { kind: 'stopped' };

/** Polls a claimed source, and records how that ended. @throws what the store throws */
export async function pollSource(deps: PollDeps, source: ArticleSource, row: SourceRow): Promise<PollOutcome> {
  const { store, clock, signal } = deps;
  const startedAt = clock();
  const report: PollResult = { ...emptyResult(), retracted: 0, left: 0, waiting: 0, feedProblems: [] };
  const poll: Poll = { ...deps, source, row, report };
  const { pollMinutes } = source;
  try {
    await readSource(poll, startedAt);
    await recordSuccess(store.db, row, { startedAt, pollMinutes }, clock());
    return { kind: 'polled', report };
  } catch (error) {
    if (error instanceof LostClaimError) return { kind: 'stopped' };
    if (signal?.aborted) {
      await releaseSource(store.db, row, clock());
      return { kind: 'stopped' };
    }
    if (!(error instanceof PollError)) throw error;
    const { message: problem, retryAt, isGone: forgetEndpoint } = error;
    await recordFailure(store.db, row, { startedAt, problem, retryAt, pollMinutes, forgetEndpoint }, clock());
    return { kind: 'failed', problem, report };
  }
}

async function readSource(poll: Poll, startedAt: number): Promise<void> {
  const { api, endpoint } = await findApi(poll);
  if (api === 'feed') {
    await readFeed(poll, endpoint);
    return;
  }
  const cms = api === 'ghost' ? openGhost(endpoint, ghostKey(poll)) : openWordPress(endpoint);
  const isFirst = poll.row.read_to === null;
  // All posts of a large site take minutes: the news comes first.
  if (isFirst) await readNewest(poll, cms);
  await readChanges(poll, cms);
  // It has read all that there is.
  if (isFirst && poll.row.fully_swept_at === null) {
    await progress(poll, { swept_at: startedAt, fully_swept_at: startedAt });
  } else await sweepIfDue(poll, cms, startedAt);
}

async function findApi(poll: Poll): Promise<{ api: NonNullable<SourceRow['api']>; endpoint: string }> {
  const { source, row, config } = poll;
  if (row.api !== null && row.endpoint !== null) return { api: row.api, endpoint: row.endpoint };
  // Once found, it stays: another API has other ids, and would bring all articles a second time.
  const api = row.api ?? source.api;
  const found = await discoverApi(requesterOf(poll), { url: source.url, api, key: sourceKey(config, source.id) });
  await progress(poll, { api: found.api, endpoint: found.endpoint });
  return found;
}

function ghostKey({ config, source }: Poll): string {
  const key = sourceKey(config, source.id);
  if (key !== undefined) return key;
  throw new PollError(`the Ghost Content API needs a key: set DAYWIRE_SOURCE_KEYS to ${source.id}=KEY`);
}

async function readNewest(poll: Poll, cms: CmsApi): Promise<void> {
  const result = await tryPage(poll, cms.newestUrl(MAX_PAGE_SIZE), cms, MAX_PAGE_SIZE);
  if (result.kind === 'too-large') return;
  if (result.answer.status !== 200) throw statusError(result.answer, poll.clock());
  await importPage(poll, result.answer);
}

/** WordPress compares local times: after a change of its time zone, they are off by as much. */
const MAX_TIME_ERROR = 2 * DAY;

/** Reads all posts that were modified since the last poll, the oldest change first. */
async function readChanges(poll: Poll, cms: CmsApi): Promise<void> {
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

async function tryPage(poll: Poll, url: string, cms: CmsApi, size: number) {
  const { client, signal } = poll;
  const result = await client.fetch({ url, headers: cms.headers }, signal);
  signal?.throwIfAborted();
  if (result.kind === 'answered') return { kind: 'answered' as const, answer: result };
  // Too long, or too slow: long posts and slow servers need smaller pages.
  const isAway = result.kind === 'refused' || result.reason.startsWith('no connection');
  if (!isAway && size > MIN_PAGE_SIZE) return { kind: 'too-large' as const };
  throw new PollError(`${poll.source.url}: ${result.reason}`);
}

async function readFeed(poll: Poll, endpoint: string): Promise<void> {
  const { row } = poll;
  const conditions = {
    ...(row.etag === null ? {} : { 'If-None-Match': row.etag }),
    ...(row.last_modified === null ? {} : { 'If-Modified-Since': row.last_modified }),
  };
  const answer = await ask(requesterOf(poll), endpoint, conditions);
  if (answer.status === 304) return;
  if (answer.status !== 200) throw statusError(answer, poll.clock());
  const { repaired } = await importPage(poll, answer);
  // Only now: what failed to be read or stored is to be sent again.
  await progress(poll, {
    etag: answer.headers.etag ?? null,
    last_modified: answer.headers['last-modified'] ?? null,
    repaired: repaired ? 1 : 0,
    ...(answer.movedTo === null ? {} : { endpoint: answer.movedTo }),
  });
}
