/**
 * Fetches documents from addresses that outsiders or feeds name: sources and pictures. Every connection is guarded,
 * those of redirects too. Time and size are limited, and a body is whole or an error.
 */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { parseHttpDate } from '../http-date.ts';
import { DAY, SECOND } from '../time.ts';
import {
  bareHost,
  type ConnectionRules,
  isUnknownHost,
  openGuardedSocket,
  RefusedAddressError,
  reasonOfFailure,
} from './guarded-socket.ts';
import { ACCEPT_ENCODING, FetchError, readWholeBody, TooLongError } from './response-body.ts';

export interface FetchRequest {
  /** http or https, without credentials. Otherwise it is refused. */
  url: string;
  /** Sent byte for byte, such as If-None-Match. Authorization and Cookie are not sent to another host. */
  headers?: Record<string, string>;
  /** Size of the body, as it is transferred and decoded. Default: 20 MiB. */
  maxBytes?: number;
  /** Default: `document`. With `status`, no body is read, and with `status-by-head` the request is HEAD. */
  wants?: 'document' | 'status' | 'status-by-head';
}

export type FetchResult =
  | {
      kind: 'answered';
      /** Never one of the redirects that are followed. */
      status: number;
      /** The last one of the redirects. */
      url: string;
      /** The new address of the document: `url`, where every redirect was permanent; null without redirects. */
      movedTo: string | null;
      headers: IncomingHttpHeaders;
      /** Decoded and complete; empty where only the status is wanted. */
      body: Buffer;
    }
  /** The rules for URLs and addresses forbid it. */
  | { kind: 'refused'; reason: string }
  /** No response, not in time, too long, or cut off. `isUnknownHost`: its name has no address. */
  | { kind: 'failed'; reason: string; isTooLong?: true; isUnknownHost?: true };

export interface FetchClient {
  /**
   * Sends a request, and follows redirects. Reasons contain no URL and nothing of the response.
   * @throws only what its gate throws
   */
  fetch(request: FetchRequest, signal?: AbortSignal): Promise<FetchResult>;
}

export interface FetchClientOptions extends ConnectionRules {
  userAgent: string;
  /** For each connection, with TLS. Milliseconds. */
  connectLimitMs?: number;
  /** For the whole request, with redirects and body, without what the gate waits. Milliseconds. */
  timeLimitMs?: number;
  /** Redirects that are followed. With 0, a redirect is an error. Default: 4. */
  maxRedirects?: number;
  /** Default: each request begins at once. */
  gate?: RequestGate | undefined;
}

const CONNECT_LIMIT = 5 * SECOND;
const TIME_LIMIT = 20 * SECOND;
const MAX_REDIRECTS = 4;
/** Responses of 1xx before the final one (RFC 9110 §15.2). */
const MAX_INTERIM_RESPONSES = 10;
const MAX_BYTES = 20 * 1024 * 1024;

const REDIRECTS = [301, 302, 303, 307, 308];
const PERMANENT_REDIRECTS = [301, 308];
/** Not for another host (RFC 9110 §15.4). */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization'];

export function openFetchClient(options: FetchClientOptions): FetchClient {
  return { fetch: (request, signal) => fetchDocument(request, options, signal) };
}

/**
 * The instant (epoch milliseconds) before which a server asks not to be called again (RFC 9110 §10.2.3). Null where it
 * does not say, or not in a known format.
 * @param longest milliseconds: more than that counts as that
 */
export function retryAfter(headers: IncomingHttpHeaders, now: number, longest = DAY): number | null {
  const text = headers['retry-after']?.trim() ?? '';
  const instant = /^\d+$/.test(text) ? now + Number(text) * SECOND : parseHttpDate(text);
  return instant === null ? null : Math.min(Math.max(instant, now), now + longest);
}

class ForbiddenUrlError extends Error {}
/** It is no fault of the server. */
class GateError extends Error {}

