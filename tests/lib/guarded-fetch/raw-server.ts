/**
 * A server that answers with the bytes that a test chooses: an HTTP library would refuse to send most of them.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface RawServer {
  port: number;
  /** `http://127.0.0.1:port`, or another host with that port. */
  url(path?: string, host?: string): string;
  /** Heads of the requests, oldest first. */
  requests: string[];
  /** Connections in all. */
  connections: number;
}

/** @param respond gets the path; bytes are sent, then the connection is closed */
export async function startRawServer(
  respond: (path: string, socket: Socket) => string | Buffer | undefined,
  { host = '127.0.0.1', port = 0 } = {},
): Promise<RawServer> {
  const server: Server = createServer((socket) => {
    raw.connections += 1;
    socket.on('error', () => {});
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      raw.requests.push(head);
      const bytes = respond(head.split(' ')[1] ?? '', socket);
      head = '';
      if (bytes !== undefined) socket.end(bytes);
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  onTestFinished(() => void server.close());
  const address = server.address() as { port: number };
  const raw: RawServer = {
    port: address.port,
    url: (path = '/', name = '127.0.0.1') => `http://${name}:${address.port}${path}`,
    requests: [],
    connections: 0,
  };
  return raw;
}

/** A response of status 200 with these header lines. */
export function ok(headers: string[], body: string | Buffer): Buffer {
  const head = ['HTTP/1.1 200 OK', ...headers, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]);
}

export function redirect(status: number, location: string): string {
  return `HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
}
