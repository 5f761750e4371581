/** The bodies of requests, and forms that pages post. */
import { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { IncompleteRequest, respondError } from './errors.ts';
import type { WebContext } from './web-context.ts';

/** Bytes. A form in Arabic has 10,000 for each newsletter of which all topics and reporters are chosen. */
export const FORM_LIMIT = 64 * 1024;

/** Bytes, and the response to a body that is longer. */
interface BodyLimit {
  maxSize: number;
  onError: (c: Context) => Response | Promise<Response>;
}

/**
 * Reads the body before the handler, as Hono's `bodyLimit` does, but not as a web stream, which takes several promises
 * for each chunk: 20 requests with 16,000 chunks of one byte took 0.5 to 1.2 s of processor time in one turn, and take
 * 0.1 to 0.4 s here.
 */
export function limitBody({ maxSize, onError }: BodyLimit): MiddlewareHandler {
  const limitWithoutSocket = bodyLimit({ maxSize, onError });
  return async (c, next) => {
    const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
    if (!(incoming instanceof IncomingMessage)) return limitWithoutSocket(c, next);
    const isTooLong = Number(incoming.headers['content-length'] ?? 0) > maxSize;
    const body = isTooLong ? null : await readBody(incoming, maxSize);
    if (body === null) return onError(c);
    // Where @hono/node-server expects a body that has been read.
    Object.assign(incoming, { rawBody: body });
    await next();
  };
}

/** @returns null if it is longer than `maxSize` bytes. @throws IncompleteRequest */
function readBody(incoming: IncomingMessage, maxSize: number): Promise<Buffer | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | null>();
  // Its client left before the handler began: no event will follow.
  if (incoming.destroyed) reject(new IncompleteRequest());
  const parts: Buffer[] = [];
  let size = 0;
  const onReadable = (): void => {
    for (let part = incoming.read() as Buffer | null; part !== null; part = incoming.read() as Buffer | null) {
      size += part.length;
      parts.push(part);
      unfinished.grow(incoming, part.length);
      if (size > maxSize) resolve(null);
    }
  };
  const onEnd = (): void => resolve(Buffer.concat(parts));
  const onClose = (): void => reject(new IncompleteRequest());
  incoming.on('readable', onReadable).on('end', onEnd).on('error', onClose).on('close', onClose);
  return promise.finally(() => {
    incoming.off('readable', onReadable).off('end', onEnd).off('error', onClose).off('close', onClose);
    unfinished.remove(incoming);
  });
}

/** The bodies that are being received. Beyond a number of bytes, the oldest request is closed: its client is slow. */
export class UnfinishedBodies {
  readonly #maxBytes: number;
  readonly #sizes = new Map<Pick<IncomingMessage, 'destroy'>, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  grow(request: Pick<IncomingMessage, 'destroy'>, bytes: number): void {
    this.#sizes.set(request, (this.#sizes.get(request) ?? 0) + bytes);
    this.#bytes += bytes;
    for (const oldest of this.#sizes.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.remove(oldest);
      oldest.destroy();
    }
  }

  remove(request: Pick<IncomingMessage, 'destroy'>): void {
    this.#bytes -= this.#sizes.get(request) ?? 0;
    this.#sizes.delete(request);
  }
}

/** 500 connections with the largest body of a webhook would be a gigabyte. */
const unfinished = new UnfinishedBodies(32 * 1024 * 1024);

/** Responds with 413 to a body that is longer than any form of the site. */
export function limitForm(web: WebContext): MiddlewareHandler {
  const { locale } = web;
  const text = { title: locale.text('error.longForm.title'), message: locale.text('error.longForm.message') };
  return limitBody({ maxSize: FORM_LIMIT, onError: (c) => respondError(web, c, 413, text) });
}

/** For webhooks: responds with 413 to a body of more bytes. */
export function limitBytes(maxSize: number): MiddlewareHandler {
  const text = `The body must have at most ${maxSize} bytes.\n`;
  return limitBody({ maxSize, onError: (c) => c.text(text, 413, { 'Cache-Control': 'no-store' }) });
}

/** The fields of a posted form (`application/x-www-form-urlencoded`); null for any other type. */
export async function readForm(c: Context): Promise<URLSearchParams | null> {
  const type = (c.req.header('Content-Type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/x-www-form-urlencoded' ? new URLSearchParams(await c.req.text()) : null;
}

/** 415, for a request that `readForm` cannot read; 400, for one that lacks the fields of the form. */
export async function respondNoForm(web: WebContext, c: Context, status: 400 | 415 = 415): Promise<Response> {
  const { locale } = web;
  const text = { title: locale.text('error.noForm.title'), message: locale.text('error.noForm.message') };
  return respondError(web, c, status, text);
}
