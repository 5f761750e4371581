/**
 * One HTTP request to an address that a stranger chose. Where it leads is judged as the connection is made, by the very address that
 * is connected to, so that a name which resolves to one address when it is asked for and to another a moment later gains nothing.
 * No redirect is followed, no proxy of the environment is used, no connection is kept.
 */
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SECOND } from '../time.ts';
import type { AddressGuard } from './address-guard.ts';

export interface Outgoing {
  /** http or https, without credentials. */
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: Buffer;
}

export type Incoming =
  /** `body`: the beginning of it; `whole`: whether that is all. */
  | { kind: 'answered'; status: number; body: Buffer; whole: boolean }
  /** It may not be connected to. */
  | { kind: 'refused'; reason: string }
  /** Nobody answered, or not in time. */
  | { kind: 'failed'; reason: string };

/** Gives the addresses of a name. @throws where it has none */
export type Resolve = (name: string) => Promise<{ address: string; family: number }[]>;

export interface RequestLimits {
  guard: AddressGuard;
  resolve: Resolve;
  /** For all of it. */
  timeLimitMs: number;
  /** Ends it early. */
  signal?: AbortSignal | undefined;
}

/** More of an answer is not read. */
const MOST_BYTES = 4_096;

class Refused extends Error {}

/** Sends it. Reasons hold neither the address nor anything of the answer. Never throws. */
export async function guardedRequest(outgoing: Outgoing, limits: RequestLimits): Promise<Incoming> {
  const timeout = AbortSignal.timeout(limits.timeLimitMs);
  const signal = limits.signal === undefined ? timeout : AbortSignal.any([timeout, limits.signal]);
  let socket: Socket | null = null;
  try {
    const url = new URL(outgoing.url);
    socket = await openSocket(url, limits, signal);
    return await exchange(url, outgoing, socket, signal);
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', reason: error.message };
    if (timeout.aborted) return { kind: 'failed', reason: `no answer within ${limits.timeLimitMs / SECOND} s` };
    return { kind: 'failed', reason: reasonOfFailure(error) };
  } finally {
    socket?.destroy();
  }
}

/** Why no request may go to this URL whose host is an address; null where that is for the resolver to say. */
export function whyRefused(url: URL, guard: AddressGuard): string | null {
  const host = bareHost(url);
  return isIP(host) === 0 ? null : guard(host, portOf(url));
}

async function openSocket(url: URL, limits: RequestLimits, signal: AbortSignal): Promise<Socket> {
  const { guard, resolve } = limits;
  const host = bareHost(url);
  const port = portOf(url);
  const refusal = whyRefused(url, guard);
  if (refusal !== null) throw new Refused(refusal);
  const socket = connect({ host, port, lookup: guardedLookup(resolve, guard, port), autoSelectFamily: true });
  // What breaks between two steps is told by the next one.
  socket.on('error', () => {});
  try {
    await once(socket, 'connect', { signal });
    // Once more, before a byte is written: whatever the resolver said, this is where we are.
    const unwanted = guard(socket.remoteAddress ?? '', port);
    if (unwanted !== null) throw new Refused(unwanted);
    if (url.protocol === 'http:') return socket;
    const secure = connectTls({
      socket,
      // The name that the certificate must be for; an address cannot be asked for by SNI (RFC 6066 §3).
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

/** Leaves of a name's addresses only those that may be connected to. */
function guardedLookup(resolve: Resolve, guard: AddressGuard, port: number): LookupFunction {
  return (name, options, callback) => {
    resolve(name).then(
      (found) => {
        const allowed = found.filter(({ address }) => guard(address, port) === null);
        const [first] = allowed;
        if (first === undefined) {
          const reason = found[0] === undefined ? 'its name has no address' : (guard(found[0].address, port) as string);
          callback(new Refused(reason), '', 0);
        } else if (options.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, '', 0),
    );
  };
}

function exchange(url: URL, outgoing: Outgoing, socket: Socket, signal: AbortSignal): Promise<Incoming> {
  const { promise, resolve, reject } = Promise.withResolvers<Incoming>();
  const request: ClientRequest = httpRequest({
    // Without an agent there is no pool, and no proxy.
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
      ({ body, whole }) => resolve({ kind: 'answered', status: response.statusCode ?? 0, body, whole }),
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
    if (length > MOST_BYTES) return { body: Buffer.concat(chunks).subarray(0, MOST_BYTES), whole: false };
  }
  return { body: Buffer.concat(chunks), whole: true };
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** By its code alone: a message may name the address. */
function reasonOfFailure(error: unknown): string {
  // Several addresses of a name were tried.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { code } = first as { code?: unknown };
  return typeof code === 'string' ? `no connection (${code})` : 'no connection';
}
