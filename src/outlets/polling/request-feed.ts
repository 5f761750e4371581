/** Asks for the feed of an outlet, and reads what it answers. */
import type { RoundupSource } from '../../core/config/config.ts';
import { type FetchClient, retryAfter } from '../../lib/guarded-fetch/fetch-client.ts';
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { type Clock, HOUR, rfc3339, SECOND } from '../../lib/time.ts';
import { findFeedOfPage } from '../../sources/discover.ts';
import { HostPauseError, hostOf } from '../../sources/host-gate.ts';
import { type Answer, ask, PollError, placeOf } from '../../sources/request.ts';
import type { SourceRow } from '../../sources/source-state.ts';
import { challengeOf, isPage } from './challenge.ts';
import type { PollSignal } from './feed-state.ts';
import type { OutletDocument } from './read-outlet-feed.ts';

export type OutletResponse =
  | (FeedHeaders & {
      kind: 'document';
      document: OutletDocument;
      /** The address that was asked, before redirects. */
      endpoint: string;
    })
  /** 304. */
  | (FeedHeaders & { kind: 'unchanged'; endpoint: string })
  | { kind: 'problem'; signal: Exclude<PollSignal, { kind: 'read' }>; hold: HostHold | null };

/** A host that asked for a pause. */
interface HostHold {
  host: string;
  until: number;
}

interface FeedHeaders {
  /** Where all redirects were permanent: where they led. */
  movedTo: string | null;
  /** Byte for byte. */
  etag: string | null;
  lastModified: string | null;
  /** Milliseconds. */
  maxAge: number | null;
}

export interface FeedRequester {
  client: FetchClient;
  clock: Clock;
  signal: AbortSignal;
}

const READ = threadJob<typeof import('./read-outlet-feed.ts').readOutletFeed>(
  import.meta.url,
  './read-outlet-feed',
  'readOutletFeed',
);
/** A feed of ten megabytes takes a few seconds. */
const TIME_LIMIT = 30 * SECOND;

type AskedSource = Pick<RoundupSource, 'url' | 'outlet'>;
/** Nulls for a feed that was never read. */
type LastResponse = Pick<SourceRow, 'endpoint' | 'etag' | 'last_modified'>;

/** Only what changed since the last response is asked for. @throws the reason of the signal */
export async function requestFeed(
  requester: FeedRequester,
  source: AskedSource,
  row: LastResponse,
): Promise<OutletResponse> {
  const { client, clock, signal } = requester;
  const endpoint = row.endpoint ?? source.url;
  try {
    const answer = await ask({ client, signal, now: clock() }, endpoint, conditionsOf(row));
    return await readAnswer(requester, answer, { source, row, endpoint });
  } catch (error) {
    if (error instanceof HostPauseError) {
      const { message, until } = error;
      return problemOf({ kind: 'busy', problem: `${placeOf(endpoint)} was not asked: ${message}`, retryAt: until });
    }
    if (!(error instanceof PollError)) throw error;
    const { message: problem, retryAt } = error;
    if (retryAt !== null) return problemOf({ kind: 'busy', problem, retryAt });
    return problemOf({ kind: 'failed', problem });
  }
}

function conditionsOf({ endpoint, etag, last_modified }: LastResponse): Record<string, string> {
  if (endpoint === null) return {};
  return {
    ...(etag === null ? {} : { 'If-None-Match': etag }),
    ...(last_modified === null ? {} : { 'If-Modified-Since': last_modified }),
  };
}

