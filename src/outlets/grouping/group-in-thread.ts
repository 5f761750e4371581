/** Groups outlet items in a thread: thousands take a second. */
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { SECOND } from '../../lib/time.ts';
import type { GroupingInput } from './group-job.ts';
import type { Grouping, GroupingItem } from './grouping-item.ts';
import type { Frequencies } from './term-frequencies.ts';

const GROUP = threadJob<typeof import('./group-job.ts').groupJob>(import.meta.url, './group-job', 'groupJob');

const COUNT_TERMS = threadJob<typeof import('./group-job.ts').countTermsJob>(
  import.meta.url,
  './group-job',
  'countTermsJob',
);

const TIME_LIMIT = 30 * SECOND;

/** As `groupItems`. @throws JobError if it takes too long; the reason of `signal` */
export function groupInThread(input: GroupingInput, signal?: AbortSignal): Promise<Grouping> {
  return runInThread(GROUP, input, { timeLimit: TIME_LIMIT, signal });
}

/** As `frequenciesOf`. @throws JobError if it takes too long; the reason of `signal` */
export function countTermsInThread(groups: GroupingItem[][], signal?: AbortSignal): Promise<Frequencies> {
  return runInThread(COUNT_TERMS, groups, { timeLimit: TIME_LIMIT, signal });
}
