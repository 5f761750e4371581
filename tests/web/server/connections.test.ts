import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sha256 } from '../../../src/lib/sha256.ts';
import { Connections, connectionsWithin, openFilesLimit } from '../../../src/web/server/connections.ts';

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

  it('are parsed a few at a time, also those of many connections that arrive together', async () => {
    let parsed = 0;
    const count = (): unknown => parsed++;
    subscribe('http.server.request.start', count);
    onTestFinished(() => void unsubscribe('http.server.request.start', count));
    const busy = new Set<Socket>();
    const open = await serve(({ socket }) => void busy.add(socket));
    const requests = pipelined(800);
    for (let n = 0; n < 20; n++) open().write(requests);
    await expect.poll(() => busy.size).toBe(20);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(parsed).toBeGreaterThanOrEqual(20);
    expect(parsed).toBeLessThanOrEqual(20 * 20);
  });

  it('wait for the clients that send one at a time', async () => {
    const handled: string[] = [];
    const open = await serve(async ({ url = '' }, outgoing) => {
      handled.push(url);
      outgoing.end(url);
    });
    const flood = Array.from({ length: 40 }, () => {
      const socket = open();
      socket.write(pipelined(200));
      return pathsAnswered(socket);
    });
    await expect.poll(() => handled.length).toBeGreaterThan(40);
    const before = handled.length;
    const other = open();
    other.write('GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await text(other)).toMatch(/\/other$/);
    // With one of each connection in a turn it came after 430 of theirs.
    expect(handled.indexOf('/other') - before).toBeLessThan(200);
    for (const paths of await Promise.all(flood)) expect(paths).toHaveLength(200);
  });

  it('reach their handlers as they were sent, however they are split, with bodies of any size', async () => {
    const open = await serve(async (incoming, outgoing) => {
      const body = await text(incoming);
      outgoing.end(`${incoming.url} ${body.length} ${sha256(body)}\n`);
    });
    const request = fc.record({ body: fc.string({ maxLength: 3_000 }), header: fc.nat(600) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 9_000 }),
        async (requests, size) => {
          const sent = requests.map(({ body, header }, n) => {
            const close = n === requests.length - 1 ? 'Connection: close\r\n' : '';
            const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
            return `POST /${n} HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(header)}\r\n${close}${length}\r\n${body}`;
          });
          const bytes = Buffer.from(sent.join(''));
          const socket = open();
          const answer = text(socket);
          for (let at = 0; at < bytes.length; at += size) {
            socket.write(bytes.subarray(at, at + size));
            await new Promise(setImmediate);
          }
          const answers = [...(await answer).matchAll(/\/\d+ \d+ [0-9a-f]{64}/g)].map(([found]) => found);
          const wanted = requests.map(({ body }, n) => {
            const read = Buffer.from(body).toString();
            return `/${n} ${read.length} ${sha256(read)}`;
          });
          expect(answers).toEqual(wanted);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the limit of open files', () => {
  it('leaves 200 files to the rest of the process, and at least 20 connections', () => {
    const limits = [Number.POSITIVE_INFINITY, 1_024, 700, 699, 300, 130, 0];
    expect(limits.map((openFiles) => connectionsWithin(openFiles, 500))).toEqual([500, 500, 500, 499, 100, 20, 20]);
    expect(connectionsWithin(1_024, 5)).toBe(5);
  });

  it('is that of the process', () => {
    expect(openFilesLimit()).toBeGreaterThan(0);
    const script = `
      import { openFilesLimit } from ${JSON.stringify(import.meta.resolve('../../../src/web/server/connections.ts'))};
      process.stdout.write(String(openFilesLimit()));`;
    const command = 'ulimit -Sn 123 && ulimit -Hn 123 && exec "$0" --input-type=module -e "$1"';
    expect(execFileSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' })).toBe('123');
  });
});

/** @returns opens a connection */
async function serve(handle: RequestListener): Promise<() => Socket> {
  const connections = new Connections(Number.POSITIVE_INFINITY, () => {});
  const server = createServer(connections.oneAtATime(handle)).listen(0, '127.0.0.1');
  server.on('connection', (socket: Socket) => connections.admit(socket));
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
