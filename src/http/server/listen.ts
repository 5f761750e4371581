/**
 * Puts the app behind a port.
 */
import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { SECOND } from '../../lib/time.ts';

/** Why the server could not start, said for an operator. */
export class ListenError extends Error {
  override name = 'ServeError';
}

export interface WebServer {
  /** Where it answers, such as `http://127.0.0.1:8080/`. */
  url: string;
  /** Takes no new connections, lets open requests end, for at most five seconds, and resolves. */
  close(): Promise<void>;
}

const DRAIN = 5 * SECOND;
const SWEEP = 50;

/**
 * Serves the app on `host`:`port`; port 0 takes a free one.
 * @throws ServeError where the port is taken or may not be opened, with the key of the config to change
 */
export function listen(app: Hono, { host, port }: { host: string; port: number }): Promise<WebServer> {
  // The name for requests that bring none, as load balancers' HTTP/1.0 checks of health do; no answer depends on it.
  const server = createAdaptorServer({ fetch: app.fetch, hostname: 'localhost' }) as Server;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      const address = server.address() as AddressInfo;
      const url = `http://${shown(host)}:${address.port}/`;
      resolve({ url, close: () => drain(server) });
    });
  });
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that was busy when the server closed stays open after its response, until it is closed as idle.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP);
    const deadline = setTimeout(() => server.closeAllConnections(), DRAIN);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** All addresses of the machine are no address that a person can open. */
function shown(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return isIPv6(host) ? `[${host}]` : host;
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const place = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const reasons: Record<string, string> = {
    EADDRINUSE: `${place} is taken by another process: stop it, or set another server.port`,
    EACCES: `${place} may not be opened by this user: set server.port to 1024 or higher`,
    EADDRNOTAVAIL: `${host} is no address of this machine: set server.host to one that is, such as 127.0.0.1`,
    ENOTFOUND: `${host} is not a known name: set server.host to an address of this machine, such as 127.0.0.1`,
  };
  return new ListenError(reasons[error.code ?? ''] ?? `${place} cannot be served: ${error.message}`, { cause: error });
}
