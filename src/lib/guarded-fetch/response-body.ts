/**
 * The whole body of a response to a request of ours, decoded and within limits. It is complete or an error: a feed or a
 * picture of which the end is missing would be taken for a shorter one.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, gunzip } from 'node:zlib';

/** Why there is no whole response, for people. It contains nothing of the response. */
export class FetchError extends Error {
  override name = 'FetchError';
}

/** The body is longer than the limit, which trying again does not change. */
export class TooLongError extends FetchError {}

export const ACCEPT_ENCODING = 'gzip, deflate, br';

/**
 * Reads and decodes the body. One that is a gzip file, or was encoded without saying so, is unpacked too.
 * @param maxBytes of the body as it is transferred, and of the decoded one: both are counted on the way
 * @throws FetchError for a body over a limit, cut off, or in a coding that was not asked for; or what the signal throws
 */
export async function readWholeBody(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const coding = codingOf(response);
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLong('its body', maxBytes);
  const chunks: Buffer[] = [];
  // pipeline() may wait for ever for a response that is destroyed before its end (tried on Node 24.21).
  const { promise: failure, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const wire = atMost(maxBytes, 'its body', reject);
  const whole = atMost(maxBytes, 'its decoded body', reject);
  const collect = async (decoded: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of whole(decoded)) chunks.push(chunk);
  };
  try {
    signal.throwIfAborted();
    const decoder = coding === 'identity' ? null : await decoderOf(coding, response);
    const reading = decoder === null ? pipeline(response, wire, collect) : pipeline(response, wire, decoder, collect);
    await Promise.race([failure, reading]);
    const body = Buffer.concat(chunks);
    return body[0] === 0x1f && body[1] === 0x8b ? await unpack(body, { maxOutputLength: maxBytes }) : body;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong('its decoded body', maxBytes);
    throw error instanceof FetchError ? error : new FetchError(reasonOfCut(error));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const unpack = promisify(gunzip) as (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

/** Passes chunks on until they are longer than the limit. @param report gets the error, which it also throws */
function atMost(limit: number, what: string, report: (error: FetchError) => void) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let length = 0;
    for await (const chunk of chunks) {
      length += chunk.length;
      if (length > limit) {
        const error = tooLong(what, limit);
        report(error);
        throw error;
      }
      yield chunk;
    }
  };
}

/** Servers name a charset here, too. */
const NO_CODING = ['', 'identity', 'none', 'utf-8', 'utf8'];

function codingOf({ headers, statusCode }: IncomingMessage): string {
  const codings = (headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => !NO_CODING.includes(coding));
  // These have no body (RFC 9110 §6.4.1), but may have the header of the one that they stand for.
  if (codings.length === 0 || statusCode === 204 || statusCode === 304) return 'identity';
  const [coding = ''] = codings;
  if (codings.length > 1) throw new FetchError('its body is encoded more than once');
  return coding.startsWith('x-') ? coding.slice(2) : coding;
}

/** @throws FetchError for an unknown coding, or where the body is empty: that is no body of any coding */
async function decoderOf(coding: string, response: IncomingMessage): Promise<Duplex> {
  const first = await firstByte(response);
  if (first === null) throw new FetchError('its body is cut off');
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'deflate':
      // Meant is the zlib format, whose first half byte is 8 (RFC 1950 §2.2); some servers send the bare data.
      return (first & 0x0f) === 8 ? createInflate() : createInflateRaw();
    default:
      throw new FetchError('its body is in a coding other than gzip, deflate and br');
  }
}

async function firstByte(stream: Readable): Promise<number | null> {
  while (true) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null && chunk.length > 0) {
      stream.unshift(chunk);
      return chunk[0] as number;
    }
    if (stream.readableEnded) return null;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const events = { readable: () => resolve(), end: () => resolve(), error: reject, close: () => resolve() };
    for (const [event, listener] of Object.entries(events)) stream.once(event, listener);
    try {
      await promise;
    } finally {
      for (const [event, listener] of Object.entries(events)) stream.off(event, listener);
    }
    if (stream.destroyed && !stream.readableEnded) throw new FetchError('its body is cut off');
  }
}

function tooLong(what: string, limit: number): TooLongError {
  return new TooLongError(`${what} is longer than ${size(limit)}`);
}

/** An end that is missing has other codes, by coding, or is a closed connection. */
function reasonOfCut(error: unknown): string {
  const { code } = error as { code?: unknown };
  const isData = typeof code === 'string' && /^(?:Z_DATA_ERROR|ERR__?ERROR_FORMAT|ERR_BROTLI)/.test(code);
  return isData ? 'its body is not in the coding that it claims' : 'its body is cut off';
}

function size(bytes: number): string {
  const mebibytes = bytes / 1_048_576;
  return mebibytes >= 1 ? `${Math.round(mebibytes * 10) / 10} MiB` : `${bytes} bytes`;
}
