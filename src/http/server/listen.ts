/**
 * The HTTP server that runs the web app.
 */
import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { SECOND } from '../../lib/time.ts';

/** Why the server could not start, in words for an operator. */
export class ListenError extends Error {
  override name = 'ListenError';
}

export interface WebServer {
  /** Its address, such as `http://127.0.0.1:8080/`. */
  url: string;
  /** Accepts no more connections, waits at most five seconds for open requests, and resolves. */
  close(): Promise<void>;
}

const DRAIN_TIMEOUT = 5 * SECOND;
const DRAIN_INTERVAL = 50;

/**
 * Serves the app on `host`:`port`. Port 0 means any free port.
 * @throws ListenError with the config key to change, if the port is in use or not permitted
 */
export function listen(app: Hono, { host, port }: { host: string; port: number }): Promise<WebServer> {
  // The host of requests without one, such as HTTP/1.0 health checks. No response depends on it.
  const server = createAdaptorServer({ fetch: app.fetch, hostname: 'localhost' }) as Server;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      const address = server.address() as AddressInfo;
      const url = `http://${reachableHost(host)}:${address.port}/`;
      resolve({ url, close: () => drain(server) });
    });
  });
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