async function readAnswer(
  requester: FeedRequester,
  answer: Answer,
  { source, row, endpoint }: { source: AskedSource; row: LastResponse; endpoint: string },
): Promise<OutletResponse> {
  const { outlet } = source;
  const headers = headersOf(answer);
  if (answer.status === 304 && (row.etag ?? row.last_modified) !== null) {
    return { kind: 'unchanged', endpoint, ...headers };
  }
  if (answer.status !== 200) return readStatus(answer, outlet, requester.clock());
  const read = await readInThread(answer, requester);
  if (read.kind === 'read') return { kind: 'document', document: read.document, endpoint, ...headers };
  const place = placeOf(answer.url);
  const service = challengeOf(answer);
  if (service !== null) return problemOf({ kind: 'blocked', problem: challengeProblem(place, service, outlet) });
  if (!isPage(answer.headers, answer.body)) {
    return problemOf({ kind: 'failed', problem: `${place} answered something else than a feed: ${read.reason}` });
  }
  if (row.endpoint !== null) {
    const problem =
      `${place} answered a page instead of the feed: open it in a browser, and ask ${outlet} for the address of its ` +
      'feed, or to let feed readers in';
    return problemOf({ kind: 'blocked', problem });
  }
  const { client, clock, signal } = requester;
  const found = await findFeedOfPage({ client, signal, now: clock() }, answer);
  if (found === null) {
    return problemOf({
      kind: 'failed',
      problem: `${place} is a page that names no feed: configure the feed's address`,
    });
  }
  const feed = await readInThread(found.answer, requester);
  if (feed.kind !== 'read') return problemOf({ kind: 'failed', problem: `${found.address}: ${feed.reason}` });
  return { kind: 'document', document: feed.document, endpoint: found.address, ...headersOf(found.answer) };
}

async function readInThread({ url, headers, body }: Answer, { clock, signal }: FeedRequester) {
  const document = { bytes: body, contentType: headers['content-type'] ?? null, url };
  try {
    return await runInThread(READ, { document, now: clock() }, { timeLimit: TIME_LIMIT, signal });
  } catch (error) {
    if (error instanceof JobError) return { kind: 'unreadable' as const, reason: `reading it ${error.message}` };
    throw error;
  }
}

/** A server that asks for a longer pause gets this one. */
const LONGEST_HOLD = 48 * HOUR;

/** What a status other than 200 and 304 means. */
function readStatus(answer: Answer, outlet: string, now: number): OutletResponse {
  const { status, url, headers } = answer;
  const place = placeOf(url);
  const problem = `${place} answered ${status}`;
  const service = status === 429 ? null : challengeOf(answer);
  if (service !== null) return problemOf({ kind: 'blocked', problem: challengeProblem(place, service, outlet) });
  switch (status) {
    case 429:
    case 503: {
      const retryAt = retryAfter(headers, now, LONGEST_HOLD);
      const until = retryAt === null ? '' : `: it asks not to be called before ${rfc3339(retryAt)}`;
      // 429 counts all requests of a client to the host (RFC 6585 §4).
      const hold = status === 429 && retryAt !== null ? { host: hostOf(new URL(url)), until: retryAt } : null;
      return { ...problemOf({ kind: 'busy', problem: `${problem}${until}`, retryAt }), hold };
    }
    case 403:
      return problemOf({
        kind: 'blocked',
        problem: `${problem}: ask ${outlet} to let feed readers in; its firewall may know daywire by its User-Agent`,
      });
    case 404:
      return problemOf({ kind: 'not-found', problem });
    case 410:
      return problemOf({ kind: 'gone', problem: `${problem}: the feed was removed for good` });
    default:
      return problemOf({ kind: 'failed', problem });
  }
}

function challengeProblem(place: string, service: string, outlet: string): string {
  return (
    `${place} answered a challenge of ${service}, which only browsers pass: ask ${outlet} to exempt its feed from ` +
    'the bot protection'
  );
}

function problemOf(signal: Exclude<PollSignal, { kind: 'read' }>): Extract<OutletResponse, { kind: 'problem' }> {
  return { kind: 'problem', signal, hold: null };
}

/** Characters of a header or an address. Longer ones are no use, and take space. */
const MAX_LENGTH = 2_000;

/** RFC 9111 §5.2.2.1. */
const MAX_AGE = /(?:^|,)\s*max-age\s*=\s*"?(\d{1,9})\b/i;

function headersOf({ movedTo, headers }: Answer): FeedHeaders {
  const short = (text: string | null | undefined): string | null =>
    text == null || text === '' || text.length > MAX_LENGTH ? null : text;
  const [, seconds] = MAX_AGE.exec(headers['cache-control'] ?? '') ?? [];
  return {
    movedTo: short(movedTo),
    etag: short(headers.etag),
    lastModified: short(headers['last-modified']),
    maxAge: seconds === undefined ? null : Number(seconds) * SECOND,
  };
}
