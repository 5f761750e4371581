/** Reads the records of a CSV file of any length, with line numbers. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { type CsvError, parse } from 'csv-parse';
import { delimiterOf } from './columns.ts';

export interface CsvRecord {
  fields: string[];
  /** First line of the record, from 1. */
  line: number;
  /** Bytes of the file up to the end of the record. */
  bytes: number;
  /** Whether it is longer than any row should be. */
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

const NOT_UTF8 = 'it is not UTF-8: save it as UTF-8, which spreadsheets call "CSV UTF-8"';

/** Reads a whole file. @throws Error unless it is UTF-8, or UTF-16 with the byte order mark that the parser detects */
export async function checkEncoding(file: string): Promise<void> {
  let decoder: TextDecoder | null = null;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const isUtf16 = chunk[0] === 0xff && chunk[1] === 0xfe;
    decoder ??= new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8', { fatal: true });
    try {
      decoder.decode(chunk, { stream: true });
    } catch (error) {
      throw new Error(NOT_UTF8, { cause: error });
    }
  }
}

/**
 * Reads the records of a file, in one batch per chunk: with a promise per record, promises took a third of an import's
 * time.
 * @param quoteEscape what is put before a quotation mark within a field; another one (RFC 4180 §2), or a backslash
 * @throws CsvSyntaxError after the records before an unclosed quotation mark, or before a line of more than a megabyte
 */
export async function* readRecords(file: string, quoteEscape: '"' | '\\' = '"'): AsyncGenerator<CsvRecord[]> {
  const records: CsvRecord[] = [];
  let line = 0;
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(await firstLine(file)),
    escape: quoteEscape,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: MAX_PARSED_SIZE,
    on_record(fields: string[], { lines, bytes }) {
      // The parser reports the last line of the record; quoted fields can contain line ends.
      const first = lines - fields.reduce((count, field) => count + countLineEnds(field), 0);
      const size = fields.reduce((sum, field) => sum + field.length, 0);
      line = lines;
      records.push({ fields, line: first, bytes, isOversized: size > MAX_RECORD_SIZE });
      return null;
    },
  });
  let failure: CsvError | null = null;
  parser.on('error', (error: CsvError) => {
    failure = error;
  });
  for await (const chunk of createReadStream(file)) {
    await new Promise((resolve) => parser.write(chunk, resolve));
    if (records.length > 0) yield records.splice(0);
    if (failure !== null) throw toError(failure, line);
  }
  await new Promise((resolve) => parser.end(resolve));
  if (records.length > 0) yield records.splice(0);
  if (failure !== null) throw toError(failure, line);
}

function countLineEnds(field: string): number {
  return /[\r\n]/.test(field) ? field.split(/\r\n|\r|\n/).length - 1 : 0;
}

function toError(error: CsvError, line: number): Error {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
    return new CsvSyntaxError(`after line ${line}: a quotation mark is not closed`);
  }
  if (error.code !== 'CSV_MAX_RECORD_SIZE') return error;
  return new CsvSyntaxError(`after line ${line}: a quotation mark is not closed, or a line has more than a megabyte`);
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
