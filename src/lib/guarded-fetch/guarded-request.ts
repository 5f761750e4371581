/**
 * One HTTP request to an untrusted URL, over a guarded connection, of which only the beginning of the response is read.
 * Redirects and keep-alive are not used. For documents: fetch-client.ts.
 */
import type { IncomingMessage } from 'node:http';
import { SECOND } from '../time.ts';
import { openResponse } from './fetch-client.ts';
import { type ConnectionRules, RefusedAddressError, reasonOfFailure } from './guarded-socket.ts';
import { FetchError } from './response-body.ts';

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
  const { url, method, headers, body } = outgoing;
  try {
    const encoded = { 'Accept-Encoding': 'identity', ...headers };
    const sent = { method, headers: encoded, ...(body === undefined ? {} : { body }) };
    await using response = await openResponse(new URL(url), sent, { ...limits, userAgent: 'daywire' }, signal);
    const { message, address } = response;
    const beginning = await readBeginning(message);
    // A body that ends with the connection looks complete where the time limit has closed it.
    signal.throwIfAborted();
    return { kind: 'answered', status: message.statusCode ?? 0, ...beginning, address };
  } catch (error) {
    if (error instanceof RefusedAddressError) return { kind: 'refused', reason: error.message };
    if (timeout.aborted) return { kind: 'failed', reason: `no answer within ${limits.timeLimitMs / SECOND} s` };
    return { kind: 'failed', reason: error instanceof FetchError ? error.message : reasonOfFailure(error) };
  }
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
