/** Groups outlet items in a thread: thousands take a second. */
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { SECOND } from '../../lib/time.ts';
import type { GroupingInput } from './group-job.ts';
import type { Grouping } from './grouping-item.ts';

const GROUP = threadJob<typeof import('./group-job.ts').groupJob>(import.meta.url, './group-job', 'groupJob');

const TIME_LIMIT = 30 * SECOND;

/** As `groupItems`. @throws JobError if it takes too long; the reason of `signal` */
export function groupInThread(input: GroupingInput, signal?: AbortSignal): Promise<Grouping> {
  return runInThread(GROUP, input, { timeLimit: TIME_LIMIT, signal });
}
