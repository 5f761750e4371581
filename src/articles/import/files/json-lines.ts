/** Splits a stream of JSON Lines, with the memory of one line. */
import { decodeUtf8, storableText } from '../../../lib/text/clean-text.ts';

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

/** One article as text, before it is parsed. */
export interface SourceRecord {
  /** From 1, or null if the whole file is the article. */
  line: number | null;
  /** Bytes of the file up to the end of this record, for progress. */
  readTo: number;
  content:
    | { kind: 'text'; text: string }
    /** Read, but not the text of an article. */
    | { kind: 'unusable'; rule: string; raw: string }
    /** The file, or the rest of it, could not be read. */
    | { kind: 'unreadable'; rule: string }
    /** The file has been removed since it was listed. */
    | { kind: 'gone' };
}

/** Google News accepts 1 MB per article. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;
