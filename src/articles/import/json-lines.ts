/**
 * Splits JSON Lines as they stream in, with the memory of one line.
 */
import { decodeUtf8, storableText } from '../../lib/clean-text.ts';
import { LONGEST_ARTICLE, type SourceRecord } from './source-record.ts';

const LINE_FEED = 0x0a;
/** Of a line that is too long, so much is kept for the one who looks into it. */
const KEPT_OF_LONG_LINES = 64 * 1024;

/**
 * The lines that hold anything, numbered from 1. Line ends are LF or CR LF; a byte order mark at the start is passed over.
 * @param longest a longer line, in bytes, is not read but told, and the next one follows
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  longest = LONGEST_ARTICLE,
): AsyncGenerator<SourceRecord> {
  let line = 1;
  let readTo = 0;
  // Pieces of the line that has not ended yet, and its length, which counts on when no more is kept.
  let open: Buffer[] = [];
  let length = 0;

  const add = (part: Buffer): void => {
    if (length <= longest) open.push(part);
    length += part.length;
    if (length > longest && open.length > 1) open = [Buffer.concat(open).subarray(0, KEPT_OF_LONG_LINES)];
  };
  const end = (): SourceRecord | null => {
    const bytes = open.length === 1 ? (open[0] as Buffer) : Buffer.concat(open);
    const content = length > longest ? tooLong(bytes, length, longest) : contentOf(bytes);
    const piece = content === null ? null : { line, readTo, content };
    line += 1;
    open = [];
    length = 0;
    return piece;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(LINE_FEED); to !== -1; to = chunk.indexOf(LINE_FEED, from)) {
      add(chunk.subarray(from, to));
      readTo += to + 1 - from;
      from = to + 1;
      const piece = end();
      if (piece !== null) yield piece;
    }
    readTo += chunk.length - from;
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) {
    const piece = end();
    if (piece !== null) yield piece;
  }
}

function contentOf(bytes: Buffer): SourceRecord['content'] | null {
  const text = decodeUtf8(bytes);
  if (text === null) return { kind: 'unusable', rule: 'is not UTF-8: write it as UTF-8', raw: storableText(bytes) };
  return text.trim() === '' ? null : { kind: 'text', text: text.trim() };
}

function tooLong(start: Buffer, length: number, longest: number): SourceRecord['content'] {
  const rule = `is ${length} bytes long: an article may have ${longest}; only its beginning is kept here`;
  return { kind: 'unusable', rule, raw: storableText(start.toString('utf8', 0, KEPT_OF_LONG_LINES)) };
}
