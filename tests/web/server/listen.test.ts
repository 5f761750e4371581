import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ListenError, listen } from '../../../src/web/server/listen.ts';
import { openTestSite } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { openTestLog } from '../../support/test-log.ts';

describe('the server', () => {
  it('responds at its address until it is closed', async () => {
    const app = new Hono().get('/', (c) => c.text('here'));
    const serving = await listen(app, { host: '127.0.0.1', port: 0 });
    expect(serving.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(serving.url)).text()).toBe('here');
    await serving.close();
    await expect(fetch(serving.url)).rejects.toThrow();
  });

  it('finishes an open request before it closes', async () => {
    const { promise: asked, resolve: reportAsked } = Promise.withResolvers<void>();
    const { promise: answer, resolve: giveAnswer } = Promise.withResolvers<string>();
    const app = new Hono().get('/', async (c) => {
      reportAsked();
      return c.text(await answer);
    });
    const serving = await listen(app, { host: '127.0.0.1', port: 0 });
    const response = fetch(serving.url);
    await asked;
    const closed = serving.close();
    giveAnswer('to the end');
    expect(await (await response).text()).toBe('to the end');
    await closed;
  });

  it('limits the time for a header, a request, the next request, and reading a response', async () => {
    const servers = new Set<Server>();
    const onRequest = (message: unknown): unknown => servers.add((message as { server: Server }).server);
    subscribe('http.server.request.start', onRequest);
    onTestFinished(() => void unsubscribe('http.server.request.start', onRequest));
    const app = new Hono().get('/', (c) => c.text('here'));
    const serving = await listen(app, { host: '127.0.0.1', port: 0 });
    const response = await fetch(serving.url);
    expect(response.headers.get('Keep-Alive')).toBe('timeout=5');
    const limits = [...servers].map(({ headersTimeout, requestTimeout, keepAliveTimeout, timeout }) => {
      return { headersTimeout, requestTimeout, keepAliveTimeout, timeout };
    });
    // As "Limits of the HTTP server" in docs/operating/serving.md lists them.
    const documented = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 5_000, timeout: 30_000 };
    expect(limits).toEqual([documented]);
    await serving.close();
  });

  it('names a port that is in use, and the config key to change', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const failure = listen(new Hono(), { host: '127.0.0.1', port });
    await expect(failure).rejects.toThrow(ListenError);
    await expect(failure).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port} is in use.*server\\.port`));
    other.close();
  });

  it('names a host that is not an address of this machine', async () => {
    await expect(listen(new Hono(), { host: '192.0.2.1', port: 0 })).rejects.toThrow(/192\.0\.2\.1.*server\.host/);
  });

  it('responds to an HTTP/1.0 health check without a host', async () => {
    const app = new Hono().get('/healthz', (c) => c.text('well'));
    const serving = await listen(app, { host: '127.0.0.1', port: 0 });
    const socket = connect(Number(new URL(serving.url).port), '127.0.0.1');
    socket.write('GET /healthz HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nwell$/s);
    await serving.close();
  });

  it('does not wait for a long body that no handler reads, and closes the connection', async () => {
    const app = new Hono().post('/', (c) => c.text('done'));
    const serving = await listen(app, { host: '127.0.0.1', port: 0 });
    const socket = connect(Number(new URL(serving.url).port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\nx');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*done$/s);
    await serving.close();
  });

  it('discards a body that no handler reads, and keeps the connection', async () => {
    const app = new Hono().post('/', (c) => c.text('done'));
    const serving = await listen(app, { host: '127.0.0.1', port: 0 });
    const response = await fetch(serving.url, { method: 'POST', body: 'x'.repeat(100_000) });
    expect(await response.text()).toBe('done');
    expect(await (await fetch(serving.url, { method: 'POST', body: 'again' })).text()).toBe('done');
    await serving.close();
  });

  it('refuses a request without a Host field, and with two, of which a proxy may have read the other one', async () => {
    const serving = await listen(
      new Hono().get('/', (c) => c.text('here')),
      { host: '127.0.0.1', port: 0 },
    );
    const answerTo = async (fields: string): Promise<string> => {
      const socket = connect(Number(new URL(serving.url).port), '127.0.0.1');
      socket.write(`GET / HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`);
      return text(socket);
    };
    expect(await answerTo('Host: a\r\nX-Other: b\r\nhOST: a\r\n')).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(await answerTo('')).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(await answerTo('Host: a\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n.*here$/s);
    await serving.close();
  });

  it('closes the oldest connection that waits for its client when there are too many, and logs that once', async () => {
    const log = openTestLog();
    const app = new Hono().get('/', (c) => c.text('here')).post('/', async (c) => c.text(await c.req.text()));
    app.onError((_, c) => c.body(null, 500));
    const serving = await listen(app, { host: '127.0.0.1', port: 0, maxConnections: 3, log });
    const open = (text: string): Socket => {
      const socket = connect(Number(new URL(serving.url).port), '127.0.0.1').on('error', () => {});
      socket.write(text);
      return socket;
    };
    const answered = open('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(answered, 'data');
    const uploading = open('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n');
    await once(uploading, 'data');
    const half = open('GET / HTT');
    await once(half, 'ready');
    for (const oldest of [answered, uploading, half]) {
      const closed = once(oldest, 'close');
      const next = open('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(String(await once(next, 'data'))).toContain('200 OK');
      await closed;
    }
    expect(log.lines).toEqual([expect.stringContaining('too many were open')]);
    await serving.close();
  });

  it('refuses a connection when it works for all others', async () => {
    const { promise: answer, resolve: giveAnswer } = Promise.withResolvers<string>();
    let started = 0;
    const app = new Hono().get('/', async (c) => {
      started++;
      return c.text(await answer);
    });
    const serving = await listen(app, { host: '127.0.0.1', port: 0, maxConnections: 2 });
    const waiting = [fetch(serving.url), fetch(serving.url)];
    await expect.poll(() => started).toBe(2);
    await expect(fetch(serving.url)).rejects.toThrow();
    giveAnswer('to the end');
    for (const response of waiting) expect(await (await response).text()).toBe('to the end');
    await serving.close();
  });

  it('logs an upload that the client aborts at the level debug only', async () => {
    const store = await openMigrated();
    const [debug, others] = [openTestLog(), openTestLog()];
    const { app } = openTestSite(store, sampleConfig(), { log: { ...others, debug: debug.debug } });
    const serving = await listen(app, { host: '127.0.0.1', port: 0, log: others });
    for (const length of ['Content-Length: 900', 'Transfer-Encoding: chunked']) {
      const socket = connect(Number(new URL(serving.url).port), '127.0.0.1');
      const type = 'Content-Type: application/x-www-form-urlencoded';
      socket.write(`POST /subscribe HTTP/1.1\r\nHost: a\r\n${type}\r\n${length}\r\n\r\n5\r\nemail\r\n`);
      await once(socket, 'ready');
      socket.end();
    }
    await expect.poll(() => debug.lines).toHaveLength(2);
    expect(debug.lines[0]).toMatch(/^client left before its request was complete .*"\/subscribe"/);
    expect(others.lines).toEqual([]);
    await serving.close();
  });
});
