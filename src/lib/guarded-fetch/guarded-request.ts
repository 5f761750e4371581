/**
 * One HTTP request to an untrusted URL. The guard checks the address of the connection itself, so that a name that
 * resolves to another address a moment later (DNS rebinding) gains nothing. Redirects, proxies of the environment and
 * keep-alive are not used.
 */
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SECOND } from '../time.ts';
import type { AddressGuard } from './address-guard.ts';

export interface GuardedRequest {
  /** http or https, without credentials. */
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: Buffer;
}

export type GuardedResponse =
  /** `body` is cut after 4 KiB; `whole` says whether it is complete. `address` is that of the connection. */
  | { kind: 'answered'; status: number; body: Buffer; whole: boolean; address: string }
  /** The guard refused the address. */
  | { kind: 'refused'; reason: string }
  /** No response, or not in time. */
  | { kind: 'failed'; reason: string };

/** Resolves a host name. @throws where it has no address */
export type Resolve = (name: string) => Promise<{ address: string; family: number }[]>;

export interface RequestLimits {
  guard: AddressGuard;
  resolve: Resolve;
  /** For the whole request. */
  timeLimitMs: number;
  /** Aborts the request. */
  signal?: AbortSignal | undefined;
}

const MAX_BODY_BYTES = 4_096;

class RefusedAddressError extends Error {}

/** Sends a request. Reasons contain neither the URL nor content of the response. Never throws. */
export async function guardedRequest(outgoing: GuardedRequest, limits: RequestLimits): Promise<GuardedResponse> {
  const timeout = AbortSignal.timeout(limits.timeLimitMs);
  const signal = limits.signal === undefined ? timeout : AbortSignal.any([timeout, limits.signal]);
  let socket: Socket | null = null;
  try {
    const url = new URL(outgoing.url);
    socket = await openSocket(url, limits, signal);
    return await exchange(url, outgoing, socket, signal);
  } catch (error) {
    if (error instanceof RefusedAddressError) return { kind: 'refused', reason: error.message };
    if (timeout.aborted) return { kind: 'failed', reason: `no answer within ${limits.timeLimitMs / SECOND} s` };
    return { kind: 'failed', reason: reasonOfFailure(error) };
  } finally {
    socket?.destroy();
  }
}

/**
 * Why the guard refuses a URL whose host is an IP address. Null for others, and for host names, which are checked at
 * the connection.
 */
export function whyRefused(url: URL, guard: AddressGuard): string | null {
  const host = bareHost(url);
  return isIP(host) === 0 ? null : guard(host, portOf(url));
}

async function openSocket(url: URL, limits: RequestLimits, signal: AbortSignal): Promise<Socket> {
  const { guard, resolve } = limits;
  const host = bareHost(url);
  const port = portOf(url);
  const refusal = whyRefused(url, guard);
  if (refusal !== null) throw new RefusedAddressError(refusal);
  const socket = connect({ host, port, lookup: guardedLookup(resolve, guard, port), autoSelectFamily: true });
  // The next step reports an error between two steps.
  socket.on('error', () => {});
  try {
    await once(socket, 'connect', { signal });
    // Again before a byte is written: this is the address of the connection, whatever the resolver returned.
    const refused = guard(socket.remoteAddress ?? '', port);
    if (refused !== null) throw new RefusedAddressError(refused);
    if (url.protocol === 'http:') return socket;
    const secure = connectTls({
      socket,
      // The name that the certificate must have; SNI does not support addresses (RFC 6066 §3).
      host,
      ALPNProtocols: ['http/1.1'],
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    secure.on('error', () => {});
    await once(secure, 'secureConnect', { signal });
    return secure;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Resolves a name to those of its addresses that the guard allows. */
function guardedLookup(resolve: Resolve, guard: AddressGuard, port: number): LookupFunction {
  return (name, options, callback) => {
    resolve(name).then(
      (found) => {
        const allowed = found.filter(({ address }) => guard(address, port) === null);
        const [first] = allowed;
        if (first === undefined) {
          const reason = found[0] === undefined ? 'its name has no address' : (guard(found[0].address, port) as string);
          callback(new RefusedAddressError(reason), '', 0);
        } else if (options.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, '', 0),
    );
  };
}

function exchange(url: URL, outgoing: GuardedRequest, socket: Socket, signal: AbortSignal): Promise<GuardedResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<GuardedResponse>();
  const address = socket.remoteAddress ?? '';
  const request: ClientRequest = httpRequest({
    // Without an agent, which could pool connections or use a proxy.
    createConnection: () => socket,
    host: bareHost(url),
    method: outgoing.method,
    path: url.pathname + url.search,
    headers: {
      Host: url.host,
      'User-Agent': 'daywire',
      Connection: 'close',
      ...outgoing.headers,
      ...(outgoing.body === undefined ? {} : { 'Content-Length': String(outgoing.body.length) }),
    },
    signal,
  });
  request.on('error', reject);
  request.on('response', (response) => {
    readBeginning(response).then(
      ({ body, whole }) => resolve({ kind: 'answered', status: response.statusCode ?? 0, body, whole, address }),
      reject,
    );
  });
  request.end(outgoing.body);
  return promise;
}

async function readBeginning(response: IncomingMessage): Promise<{ body: Buffer; whole: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return { body: Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES), whole: false };
  }
  return { body: Buffer.concat(chunks), whole: true };
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** The code alone, because the message may contain the address. */
function reasonOfFailure(error: unknown): string {
  // Several addresses were tried.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { code } = first as { code?: unknown };
  return typeof code === 'string' ? `no connection (${code})` : 'no connection';
}
