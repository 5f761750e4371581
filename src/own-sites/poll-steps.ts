/** Reads and imports the responses of a site. */
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import { JobError } from '../lib/threads/pool-thread.ts';
import { threadJob } from '../lib/threads/thread-job.ts';
import { runInThread } from '../lib/threads/thread-pool.ts';
import { SECOND } from '../lib/time.ts';
import { type Answer, PollError, placeOf } from '../sources/request.ts';
import type { PollFindings } from '../sources/source-state.ts';
import { importEntries, type SitePoll } from './import-entries.ts';
import type { PageInput, ReadPage } from './read-page.ts';

/** Imports the posts of a response. @throws PollError if it is not of posts */
export async function importPage(
  poll: SitePoll,
  { url, headers, body }: Answer,
): Promise<ReadPage & { findings: PollFindings }> {
  const { config, source, clock, signal } = poll;
  const api = poll.row.api as SourceApi;
  const rules = { source, sections: config.sections };
  const page = await readPageInThread(
    { api, url, headers, body, rules, now: clock(), zone: config.publication.zone },
    signal,
  );
  return { ...page, findings: await importEntries(poll, page) };
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
