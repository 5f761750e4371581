import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { oneAtATime } from '../../../src/web/server/one-at-a-time.ts';

describe('the requests of a connection', () => {
  it('are handled one after the other, and answered in their order', async () => {
    let inProgress = 0;
    let most = 0;
    const open = await serve(async ({ url }, outgoing) => {
      most = Math.max(most, ++inProgress);
      await new Promise(setImmediate);
      inProgress--;
      outgoing.end(url);
    });
    const socket = open();
    socket.write(pipelined(400));
    expect(await pathsAnswered(socket)).toEqual(Array.from({ length: 400 }, (_, n) => `/${n}`));
    expect(most).toBe(1);
  });

  it('are not read while others wait, however many there are', async () => {
    let last: IncomingMessage | undefined;
    const open = await serve(({ url }, outgoing) => {
      if (url === '/other') outgoing.end(url);
    });
    const handle = await serve((incoming, outgoing) => {
      last = incoming;
      if (incoming.url !== '/10') outgoing.end(incoming.url);
    });
    const socket = handle();
    const requests = pipelined(30_000);
    socket.write(requests);
    await expect.poll(() => last?.url).toBe('/10');
    // Time to read, if it were read.
    for (let turn = 0; turn < 20; turn++) {
      const other = open();
      other.write('GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await text(other);
    }
    expect(requests.length).toBeGreaterThan(900_000);
    expect(last?.socket.bytesRead).toBeLessThan(200_000);
    socket.destroy();
  });

  it('are dropped when the client leaves', async () => {
    const handled: string[] = [];
    const left = Promise.withResolvers<void>();
    const open = await serve(async (incoming, outgoing) => {
      handled.push(incoming.url as string);
      if (incoming.url === '/0') {
        incoming.socket.once('close', left.resolve);
        // A response that does not fit into the buffers shows that the client has left.
        outgoing.write('x'.repeat(10_000_000));
        await left.promise;
      }
      outgoing.end();
    });
    const socket = open();
    socket.write(pipelined(400));
    await expect.poll(() => handled.length).toBe(1);
    socket.destroy();
    await left.promise;
    const other = open();
    other.write('GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await text(other);
    expect(handled).toEqual(['/0', '/other']);
  });

  it('close the connection if too many wait, and those of others are served', async () => {
    const open = await serve(({ url }, outgoing) => {
      outgoing.end(url);
    }, 100);
    const socket = open();
    socket.write(pipelined(400));
    expect((await pathsAnswered(socket)).length).toBeLessThan(400);
    for (const _ of [1, 2]) {
      const other = open();
      other.write(pipelined(90));
      expect(await pathsAnswered(other)).toHaveLength(90);
    }
  });
});

/** @returns opens a connection */
async function serve(handle: RequestListener, maxWaiting?: number): Promise<() => Socket> {
  const server = createServer(oneAtATime(handle, maxWaiting)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return () => connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
}

/** The last one closes the connection. */
function pipelined(count: number): string {
  const requests = Array.from({ length: count }, (_, n) => {
    const last = n === count - 1 ? 'Connection: close\r\n' : '';
    return `GET /${n} HTTP/1.1\r\nHost: a\r\n${last}\r\n`;
  });
  return requests.join('');
}

/** The bodies of the responses, until the server closes the connection. */
async function pathsAnswered(socket: Socket): Promise<string[]> {
  let received = '';
  socket.on('data', (data) => {
    received += data.toString();
  });
  await once(socket, 'close');
  return [...received.matchAll(/\r\n\r\n(\/\d+)(?=HTTP|$)/g)].map(([, path]) => path as string);
}
