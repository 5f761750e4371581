import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { connect, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { listen } from '../../../src/web/server/listen.ts';
import { limitBody, UnfinishedBodies } from '../../../src/web/server/request-body.ts';

const MAX = 50_000;

/** A server that answers with the length of the body. @returns sends a request; `errors` are what the app threw */
async function serve() {
  const errors: string[] = [];
  const limit = limitBody({ maxSize: MAX, onError: (c) => c.text('too long', 413) });
  const app = new Hono().post('/', limit, async (c) => c.text(`${(await c.req.text()).length} characters`));
  app.onError((error, c) => {
    errors.push(error.name);
    return c.body(null, 500);
  });
  const serving = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => serving.close());
  const open = (head: string, body: string) => {
    const socket = connect(Number(new URL(serving.url).port), '127.0.0.1').on('error', () => {});
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${head}\r\n\r\n${body}`);
    return socket;
  };
  return { open, errors, answerTo: (head: string, body: string) => text(open(head, body)) };
}

const chunked = (chunks: string[]): string =>
  `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;

describe('limitBody', () => {
  it('reads a body up to the limit, with its length or in chunks, and responds to a longer one', async () => {
    const { answerTo } = await serve();
    const body = (length: number): string => 'x'.repeat(length);
    const chunksOf = (length: number): string => chunked([body(length - 9_999), body(9_999)]);
    const longest = [`Content-Length: ${MAX}`, body(MAX)] as const;
    expect(await answerTo(...longest)).toMatch(/ 200 OK\r\n.*\r\n\r\n50000 characters$/s);
    expect(await answerTo('Transfer-Encoding: chunked', chunksOf(MAX))).toMatch(/ 200 OK\r\n.*50000 characters/s);
    expect(await answerTo('Content-Length: 0', '')).toMatch(/ 200 OK\r\n.*\r\n\r\n0 characters$/s);
    expect(await answerTo(`Content-Length: ${MAX + 1}`, body(MAX + 1))).toMatch(/ 413 .*too long$/s);
    expect(await answerTo('Transfer-Encoding: chunked', chunksOf(MAX + 1))).toMatch(/ 413 .*too long/s);
  });

  it('reads chunks without a web stream, which takes several promises for each of them', async () => {
    const { answerTo } = await serve();
    const toWeb = vi.spyOn(Readable, 'toWeb');
    onTestFinished(() => toWeb.mockRestore());
    expect(await answerTo('Transfer-Encoding: chunked', chunked(Array(9_000).fill('x')))).toMatch(/9000 characters/);
    expect(toWeb).not.toHaveBeenCalled();
  });

  it('throws when the client leaves', async () => {
    const { open, errors } = await serve();
    const socket = open('Content-Length: 100', 'x');
    await once(socket, 'ready');
    socket.end();
    await expect.poll(() => errors).toEqual(['IncompleteRequest']);
  });
});

it('throws for a client that has left before', async () => {
  const incoming = new IncomingMessage(new Socket());
  incoming.destroy();
  await once(incoming, 'close');
  const app = new Hono().post('/', limitBody({ maxSize: MAX, onError: (c) => c.text('too long', 413) }));
  app.onError((error, c) => c.text(error.name, 500));
  expect(await (await app.request('/', { method: 'POST' }, { incoming })).text()).toBe('IncompleteRequest');
});

describe('UnfinishedBodies', () => {
  it('closes the oldest requests beyond its bytes, and counts removed ones no longer', () => {
    const closed: string[] = [];
    const request = (name: string) => ({ destroy: () => closed.push(name) }) as never;
    const [a, b, c] = [request('a'), request('b'), request('c')];
    const bodies = new UnfinishedBodies(100);
    bodies.grow(a, 50);
    bodies.grow(b, 50);
    expect(closed).toEqual([]);
    bodies.grow(c, 1);
    expect(closed).toEqual(['a']);
    bodies.remove(b);
    bodies.grow(c, 99);
    expect(closed).toEqual(['a']);
    bodies.grow(c, 1);
    expect(closed).toEqual(['a', 'c']);
  });
});
