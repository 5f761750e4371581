/**
 * Reads a posted form with a file (multipart/form-data, RFC 7578) part by part, as it arrives: the file is never in
 * memory as a whole.
 */

/** The body is no such form, or is longer than allowed; the message says why. */
export class MultipartError extends Error {
  override name = 'MultipartError';
}

/** The body ended in the middle: its client left. */
export class CutMultipart extends MultipartError {
  override name = 'CutMultipart';
}

export interface FormPart {
  name: string;
  /** Null for a field. */
  fileName: string | null;
  /** Must be read before the next part. */
  content: AsyncGenerator<Buffer>;
}

/** Bytes of what is before the first part, and of the headers of a part. */
const MAX_HEADER = 8 * 1024;
const MAX_PARTS = 100;
/** Bytes of a field. */
const MAX_FIELD = 16 * 1024;

/** The boundary of a Content-Type; null for another type. RFC 2046, section 5.1.1: at most 70 characters. */
export function boundaryOf(contentType: string): string | null {
  const [type = '', ...parameters] = contentType.slice(0, 500).split(';');
  if (type.trim().toLowerCase() !== 'multipart/form-data') return null;
  for (const parameter of parameters) {
    const [, quoted, plain] = /^\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s";]{1,70}))\s*$/i.exec(parameter) ?? [];
    if (quoted !== undefined || plain !== undefined) return quoted ?? plain ?? null;
  }
  return null;
}

/** The parts of a body, in order. @throws MultipartError */
export async function* readParts(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<FormPart> {
  const input = new Input(body);
  // The first boundary need not follow a line end.
  input.rest = Buffer.from('\r\n');
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  await input.readTo(delimiter, MAX_HEADER);
  for (let count = 0; ; count++) {
    const ending = await input.readTo(LINE_END, MAX_HEADER, Buffer.from('--'));
    if (ending === null) return;
    if (ending.toString('latin1').trim() !== '') throw new MultipartError('a boundary is followed by other text');
    if (count === MAX_PARTS) throw new MultipartError(`it has more than ${MAX_PARTS} fields`);
    // The header may be empty: then its end is a single line end.
    input.rest = Buffer.concat([LINE_END, input.rest]);
    const header = (await input.readTo(HEADER_END, MAX_HEADER)) ?? Buffer.alloc(0);
    const content = input.readBefore(delimiter);
    yield { ...dispositionOf(header.toString('utf8')), content };
    // What the caller has not read.
    for await (const _ of content);
  }
}

/** The text of a field. @throws MultipartError if it is too long */
export async function readField({ name, content }: FormPart): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > MAX_FIELD) throw new MultipartError(`the field ${name.slice(0, 100)} has more than ${MAX_FIELD} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const LINE_END = Buffer.from('\r\n');
const HEADER_END = Buffer.from('\r\n\r\n');

class Input {
  /** What has arrived and is not read. */
  rest: Buffer = Buffer.alloc(0);
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#chunks = body[Symbol.asyncIterator]();
  }

  /** @throws CutMultipart at the end of the body */
  async #grow(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done) throw new CutMultipart('it ends in the middle');
    this.rest = this.rest.length === 0 ? Buffer.from(value) : Buffer.concat([this.rest, value]);
  }

  /** Reads up to a mark, and over it. @returns null if `stop` comes first, at the beginning */
  async readTo(mark: Buffer, limit: number, stop?: Buffer): Promise<Buffer | null> {
    for (;;) {
      if (stop !== undefined && this.rest.length >= stop.length && this.rest.indexOf(stop) === 0) return null;
      const at = this.rest.indexOf(mark);
      if (at >= 0 && at <= limit) {
        const found = this.rest.subarray(0, at);
        this.rest = this.rest.subarray(at + mark.length);
        return found;
      }
      if (this.rest.length > limit) throw new MultipartError('its header is too long, or a boundary is missing');
      await this.#grow();
    }
  }

  /** Yields what is before a delimiter, and reads over it. */
  async *readBefore(delimiter: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.rest.indexOf(delimiter);
      // The delimiter may have arrived in part.
      const end = at >= 0 ? at : this.rest.length - delimiter.length + 1;
      if (end > 0) {
        const part = this.rest.subarray(0, end);
        this.rest = this.rest.subarray(end);
        yield part;
      }
      if (at >= 0) {
        this.rest = this.rest.subarray(delimiter.length);
        return;
      }
      await this.#grow();
    }
  }
}

/** @throws MultipartError for a part without a name */
function dispositionOf(header: string): { name: string; fileName: string | null } {
  const [, parameters = ''] = /^content-disposition:[ \t]*form-data[ \t]*;(.*)$/im.exec(header) ?? [];
  const parameterOf = (name: string): string | undefined =>
    new RegExp(`(?:^|;)[ \\t]*${name}="([^"]*)"`, 'i').exec(parameters)?.[1];
  const name = parameterOf('name');
  if (name === undefined) throw new MultipartError('a part has no name');
  return { name, fileName: parameterOf('filename') ?? null };
}
