/**
 * Reads a CSV file of any length record by record, each with the line on which it stands.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type CsvError, parse } from 'csv-parse';
import { delimiterOf } from './csv-columns.ts';

export interface CsvRecord {
  fields: string[];
  /** Where it begins, from 1. */
  line: number;
  /** How much of the file has been read behind it. */
  bytes: number;
}

/** From here on nothing of the file can be read. */
export class BrokenCsv extends Error {
  override name = 'BrokenCsv';
}

/** A quote that is never closed would otherwise swallow the file. */
const LONGEST_RECORD = 64 * 1024;

/**
 * The records of a file, as many at once as a piece of it holds: one at a time, their promises took a third of an import's time.
 * @throws BrokenCsv where a quotation mark is never closed, behind the records that stand before it
 */
export async function* recordsOf(file: string): AsyncGenerator<CsvRecord[]> {
  const records: CsvRecord[] = [];
  let last = 0;
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(await firstLine(file)),
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_RECORD,
    on_record(fields: string[], { lines, bytes }) {
      // The parser counts to the record's end; a quoted field may hold line ends.
      records.push({ fields, line: lines - fields.reduce((height, field) => height + lineEnds(field), 0), bytes });
      last = lines;
      return null;
    },
  });
  let failure: CsvError | null = null;
  parser.on('error', (error: CsvError) => {
    failure = error;
  });
  for await (const piece of createReadStream(file)) {
    await new Promise((resolve) => parser.write(piece, resolve));
    if (records.length > 0) yield records.splice(0);
    if (failure !== null) throw explain(failure, last);
  }
  await new Promise((resolve) => parser.end(resolve));
  if (records.length > 0) yield records.splice(0);
  if (failure !== null) throw explain(failure, last);
}

function lineEnds(field: string): number {
  return /[\r\n]/.test(field) ? field.split(/\r\n|\r|\n/).length - 1 : 0;
}

function explain(error: CsvError, line: number): Error {
  if (error.code !== 'CSV_MAX_RECORD_SIZE' && error.code !== 'CSV_QUOTE_NOT_CLOSED') return error;
  return new BrokenCsv(`behind line ${line}: a quotation mark is never closed; what stood before it has been imported`);
}

async function firstLine(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(LONGEST_RECORD), 0, LONGEST_RECORD, 0);
    // Delimiters are ASCII: UTF-16, which the parser knows by its mark, has them between zeros.
    return buffer.toString('utf8', 0, bytesRead).split(/\r\n|\r|\n/, 1)[0] ?? '';
  } finally {
    await handle.close();
  }
}
