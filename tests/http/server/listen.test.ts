import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { ListenError, listen } from '../../../src/http/server/listen.ts';

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
});
