/** The HTTP server that runs the web app. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Log } from '../../lib/log.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import { Connections } from './connections.ts';

/** Why the server could not start, in words for an operator. */
export class ListenError extends Error {
  override name = 'ListenError';
}

export interface WebServer {
  /** Its address, such as `http://127.0.0.1:8080/`. */
  url: string;
  /** Stops accepting connections, waits at most five seconds for open requests, and resolves. */
  close(): Promise<void>;
}

export interface ListenOptions {
  host: string;
  /** 0 for any free port. */
  port: number;
  /** Default: no limit. */
  maxConnections?: number;
  /** Receives what is wrong with connections, at most one record a minute. */
  log?: Log;
}

const DRAIN_TIMEOUT = 5 * SECOND;
const DRAIN_INTERVAL = 50;

/** Time-outs of connections. "Limits of the HTTP server" in docs/operating/serving.md lists them. */
const TIMEOUTS = {
  /** From the first byte of a request, or from the connection, to the end of its header. */
  headersTimeout: 10 * SECOND,
  /** To the end of its body. */
  requestTimeout: 60 * SECOND,
  /** Without a further request. Longer than proxies keep theirs, such as the 4 s in deploy/nginx.conf. */
  keepAliveTimeout: 5 * SECOND,
  connectionsCheckingInterval: 2 * SECOND,
};
/** For a client that reads nothing of its response. Node waits once more where a part of it could be written. */
const STALLED_TIMEOUT = 30 * SECOND;

/**
 * Serves the app.
 * @throws ListenError with the config key to change, if the port is in use or not permitted
 */
export function listen(app: Pick<Hono, 'fetch'>, options: ListenOptions): Promise<WebServer> {
  const { host, port, maxConnections = Number.POSITIVE_INFINITY, log } = options;
  // The host of requests without one, such as HTTP/1.0 health checks. No response depends on it.
  const handle = getRequestListener(app.fetch, { hostname: 'localhost' });
  const warn = oncePerMinute((details: object, message: string) => log?.warn(details, message));
  const connections = new Connections(maxConnections, () => {
    warn({ maxConnections }, 'connections closed: too many were open');
  });
  const listener = connections.oneAtATime(refuseOtherHosts(handle));
  const server = createServer({ ...TIMEOUTS, requireHostHeader: false }, listener);
  // Otherwise Node answers these by itself, at once.
  server.on('checkExpectation', listener);
  server.on('connection', (socket: Socket) => connections.admit(socket));
  server.setTimeout(STALLED_TIMEOUT);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      // Such as EMFILE of accept(). Without a listener the process would end.
      server.on('error', (error) => warn({ error: error.message }, 'connection not accepted'));
      const address = server.address() as AddressInfo;
      const url = `http://${reachableHost(host)}:${address.port}/`;
      resolve({ url, close: () => drain(server) });
    });
  });
}

/**
 * 400 for a request without a Host field or with two (RFC 9112 §3.2): a proxy may have read the other one. HTTP/1.0 has
 * none.
 */
function refuseOtherHosts(handle: RequestListener): RequestListener {
  return (incoming, outgoing) => {
    const count = countHosts(incoming);
    if (count === 1 || (count === 0 && incoming.httpVersion === '1.0')) return handle(incoming, outgoing);
    outgoing.writeHead(400, { Connection: 'close' }).end();
  };
}

function countHosts({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}

function oncePerMinute<A extends unknown[]>(act: (...args: A) => void): (...args: A) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (...args) => {
    const now = performance.now();
    if (now - last < MINUTE) return;
    last = now;
    act(...args);
  };
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that was busy when the server closed stays open after its response, until it is closed as idle.
    const interval = setInterval(() => server.closeIdleConnections(), DRAIN_INTERVAL);
    const deadline = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT);
    server.close(() => {
      clearInterval(interval);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** A host that a browser can open, also where the server listens on all addresses. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return isIPv6(host) ? `[${host}]` : host;
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const reasons: Record<string, string> = {
    EADDRINUSE: `${address} is in use by another process: stop it, or set another server.port`,
    EACCES: `${address} may not be opened by this user: set server.port to 1024 or higher`,
    EADDRNOTAVAIL: `${host} is not an address of this machine: set server.host to one that is, such as 127.0.0.1`,
    ENOTFOUND: `${host} is not a known host: set server.host to an address of this machine, such as 127.0.0.1`,
  };
  return new ListenError(reasons[error.code ?? ''] ?? `${address} cannot be opened: ${error.message}`, {
    cause: error,
  });
}
