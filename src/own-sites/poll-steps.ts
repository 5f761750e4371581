/** The steps of a poll under way: requests, imports and recorded progress. */
import { type ArticleImportResult, addToResult } from '../articles/import/result.ts';
import { retractArticles } from '../articles/import/retract.ts';
import type { ArticleSource, Config } from '../core/config/config.ts';
import { inTransaction, type Store } from '../core/store/store.ts';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import type { FetchClient } from '../lib/guarded-fetch/fetch-client.ts';
import { type Clock, MINUTE } from '../lib/time.ts';
import type { Answer, Requester } from '../sources/request.ts';
import { recordPollProgress, type SourceRow } from '../sources/source-state.ts';
import { articleId } from './article-record.ts';
import { importEntries } from './import-entries.ts';
import type { ItemEntry, ReadPage } from './read-page.ts';
import { readPageInThread } from './read-page-in-thread.ts';

export interface PollDeps {
  store: Store;
  config: Config;
  client: FetchClient;
  clock: Clock;
  signal?: AbortSignal | undefined;
}

export interface PollResult extends ArticleImportResult {
  /** Retracted because the source has withdrawn them. */
  retracted: number;
  /** Withdrawn by the source, and left as they are. */
  left: number;
  /** Too many at once: they wait for the operator. */
  waiting: number;
  /** What of a feed was repaired or left out, for people. */
  feedProblems: string[];
}

/** By which the clock of a CMS may differ from this one. */
const MAX_CLOCK_DIFFERENCE = 5 * MINUTE;

/** A claimed poll under way. */
export interface Poll extends PollDeps {
  source: ArticleSource;
  row: SourceRow;
  report: PollResult;
}

/** Another process has claimed the source since. */
export class LostClaimError extends Error {}

/** Imports the posts of a response. @throws PollError if it is not of posts */
export async function importPage(poll: Poll, answer: Answer): Promise<ReadPage> {
  const { store, config, source, clock, signal, report } = poll;
  const api = poll.row.api as SourceApi;
  const page = await readPageInThread(
    {
      ...{ api, url: answer.url, headers: answer.headers, body: answer.body },
      ...{ rules: { source, sections: config.sections }, now: clock() },
    },
    signal,
  );
  report.feedProblems.push(...page.problems);
  const { polled_at: polledAt } = poll.row;
  const imported = await importEntries(store, config, source.id, page, {
    ...{ clock, signal },
    // A feed may change an item without dating the change.
    settledBefore: api === 'feed' || polledAt === null ? null : polledAt - MAX_CLOCK_DIFFERENCE,
    afterPart: async (items) => {
      await retractLeftOut(poll, items);
      await progress(poll, {});
    },
  });
  addToResult(report, imported);
  return page;
}

/** Retracts articles of posts that the configuration leaves out since they are for members only. */
async function retractLeftOut({ store, config, source, clock, report }: Poll, items: ItemEntry[]): Promise<void> {
  const ids = items.filter(({ record }) => record === null).map(({ key }) => articleId(source.id, key));
  if (ids.length === 0 || source.withdrawn === 'leave') return;
  const note = `This story is now for members of ${new URL(source.url).hostname}.`;
  const publicUrl = config.publication.url;
  const retracted = await inTransaction(store.db, (tx) => retractArticles(tx, ids, { note, publicUrl }, clock()));
  report.retracted += retracted.length;
}

/** Records progress, and keeps the claim. @throws LostClaimError */
export async function progress(poll: Poll, change: Parameters<typeof recordPollProgress>[2]): Promise<void> {
  const { store, row, clock } = poll;
  if (!(await recordPollProgress(store.db, row, change, clock()))) throw new LostClaimError();
  Object.assign(row, change);
}

export function requesterOf({ client, clock, signal }: Poll): Requester {
  return { client, now: clock(), signal };
}