async function fetchDocument(
  request: FetchRequest,
  options: FetchClientOptions,
  stop: AbortSignal | undefined,
): Promise<FetchResult> {
  const { timeLimitMs = TIME_LIMIT } = options;
  using limit = new TimeLimit(timeLimitMs);
  const timeout = limit.signal;
  const signal = stop === undefined ? timeout : AbortSignal.any([timeout, stop]);
  try {
    return await followRedirects(request, options, { signal, limit });
  } catch (error) {
    if (error instanceof GateError) throw error.cause;
    if (error instanceof RefusedAddressError || error instanceof ForbiddenUrlError) {
      return { kind: 'refused', reason: error.message };
    }
    if (error instanceof TooLongError) return { kind: 'failed', reason: error.message, isTooLong: true };
    if (timeout.aborted) return { kind: 'failed', reason: `it takes longer than ${timeLimitMs / SECOND} s` };
    const reason = error instanceof FetchError ? error.message : reasonOfFailure(error);
    return { kind: 'failed', reason, ...(isUnknownHost(error) ? { isUnknownHost: true } : {}) };
  }
}

async function followRedirects(
  request: FetchRequest,
  options: FetchClientOptions,
  { signal, limit }: { signal: AbortSignal; limit: TimeLimit },
): Promise<FetchResult> {
  const { maxBytes = MAX_BYTES, wants = 'document' } = request;
  const method = wants === 'status-by-head' ? 'HEAD' : 'GET';
  let url = allowedUrl(request.url, null);
  let headers = request.headers ?? {};
  let isPermanent = true;
  // By host and name: some sites redirect until their cookie comes back.
  const cookies = new Map<string, string>();
  const { maxRedirects = MAX_REDIRECTS } = options;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    await using _admission = await admit(url, options, { signal, limit });
    const sent = { ...headers, ...cookieHeader(cookies, url.host) };
    await using response = await openResponse(url, { method, headers: sent }, options, signal);
    const { statusCode: status = 0, headers: received } = response.message;
    if (!REDIRECTS.includes(status)) {
      const body = wants === 'document' ? await readWholeBody(response.message, maxBytes, signal) : Buffer.alloc(0);
      const movedTo = redirects > 0 && isPermanent ? url.href : null;
      return { kind: 'answered', status, url: url.href, movedTo, headers: received, body };
    }
    if (received.location === undefined) return { kind: 'failed', reason: `it answered ${status} without a Location` };
    for (const line of received['set-cookie'] ?? []) {
      const [, pair = '', name = ''] = /^\s*(([^=;]*)[^;]*)/.exec(line) ?? [];
      cookies.set(`${url.host} ${name}`, pair);
    }
    const next = allowedUrl(received.location, url);
    if (next.host !== url.host) headers = withoutCredentials(headers);
    isPermanent &&= PERMANENT_REDIRECTS.includes(status);
    url = next;
  }
  const reason = maxRedirects === 0 ? 'it redirects' : `it redirects more than ${maxRedirects} times`;
  return { kind: 'failed', reason };
}

/** @throws GateError */
async function admit(
  url: URL,
  { gate }: FetchClientOptions,
  { signal, limit }: { signal: AbortSignal; limit: TimeLimit },
): Promise<AsyncDisposable | null> {
  if (gate === undefined) return null;
  try {
    return await limit.pauseWhile(() => gate.enter(url, signal));
  } catch (error) {
    if (signal.aborted) throw error;
    throw new GateError('the gate failed', { cause: error });
  }
}

/** @param from the URL that redirects, or null */
function allowedUrl(text: string, from: URL | null): URL {
  if (!URL.canParse(text, from?.href)) throw new ForbiddenUrlError('its URL is not valid');
  const url = new URL(text, from?.href);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ForbiddenUrlError('its URL is neither http nor https');
  }
  if (url.username !== '' || url.password !== '') throw new ForbiddenUrlError('its URL contains a login');
  if (from?.protocol === 'https:' && url.protocol === 'http:') {
    throw new ForbiddenUrlError('it redirects from https to http');
  }
  url.hash = '';
  return url;
}

