/** Reads the page of a report in a thread, with a time limit: anyone's page may be made to take long. */
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { SECOND } from '../../lib/time.ts';
import type { PageDocument, PageMetadata } from './page-metadata.ts';

const READ_PAGE = threadJob<typeof import('./page-metadata.ts').readPageMetadata>(
  import.meta.url,
  './page-metadata',
  'readPageMetadata',
);

const TIME_LIMIT = 10 * SECOND;

/** @returns null for a page that cannot be read in time; @throws the reason of the signal */
export async function readPageInThread(
  document: PageDocument,
  { now, signal }: { now: number; signal?: AbortSignal | undefined },
): Promise<PageMetadata | null> {
  try {
    return await runInThread(READ_PAGE, { document, now }, { timeLimit: TIME_LIMIT, signal });
  } catch (error) {
    if (error instanceof JobError) return null;
    throw error;
  }
}
