/** Splits a stream of JSON Lines, with the memory of one line. */
import { decodeUtf8, storableText } from '../../lib/text/clean-text.ts';
import { MAX_RECORD_BYTES, type SourceRecord } from './source-record.ts';

const LINE_FEED = 0x0a;
/** Bytes kept of a line that is too long, for the operator. */
const KEPT_OF_LONG_LINES = 64 * 1024;

/**
 * Yields the lines that are not blank, numbered from 1. Lines end in LF or CR LF; a byte order mark is ignored.
 * @param maxBytes a longer line is yielded as unusable
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  maxBytes = MAX_RECORD_BYTES,
): AsyncGenerator<SourceRecord> {
  let line = 1;
  let readTo = 0;
  // Parts of the current line, and its whole length, which may exceed what is kept.
  let open: Buffer[] = [];
  let length = 0;

  const add = (part: Buffer): void => {
    if (length <= maxBytes) open.push(part);
    length += part.length;
    if (length > maxBytes && open.length > 1) open = [Buffer.concat(open).subarray(0, KEPT_OF_LONG_LINES)];
  };
  const end = (): SourceRecord | null => {
    const bytes = open.length === 1 ? (open[0] as Buffer) : Buffer.concat(open);
    const content = length > maxBytes ? tooLong(bytes, length, maxBytes) : contentOf(bytes);
    const record = content === null ? null : { line, readTo, content };
    line += 1;
    open = [];
    length = 0;
    return record;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(LINE_FEED); to !== -1; to = chunk.indexOf(LINE_FEED, from)) {
      add(chunk.subarray(from, to));
      readTo += to + 1 - from;
      from = to + 1;
      const record = end();
      if (record !== null) yield record;
    }
    readTo += chunk.length - from;
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) {
    const record = end();
    if (record !== null) yield record;
  }
}

function contentOf(bytes: Buffer): SourceRecord['content'] | null {
  const text = decodeUtf8(bytes);
  if (text === null) return { kind: 'unusable', rule: 'is not UTF-8: write it as UTF-8', raw: storableText(bytes) };
  return text.trim() === '' ? null : { kind: 'text', text: text.trim() };
}

function tooLong(start: Buffer, length: number, maxBytes: number): SourceRecord['content'] {
  const rule = `is ${length} bytes long; the limit is ${maxBytes}, and only the beginning is kept`;
  return { kind: 'unusable', rule, raw: storableText(start.toString('utf8', 0, KEPT_OF_LONG_LINES)) };
}
