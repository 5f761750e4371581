/** Serves the feeds of the sample's invented outlets on a local port, for as long as one of them is polled. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256 } from '../../lib/sha256.ts';
import { resolveTimes } from './relative-times.ts';
import { SAMPLE } from './sample-folder.ts';

export const LOOPBACK = '127.0.0.1';

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
export function isOfSampleOutlet(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host } = new URL(url);
  return (protocol === 'https:' || protocol === 'http:') && HOSTS.has(host);
}

export interface OutletListener extends AsyncDisposable {
  port: number;
}

/**
 * Opens a free port of the loopback interface. Disposing it closes the port.
 * @param loadedAt the moment to which the times in the feeds are relative, epoch milliseconds
 */
export async function serveSampleOutlets(loadedAt: number): Promise<OutletListener> {
  const server = createServer(async ({ url = '/', headers }, response) => {
    const host = headers.host?.replace(/:\d+$/, '') ?? '';
    const feed = FEEDS[`${host}${url}`];
    const document = feed === undefined ? null : await readDocument(feed.file);
    if (feed === undefined || document === null) {
      response.writeHead(404).end();
      return;
    }
    const body = resolveTimes(document, loadedAt, feed.format);
    const tag = `"${sha256(body).slice(0, 16)}"`;
    if (headers['if-none-match'] === tag) response.writeHead(304, { etag: tag }).end();
    else response.writeHead(200, { 'content-type': feed.type, etag: tag }).end(body);
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** @returns null if it is missing */
function readDocument(file: string): Promise<string | null> {
  return readFile(new URL(`outlets/${file}`, SAMPLE), 'utf8').catch(() => null);
}