function cookieHeader(cookies: Map<string, string>, host: string): Record<string, string> {
  const own = [...cookies].flatMap(([key, pair]) => (key.startsWith(`${host} `) ? pair : []));
  return own.length === 0 ? {} : { Cookie: own.join('; ') };
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.includes(name.toLowerCase())));
}

interface OpenResponse extends AsyncDisposable {
  message: IncomingMessage;
  /** IP address of the connection. */
  address: string;
}

/** Sends the request, and waits for the head of its response. Disposing it closes the connection. */
export async function openResponse(
  url: URL,
  { method, headers, body }: { method: 'GET' | 'HEAD' | 'POST'; headers: Record<string, string>; body?: Buffer },
  options: FetchClientOptions,
  signal: AbortSignal,
): Promise<OpenResponse> {
  const socket = await connectInTime(url, options, signal);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // A response of 101, which nobody asked for, ends the request without an error.
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const request = httpRequest({
      // Without an agent, which could pool connections or use a proxy.
      createConnection: () => socket,
      host: bareHost(url),
      method,
      path: url.pathname + url.search,
      headers: {
        Accept: '*/*',
        'Accept-Encoding': ACCEPT_ENCODING,
        ...headers,
        ...(body === undefined ? {} : { 'Content-Length': String(body.length) }),
        Host: url.host,
        'User-Agent': options.userAgent,
        Connection: 'close',
      },
      signal,
    });
    request.on('error', reject);
    request.on('close', () => reject(new Error('closed')));
    request.on('response', resolve);
    let interim = 0;
    request.on('information', () => {
      interim += 1;
      // Nothing else limits them: a server that sends nothing but them keeps this process busy.
      if (interim <= MAX_INTERIM_RESPONSES) return;
      reject(new FetchError('it sends interim responses without end'));
      socket.destroy();
    });
    request.end(body);
    const message = await promise;
    // The reader of the body reports an error; without a reader nothing must throw.
    message.on('error', () => {});
    return {
      message,
      address: socket.remoteAddress ?? '',
      async [Symbol.asyncDispose]() {
        socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function connectInTime(url: URL, options: FetchClientOptions, signal: AbortSignal): Promise<Socket> {
  const { connectLimitMs = CONNECT_LIMIT } = options;
  const timeout = AbortSignal.timeout(connectLimitMs);
  try {
    return await openGuardedSocket(url, options, AbortSignal.any([timeout, signal]));
  } catch (error) {
    if (error instanceof RefusedAddressError || signal.aborted || !timeout.aborted) throw error;
    throw new FetchError(`no connection within ${connectLimitMs / SECOND} s`);
  }
}

/** Admits the requests of a client, such as one at a time to a host. A redirect is a request of its own. */
export interface RequestGate {
  /**
   * Waits until the request may begin. Disposing the result ends it: its response is read, or has failed.
   * @throws the reason of `signal`. What else it throws reaches the caller of `fetch`.
   */
  enter(url: URL, signal: AbortSignal): Promise<AsyncDisposable>;
}

/** A time limit that does not run while something else is waited for. */
class TimeLimit {
  readonly #controller = new AbortController();
  #left: number;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Starts at once. @param limitMs milliseconds */
  constructor(limitMs: number) {
    this.#left = limitMs;
    this.#run();
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits, and does not count that time. */
  async pauseWhile<T>(wait: () => Promise<T>): Promise<T> {
    this.#pause();
    try {
      return await wait();
    } finally {
      this.#run();
    }
  }

  [Symbol.dispose](): void {
    this.#pause();
  }

  #run(): void {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => this.#controller.abort(new Error('the time is over')), this.#left);
    this.#timer.unref();
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#left = Math.max(0, this.#left - (performance.now() - this.#startedAt));
  }
}
