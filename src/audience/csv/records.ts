/** Reads the records of a CSV file of any length, with line numbers. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type CsvError, parse } from 'csv-parse';
import { delimiterOf } from './columns.ts';

export interface CsvRecord {
  fields: string[];
  /** First line of the record, from 1. */
  line: number;
  /** Bytes of the file up to the end of the record. */
  bytes: number;
  /** Whether it is longer than any row should be. The fields of a line that was skipped are cut off. */
  isOversized: boolean;
}

/** The rest of the file cannot be read. */
export class CsvSyntaxError extends Error {
  override name = 'CsvSyntaxError';
}

/** Characters of a row. */
const MAX_RECORD_SIZE = 64 * 1024;
/** Bytes that are read as one record: without a limit, an unclosed quote would take the rest of the file. */
const MAX_PARSED_SIZE = 1024 * 1024;

const [LF, CR] = [10, 13];

/**
 * Reads the records of a file, in one batch per chunk: with a promise per record, promises took a third of an import's
 * time. A line of any length without line breaks in it is one oversized record.
 * @param quoteEscape what is put before a quotation mark within a field; another one (RFC 4180 §2), or a backslash
 * @throws CsvSyntaxError after the records before an unclosed quotation mark
 */
export async function* readRecords(file: string, quoteEscape: '"' | '\\' = '"'): AsyncGenerator<CsvRecord[]> {
  const header = await firstLine(file);
  for (let position: Position | null = { byte: 0, line: 1 }; position !== null; ) {
    const end: RecordsEnd = yield* readFrom(file, position, { delimiter: delimiterOf(header), quoteEscape });
    if (end.failure === null) return;
    const { at, failure } = end;
    const skipped = failure.code === 'CSV_MAX_RECORD_SIZE' ? await findLongLine(file, at) : null;
    if (skipped === null) throw toError(failure, at.line - 1);
    yield [{ fields: [skipped.text], line: at.line, bytes: skipped.end, isOversized: true }];
    position = { byte: skipped.end, line: at.line };
  }
}

/** The start of the file, or of a line end: then the line that it ends. */
interface Position {
  byte: number;
  line: number;
}

interface RecordsEnd {
  /** The line of the record that failed, and the line end before it. */
  at: Position;
  failure: CsvError | null;
}

async function* readFrom(
  file: string,
  start: Position,
  { delimiter, quoteEscape }: { delimiter: string; quoteEscape: string },
): AsyncGenerator<CsvRecord[], RecordsEnd> {
  const records: CsvRecord[] = [];
  // After a line end, the next line.
  const at = { byte: start.byte, line: start.byte === 0 ? start.line : start.line + 1 };
  const parser = parse({
    bom: start.byte === 0,
    delimiter,
    escape: quoteEscape,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: MAX_PARSED_SIZE,
    on_record(fields: string[], { lines, bytes }) {
      // The parser reports the last line of the record; quoted fields can contain line ends.
      const line = start.line - 1 + lines - fields.reduce((count, field) => count + countLineEnds(field), 0);
      const size = fields.reduce((sum, field) => sum + field.length, 0);
      at.line = start.line + lines;
      at.byte = start.byte + bytes;
      records.push({ fields, line, bytes: at.byte, isOversized: size > MAX_RECORD_SIZE });
      return null;
    },
  });
  let failure: CsvError | null = null;
  parser.on('error', (error: CsvError) => {
    failure = error;
  });
  for await (const chunk of createReadStream(file, { start: start.byte })) {
    await new Promise((resolve) => parser.write(chunk, resolve));
    if (records.length > 0) yield records.splice(0);
    if (failure !== null) return { at, failure };
  }
  await new Promise((resolve) => parser.end(resolve));
  if (records.length > 0) yield records.splice(0);
  return { at, failure };
}

/**
 * The line of a record that is too long, if it has no line end where the parser gave up; otherwise the record has many
 * lines, and a quotation mark is not closed. @returns the end of the line, and its first characters
 */
async function findLongLine(file: string, { byte }: Position): Promise<{ end: number; text: string } | null> {
  let offset = byte;
  let text = '';
  let start: number | null = null;
  for await (const chunk of createReadStream(file, { start: byte }) as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at++) {
      const isEnd = chunk[at] === LF || chunk[at] === CR;
      if (start === null && !isEnd) {
        start = offset + at;
        text = chunk.toString('utf8', at, at + 100);
      } else if (start !== null && isEnd) {
        return offset + at - start < MAX_PARSED_SIZE ? null : { end: offset + at, text };
      }
    }
    offset += chunk.length;
  }
  return start === null || offset - start < MAX_PARSED_SIZE ? null : { end: offset, text };
}

function countLineEnds(field: string): number {
  return /[\r\n]/.test(field) ? field.split(/\r\n|\r|\n/).length - 1 : 0;
}

function toError(error: CsvError, line: number): Error {
  if (error.code !== 'CSV_MAX_RECORD_SIZE' && error.code !== 'CSV_QUOTE_NOT_CLOSED') return error;
  return new CsvSyntaxError(`after line ${line}: a quotation mark is not closed`);
}

async function firstLine(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_RECORD_SIZE), 0, MAX_RECORD_SIZE, 0);
    // Works for UTF-16 too, which the parser detects by its byte order mark: delimiters are ASCII, with a zero byte
    // next to each.
    return buffer.toString('utf8', 0, bytesRead).split(/\r\n|\r|\n/, 1)[0] ?? '';
  } finally {
    await handle.close();
  }
}
