/** Parses feeds in a thread, with a time limit: what others write may take long. */
import { setImmediate as turn } from 'node:timers/promises';
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { SECOND } from '../../lib/time.ts';
import type { ItemParts } from './parse-feed-parts.ts';
import type { FetchedFeed, ParsedFeed, ParsedItem } from './parsed-feed.ts';

const PARSE = threadJob<typeof import('./parse-feed-parts.ts').parseFeedParts>(
  import.meta.url,
  './parse-feed-parts',
  'parseFeedParts',
);

/** Milliseconds. A feed of 10 MiB with 50,000 items takes 3 s on a slow processor. */
const TIME_LIMIT = 20 * SECOND;

export type FeedReading = ReadFeed | { kind: 'unreadable'; reason: string };

interface ReadFeed {
  kind: 'feed';
  feed: Omit<ParsedFeed, 'items'>;
  itemCount: number;
  /** All items in order, some hundred at a time: between two lists the event loop turns. Can be read again. */
  items(): AsyncGenerator<ParsedItem[]>;
}

/**
 * As `parseFeed`; a feed that takes longer than 20 seconds, or more memory than a thread has, is unreadable.
 * @throws the reason of `signal`; Error if no thread can be started
 */
export async function parseFeedInThread(
  fetched: FetchedFeed,
  now: number,
  signal?: AbortSignal,
  timeLimit = TIME_LIMIT,
): Promise<FeedReading> {
  try {
    const result = await runInThread(PARSE, { fetched, now }, { timeLimit, signal });
    if (result.kind === 'unreadable') return result;
    const { feed, parts } = result;
    return { kind: 'feed', feed, itemCount: parts.itemCount, items: () => itemsOf(parts) };
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    return { kind: 'unreadable', reason: `the document cannot be parsed: ${error.message}` };
  }
}

async function* itemsOf({ bytes, ends }: ItemParts): AsyncGenerator<ParsedItem[]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (const end of ends) {
    if (start > 0) await turn();
    yield JSON.parse(buffer.toString('utf8', start, end)) as ParsedItem[];
    start = end;
  }
}
