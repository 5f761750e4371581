/**
 * One HTTP request to an untrusted URL, over a guarded connection, of which only the beginning of the response is read.
 * Redirects and keep-alive are not used. For documents: fetch-client.ts.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { SECOND } from '../time.ts';
import {
  bareHost,
  type ConnectionRules,
  openGuardedSocket,
  RefusedAddressError,
  reasonOfFailure,
} from './guarded-socket.ts';

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

export interface RequestLimits extends ConnectionRules {
  /** For the whole request. */
  timeLimitMs: number;
  /** Aborts the request. */
  signal?: AbortSignal | undefined;
}

const MAX_BODY_BYTES = 4_096;

/** Sends a request. Reasons contain neither the URL nor content of the response. Never throws. */
export async function guardedRequest(outgoing: GuardedRequest, limits: RequestLimits): Promise<GuardedResponse> {
  const timeout = AbortSignal.timeout(limits.timeLimitMs);
  const signal = limits.signal === undefined ? timeout : AbortSignal.any([timeout, limits.signal]);
  let socket: Socket | null = null;
  try {
    const url = new URL(outgoing.url);
    socket = await openGuardedSocket(url, limits, signal);
    return await exchange(url, outgoing, socket, signal);
  } catch (error) {
    if (error instanceof RefusedAddressError) return { kind: 'refused', reason: error.message };
    if (timeout.aborted) return { kind: 'failed', reason: `no answer within ${limits.timeLimitMs / SECOND} s` };
    return { kind: 'failed', reason: reasonOfFailure(error) };
  } finally {
    socket?.destroy();
  }
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
