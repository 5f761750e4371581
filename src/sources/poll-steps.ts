/** The steps of a poll under way: requests, imports and recorded progress. */
import { type ArticleImportReport, addToReport } from '../articles/import/report.ts';
import type { Config, SourceConfig } from '../config/config.ts';
import type { FetchClient } from '../lib/guarded-fetch/fetch-client.ts';
import type { Clock } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import type { SourceApi } from '../store/tables.ts';
import { importEntries } from './import-entries.ts';
import type { ReadPage } from './read-page.ts';
import { readPageInThread } from './read-page-in-thread.ts';
import type { Answer, Requester } from './request.ts';
import { recordProgress, type SourceRow } from './source-state.ts';

export interface PollDeps {
  store: Store;
  config: Config;
  client: FetchClient;
  clock: Clock;
  signal?: AbortSignal | undefined;
}

export interface PollReport extends ArticleImportReport {
  /** Retracted because the source has withdrawn them. */
  retracted: number;
  /** Withdrawn by the source, and left as they are. */
  left: number;
  /** Too many at once: they wait for the operator. */
  waiting: number;
  /** What of a feed was repaired or left out, for people. */
  feedProblems: string[];
}

/** A claimed poll under way. */
export interface Poll extends PollDeps {
  source: SourceConfig;
  row: SourceRow;
  report: PollReport;
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
  addToReport(report, await importEntries(store, config, source.id, page, { clock, signal }));
  return page;
}

/** Records progress, and keeps the claim. @throws LostClaimError */
export async function progress(poll: Poll, change: Parameters<typeof recordProgress>[2]): Promise<void> {
  const { store, row, clock } = poll;
  if (!(await recordProgress(store.db, row, change, clock()))) throw new LostClaimError();
  Object.assign(row, change);
}

export function requesterOf({ client, clock, signal }: Poll): Requester {
  return { client, now: clock(), signal };
}
