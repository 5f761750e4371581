/** The client for other outlets' feeds. The sample's invented outlets, and nobody else, are answered from its files. */
import { readFile } from 'node:fs/promises';
import type { AppContext } from '../../core/app-context.ts';
import { openConfiguredClient } from '../../core/config/fetching.ts';
import { readMeta, SAMPLE_LOADED_AT } from '../../core/store/meta.ts';
import type { FetchClient, FetchRequest, FetchResult, RequestGate } from '../../lib/guarded-fetch/fetch-client.ts';
import { sha256 } from '../../lib/sha256.ts';
import { resolveTimes, SAMPLE } from './relative-times.ts';

export interface OutletClientOptions {
  /** Admits each request. Default: none waits. */
  gate?: RequestGate | undefined;
  /** For all other hosts. Default: as configured. */
  client?: FetchClient | undefined;
}

/** The client as configured. With `sample: true`, the exact hosts of the sample's outlets are not requested. */
export function openOutletClient(
  app: Pick<AppContext, 'config' | 'store' | 'clock'>,
  { gate, client = openConfiguredClient(app.config, undefined, { gate }) }: OutletClientOptions = {},
): FetchClient {
  if (!app.config.sample) return client;
  return {
    fetch: (request, signal) =>
      isOfSampleOutlet(request.url) ? answerFromSample(app, request) : client.fetch(request, signal),
  };
}

/** The invented outlets: the addresses of their feeds, and the files in sample/outlets/. */
const FEEDS: Record<string, { file: string; type: string; format?: (instant: number) => string }> = {
  'harbour-post.example/news.rss': {
    file: 'harbour-post.rss',
    type: 'application/rss+xml; charset=utf-8',
    // RFC 822, as RSS has its dates.
    format: (instant) => new Date(instant).toUTCString(),
  },
  'daily-circuit.example/feed.atom': { file: 'daily-circuit.atom', type: 'application/atom+xml; charset=utf-8' },
  'northgate-ledger.example/feed.json': { file: 'northgate-ledger.json', type: 'application/feed+json' },
};

const HOSTS = new Set(Object.keys(FEEDS).map((address) => address.split('/', 1)[0]));

/** Whether the URL is one of an invented outlet: http or https, its exact host, and no port. */
function isOfSampleOutlet(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host } = new URL(url);
  return (protocol === 'https:' || protocol === 'http:') && HOSTS.has(host);
}

async function answerFromSample(
  { store, clock }: Pick<AppContext, 'store' | 'clock'>,
  { url, headers = {} }: FetchRequest,
): Promise<FetchResult> {
  const { host, pathname } = new URL(url);
  const feed = FEEDS[`${host}${pathname}`];
  const answered = { kind: 'answered', url, movedTo: null } as const;
  if (feed === undefined) return { ...answered, status: 404, headers: {}, body: Buffer.alloc(0) };
  const loadedAt = Number((await readMeta(store.db, SAMPLE_LOADED_AT)) ?? clock());
  const document = await readFile(new URL(`outlets/${feed.file}`, SAMPLE), 'utf8');
  const body = resolveTimes(document, loadedAt, feed.format);
  const etag = `"${sha256(body).slice(0, 16)}"`;
  if (headers['If-None-Match'] === etag) return { ...answered, status: 304, headers: { etag }, body: Buffer.alloc(0) };
  return { ...answered, status: 200, headers: { 'content-type': feed.type, etag }, body: Buffer.from(body) };
}
