/**
 * The whole body of a response to a request of ours, decoded and within limits. It is complete or an error: a feed or a
 * picture of which the end is missing would be taken for a shorter one.
 */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib';

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
  const decode = decoderOf(response);
  const limits = { maxOutputLength: maxBytes };
  try {
    signal.throwIfAborted();
    const body = await collect(response, maxBytes);
    // A body that ends with the connection looks complete where the signal has closed it.
    signal.throwIfAborted();
    const decoded = decode === null ? body : await decode(body, limits);
    return decoded[0] === 0x1f && decoded[1] === 0x8b ? await DECODERS.gzip(decoded, limits) : decoded;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong('its decoded body', maxBytes);
    throw error instanceof FetchError ? error : new FetchError(reasonOfCut(error));
  }
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLong('its body', maxBytes);
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) throw tooLong('its body', maxBytes);
  }
  return Buffer.concat(chunks);
}

type Decode = (body: Buffer, limits: ZlibOptions) => Promise<Buffer>;

const zlibInflate: Decode = promisify(inflate);
const bareInflate: Decode = promisify(inflateRaw);
const DECODERS = {
  gzip: promisify(gunzip) as Decode,
  br: promisify(brotliDecompress) as Decode,
  // Meant is the zlib format, whose first half byte is 8 (RFC 1950 §2.2); some servers send the bare data.
  deflate: ((body, limits) => (((body[0] ?? 8) & 0x0f) === 8 ? zlibInflate : bareInflate)(body, limits)) as Decode,
};

/** Servers name a charset here, too. */
const NO_CODING = ['', 'identity', 'none', 'utf-8', 'utf8'];

/** @returns null for a body that is not encoded @throws FetchError for an unknown coding */
function decoderOf({ headers, statusCode }: IncomingMessage): Decode | null {
  const codings = (headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim().replace(/^x-/, ''))
    .filter((coding) => !NO_CODING.includes(coding));
  // These have no body (RFC 9110 §6.4.1), but may have the header of the one that they stand for.
  if (codings.length === 0 || statusCode === 204 || statusCode === 304) return null;
  const [coding = ''] = codings;
  if (codings.length > 1) throw new FetchError('its body is encoded more than once');
  if (Object.hasOwn(DECODERS, coding)) return DECODERS[coding as keyof typeof DECODERS];
  throw new FetchError('its body is in a coding other than gzip, deflate and br');
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
