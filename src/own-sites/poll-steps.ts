/** Reads and imports the responses of a site. */
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import { JobError } from '../lib/threads/pool-thread.ts';
import { threadJob } from '../lib/threads/thread-job.ts';
import { runInThread } from '../lib/threads/thread-pool.ts';
import { type Clock, SECOND } from '../lib/time.ts';
import { type Answer, PollError, placeOf } from '../sources/request.ts';
import type { PollFindings } from '../sources/source-state.ts';
import type { RecordRules } from './article-record.ts';
import { importEntries, type SitePoll } from './import-entries.ts';
import type { ReadPage } from './read-page.ts';

/**
 * Imports the posts of a response.
 * @param readAt when the items were read that those of a feed are compared with
 * @throws PollError if it is not of posts
 */
export async function importPage(
  poll: SitePoll,
  answer: Answer,
  readAt: number | null = poll.row.items_read_at,
): Promise<ReadPage & { findings: PollFindings }> {
  const page = await readPageInThread(answer, poll.row.api as SourceApi, poll);
  return { ...page, findings: await importEntries(poll, page, readAt) };
}

const READ = threadJob<typeof import('./read-page.ts').readPage>(import.meta.url, './read-page', 'readPage');

/** A feed of ten megabytes takes a few seconds. */
const TIME_LIMIT = 30 * SECOND;

interface PageContext {
  config: Pick<RecordRules, 'sections'> & { publication: { zone: string } };
  source: RecordRules['source'];
  clock: Clock;
  signal: AbortSignal;
}

/** @throws PollError if the response cannot be read; the reason of `signal` */
export async function readPageInThread(
  { url, headers, body }: Pick<Answer, 'url' | 'headers' | 'body'>,
  api: SourceApi,
  { config, source, clock, signal }: PageContext,
): Promise<ReadPage> {
  const { sections, publication } = config;
  const input = { api, url, headers, body, rules: { source, sections }, now: clock(), zone: publication.zone };
  try {
    const result = await runInThread(READ, input, { timeLimit: TIME_LIMIT, signal });
    if (result.kind === 'read') return result.page;
    throw new PollError(`${placeOf(url)} answered ${result.reason}`);
  } catch (error) {
    if (error instanceof JobError) throw new PollError(`${placeOf(url)}: cannot be read: ${error.message}`);
    throw error;
  }
}
