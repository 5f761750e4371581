/** The steps of a poll under way: imports of pages. */
import { type ArticleImportResult, addToResult } from '../articles/import/result.ts';
import { retractArticles } from '../articles/import/retract.ts';
import type { ArticleSource } from '../core/config/config.ts';
import { inTransaction } from '../core/store/store.ts';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import { JobError } from '../lib/threads/pool-thread.ts';
import { threadJob } from '../lib/threads/thread-job.ts';
import { runInThread } from '../lib/threads/thread-pool.ts';
import { MINUTE, SECOND } from '../lib/time.ts';
import { type Poll, progress } from '../sources/polling/source-kind.ts';
import { type Answer, PollError, placeOf } from '../sources/request.ts';
import { articleId } from './article-record.ts';
import { type EntryImport, importEntries } from './import-entries.ts';
import type { ItemEntry, PageInput, ReadPage } from './read-page.ts';

export interface SitePollResult extends ArticleImportResult {
  /** Retracted because the source has withdrawn them. */
  retracted: number;
  /** Withdrawn by the source, and left as they are. */
  left: number;
  /** Too many at once: they wait for the operator. */
  waiting: number;
  /** New, and too many at once: they wait for the operator, too. */
  held: number;
  /** Repairs of a feed, dates that cannot be true, and items that were left out, for people. */
  feedProblems: string[];
}

export type SitePoll = Poll<ArticleSource, SitePollResult>;

/** By which the clock of a CMS may differ from this one. */
const MAX_CLOCK_DIFFERENCE = 5 * MINUTE;

/** Imports the posts of a response. @throws PollError if it is not of posts */
export async function importPage(poll: SitePoll, answer: Answer): Promise<ReadPage & EntryImport> {
  const { store, config, source, clock, signal, result } = poll;
  const { url, headers, body } = answer;
  const api = poll.row.api as SourceApi;
  const rules = { source, sections: config.sections };
  const page = await readPageInThread({ api, url, headers, body, rules, now: clock() }, signal);
  result.feedProblems.push(...page.problems);
  const { polled_at: polledAt } = poll.row;
  const imported = await importEntries(store, config, poll.row, page, {
    ...{ clock, signal },
    // A feed may change an item without dating the change.
    settledBefore: api === 'feed' || polledAt === null ? null : polledAt - MAX_CLOCK_DIFFERENCE,
    afterPart: async (items) => {
      await retractLeftOut(poll, items);
      await progress(poll, {});
    },
  });
  addToResult(result, imported.articles);
  result.held += imported.held;
  result.feedProblems.push(...imported.problems);
  return { ...page, ...imported };
}

/** Retracts articles of posts that the configuration leaves out since they are for members only. */
async function retractLeftOut({ store, config, source, clock, result }: SitePoll, items: ItemEntry[]): Promise<void> {
  const ids = items.filter(({ record }) => record === null).map(({ key }) => articleId(source.id, key));
  if (ids.length === 0 || source.withdrawn === 'leave') return;
  const note = `This story is now for members of ${new URL(source.url).hostname}.`;
  const publicUrl = config.publication.url;
  const retracted = await inTransaction(store.db, (tx) => retractArticles(tx, ids, { note, publicUrl }, clock()));
  result.retracted += retracted.length;
}

const READ = threadJob<typeof import('./read-page.ts').readPage>(import.meta.url, './read-page', 'readPage');

/** A feed of ten megabytes takes a few seconds. */
const TIME_LIMIT = 30 * SECOND;

/** @throws PollError if the response cannot be read; the reason of `signal` */
export async function readPageInThread(input: PageInput, signal: AbortSignal | undefined): Promise<ReadPage> {
  try {
    const result = await runInThread(READ, input, { timeLimit: TIME_LIMIT, signal });
    if (result.kind === 'read') return result.page;
    throw new PollError(`${placeOf(input.url)} answered ${result.reason}`);
  } catch (error) {
    if (error instanceof JobError) throw new PollError(`${placeOf(input.url)}: cannot be read: ${error.message}`);
    throw error;
  }
}
