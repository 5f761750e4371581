/** Reads a response of a source in a thread, with a time limit. */
import { JobError } from '../lib/threads/pool-thread.ts';
import { threadJob } from '../lib/threads/thread-job.ts';
import { runInThread } from '../lib/threads/thread-pool.ts';
import { SECOND } from '../lib/time.ts';
import { PollError, placeOf } from '../sources/request.ts';
import type { PageInput, ReadPage } from './read-page.ts';

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
