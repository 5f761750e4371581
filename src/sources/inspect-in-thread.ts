/** Inspects a document in a thread, with a time limit: anyone's site is searched for a feed. */
import { JobError } from '../lib/threads/pool-thread.ts';
import { threadJob } from '../lib/threads/thread-job.ts';
import { runInThread } from '../lib/threads/thread-pool.ts';
import { SECOND } from '../lib/time.ts';
import type { FeedInspection } from './inspect-feed.ts';
import type { Answer, Requester } from './request.ts';

const INSPECT = threadJob<typeof import('./inspect-feed.ts').inspectFeed>(
  import.meta.url,
  './inspect-feed',
  'inspectFeed',
);

const TIME_LIMIT = 30 * SECOND;

/** @returns null for a document that is no feed, or cannot be read in time; @throws the reason of the signal */
export async function inspectInThread(
  { url, headers, body }: Answer,
  { now, signal }: Requester,
): Promise<FeedInspection | null> {
  const document = { bytes: body, contentType: headers['content-type'] ?? null, url };
  try {
    return await runInThread(INSPECT, { document, now }, { timeLimit: TIME_LIMIT, signal });
  } catch (error) {
    if (error instanceof JobError) return null;
    throw error;
  }
}
