/** Fetches the page of a report that an editor names, through the guarded client, and reads what it says of itself. */
import type { Config } from '../../core/config/config.ts';
import { openConfiguredClient } from '../../core/config/fetching.ts';
import { roundupSources } from '../../core/config/sources.ts';
import type { FetchClient } from '../../lib/guarded-fetch/fetch-client.ts';
import { cleanUrl } from '../../lib/text/clean-text.ts';
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { SECOND } from '../../lib/time.ts';
import { placeOf } from '../../sources/request.ts';
import { type ChallengedResponse, challengeOf } from '../polling/request-feed.ts';
import type { PageDocument, PageMetadata } from './page-metadata.ts';

/** What a page says of its report. */
export interface ReportPage extends Omit<PageMetadata, 'outlet'> {
  /** See `outletOf`. */
  outlet: string;
}

/** `reason`: a sentence that names the address. */
export type PageReading = { kind: 'read'; page: ReportPage } | { kind: 'unreadable'; reason: string };

export interface PageReadingOptions {
  now: number;
  signal?: AbortSignal | undefined;
  /** Default: the guarded client, as configured. */
  client?: FetchClient;
}

const MAX_BYTES = 10 * 1024 * 1024;
const HEADERS = { accept: 'text/html, application/xhtml+xml;q=0.9, */*;q=0.1' };

/** Reads the page of one report. @throws the reason of `signal` */
export async function readReportPage(
  config: Pick<Config, 'fetch' | 'publication' | 'sources'>,
  address: string,
  { now, signal, client = openConfiguredClient(config) }: PageReadingOptions,
): Promise<PageReading> {
  const url = cleanUrl(address);
  if (url === null) {
    const rule = 'must be the http or https address of a report, without user and password';
    return { kind: 'unreadable', reason: `${JSON.stringify(address.slice(0, 200))}: ${rule}` };
  }
  const unreadable = (reason: string): PageReading => ({ kind: 'unreadable', reason: `${placeOf(url)} ${reason}` });
  const result = await client.fetch({ url, headers: HEADERS, maxBytes: MAX_BYTES }, signal);
  signal?.throwIfAborted();
  if (result.kind === 'refused') {
    const isPrivate = result.reason.includes('not public');
    return unreadable(`is refused: ${result.reason}${isPrivate ? PRIVATE_HINT : ''}`);
  }
  if (result.kind === 'failed') {
    return unreadable(`cannot be read: ${result.reason}`);
  }
  const problem = statusProblem(result) ?? loginProblem(url, result.url);
  if (problem !== null) return unreadable(problem);
  const contentType = result.headers['content-type'] ?? null;
  if (!isHtml(contentType, result.body)) return unreadable(`is no HTML page: it is ${typeName(contentType)}`);
  const document = { bytes: result.body, contentType, url: result.url };
  const page = await readPageInThread(document, { now, signal });
  if (page === null) return unreadable('cannot be read: it takes too long');
  return { kind: 'read', page: { ...page, outlet: outletOf(page, config) } };
}

/** For the operator, in the reason of a page on a private network. */
export const PRIVATE_HINT = ': if it is yours, name its network in fetch.allow';

function statusProblem(response: ChallengedResponse): string | null {
  const { status } = response;
  // Articles behind the same services have their marks, too: only another status tells a challenge apart.
  if (status === 200) return null;
  const service = challengeOf(response);
  if (service !== null) return `answered ${status} with a challenge of ${service}: it refuses programs`;
  if (status === 401 || status === 402) return `answered ${status}: it is behind a login`;
  if (status === 403) return 'answered 403: it refuses programs, or is behind a login';
  if (status === 404 || status === 410) return `answered ${status}: there is no such page; is the address right?`;
  if (status === 429 || status === 503) return `answered ${status}: it is busy; try again later`;
  return `answered ${status}`;
}

const LOGIN_PATH = /\/(?:log-?in|sign-?in|signon|sso|auth|authorize|register|subscribe|paywall)(?:[/.?]|$)/i;

/** A redirect to a form for subscribers, whose title is not that of the report. */
function loginProblem(asked: string, answered: string): string | null {
  const isLogin = (url: string): boolean => LOGIN_PATH.test(new URL(url).pathname);
  return isLogin(answered) && !isLogin(asked) ? `leads to ${placeOf(answered)}: it is behind a login` : null;
}

function isHtml(contentType: string | null, body: Buffer): boolean {
  const type = typeName(contentType);
  if (type === 'text/html' || type === 'application/xhtml+xml') return true;
  // Without a type, or with that of any bytes, the beginning says it.
  const isUnknown = contentType === null || type === 'application/octet-stream' || type === 'text/plain';
  return isUnknown && /^\s*(?:<!doctype\s+html|<html|<head|<meta)\b/i.test(body.toString('latin1', 0, 500));
}

function typeName(contentType: string | null): string {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return /^[a-z0-9][a-z0-9!#$&^_.+/-]{0,99}$/.test(type) ? type : 'of an unknown type';
}

/** The outlet as a source of the same host is configured; else as the page names it, else its host. */
export function outletOf(
  { outlet, url }: Pick<PageMetadata, 'outlet' | 'url'>,
  config: Pick<Config, 'sources'>,
): string {
  const host = hostOf(url);
  const named = new Set(roundupSources(config).flatMap((one) => (hostOf(one.url) === host ? [one.outlet] : [])));
  const [configured] = named;
  // Feeds of several outlets may be on one host.
  return (named.size === 1 ? configured : null) ?? outlet ?? host;
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^www\.(?=[^.]+\.)/, '');
}

const READ_PAGE = threadJob<typeof import('./page-metadata.ts').readPageMetadata>(
  import.meta.url,
  './page-metadata',
  'readPageMetadata',
);

const TIME_LIMIT = 10 * SECOND;

/** @returns null for a page that cannot be read in time, as anyone may make it; @throws the reason of the signal */
async function readPageInThread(
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
