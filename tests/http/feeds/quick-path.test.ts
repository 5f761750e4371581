import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveDocuments } from '../../../src/feeds/documents.ts';
import { openPublishedFeeds, quickPathTo } from '../../../src/http/feeds/published-feeds.ts';
import { createApp } from '../../../src/http/server/app.ts';
import { type Serving, serveApp } from '../../../src/http/server/serve.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { HOUR } from '../../../src/lib/time.ts';
import type { Store } from '../../../src/store/store.ts';
import { openMigrated } from '../../support/databases.ts';
import { NOW, SECRETS, sampleConfig } from '../newsroom.ts';

const config = sampleConfig();
const LARGE = `<feed>${'三'.repeat(400_000)}</feed>`;
const SPANS = { head: 0, separator: 0, items: [] };

let store: Store;
let quick: Serving;
let plain: Serving;
const counted: unknown[][] = [];

beforeAll(async () => {
  store = await openMigrated();
  const atom = 'application/atom+xml; charset=utf-8';
  await saveDocuments(
    store.db,
    [
      { path: 'latest.atom', mediaType: atom, body: '<feed>latest</feed>', spans: SPANS },
      { path: 'large.atom', mediaType: atom, body: LARGE, spans: SPANS },
      { path: 'latest.json', mediaType: 'application/feed+json; charset=utf-8', body: '{}', spans: SPANS },
      { path: 'index.html', mediaType: 'text/html; charset=utf-8', body: '<!doctype html><title>Feeds</title>' },
    ],
    NOW - HOUR,
  );
  const clock = (): number => NOW;
  const feeds = openPublishedFeeds(store, config);
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  const app = createApp({ store, config, templates, secrets: SECRETS, clock, feeds });
  const address = { host: '127.0.0.1', port: 0 };
  const readers = { count: (...call: unknown[]) => void counted.push(call) };
  quick = await serveApp(app, address, quickPathTo(feeds, { config, clock, readers }));
  plain = await serveApp(app, address);
});
afterAll(async () => {
  await quick.close();
  await plain.close();
  await store.close();
});

function dial(serving: Serving): Socket {
  return connect(Number(new URL(serving.url).port), '127.0.0.1');
}

interface Response {
  status: string;
  fields: Record<string, string>;
  body: string;
}

/** What comes back for those bytes: an answer to each request, or what came until the server closed. */
async function exchange(serving: Serving, ...chunks: string[]): Promise<Response[]> {
  const socket = dial(serving);
  const requests = chunks.join('').match(/ HTTP\/1\.[01]\r\n/g)?.length ?? 1;
  const isHead = chunks.join('').startsWith('HEAD');
  let seen = '';
  const answered = new Promise<Response[]>((resolve) => {
    const look = (): void => {
      const read = responses(seen, isHead);
      if (read.length < requests && !socket.closed) return;
      socket.destroy();
      resolve(read);
    };
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      look();
    });
    socket.on('close', look);
  });
  for (const chunk of chunks) {
    socket.write(chunk, 'latin1');
    // In a packet of its own.
    await new Promise(setImmediate);
  }
  return answered;
}

