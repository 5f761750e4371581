/**
 * A real nginx with the shipped configuration in front of a real daywire server and its mirrored feeds, and clients of
 * either.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { freePort } from '../../scripts/free-port.ts';
import { isBrotliInstalled, type Nginx, shippedConfig, startNginx } from '../../scripts/nginx.ts';
import { changeOwnFeed } from '../../src/audience/own-feed.ts';
import { addSubscriber } from '../../src/audience/subscriptions.ts';
import { ownFeedToken } from '../../src/audience/tokens.ts';
import { mirrorDocuments } from '../../src/feeds/mirror.ts';
import { publishFeeds } from '../../src/feeds/publish/publish-feeds.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { DAY } from '../../src/lib/time.ts';
import { listen, type WebServer } from '../../src/web/server/listen.ts';
import { article, NOW, openTestSite, preferencesPath, save, saveDay } from '../app/test-site.ts';
import { openSqliteFile } from '../support/databases.ts';
import { SECRETS, sampleConfig } from '../support/sample.ts';

export const HOST = 'news.example.com';
/** The address that clients connect from. */
export const CLIENT = '127.0.0.5';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** The body without its content coding. */
  text: string;
}

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** The address of the client, for nginx. Default: `CLIENT`. */
  from?: string;
}

export interface FrontedSite {
  /** Requests a path from daywire itself. */
  daywire(path: string, ask?: Ask): Promise<Answer>;
  /** Requests a path from nginx, over TLS by HTTP/1.1. */
  nginx(path: string, ask?: Ask): Promise<Answer>;
  /** Opens the private feed of that subscriber. */
  ownFeedToken: string;
  /** Host and port of daywire. */
  address: string;
  /** Opens the preferences page of a subscriber. */
  preferencesToken: string;
  ports: { https: number; http: number };
  certificate: Buffer;
  /** The requests that reached daywire, oldest first, with the process that got them. */
  received: { method: string; path: string; headers: Headers; by: 'web' | 'desk' }[];
  /** The lines of nginx's access log so far. */
  readLog(): string[];
  /** The content of all logs of nginx, which must have stopped. */
  readAllLogs(): string;
  server: Nginx;
  stopDaywire(): Promise<void>;
  close(): Promise<void>;
}

/** @param routes answered before those of daywire */
export async function openFrontedSite(routes: Hono): Promise<FrontedSite> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-nginx-'));
  // For nginx's worker, which gives up the rights of root.
  chmodSync(folder, 0o755);
  const { store, remove } = await openSqliteFile();
  const config = sampleConfig((yaml) => yaml.replace('url: http://127.0.0.1:8080', `url: https://${HOST}`));
  await saveDay(store);
  await save(store, article('a-month-ago', { publishedAt: NOW - 30 * DAY, updatedAt: NOW - 30 * DAY }));
  const who = { email: 'ada@example.com', newsletters: ['daily-roundup'], zone: 'Asia/Tokyo' };
  const subscriber = await addSubscriber(store.db, SECRETS, who, { channel: 'operator' }, NOW);
  if (subscriber.kind !== 'stored') throw new Error(subscriber.reason);
  const ownFeed = { subscriberId: subscriber.subscriberId, newsletter: 'daily-roundup' };
  await changeOwnFeed(store.db, ownFeed, 'make', { channel: 'preferences' }, NOW);
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  await publishFeeds(store, config, templates, { now: NOW });
  config.paths.feeds = join(folder, 'feeds');
  await mirrorDocuments(store.db, config.paths.feeds);

  const received: FrontedSite['received'] = [];
  const { app } = openTestSite(store, config);
  const listenAs = (by: 'web' | 'desk'): Promise<WebServer> => {
    const front = new Hono();
    front.use(async (c, next) => {
      received.push({ method: c.req.method, path: c.req.path, headers: c.req.raw.headers, by });
      await next();
    });
    front.route('/', routes);
    front.all('*', (c) => app.fetch(c.req.raw, c.env));
    return listen(front, { host: '127.0.0.1', port: 0 });
  };
  const [webServer, deskServer] = await Promise.all([listenAs('web'), listenAs('desk')]);
  const { host: daywire, port } = new URL(webServer.url);
  const { host: desk } = new URL(deskServer.url);

  const ports = { https: await freePort(), http: await freePort() };
  const tls = makeCertificate(folder);
  const own = join(folder, 'nginx');
  mkdirSync(own);
  const site = shippedConfig(own, { ports, tls, root: folder, daywire, desk, brotli: isBrotliInstalled() });
  const server = await startNginx(own, site, ports.https);

  const certificate = readFileSync(tls.certificate);
  const agents = {
    http: new http.Agent({ keepAlive: true }),
    https: new https.Agent({ keepAlive: true, maxSockets: 150 }),
  };
  const connection = { ca: certificate, servername: HOST, localAddress: CLIENT, agent: agents.https };
  let stopped: Promise<void> | null = null;
  const stopDaywire = (): Promise<void> => {
    stopped ??= Promise.all([webServer.close(), deskServer.close()]).then(() => {});
    return stopped;
  };
  return {
    daywire: (path, ask) => send(http.request, { port: Number(port), path, agent: agents.http }, ask),
    nginx: (path, ask) =>
      send(https.request, { port: ports.https, path, ...connection, localAddress: ask?.from ?? CLIENT }, ask),
    address: daywire,
    preferencesToken: preferencesPath(subscriber.subscriberId).slice('/preferences/'.length),
    ownFeedToken: ownFeedToken(SECRETS, { ...ownFeed, version: 1 }),
    ports,
    certificate,
    received,
    readLog() {
      server.flushLogs();
      return readFileSync(join(own, 'daywire.log'), 'utf8').split('\n');
    },
    readAllLogs: () =>
      ['daywire.log', 'daywire-error.log', 'error.log'].map((name) => readFileSync(join(own, name), 'utf8')).join(''),
    server,
    stopDaywire,
    async close() {
      for (const agent of Object.values(agents)) agent.destroy();
      await server.stop();
      await stopDaywire();
      await remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function send(
  request: (options: https.RequestOptions) => http.ClientRequest,
  options: https.RequestOptions,
  { method = 'GET', headers = {}, body = '' }: Ask = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const sent = request({ host: '127.0.0.1', method, headers: { Host: HOST, ...headers }, ...options });
  sent.once('response', resolve).once('error', reject).end(body);
  const response = await promise;
  const bytes = await buffer(response);
  return {
    status: response.statusCode as number,
    headers: response.headers,
    body: bytes,
    text: decode(bytes, response.headers['content-encoding']),
  };
}

function decode(body: Buffer, coding: string | undefined): string {
  if (body.length === 0 || coding === undefined) return body.toString();
  return (coding === 'br' ? brotliDecompressSync(body) : gunzipSync(body)).toString();
}

function makeCertificate(folder: string): { certificate: string; key: string } {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...algorithm, ...names, ...files, '-days', '30'], { stdio: 'ignore' });
  return { certificate, key };
}
