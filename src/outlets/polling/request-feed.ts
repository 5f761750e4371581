/** Asks for the feed of an outlet, and reads what it answers. */
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { SECOND } from '../../lib/time.ts';
import { findFeedOfPage } from '../../sources/discover.ts';
import {
  type Answer,
  ask,
  conditionsOf,
  type LastResponse,
  PollError,
  placeOf,
  type Requester,
  statusError,
} from '../../sources/request.ts';
import type { OutletDocument } from './read-outlet-feed.ts';

export interface OutletResponse {
  answer: Answer;
  /** The address that was asked, before redirects. */
  endpoint: string;
  /** Null where nothing has changed (304). */
  document: OutletDocument | null;
  /** What an operator should know of the choice of the feed. */
  notes?: string[];
}

const READ = threadJob<typeof import('./read-outlet-feed.ts').readOutletFeed>(
  import.meta.url,
  './read-outlet-feed',
  'readOutletFeed',
);
/** A feed of ten megabytes takes a few seconds. */
const TIME_LIMIT = 30 * SECOND;

/** Only what changed since the last response is asked for. @throws PollError; the reason of the signal */
export async function requestFeed(
  requester: Requester,
  { url, outlet }: { url: string; outlet: string },
  row: LastResponse,
): Promise<OutletResponse> {
  const endpoint = row.endpoint ?? url;
  const conditions = conditionsOf(row, requester.clock());
  const answer = await ask(requester, endpoint, conditions);
  const { status } = answer;
  if (status === 304 && Object.keys(conditions).length > 0) return { answer, endpoint, document: null };
  const place = placeOf(answer.url);
  const service = status === 429 ? null : challengeOf(answer);
  if (status !== 200) {
    if (service !== null) throw challengeError(place, service, outlet);
    if (status !== 403) throw statusError(answer, requester.clock());
    const problem = `${place} answered 403: ask ${outlet} to let feed readers in; its firewall may know daywire by its`;
    throw new PollError(`${problem} User-Agent`, { kind: 'blocked' });
  }
  const read = await readInThread(answer, requester);
  if (read.kind === 'read') return { answer, endpoint, document: read.document };
  if (service !== null) throw challengeError(place, service, outlet);
  if (!isPage(answer.headers, answer.body)) {
    throw new PollError(`${place} answered something else than a feed: ${read.reason}`);
  }
  if (row.endpoint !== null) {
    const problem =
      `${place} answered a page instead of the feed: open it in a browser, and ask ${outlet} for the address of its ` +
      'feed, or to let feed readers in';
    throw new PollError(problem, { kind: 'blocked' });
  }
  const found = await findFeedOfPage(requester, answer);
  if (found === null) throw new PollError(`${place} is a page that names no feed: configure the feed's address`);
  const feed = await readInThread(found.answer, requester);
  if (feed.kind !== 'read') throw new PollError(`${found.address}: ${feed.reason}`);
  return { answer: found.answer, endpoint: found.address, document: feed.document, notes: found.notes };
}

async function readInThread({ url, headers, body }: Answer, { clock, signal }: Requester) {
  const document = { bytes: body, contentType: headers['content-type'] ?? null, url };
  try {
    return await runInThread(READ, { document, now: clock() }, { timeLimit: TIME_LIMIT, signal });
  } catch (error) {
    if (error instanceof JobError) return { kind: 'unreadable' as const, reason: `reading it ${error.message}` };
    throw error;
  }
}

function challengeError(place: string, service: string, outlet: string): PollError {
  const problem =
    `${place} answered a challenge of ${service}, which only browsers pass: ask ${outlet} to exempt its feed from ` +
    'the bot protection';
  return new PollError(problem, { kind: 'blocked' });
}

/** RFC 9111 §5.2.2.1. */
const MAX_AGE = /(?:^|,)\s*max-age\s*=\s*"?(\d{1,9})\b/i;

/** For how long a response counts as fresh, in milliseconds; null if it does not say. */
export function maxAgeOf({ headers }: Answer): number | null {
  const [, seconds] = MAX_AGE.exec(headers['cache-control'] ?? '') ?? [];
  return seconds === undefined ? null : Number(seconds) * SECOND;
}

/** Parts of a response that show whether it is a challenge. */
export interface ChallengedResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Uint8Array;
}

/** Statuses of the known challenges. */
const STATUSES = [200, 202, 401, 403, 405, 503];
/** Bytes of a page that are searched. */
const SEARCHED = 100_000;

const MARKS: [service: string, marks: string[]][] = [
  ['Cloudflare', ['_cf_chl_opt', '/cdn-cgi/challenge-platform/', 'cf-browser-verification']],
  ['DataDome', ['captcha-delivery.com']],
  ['Imperva', ['_Incapsula_Resource']],
  ['HUMAN', ['px-captcha', 'perimeterx.net']],
  ['Sucuri', ['sucuri_cloudproxy_js', 'Sucuri WebSite Firewall']],
  ['AWS WAF', ['awsWafCookieDomainList', 'token.awswaf.com']],
  ['Akamai', ['sec-if-cpt-container']],
  ['DDoS-Guard', ['/.well-known/ddos-guard/']],
  ['Anubis', ['/.within.website/x/cmd/anubis/']],
];

/** @returns the name of the service whose challenge a response is; null for any other response */
export function challengeOf({ status, headers, body }: ChallengedResponse): string | null {
  if (headers['cf-mitigated'] === 'challenge') return 'Cloudflare';
  if (/^(?:challenge|captcha)$/.test(String(headers['x-amzn-waf-action'] ?? ''))) return 'AWS WAF';
  if (!STATUSES.includes(status) || !isPage(headers, body)) return null;
  const page = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, SEARCHED)).toString('latin1');
  return MARKS.find(([, marks]) => marks.some((mark) => page.includes(mark)))?.[0] ?? null;
}

/** Whether a response is an HTML page. Some servers send feeds as HTML: those begin as feeds do. */
export function isPage(headers: ChallengedResponse['headers'], body: Uint8Array): boolean {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 500)).toString('latin1').trimStart();
  if (/^(?:\u00ef\u00bb\u00bf)?\s*<(?:\?xml|rss|feed|rdf:)/i.test(start)) return false;
  if (/^(?:\u00ef\u00bb\u00bf)?\s*<(?:!doctype\s+html|html|head|body)\b/i.test(start)) return true;
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(String(headers['content-type'] ?? ''));
}