/** Each whole response of a stream. What depends on the moment is left out. */
function responses(stream: string, isHead: boolean): Response[] {
  const found: Response[] = [];
  for (let rest = stream; rest.includes('\r\n\r\n'); ) {
    const end = rest.indexOf('\r\n\r\n');
    const [status = '', ...lines] = rest.slice(0, end).split('\r\n');
    const fields = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    delete fields.date;
    const isBare = / (?:204|304) /.test(status) || isHead;
    const length = isBare ? 0 : Number(fields['content-length'] ?? 0);
    if (rest.length < end + 4 + length) break;
    found.push({ status, fields, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return found;
}

const HOST = 'Host: example.com\r\n';
const get = (path: string, ...fields: string[]): string =>
  `GET ${path} HTTP/1.1\r\n${HOST}${fields.map((field) => `${field}\r\n`).join('')}\r\n`;

describe('the quick path', () => {
  it.each([
    ['a feed', get('/feeds/latest.atom')],
    ['a compressed one', get('/feeds/latest.atom', 'Accept-Encoding: gzip, br')],
    ['one for a browser', get('/feeds/latest.atom', 'Accept: text/html,application/xml;q=0.9,*/*;q=0.8')],
    ['what the client has', get('/feeds/latest.atom', 'If-None-Match: *')],
    ['what has not changed', get('/feeds/latest.json', 'If-Modified-Since: Tue, 24 Nov 2026 12:43:00 GMT')],
    ['a HEAD', `HEAD /feeds/latest.atom HTTP/1.1\r\n${HOST}\r\n`],
    ['a large one', get('/feeds/large.atom')],
    ['one that is not there', get('/feeds/none.atom')],
    ['the page of feeds', get('/feeds/')],
    ['a page', get('/robots.txt')],
    ['an address with a query', get('/feeds/latest.atom?x=1')],
    ['new items alone', get('/feeds/latest.atom', 'A-IM: feed')],
    ['another method', `DELETE /feeds/latest.atom HTTP/1.1\r\n${HOST}\r\n`],
    ['a preflight', `OPTIONS /feeds/latest.atom HTTP/1.1\r\n${HOST}Origin: https://reader.example.com\r\n\r\n`],
    ['a body where none belongs', `GET /feeds/latest.atom HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`],
    ['the end of the connection', get('/feeds/latest.atom', 'Connection: close')],
    ['an older version', 'GET /feeds/latest.atom HTTP/1.0\r\n\r\n'],
    ['no host', 'GET /feeds/latest.atom HTTP/1.1\r\n\r\n'],
    ['a line that goes on', get('/feeds/latest.atom', 'X-A: b\r\n  c')],
    ['two lengths', `GET /feeds/latest.atom HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['nonsense', 'nonsense\r\n\r\n'],
    [
      'several at once',
      get('/feeds/latest.atom') + get('/feeds/latest.json') + get('/robots.txt') + get('/feeds/latest.atom'),
    ],
  ])('answers as the server does: %s', async (_, request) => {
    const [quickly, plainly] = await Promise.all([exchange(quick, request), exchange(plain, request)]);
    expect(quickly).toEqual(plainly);
    expect(quickly.length).toBeGreaterThan(0);
  });

  it('counts who reads a feed, and how it was answered', async () => {
    counted.length = 0;
    await exchange(
      quick,
      get('/feeds/latest.atom', 'User-Agent: Miniflux/2.2', 'If-None-Match: *') + get('/feeds/large.atom'),
    );
    expect(counted).toEqual([
      ['latest.atom', 'Miniflux/2.2', 'unchanged'],
      ['large.atom', undefined, 'full'],
    ]);
  });

  it('takes a request in pieces, wherever it is torn', async () => {
    const request = get('/feeds/latest.atom', 'If-None-Match: "other"');
    for (let at = 1; at < request.length; at += 7) {
      const answer = await exchange(quick, request.slice(0, at), request.slice(at));
      expect(answer.map(({ status, body }) => [status, body])).toEqual([['HTTP/1.1 200 OK', '<feed>latest</feed>']]);
    }
  });

  it('answers a second request on the same connection, and one for a page after it', async () => {
    const socket = dial(quick);
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk;
    });
    const hear = async (words: string): Promise<void> => {
      while (!seen.includes(words)) await once(socket, 'data');
      seen = '';
    };
    for (let turn = 0; turn < 3; turn++) {
      socket.write(get('/feeds/latest.atom'));
      await hear('<feed>latest</feed>');
    }
    socket.write(get('/robots.txt'));
    await hear('User-agent: *');
    socket.write(get('/feeds/latest.json'));
    await hear('{}');
    socket.end();
    await once(socket, 'close');
  });

  it('holds no more for who does not read than one answer, and gives all of it when he does', async () => {
    const socket = dial(quick);
    await once(socket, 'connect');
    socket.pause();
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    const asked = 40;
    socket.write(get('/feeds/large.atom').repeat(asked));
    // Time for all of it to be answered, were it not for the reader.
    for (let turn = 0; turn < 2_000; turn++) await new Promise(setImmediate);
    const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().external - before;
    expect(grown).toBeLessThan(10 * Buffer.byteLength(LARGE));
    let bytes = 0;
    for await (const chunk of socket) {
      bytes += chunk.length;
      if (bytes > asked * Buffer.byteLength(LARGE)) break;
    }
    expect(bytes).toBeGreaterThan(asked * Buffer.byteLength(LARGE));
  });

  it('answers a client that has said all it will ever say', async () => {
    const socket = dial(quick);
    const answer = buffer(socket);
    socket.end(get('/feeds/latest.atom') + get('/feeds/latest.json'));
    expect((await answer).toString()).toMatch(/<feed>latest<\/feed>.*\{\}$/s);
  });

  it('lets a client hang up in the middle, and goes on', async () => {
    for (let turn = 0; turn < 5; turn++) {
      const socket = dial(quick);
      socket.write(get('/feeds/large.atom').repeat(3));
      await once(socket, 'data');
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    expect(await exchange(quick, get('/feeds/latest.atom'))).toMatchObject([{ body: '<feed>latest</feed>' }]);
  });

  it('closes a connection that says nothing, and none that waits for an answer of its own or of the app', async () => {
    const idleMs = 100;
    const slowly = async <T>(answer: T): Promise<T> => {
      await new Promise((resolve) => setTimeout(resolve, 4 * idleMs));
      return answer;
    };
    const feeds = openPublishedFeeds(store, config);
    const slow = { find: async (name: string) => slowly(await feeds.find(name)) };
    const app = new Hono().get('/slow', async (c) => c.text(await slowly('late')));
    const path = { ...quickPathTo(slow, { config, clock: () => NOW }), idleMs };
    const serving = await serveApp(app, { host: '127.0.0.1', port: 0 }, path);
    expect(await exchange(serving, get('/feeds/latest.atom'))).toMatchObject([{ body: '<feed>latest</feed>' }]);
    expect(await exchange(serving, get('/slow'))).toMatchObject([{ body: 'late' }]);
    expect(await exchange(serving, get('/feeds/latest.atom') + get('/slow'))).toMatchObject([{}, { body: 'late' }]);
    const idle = dial(serving);
    idle.write(get('/feeds/latest.atom'));
    idle.resume();
    await once(idle, 'close');
    await serving.close();
  });

  it('closes connections that lie idle when the server ends, and lets an answer under way go out', async () => {
    const feeds = openPublishedFeeds(store, config);
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const slow = {
      find: async (name: string) => {
        arrived.resolve();
        await goOn.promise;
        return feeds.find(name);
      },
    };
    const templates = openTemplates(config.paths.templates, config.publication.zone);
    const app = createApp({ store, config, templates, secrets: SECRETS, clock: () => NOW });
    const serving = await serveApp(
      app,
      { host: '127.0.0.1', port: 0 },
      quickPathTo(slow, { config, clock: () => NOW }),
    );
    const idle = dial(serving);
    await once(idle, 'connect');
    const busy = dial(serving);
    const answer = buffer(busy);
    busy.write(get('/feeds/latest.atom'));
    await arrived.promise;
    const closed = serving.close();
    goOn.resolve();
    expect((await answer).toString()).toContain('<feed>latest</feed>');
    idle.resume();
    await closed;
  });
});
